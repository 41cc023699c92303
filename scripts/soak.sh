#!/usr/bin/env bash
# The declared full counts of what scripts/test.sh runs in small: seeded mutations, property tests, a whole day; and
# the cockpit's frames held to their bars, on a machine with nothing else to do. Takes hours.
set -euo pipefail
cd "$(dirname "$0")/.."

export GREENWAVE_MUTATIONS="${GREENWAVE_MUTATIONS:-100000}"
export PROPTEST_CASES="${PROPTEST_CASES:-10000}"
export GREENWAVE_KILLS="${GREENWAVE_KILLS:-100}"
export GREENWAVE_BAD_BYTES="${GREENWAVE_BAD_BYTES:-1000000}"
export GREENWAVE_CUT_S="${GREENWAVE_CUT_S:-60}"
export GREENWAVE_FRAME_BARS="${GREENWAVE_FRAME_BARS:-1}"
export GREENWAVE_DAY_HOURS="${GREENWAVE_DAY_HOURS:-24}"
echo "soak: $GREENWAVE_MUTATIONS mutations of each kind, $PROPTEST_CASES cases of each property, $GREENWAVE_KILLS kills, $GREENWAVE_BAD_BYTES bad messages, a cut of $GREENWAVE_CUT_S s, a day of $GREENWAVE_DAY_HOURS hours" >&2
exec cargo test --locked --release --lib --bins --tests "$@"

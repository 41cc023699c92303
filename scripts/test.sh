#!/usr/bin/env bash
# Everything CI runs: format, lints, tests, doc tests, docs. Needs Java 17 and Maven for a broker, Node.js 20.19 or newer and
# Chromium for the page, Python 3 with venv for schemathesis. Installs nothing on the system: what it fetches (crates, the
# page's and the tests' npm packages, Kafka's jars, schemathesis) stays in target/, .cache/ and the tools' own caches. Stops
# at the first failure.
set -euo pipefail
cd "$(dirname "$0")/.."

# The same cases every time, so that a change is judged by what it changed; scripts/soak.sh draws new ones.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-1}"

step() { printf '\n== %s\n' "$*" >&2; "$@"; }

# A broker that was started here is stopped at the end; one that does not start is a failure.
if [ -z "${KAFKA_BOOTSTRAP:-}" ]; then
  scripts/kafka.sh status >/dev/null 2>&1 || trap 'scripts/kafka.sh stop' EXIT
  KAFKA_BOOTSTRAP=$(scripts/kafka.sh start)
  export KAFKA_BOOTSTRAP
fi

step cargo fmt --check
step cargo clippy --locked --all-targets -- -D warnings
step cargo test --locked --lib --bins --tests
step scripts/schemathesis.sh
step cargo test --locked --doc
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps --document-private-items

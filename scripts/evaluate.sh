#!/usr/bin/env bash
# usage: scripts/evaluate.sh [--seeds N] [--sumo DIR]... [--cityflow DIR]... [--python PYTHON] [--jobs N] [--out FILE]
# Everything that is claimed of the controller, measured again: SUMO scenarios, CityFlow's protocols and the twin city, each
# against what others reach there. Writes docs/evaluation.md and its plot. `scripts/evaluate.sh --help` says more.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
(cd "$here/.." && cargo build --quiet --locked --release --bin greenwave)
exec python3 "$here/evaluate.py" "$@"

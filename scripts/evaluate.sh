#!/usr/bin/env bash
# usage: scripts/evaluate.sh [--seeds N] [--sumo DIR]... [--cityflow DIR]... [--python PYTHON] [--jobs N] [--out FILE]
# Everything that is claimed of the controller, measured again: SUMO scenarios, CityFlow's protocols and the twin city, each
# beside what others published there. Writes docs/evaluation.md and its plot. `scripts/evaluate.sh --help` says more.
set -euo pipefail
exec python3 "$(dirname "$0")/evaluate.py" "$@"

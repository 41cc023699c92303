#!/usr/bin/env bash
# Everything CI runs: format, lints, tests, doc tests, docs. Installs nothing; stops at the first failure.
set -euo pipefail
cd "$(dirname "$0")/.."

# The same cases every time, so that a change is judged by what it changed; scripts/soak.sh draws new ones.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-1}"

step() { printf '\n== %s\n' "$*" >&2; "$@"; }

step cargo fmt --check
step cargo clippy --locked --all-targets -- -D warnings
step cargo test --locked --lib --bins --tests
step cargo test --locked --doc
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --no-deps --document-private-items

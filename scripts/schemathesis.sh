#!/usr/bin/env bash
# The cockpit's API against its own description, by schemathesis: no 5xx, no answer that is not described. Brings
# schemathesis from PyPI once, into .cache; starts a demo of its own. Needs Python 3 with venv.
# usage: scripts/schemathesis.sh [cases an operation, 60 without]
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.32.5
home=$PWD/.cache/schemathesis-$version
cases=${1:-60}
work=$(mktemp -d)
trap 'kill "$demo" 2>/dev/null || true; rm -rf "$work"' EXIT
demo=

if [ ! -f "$home/.complete" ]; then
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet "schemathesis==$version"
  touch "$home/.complete"
fi

cargo build --locked --quiet
# Orders that schemathesis makes up close roads and hold signals: that is what it is there for.
target/debug/greenwave demo --port 0 --speed 2 --minutes 180 > "$work/out" 2> "$work/err" &
demo=$!
for _ in $(seq 100); do
  url=$(grep -o 'http://[^ ]*' "$work/err" || true)
  [ -n "$url" ] && break
  kill -0 "$demo" 2>/dev/null || { cat "$work/err" >&2; exit 1; }
  sleep 0.1
done
[ -n "$url" ] || { echo "the demo named no address within 10 s:" >&2; cat "$work/err" >&2; exit 1; }
base=${url%%/#*} word=${url##*#}
token=$(python3 - "$base" "$word" <<'PY'
import json, sys, urllib.request
body = json.dumps({"one_time": sys.argv[2]}).encode()
request = urllib.request.Request(sys.argv[1] + "/api/session", body, {"content-type": "application/json"})
print(json.load(urllib.request.urlopen(request))["token"])
PY
)
# /api/live never ends, so that nobody can wait for its answer; the tests listen to it. One worker: two threads that parse at
# the same time trip over CPython 3.11 (python/cpython#106905), now and then.
cd "$work"
"$home/bin/st" run "$base/api/openapi.json" --header "Authorization: Bearer $token" --exclude-path /api/live \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --max-examples "$cases" --seed 1 --suppress-health-check all --workers 1 --no-color --warnings off

#!/usr/bin/env bash
# Installs what is needed, builds, runs every test; the last line is 'N passed, N failed'. As root on Debian 12.
# Options go to Bazel: tools/test.sh --jobs=2
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export HOME=${HOME:-/root}
tools/setup.sh test || exit
logs=out/test
rm -rf "$logs"
mkdir -p "$logs"

bazel test --keep_going --build_event_json_file="$logs/events.json" "$@" //...

python3 tools/count_tests.py "$logs/events.json"

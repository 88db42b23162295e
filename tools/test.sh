#!/usr/bin/env bash
# Installs what is needed, builds, runs every test; the last line is 'N passed, N failed'. As root on Debian 12.
# Options go to Bazel: tools/test.sh --jobs=2
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export HOME=${HOME:-/root}
tools/setup.sh test || exit
venv=${ZEROPOINT_VENV:-$HOME/.cache/zeropoint-venv}
python=$venv/bin/python
logs=out/test
rm -rf "$logs"
mkdir -p "$logs"

bazel test --keep_going --build_event_json_file="$logs/events.json" "$@" //...

# NAME COMMAND...: runs a test program that is not Bazel's; shows its log only if it fails.
outside_bazel() {
  local name=$1 log=$logs/$1.log status=0 started=$SECONDS
  shift
  "$@" > "$log" 2>&1 || status=$?
  [ "$status" = 0 ] || sed 's/^/| /' "$log"
  echo "exit status $status" >> "$log"
  echo "$name: exit status $status after $((SECONDS - started)) s; $log"
}

# onnx's cases are made once and kept beside the onnx that made them.
cases=$venv/onnx-cases-$(cksum < tests/conformance/generate_cases.py | cut -d' ' -f1)
if [ ! -d "$cases" ]; then
  "$python" tests/conformance/generate_cases.py "$cases.new" && mv "$cases.new" "$cases"
fi
outside_bazel conformance bazel-bin/tests/conformance/run_cases "$cases"
outside_bazel interop "$python" tests/interop/run.py
outside_bazel consumers python3 tests/consumers/run.py

python3 tools/count_tests.py "$logs/events.json" "$logs"/*.log

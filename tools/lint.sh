#!/usr/bin/env bash
# What a change must pass besides the tests: clang-format, clang-tidy, buildifier, headers that compile alone, comments that Doxygen can read. Needs tools/setup.sh all.
#   tools/lint.sh [FILE.cc ...]      clang-tidy on these sources only
set -uo pipefail
cd "$(dirname "$0")/.." || exit
failed=()

echo "== clang-format"
tools/format.sh --check || failed+=(clang-format)

echo "== buildifier"
# Debian's Bazel has the native rules, and no rules_cc or rules_shell to load instead.
mapfile -t build_files < <(git ls-files --cached --others --exclude-standard -- '*.bazel' '*.bzl' '*.BUILD' WORKSPACE)
npx --yes @bazel/buildifier@8.2.1 -mode=check -lint=warn \
  -warnings=-native-cc-library,-native-cc-binary,-native-cc-test,-native-cc-info,-native-sh-test,-native-sh-binary \
  "${build_files[@]}" || failed+=(buildifier)

echo "== comments of the API"
tools/api_reference.sh || failed+=(api_reference)

echo "== each header alone"
bazel build $(printf '//tests/headers:%s ' core kernels calibration graph exec passes profiles kernels_highway) ||
  failed+=(headers)

echo "== clang-tidy"
# onnx's generated headers must be there before anything is analysed
bazel build @onnx//:onnx @highway//:hwy && python3 tools/compile_commands.py || failed+=(compile_commands)
if [ "$#" -gt 0 ]; then
  sources=("$@")
else
  mapfile -t sources < <(python3 -c 'import json; print(*(entry["file"] for entry in json.load(open("compile_commands.json"))), sep="\n")')
fi
printf '%s\0' "${sources[@]}" |
  xargs --null --max-args=1 --max-procs="$(nproc)" clang-tidy-16 --quiet -p . --warnings-as-errors='*' ||
  failed+=(clang-tidy)

if [ "${#failed[@]}" -gt 0 ]; then
  echo "lint: failed: ${failed[*]}"
  exit 1
fi
echo "lint: clean"

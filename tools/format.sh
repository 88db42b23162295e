#!/usr/bin/env bash
# Formats every C++ and Bazel file of the project; with --check, only says what is not formatted and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- '*.h' '*.cc')
if [ "${1:-}" = --check ]; then
  clang-format-16 --dry-run --Werror "${sources[@]}"
else
  clang-format-16 -i "${sources[@]}"
fi

#!/usr/bin/env bash
# Writes the API reference to out/api; index.html is where to begin. Needs tools/setup.sh all.
# Fails on a comment that Doxygen cannot read. Undocumented entities are counted and listed in out/api.log: many a member
# says with its name and type all there is to say.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf out/api out/api.log
mkdir -p out
doxygen docs/Doxyfile
undocumented='is not documented\.$'
echo "$(grep -cE "Compound .* $undocumented" out/api.log || true) types and $(
  grep -cE "Member .* $undocumented" out/api.log || true) members without a comment (out/api.log)"
if grep -vE "$undocumented" out/api.log; then
  echo "api_reference: the lines above are comments that Doxygen cannot read" >&2
  exit 1
fi
echo "out/api/index.html"

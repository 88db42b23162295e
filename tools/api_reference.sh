#!/usr/bin/env bash
# Writes the API reference to out/api; index.html is where to begin. Needs tools/setup.sh all.
# Fails on a comment that Doxygen cannot read. Undocumented entities are counted and listed in out/api.log: many a member
# says with its name and type all there is to say.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf out/api out/api.log out/api-input
mkdir -p out
python3 tools/api_filter.py include out/api-input
doxygen docs/Doxyfile
sed -i "s|^$PWD/out/api-input/|include/|" out/api.log
undocumented='is not documented\.$'
count() { grep -E "$1 .* $undocumented" out/api.log | sort -u | wc -l; }
echo "$(count Compound) types and $(count Member) members without a comment (out/api.log)"
if grep -vE "$undocumented" out/api.log; then
  echo "api_reference: the lines above are comments that Doxygen cannot read" >&2
  exit 1
fi
echo "out/api/index.html"

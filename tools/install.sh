#!/usr/bin/env bash
# Installs the library for CMake and pkg-config; as root on a fresh Debian 12 machine, else where tools/setup.sh has run.
#   tools/install.sh --prefix DIR [--with-program]
#   tools/install.sh --prefix DIR --remove
set -euo pipefail
root=$(dirname "$(readlink -f "$0")")/..
[[ " $* " == *" --remove "* ]] || "$root/tools/setup.sh"
exec python3 "$root/tools/install/install.py" "$@"

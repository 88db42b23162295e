#!/usr/bin/env bash
# Runs a Python test from the root of the runfiles, where every file of the project has its own path.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$@"

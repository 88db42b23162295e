#!/usr/bin/env bash
# Runs the script named first in the virtual environment that holds ONNX Runtime.
set -euo pipefail
python=${ZEROPOINT_VENV:-$HOME/.cache/zeropoint-venv}/bin/python
if [ ! -x "$python" ]; then
  echo "no virtual environment at ${python%/bin/python}: run tools/setup.sh test" >&2
  exit 1
fi
PYTHONPATH=tools:bench PYTHONDONTWRITEBYTECODE=1 exec "$python" "$@"

#!/usr/bin/env bash
# Starts the bench in the virtual environment that holds ONNX Runtime.
set -euo pipefail
python=${ZEROPOINT_VENV:-$HOME/.cache/zeropoint-venv}/bin/python
if [ ! -x "$python" ]; then
  echo "no virtual environment at ${python%/bin/python}: run tools/setup.sh test" >&2
  exit 1
fi
PYTHONDONTWRITEBYTECODE=1 exec "$python" bench/kernels/against_onnxruntime.py "$@"

#!/usr/bin/env bash
# From a fresh Debian 12 machine, as root, to a quantized model: installs what the build needs, builds zeropoint, quantizes
# the text-line classifier in examples/data/ppocr_cls, and scores the result on images that calibration has not seen.
# Leaves the model and reports in out/quickstart.
set -euo pipefail
cd "$(dirname "$0")/.."
export HOME=${HOME:-/root}
data=examples/data/ppocr_cls
out=out/quickstart

echo "== Setting up and building (some minutes the first time)"
tools/setup.sh
bazel build //tools/zeropoint
mkdir -p "$out"

zeropoint() { bazel-bin/tools/zeropoint/zeropoint "$@"; }

echo
echo "== zeropoint static: calibrates on 64 images and writes an int8 model (which so small a network does not run"
echo "   faster than float on a CPU: it would stay float, were it not for --if-slower quantize)"
zeropoint static "$data/model.onnx" --data "$data/calib.npz" --preprocess "$data/preprocess.json" --if-slower quantize \
  -o "$out/ppocr_cls.int8.onnx" --report "$out/static.json" --report "$out/static.html"

echo
echo "== zeropoint compare: the float model against the int8 model on 128 other images"
zeropoint compare "$data/model.onnx" "$out/ppocr_cls.int8.onnx" --data "$data/eval.npz" \
  --preprocess "$data/preprocess.json" --report "$out/compare.json"

echo
echo "The int8 model and the reports are in $out; static.html is one to look at. Next: docs/getting-started.md"

"""Static quantization with ONNX Runtime's own tool: uint8 activations, int8 weights per channel, min-max, QDQ.

Usage: onnxruntime_tool.py MODEL CALIB.npz LIMIT OUT. One process does what one `zeropoint static` does. That includes the
opset upgrade, without which the tool's per-channel output of a model below opset 13 does not load; it leaves out the
shape inference step that its documentation recommends.
"""
import logging
import pathlib
import sys
import tempfile

import onnx
from onnx import version_converter
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

import samples

LEAST_OPSET = 13


class Reader(CalibrationDataReader):
    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def main():
    logging.disable(logging.WARNING)
    path, data, limit, output = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        model = onnx.load(path)
        if next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")) < LEAST_OPSET:
            model.ir_version = max(model.ir_version, 7)
            path = str(pathlib.Path(scratch, "upgraded.onnx"))
            onnx.save(version_converter.convert_version(model, LEAST_OPSET), path)
        del model
        quantize_static(path, output, Reader(samples.load(data, int(limit))), quant_format=QuantFormat.QDQ,
                        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                        calibrate_method=CalibrationMethod.MinMax)


main()

"""Calibration with ONNX Runtime's own calibrators: collects the samples and computes the ranges.

Usage: onnxruntime_calibrator.py MODEL CALIB.npz LIMIT minmax|entropy|percentile
"""
import logging
import pathlib
import sys
import tempfile

from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, create_calibrator

import samples

METHODS = {"minmax": CalibrationMethod.MinMax, "entropy": CalibrationMethod.Entropy,
           "percentile": CalibrationMethod.Percentile}


class Reader(CalibrationDataReader):
    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def main():
    logging.disable(logging.WARNING)
    model, data, limit, method = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        calibrator = create_calibrator(pathlib.Path(model), augmented_model_path=f"{scratch}/augmented.onnx",
                                       calibrate_method=METHODS[method])
        calibrator.collect_data(Reader(samples.load(data, int(limit))))
        calibrator.compute_data()


main()

"""The two programs that the benches compare, on one model and its samples."""
import pathlib
import sys

import samples
from bench_models import PROGRAM, data_of

HERE = pathlib.Path(__file__).parent


def commands(model, count, scratch, *options):
    """What quantizes `model` on `count` samples to scratch/TOOL.onnx, by TOOL; `options` are for Zeropoint."""
    folder = data_of(model)[1]
    calib = str(folder / "calib.npz")
    return {
        "zeropoint": [str(pathlib.Path.cwd() / PROGRAM), "static", str(model), "--data", calib,
                      *samples.preprocess_options(folder), "--limit", str(count), "--profile", "onnxruntime-cpu",
                      *options, "--quiet", "-o", f"{scratch}/zeropoint.onnx"],
        "onnxruntime": [sys.executable, "-W", "ignore", str(HERE / "onnxruntime_tool.py"), str(model), calib, str(count),
                        f"{scratch}/onnxruntime.onnx"],
    }

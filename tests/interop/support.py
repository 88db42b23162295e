"""What the interop tests share: the program, the models and their data, and the other runtimes."""
import atexit
import functools
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import samples  # noqa: E402

PROGRAM = pathlib.Path(os.environ.get("ZEROPOINT", ROOT / "bazel-bin/tools/zeropoint/zeropoint"))
CALIBRATION_SAMPLES = 32
PROFILES = ("onnxruntime-cpu", "openvino")
# The models that ship are so small that they would stay float.
AT_ANY_SPEED = ("--if-slower", "quantize")

onnxruntime.set_default_logger_severity(3)


class Model:
    """A float model, its data, and what a quantized one must reach on `samples` of them: SQNR of the first output in dB."""

    def __init__(self, name, path, data, floor, samples):
        self.name, self.path, self.data, self.floor, self.samples = name, path, data, floor, samples

    def source(self, name):
        """The options that name this model's data: calib or eval."""
        return ["--data", str(self.data / f"{name}.npz"), *samples.preprocess_options(self.data)]

    def feeds(self, name, limit=None):
        return samples.load(self.data / f"{name}.npz", limit)


@functools.cache
def shipped_models():
    """The models in the clone. Floors: what ONNX Runtime's own tool reaches with min-max ranges."""
    data = ROOT / "examples/data"
    floors = {"ppocr_cls": 16.2, "mnist_dwcnn": 31.0}
    return [Model(name, data / name / "model.onnx", data / name, floor, None) for name, floor in floors.items()]


@functools.cache
def all_models():
    """The shipped models, and larger ones where $ZEROPOINT_MODELS (default ../shared) holds models/ and data/."""
    models = list(shipped_models())
    folder = pathlib.Path(os.environ.get("ZEROPOINT_MODELS", ROOT.parent / "shared"))
    floors = {"efficientnet_lite0": 15.6, "ppocr_det": 7.6, "ppocr_rec": 8.0, "minilm_l6": 18.0}
    for name, floor in floors.items():
        path = folder / "models" / f"{name}.onnx"
        if path.exists():
            models.append(Model(name, path, folder / "data" / name, floor, 64))
    return models


def zeropoint(*arguments, check=True, largest_file=None):
    """Runs the program; neither of its streams is a terminal. Files may be limited to `largest_file` bytes, which looks to
    the program like a full disk."""
    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    result = subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=300,
                            check=False, preexec_fn=limit_files if largest_file else None,
                            restore_signals=largest_file is None)  # else SIGXFSZ would end the program
    if check and result.returncode != 0:
        raise AssertionError(f"zeropoint {' '.join(map(str, arguments))}: exit status {result.returncode}\n"
                             f"{result.stderr}")
    return result


@functools.cache
def scratch_folder():
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return pathlib.Path(folder.name)


@functools.cache
def quantized(model, profile):
    """(path, report): the model quantized once a test run."""
    path = scratch_folder() / f"{model.name}.{profile}.onnx"
    result = zeropoint("static", *AT_ANY_SPEED, model.path, *model.source("calib"), "--limit", CALIBRATION_SAMPLES,
                       "--profile", profile, "-o", path, "--json")
    return path, json.loads(result.stdout)


def onnxruntime_outputs(path, feeds, optimized=True):
    """[sample][output], and the outputs' names."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [session.run(None, feed) for feed in feeds], [output.name for output in session.get_outputs()]


def openvino_outputs(path, feeds):
    """[sample][output]"""
    import openvino  # takes a second

    core = openvino.Core()
    compiled = core.compile_model(core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    results = []
    for feed in feeds:
        request.infer(feed)
        results.append([np.array(request.get_output_tensor(i).data) for i in range(len(compiled.outputs))])
    return results


def sqnr(reference, outputs):
    """Of the first output over all samples, in dB."""
    signal = noise = 0.0
    for expected, actual in zip(reference, outputs, strict=True):
        expected, actual = (np.asarray(value[0], np.float64) for value in (expected, actual))
        signal += float((expected ** 2).sum())
        noise += float(((expected - actual) ** 2).sum())
    return 10 * np.log10(signal / max(noise, 1e-30))

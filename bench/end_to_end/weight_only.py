"""What weights of a few bits gain and cost in ONNX Runtime: size, accuracy, time relative to the float model.

    bazel run -c opt //bench/end_to_end:weight_only -- [--models A.onnx B.onnx ...] [--threads 1] [--rounds 5] [--json]

Without models: a stack of square products whose float weights are larger than any cache, on 1 row, as a decoder has when it
writes one word after the other, and on 128, as it has when it reads. Where models and data are: as in end_to_end; theirs are
rounded by the samples of calib.npz. All variants of a model run in turn on each sample, so that a change of the machine's load
hits all of them; of each sample's rounds the fastest counts. A ratio above 1 says that the variant is faster than float.
"""
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import samples
from bench_models import PROGRAM, chosen, data_of, parser_of
from inference import run, session_of, sqnr

EVALUATED = 32
LAYERS, WIDTH = 8, 2048
VARIANTS = {
    "8 bits": ["--bits", "8"],
    "8 bits, int8 products": ["--bits", "8", "--accuracy-level", "4"],
    "4 bits": [],
    "4 bits sym": ["--scheme", "sym"],
    "4 bits, int8 products": ["--accuracy-level", "4"],
    "4 bits, blocks of 128": ["--block", "128"],
    "4 bits, qdq": ["--format", "qdq"],
    "2 bits, blocks of 16": ["--bits", "2", "--block", "16"],
}


def save_stack(path):
    """LAYERS products of WIDTH x WIDTH, each followed by a Tanh."""
    random = np.random.default_rng(1)
    nodes, weights, value = [], [], "x"
    for layer in range(LAYERS):
        w = random.normal(size=(WIDTH, WIDTH)).astype(np.float32) * np.float32(1.5 / np.sqrt(WIDTH))
        weights.append(numpy_helper.from_array(w, f"w{layer}"))
        nodes += [helper.make_node("MatMul", [value, f"w{layer}"], [f"p{layer}"]),
                  helper.make_node("Tanh", [f"p{layer}"], [f"t{layer}"])]
        value = f"t{layer}"
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", WIDTH])],
                              [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["rows", WIDTH])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def measure(name, path, feeds, calibration, options):
    """Prints a line for each variant."""
    real_bytes = pathlib.Path(path).stat().st_size
    with tempfile.TemporaryDirectory() as scratch:
        sessions, sizes = {"float": session_of(path, options.threads)}, {}
        for variant, words in VARIANTS.items():
            output = pathlib.Path(scratch, f"{len(sessions)}.onnx")
            subprocess.run([PROGRAM, "weights", path, "-o", output, "--quiet", *words, *calibration], check=True)
            sessions[variant], sizes[variant] = session_of(output, options.threads), output.stat().st_size
        results = run(sessions, feeds, options.rounds)
    real, reference = results.pop("float")
    for variant, (milliseconds, outputs) in results.items():
        decibel, ratio = sqnr(reference, outputs), real / milliseconds
        if options.json:
            print(json.dumps({"name": "weight-only-milliseconds", "model": name, "variant": variant, "threads": options.threads,
                              "value": milliseconds, "unit": "ms", "sqnr_db": decibel, "bytes": sizes[variant],
                              "peers": {"float": real}, "ratio": ratio, "limit": None}), flush=True)
        else:
            print(f"{name:20}{variant:26}{real_bytes / 1e6:9.1f} MB -> {sizes[variant] / 1e6:6.1f} MB{decibel:8.1f} dB"
                  f"{real:10.2f} ms{milliseconds:10.2f} ms{ratio:8.2f}", flush=True)


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    onnxruntime.set_default_logger_severity(3)
    if options.models:
        for model in chosen(options):
            name, folder = data_of(model)
            measure(name, model, samples.load(folder / "eval.npz", EVALUATED),
                    ["--data", folder / "calib.npz", "--limit", "64", *samples.preprocess_options(folder)], options)
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch, "stack.onnx")
        save_stack(path)
        for rows in (1, 128):
            feeds = [{"x": np.random.default_rng(k).normal(size=(rows, WIDTH)).astype(np.float32)} for k in range(4)]
            measure(f"stack, {rows} rows", path, feeds, [], options)


if __name__ == "__main__":
    main()

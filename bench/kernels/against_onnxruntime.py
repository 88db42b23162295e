"""The integer kernels beside ONNX Runtime's on one thread: models of one operator with constant weights.

    bazel run -c opt //bench/kernels:against_onnxruntime -- [--filter TEXT] [--rounds 3] [--seconds 0.25] [--json]

Matrix products stand beside MatMulInteger, convolutions (with their requantization) beside QLinearConv; of the rounds,
which alternate, the fastest counts. A ratio above 1 says that Zeropoint is faster. On processors without dot-product
instructions ONNX Runtime's products of uint8 by int8 saturate in 16 bits; those of Zeropoint are exact.
"""
import argparse
import json
import pathlib
import re
import subprocess
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

TYPES = {"u8": np.uint8, "s8": np.int8, "s7": np.int8}  # s7: half the range
RANDOM = np.random.default_rng(1)


def codes(kind, *shape):
    limits = np.iinfo(TYPES[kind])
    low, high = (-64, 63) if kind == "s7" else (limits.min, limits.max)
    return RANDOM.integers(low, high + 1, shape).astype(TYPES[kind])


def session_of(op, feed, constants, output_type):
    names = [name for name, _ in constants]
    node = helper.make_node(op, ["x", *names], ["y"], **({"pads": feed[2], "strides": feed[3], "group": feed[4]}
                                                         if len(feed) > 2 else {}))
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", helper.np_dtype_to_tensor_dtype(feed[0].dtype), feed[0].shape)],
        [helper.make_tensor_value_info("y", output_type, None)],
        [numpy_helper.from_array(value, name) for name, value in constants if name])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def product(left, right, shape):
    m, n, k = (int(size) for size in shape.split("x"))
    zero = np.array(125 if left == "u8" else -3, TYPES[left])
    x = codes(left, m, k)
    session = session_of("MatMulInteger", (x, None), [("b", codes(right, k, n)), ("za", zero)], TensorProto.INT32)
    return session, x, m * n * k


def convolution(left, right, shape):
    channels, out, kernel, stride, h, w = (int(size) for size in re.fullmatch(
        r"(\d+)->(\d+) (\d+)x\d+/(\d+) (\d+)x(\d+)", shape[0]).groups())
    group = channels if shape[1] else 1
    pad = kernel // 2
    x = codes(left, 1, channels, h, w)
    weights = codes(right, out, channels // group, kernel, kernel)
    one = lambda value, dtype: np.array(value, dtype)
    session = session_of(
        "QLinearConv", (x, None, [pad] * 4, [stride] * 2, group),
        [("xs", one(0.02, np.float32)), ("xz", one(125 if left == "u8" else -3, TYPES[left])), ("w", weights),
         ("ws", np.full(out, 0.01, np.float32)), ("wz", np.zeros(out, TYPES[right])), ("ys", one(0.1, np.float32)),
         ("yz", one(128, np.uint8) if left == "u8" else one(0, np.int8)), ("b", np.zeros(out, np.int32))],
        TensorProto.UINT8 if left == "u8" else TensorProto.INT8)
    pixels = int(np.prod(session.run(None, {"x": x})[0].shape))
    return session, x, pixels * channels // group * kernel * kernel


def onnxruntime_speed(session, x, products, seconds):
    feeds = {"x": x}
    session.run(None, feeds)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, feeds)
        best = min(best, time.perf_counter() - start)
    return products / best / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="8s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.25)
    parser.add_argument("--json", action="store_true", help="one JSON line a measure")
    options = parser.parse_args()
    sessions, ours, theirs = {}, {}, {}
    for _ in range(options.rounds):
        command = [str(pathlib.Path.cwd() / "bench/kernels/kernels"), "--json", f"--filter={options.filter}",
                   f"--seconds={options.seconds}"]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        for row in map(json.loads, lines):
            match = re.fullmatch("(u8|s8)(s8|s7)-(gemm|conv|depthwise)", row["name"])
            if not match:
                continue
            left, right, kind = match.groups()
            key = row["name"], row["shape"]
            if key not in sessions:
                sessions[key] = (product(left, right, row["shape"]) if kind == "gemm" else
                                 convolution(left, right, (row["shape"], kind == "depthwise")))
            ours[key] = max(ours.get(key, 0), row["value"])
            theirs[key] = max(theirs.get(key, 0), onnxruntime_speed(*sessions[key], options.seconds))
    if not options.json:
        print(f"{'name':16}{'shape':28}{'zeropoint':>12}{'onnxruntime':>14}  GMAC/s{'ratio':>8}")
    for (name, shape), value in ours.items():
        other = theirs[name, shape]
        if options.json:
            print(json.dumps({"name": name, "shape": shape, "zeropoint": value, "onnxruntime": other, "unit": "GMAC/s",
                              "ratio": value / other}))
        else:
            print(f"{name:16}{shape:28}{value:12.1f}{other:14.1f}        {value / other:8.2f}")


if __name__ == "__main__":
    main()

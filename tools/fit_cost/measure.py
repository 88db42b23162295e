"""Times operators in float and in int8 inside ONNX Runtime or OpenVINO, one thread, and writes what they took as CSV.

    python tools/fit_cost/measure.py onnxruntime-cpu > tools/fit_cost/onnxruntime-cpu.csv

An operator alone in a model pays for the layouts of the model's input and output, which in a network it shares with its
neighbours. So chains are timed: of one and of five equal layers, whose difference is four layers; and of integer layers with
two float ones between them, whose rest over the layers is what passing into integers and back takes. (Two, because ONNX
Runtime quantizes the weights of a single float convolution between two integer ones by itself.)
Columns: operator, kind (float, int8, pair), multiply-accumulates, elements read and written, microseconds.
"""
import argparse
import csv
import sys
import time
from functools import partial

import numpy as np
from onnx import TensorProto, helper, numpy_helper

RUNTIMES = ("onnxruntime-cpu", "openvino")
SHORT, LONG = 1, 5

# channels, height = width, window, groups; the shapes of mobile and of residual networks
CONVOLUTIONS = [
    (8, 32, 3, 1), (16, 16, 1, 1), (16, 56, 1, 1), (24, 14, 1, 1), (32, 28, 1, 1), (32, 28, 3, 1), (48, 7, 1, 1),
    (64, 14, 1, 1), (64, 56, 1, 1), (64, 28, 3, 1), (96, 7, 1, 1), (96, 28, 1, 1), (128, 14, 1, 1), (128, 14, 3, 1),
    (192, 28, 1, 1), (256, 7, 1, 1), (256, 14, 1, 1), (256, 14, 3, 1), (384, 14, 1, 1), (512, 7, 1, 1), (512, 7, 3, 1),
]
DEPTHWISE = [(channels, side, window, channels) for channels, side, window in (
    (16, 56, 3), (24, 7, 3), (32, 28, 3), (48, 7, 3), (64, 56, 3), (96, 4, 3), (96, 28, 3), (96, 28, 5), (192, 14, 3),
    (192, 28, 3), (288, 14, 5), (384, 14, 3), (576, 7, 3), (960, 7, 5))]
# rows, columns = depth
PRODUCTS = [(1, 96), (1, 384), (1, 1024), (16, 64), (16, 384), (32, 768), (64, 256), (128, 384), (128, 768), (256, 512)]
# in float alone: what stands between
POINTWISE = {"Add": 2, "Erf": 1, "HardSwish": 1, "LayerNormalization": 1, "Sigmoid": 1, "Softmax": 1}
POINTWISE_SHAPES = [(16, 96), (64, 256), (128, 384), (256, 1024)]


class Builder:
    """A chain of layers as a model."""

    def __init__(self, shape):
        self.shape = shape
        self.nodes = []
        self.initializers = []
        self.last = "input"
        self.random = np.random.default_rng(1)

    def constant(self, array):
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def add(self, op_type, inputs, **attributes):
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, inputs, [output], **attributes))
        return output

    def pair(self):
        parameters = [self.constant(np.float32(0.05)), self.constant(np.uint8(0))]
        codes = self.add("QuantizeLinear", [self.last, *parameters])
        self.last = self.add("DequantizeLinear", [codes, *parameters])

    def weights(self, dims, axis, int8):
        if not int8:
            # uniform of mean 0: activations keep their size through the chain
            bound = np.sqrt(6 / np.prod(dims) * dims[axis])
            return self.constant(self.random.uniform(-bound, bound, dims).astype(np.float32))
        codes = self.random.integers(-60, 61, dims).astype(np.int8)
        scales = np.full(dims[axis], 0.01 / np.sqrt(np.prod(dims) / dims[axis]), np.float32)
        zeros = np.zeros(dims[axis], np.int8)
        return self.add("DequantizeLinear", [self.constant(codes), self.constant(scales), self.constant(zeros)], axis=axis)

    def convolution(self, channels, window, groups, int8, quantize_output):
        weights = self.weights((channels, channels // groups, window, window), 0, int8)
        bias = self.constant(np.zeros(channels, np.float32))
        self.last = self.add("Conv", [self.last, weights, bias], group=groups, pads=[window // 2] * 4)
        self.last = self.add("Relu", [self.last])
        if quantize_output:
            self.pair()

    def product(self, depth, int8):
        if int8:
            self.pair()
        self.last = self.add("MatMul", [self.last, self.weights((depth, depth), 1, int8)])

    def pointwise(self, op_type, columns):
        more = {"Add": [self.last], "LayerNormalization": [self.constant(np.ones(columns, np.float32))]}
        self.last = self.add(op_type, [self.last, *more.get(op_type, [])])

    def model(self):
        value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, self.shape)
        graph = helper.make_graph(self.nodes, "chain", [value("input")], [value(self.last)], self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def convolutions(channels, side, window, groups, outputs_are_codes, kinds):
    chain = Builder([1, channels, side, side])
    quantized = False
    for int8 in kinds:
        if int8 and not quantized:
            chain.pair()
        chain.convolution(channels, window, groups, int8, int8 and outputs_are_codes)
        quantized = int8 and outputs_are_codes
    return chain


def products(rows, depth, kinds):
    chain = Builder([rows, depth])
    for int8 in kinds:
        chain.product(depth, int8)
    return chain


def pointwise(op_type, shape, kinds):
    chain = Builder(list(shape))
    for _ in kinds:
        chain.pointwise(op_type, shape[1])
    return chain


def runner_of(runtime, chain):
    """A function that runs the chain once."""
    feed = np.random.default_rng(2).uniform(0, 5, chain.shape).astype(np.float32)
    if runtime == "openvino":
        import openvino
        core = openvino.Core()
        settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(core.read_model(chain.model()), "CPU", settings)
        request = compiled.create_infer_request()
        request.set_input_tensor(openvino.Tensor(feed))
        return request.infer
    import onnxruntime
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(chain.model(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"input": feed})


def time_in_turn(runners, seconds):
    """The least microseconds of each, run in turn so that a change of load hits all."""
    best = [float("inf")] * len(runners)
    end = time.perf_counter() + seconds
    for runner in runners:
        runner()
    while time.perf_counter() < end:
        for i, runner in enumerate(runners):
            for _ in range(3):
                start = time.perf_counter()
                runner()
                best[i] = min(best[i], time.perf_counter() - start)
    return [1e6 * each for each in best]


def measure(runtime, operator, chain_of, macs, elements, seconds):
    """Rows of the table for one shape. `chain_of(kinds)` makes a model of layers that are int8 or not."""
    in_turn = [False, False, True] * 3 + [False, False]
    kinds = ["float"] if operator in POINTWISE else ["float", "int8"]
    has_pairs = operator.endswith("Conv")
    chains = [chain_of([kind == "int8"] * length) for kind in kinds for length in (SHORT, LONG)]
    if has_pairs:
        chains.append(chain_of(in_turn))
    times = time_in_turn([runner_of(runtime, chain) for chain in chains], seconds)
    layer = {kind: (times[2 * i + 1] - times[2 * i]) / (LONG - SHORT) for i, kind in enumerate(kinds)}
    for kind, microseconds in layer.items():
        yield [operator, kind, macs, elements, f"{microseconds:.3f}"]
    if has_pairs:
        ends = times[0] - layer["float"]
        rest = times[-1] - ends - sum(layer["int8" if int8 else "float"] for int8 in in_turn)
        if rest > 0.1 * times[-1]:  # less is lost in the layers' own variation
            yield [operator, "pair", macs, elements, f"{rest / sum(in_turn):.3f}"]


def shapes(outputs_are_codes):
    """(operator, chain_of, multiply-accumulates, elements) of everything that is measured."""
    for operator, dims in (("Conv", CONVOLUTIONS), ("depthwise Conv", DEPTHWISE)):
        for channels, side, window, groups in dims:
            chain_of = partial(convolutions, channels, side, window, groups, outputs_are_codes)
            yield operator, chain_of, channels * (channels // groups) * window**2 * side**2, 2 * channels * side**2
    for rows, depth in PRODUCTS:
        yield "MatMul", partial(products, rows, depth), rows * depth**2, 2 * rows * depth
    for op_type, inputs in POINTWISE.items():
        for shape in POINTWISE_SHAPES:
            yield op_type, partial(pointwise, op_type, shape), 0, (inputs + 1) * shape[0] * shape[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runtime", choices=RUNTIMES)
    parser.add_argument("--seconds", type=float, default=2.0, help="a shape")
    options = parser.parse_args()
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["operator", "kind", "macs", "elements", "microseconds"])
    for shape in shapes(outputs_are_codes=options.runtime == "onnxruntime-cpu"):
        table.writerows(measure(options.runtime, *shape, options.seconds))
        sys.stdout.flush()


if __name__ == "__main__":
    main()

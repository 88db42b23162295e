"""Models as training frameworks export them: `zeropoint qat` keeps their scales, and the result computes what they compute."""
import json
import pathlib
import tempfile
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support import onnxruntime_outputs, zeropoint

FLOAT = TensorProto.FLOAT
RANDOM = np.random.default_rng(11)
# The greatest code of weights. Twice 255 * 64 fits into 16 bits, which ONNX Runtime's uint8 by int8 kernels need on a CPU
# without VNNI; with greater ones they saturate, and differ from what the model says.
MOST = 64


def normal(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


class Network:
    """Nodes and constants that are added one after another."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, name, value):
        self.constants[name] = np.asarray(value)
        return name

    def add(self, op_type, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op_type, inputs, [output], f"/{output}", **attributes))
        return output

    def pair(self, x, scale, zero_point, axis=None, clip=None):
        """Q and DQ, with a Clip between them where there are bounds (QCDQ)."""
        s = self.constant(f"{x}_s", np.asarray(scale, np.float32))
        z = self.constant(f"{x}_z", zero_point)
        along = {} if axis is None else {"axis": axis}
        codes = self.add("QuantizeLinear", [x, s, z], f"{x}_q", **along)
        if clip:
            bounds = [self.constant(f"{x}_{end}", np.array(bound, zero_point.dtype))
                      for end, bound in zip(("lo", "hi"), clip)]
            codes = self.add("Clip", [codes, *bounds], f"{x}_c")
        return self.add("DequantizeLinear", [codes, s, z], f"{x}_dq", **along)

    def weights(self, name, value, axis, clip=None, most=MOST):
        """Float weights behind a pair with a scale for each index of `axis`."""
        others = tuple(i for i in range(value.ndim) if i != axis)
        self.constant(name, value)
        scale = np.abs(value).max(axis=others) / most
        return self.pair(name, scale, np.zeros(value.shape[axis], np.int8), axis, clip)

    def fake_quantize(self, x, scale, low, high, zero_point=None, divide=True, round_first=True, late_zero_point=True):
        """The same in float, as it is written without the two operators."""
        number = lambda suffix, value: self.constant(f"{x}_{suffix}", np.asarray(value, np.float32))
        s = number("s", scale)
        y = (self.add("Div", [x, s], f"{x}_div") if divide else
             self.add("Mul", [x, number("r", np.float32(1) / np.asarray(scale, np.float32))], f"{x}_mul"))
        steps = [("Round", []), ("Clip", [number("lo", low), number("hi", high)])]
        if not round_first:
            steps.reverse()
        if zero_point is not None:
            steps.insert(1 if late_zero_point and round_first else 0, ("Add", [number("z", zero_point)]))
        for op_type, operands in steps:
            y = self.add(op_type, [y, *operands], f"{x}_{op_type}")
        if zero_point is not None:
            y = self.add("Sub", [y, f"{x}_z"], f"{x}_Sub")
        return self.add("Mul", [y, s], f"{x}_fq")


class Qat(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def convert(self, network, x, y, *options, opset=17):
        """Runs the program on the network; (float model, result, operators of the result, report)."""
        graph = helper.make_graph(network.nodes, "g", [helper.make_tensor_value_info("x", FLOAT, x.shape)],
                                  [helper.make_tensor_value_info(y, FLOAT, None)],
                                  [numpy_helper.from_array(v, k) for k, v in network.constants.items()])
        real, result = self.folder / "trained.onnx", self.folder / "result.onnx"
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        onnx.save(onnx.shape_inference.infer_shapes(model), real)
        onnx.checker.check_model(str(real))
        report = json.loads(zeropoint("qat", real, "-o", result, "--json", *options).stdout)
        onnx.checker.check_model(str(result), full_check=True)
        return real, result, [node.op_type for node in onnx.load(result).graph.node], report

    def check_equal(self, real, result, x, step, optimizers=(False, True)):
        """Within one step of the trained model as it is written, with and without the runtime's optimizer."""
        expected = onnxruntime_outputs(real, [{"x": x}], optimized=False)[0][0][0]
        for optimized in optimizers:
            found = onnxruntime_outputs(result, [{"x": x}], optimized)[0][0][0]
            self.assertLessEqual(np.abs(found - expected).max(), step * 1.001)
            self.assertLess((np.abs(found - expected) > step * 0.01).mean(), 0.02)

    def element_types(self, path):
        return {t.name: t.data_type for t in onnx.load(path).graph.initializer}

    def test_a_network_as_pytorch_exports_it(self):
        n = Network()
        x = normal(2, 3, 8, 8)
        y = n.pair("x", 0.03, np.array(128, np.uint8))
        w = n.weights("w1", normal(4, 3, 3, 3), 0)
        y = n.add("Conv", [y, w, n.constant("b1", normal(4))], "c1", pads=[1] * 4)
        y = n.add("Relu", [y], "r1")
        y = n.pair(y, 0.06, np.array(0, np.uint8))
        y = n.add("MaxPool", [y], "p1", kernel_shape=[2, 2], strides=[2, 2])
        w = n.weights("w2", normal(5, 4, 1, 1), 0)
        y = n.add("Conv", [y, w, n.constant("b2", normal(5))], "c2")
        y = n.pair(y, 0.2, np.array(120, np.uint8))
        y = n.add("Flatten", [y], "f")
        w = n.weights("w3", normal(6, 80), 0)
        w = n.add("Transpose", [w], "w3_t", perm=[1, 0])
        y = n.add("MatMul", [y, w], "m")
        y = n.add("Add", [y, n.constant("b3", normal(6))], "a")
        y = n.pair(y, 1.0, np.array(128, np.uint8))
        real, result, operators, report = self.convert(n, x, y)
        self.check_equal(real, result, x, 1.0)
        self.assertNotIn("Transpose", operators)
        # x, c1 behind its Relu, c2 and a, as trained; and behind MaxPool and Flatten, with the same numbers.
        self.assertEqual(6, operators.count("QuantizeLinear"))
        self.assertNotIn("Relu", operators)
        types = self.element_types(result)
        floats = [name for name, kind in types.items() if kind == FLOAT and not name.endswith("_s") and "scale" not in name]
        self.assertEqual([], [name for name in floats if name.startswith("w")])
        self.assertEqual(4, list(types.values()).count(TensorProto.INT32))  # two biases and their zero points
        self.assertEqual({"as trained"}, set(report["schemes"].values()))
        self.assertIn("trained into the model", report["tensors"][0]["why"])

    def test_scales_are_kept_to_the_bit(self):
        n = Network()
        scale = np.float32(0.1) + np.finfo(np.float32).eps
        y = n.fake_quantize("x", scale, 0, 255, 117)
        w = n.weights("w", normal(4, 3, 1, 1), 0)
        y = n.add("Conv", [y, w], "c")
        _, result, _, report = self.convert(n, normal(1, 3, 4, 4), y)
        tensors = {tensor["name"]: tensor for tensor in report["tensors"]}
        self.assertEqual(scale, np.float32(tensors["x"]["scale"]))
        self.assertEqual(117, tensors["x"]["zero_point"])
        stored = [numpy_helper.to_array(t) for t in onnx.load(result).graph.initializer]
        self.assertTrue(any(t.dtype == np.float32 and np.array_equal(t, n.constants["w_s"]) for t in stored))

    def test_every_spelling_of_fake_quantization(self):
        cases = [dict(low=0, high=255, zero_point=117), dict(low=-128, high=127, zero_point=-11),
                 dict(low=-128, high=127), dict(low=-127, high=127), dict(low=0, high=255), dict(low=-117, high=138),
                 dict(low=0, high=255, zero_point=118, late_zero_point=False)]
        x = normal(2, 3, 6, 6)
        for case in cases:
            for divide in (True, False):
                for round_first in (True, False):
                    with self.subTest(divide=divide, round_first=round_first, **case):
                        n = Network()
                        y = n.fake_quantize("x", 0.02, divide=divide, round_first=round_first, **case)
                        n.constant("w", normal(4, 3, 3, 3))
                        scale = (np.abs(n.constants["w"]).max(axis=(1, 2, 3), keepdims=True) / MOST).astype(np.float32)
                        w = n.fake_quantize("w", scale, -127, 127, divide=divide, round_first=round_first)
                        y = n.add("Conv", [y, w], "c")
                        y = n.fake_quantize(y, 0.25, 0, 255, 128, divide=divide)
                        real, result, operators, _ = self.convert(n, x, y)
                        self.check_equal(real, result, x, 0.25)
                        self.assertEqual({"QuantizeLinear", "DequantizeLinear", "Conv"}, set(operators))
                        self.assertEqual(2, operators.count("QuantizeLinear"))

    def test_codes_that_no_type_has_stay_as_they_are(self):
        n = Network()
        x = normal(2, 3)
        y = n.fake_quantize("x", 0.2, 0, 15, 7)  # four bits
        w = n.weights("w", normal(3, 4), 1)
        y = n.add("MatMul", [y, w], "m")
        real, result, operators, report = self.convert(n, x, y)
        self.assertIn("Round", operators)
        self.assertTrue(any("0..15" in each["reason"] for each in report["left_undone"]))
        self.check_equal(real, result, x, 1e-5, optimizers=(False,))

    def test_quantize_clip_dequantize(self):
        n = Network()
        x = normal(2, 3, 6, 6)
        y = n.pair("x", 0.02, np.array(0, np.int8), clip=(-127, 127))
        w = n.weights("w", normal(4, 3, 3, 3), 0, clip=(-7, 7), most=7)  # four bits in eight
        y = n.add("Conv", [y, w, n.constant("b", normal(4))], "c")
        y = n.pair(y, 0.25, np.array(3, np.int8), clip=(-128, 127))
        real, result, operators, _ = self.convert(n, x, y)
        self.assertNotIn("Clip", operators)
        codes = [numpy_helper.to_array(t) for t in onnx.load(result).graph.initializer if t.dims == [4, 3, 3, 3]]
        self.assertEqual((np.int8, 7), (codes[0].dtype, np.abs(codes[0].astype(int)).max()))
        self.check_equal(real, result, x, 0.25)

    def test_batch_normalization_goes_into_the_scales(self):
        for op_type, group, per_tensor in (("Conv", 1, False), ("Conv", 2, False), ("Conv", 1, True),
                                           ("ConvTranspose", 1, False)):
            with self.subTest(op_type=op_type, group=group, per_tensor=per_tensor):
                n = Network()
                x = normal(2, 4, 6, 6)
                y = n.pair("x", 0.03, np.array(128, np.uint8))
                transposed = op_type == "ConvTranspose"
                w = normal(4, 6, 3, 3) if transposed else normal(6, 4 // group, 3, 3)
                if per_tensor:
                    n.constant("w", w)
                    w = n.pair("w", np.abs(w).max() / MOST, np.array(0, np.int8))
                else:
                    w = n.weights("w", w, 1 if transposed else 0)
                y = n.add(op_type, [y, w, n.constant("b", normal(6))], "c", group=group)
                gamma = np.array([1.5, -0.7, 0.0, 0.3, -2.0, 1.0], np.float32)
                statistics = [n.constant("gamma", gamma), n.constant("beta", normal(6)), n.constant("mean", normal(6)),
                              n.constant("var", np.abs(normal(6)) + 0.1)]
                y = n.add("BatchNormalization", [y, *statistics], "n", epsilon=1e-3)
                y = n.pair(y, 0.3, np.array(128, np.uint8))
                real, result, operators, _ = self.convert(n, x, y)
                self.assertNotIn("BatchNormalization", operators)
                self.assertIn(TensorProto.INT32, self.element_types(result).values())
                self.check_equal(real, result, x, 0.3)

    def test_a_network_as_tensorflow_exports_it(self):
        n = Network()
        x = normal(2, 6, 6, 3)  # channels last
        y = n.pair("x", 0.02, np.array(-3, np.int8))
        y = n.add("Transpose", [y], "t", perm=[0, 3, 1, 2])
        w = n.weights("w", normal(3, 3, 3, 4), 3)  # H, W, in, out
        w = n.add("Transpose", [w], "w_t", perm=[3, 2, 0, 1])
        y = n.add("Conv", [y, w, n.constant("b", normal(4))], "c", pads=[1] * 4)
        y = n.add("Clip", [y, n.constant("zero", np.float32(0)), n.constant("six", np.float32(6))], "r")
        y = n.add("Transpose", [y], "u", perm=[0, 2, 3, 1])
        y = n.pair(y, 6 / 255, np.array(-128, np.int8))
        real, result, operators, _ = self.convert(n, x, y)
        self.check_equal(real, result, x, 6 / 255)
        self.assertEqual(2, operators.count("Transpose"))
        self.assertEqual(4, operators.count("QuantizeLinear"))

    def test_pairs_that_repeat_are_removed(self):
        n = Network()
        y = n.pair("x", 0.02, np.array(128, np.uint8))
        n.constant(f"{y}_s", np.float32(0.02))
        y = n.pair(y, 0.02, np.array(128, np.uint8))
        w = n.weights("w", normal(4, 3, 1, 1), 0)
        y = n.add("Conv", [y, w], "c")
        x = normal(1, 3, 4, 4)
        real, result, operators, _ = self.convert(n, x, y)
        self.assertEqual(1, operators.count("QuantizeLinear"))
        self.check_equal(real, result, x, 1e-5)

    def test_a_float_model_is_an_error(self):
        n = Network()
        n.constant("w", normal(3, 4))
        n.add("MatMul", ["x", "w"], "y")
        graph = helper.make_graph(n.nodes, "g", [helper.make_tensor_value_info("x", FLOAT, [2, 3])],
                                  [helper.make_tensor_value_info("y", FLOAT, [2, 4])],
                                  [numpy_helper.from_array(v, k) for k, v in n.constants.items()])
        path = self.folder / "float.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        result = zeropoint("qat", path, "-o", self.folder / "out.onnx", check=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("no Q/DQ pair", result.stderr)
        self.assertFalse((self.folder / "out.onnx").exists())


if __name__ == "__main__":
    unittest.main()

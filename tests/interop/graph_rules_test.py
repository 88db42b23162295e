"""What a quantizer may not do to a graph: each rule on a model built for it, in every form."""
import json
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge_case import EdgeCase, RANDOM, node, value
from support import zeropoint

BOOL, INT64 = TensorProto.BOOL, TensorProto.INT64


def normal(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def int64(*numbers):
    return np.array(numbers, np.int64)


class WeightAxes(EdgeCase):
    """Each operator's weights have a scale for each output channel; channels that differ a hundredfold show a wrong axis."""

    GROWING = np.array([1, 10, 100, 1000], np.float32)

    def scales(self, nodes, x, y, weights):
        path = self.build(nodes, [value("x", x)], [value("y", y)], {"w": weights})
        models = self.check_forms(path, self.samples(x=x))
        return self.initializer(models["qdq"], "w_scale")

    def test_conv(self):
        scales = self.scales([node("Conv", ["x", "w"], ["y"])], (1, 3, 4, 4), (1, 4, 4, 4),
                             normal(4, 3, 1, 1) * self.GROWING.reshape(4, 1, 1, 1))
        self.assertEqual((4,), scales.shape)

    def test_conv_transpose(self):
        scales = self.scales([node("ConvTranspose", ["x", "w"], ["y"])], (1, 3, 4, 4), (1, 4, 4, 4),
                             normal(3, 4, 1, 1) * self.GROWING.reshape(1, 4, 1, 1))
        self.assertEqual((4,), scales.shape)

    def test_gemm(self):
        scales = self.scales([node("Gemm", ["x", "w"], ["y"])], (2, 6), (2, 4), normal(6, 4) * self.GROWING)
        self.assertEqual((4,), scales.shape)

    def test_gemm_transposed(self):
        scales = self.scales([node("Gemm", ["x", "w"], ["y"], transB=1)], (2, 6), (2, 4),
                             normal(4, 6) * self.GROWING.reshape(4, 1))
        self.assertEqual((4,), scales.shape)

    def test_matmul(self):
        scales = self.scales([node("MatMul", ["x", "w"], ["y"])], (2, 6), (2, 4), normal(6, 4) * self.GROWING)
        self.assertEqual((4,), scales.shape)

    def test_matmul_with_a_batch_of_weights(self):
        # ONNX Runtime refuses scales of the columns, some of its operators only when they run.
        weights = normal(3, 6, 4)
        for profile in ("generic", "onnxruntime-cpu", "openvino"):
            path = self.build([node("MatMul", ["x", "w"], ["y"])], [value("x", (3, 500, 6))], [value("y", (3, 500, 4))],
                              {"w": weights})
            models = self.check_forms(path, self.samples(x=(3, 500, 6)), "--op-types", "MatMul", profile=profile)
            self.assertEqual((), self.initializer(models["qdq"], "w_scale").shape)


class Sharing(EdgeCase):
    def test_operators_that_move_codes_share_their_parameters(self):
        moves = [
            (node("MaxPool", ["c"], ["m"], kernel_shape=[2, 2]), {}, (1, 2, 3, 3)),
            (node("Reshape", ["c", "shape"], ["m"]), {"shape": int64(1, 4, 8)}, (1, 4, 8)),
            (node("Transpose", ["c"], ["m"], perm=[0, 2, 3, 1]), {}, (1, 4, 4, 2)),
            (node("Squeeze", ["c", "axes"], ["m"]), {"axes": int64(0)}, (2, 4, 4)),
            (node("Flatten", ["c"], ["m"]), {}, (1, 32)),
            (node("Slice", ["c", "from", "to", "axes"], ["m"]), {"from": int64(1), "to": int64(3), "axes": int64(2)},
             (1, 2, 2, 4)),
            (node("Gather", ["c", "at"], ["m"], axis=3), {"at": int64(3, 0)}, (1, 2, 4, 2)),
            (node("Split", ["c"], ["m", "rest"], axis=1), {}, (1, 1, 4, 4)),
            (node("Resize", ["c", "", "factors"], ["m"], mode="nearest"), {"factors": np.array([1, 1, 2, 2], np.float32)},
             (1, 2, 8, 8)),
            (node("Pad", ["c", "pads"], ["m"]), {"pads": int64(0, 0, 1, 1, 0, 0, 1, 1)}, (1, 2, 6, 6)),
        ]
        for move, constants, shape in moves:
            with self.subTest(operator=move.op_type):
                path = self.build([node("Conv", ["x", "w"], ["c"]), move, node("Neg", ["m"], ["y"])],
                                  [value("x", [1, 2, 4, 4])], [value("y", shape)], {"w": normal(2, 2, 1, 1), **constants})
                for form, model in self.check_forms(path, self.samples(x=(1, 2, 4, 4)), profile="onnxruntime-cpu",
                                                    steps=4).items():
                    scales = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
                              if tensor.name in ("c_scale", "m_scale")}
                    self.assertEqual(1, len({float(scale) for scale in scales.values()} or {0.0}), (form, scales))

    def test_padding_without_a_value_pads_with_real_zero(self):
        path = self.build([node("Conv", ["x", "w"], ["c"]), node("Pad", ["c", "pads"], ["y"])], [value("x", [1, 1, 3, 3])],
                          [value("y", [1, 1, 5, 5])], {"w": np.full((1, 1, 1, 1), 3, np.float32),
                                                       "pads": int64(0, 0, 1, 1, 0, 0, 1, 1)})
        samples = self.samples(x=(1, 1, 3, 3))
        self.check_forms(path, samples)
        output = self.quantize(path, samples)[0]
        for runtime, results in self.outputs_of(output, samples).items():
            self.assertEqual(0.0, results[0][0][0, 0, 0, 0], runtime)

    def test_one_constant_read_along_two_axes(self):
        path = self.build([node("MatMul", ["x", "w"], ["y"]), node("Gemm", ["x", "w"], ["z"], transB=1)],
                          [value("x", [2, 4])], [value("y", [2, 4]), value("z", [2, 4])],
                          {"w": normal(4, 4) * np.array([1, 10, 100, 1000], np.float32)})
        self.check_forms(path, self.samples(x=(2, 4)))

    def test_a_constant_with_a_reader_of_floats(self):
        weights = normal(4, 4)
        path = self.build([node("MatMul", ["x", "w"], ["y"]), node("Sin", ["w"], ["z"])], [value("x", [2, 4])],
                          [value("y", [2, 4]), value("z", [4, 4])], {"w": weights})
        samples = self.samples(x=(2, 4))
        self.check_forms(path, samples)
        output = self.quantize(path, samples)[0]
        np.testing.assert_allclose(self.outputs_of(output, samples)["onnxruntime"][0][1], np.sin(weights), atol=1e-6)

    def test_a_constant_that_is_a_graph_output(self):
        weights = normal(4, 4)
        path = self.build([node("MatMul", ["x", "w"], ["y"])], [value("x", [2, 4])], [value("y", [2, 4]), value("w", [4, 4])],
                          {"w": weights})
        samples = self.samples(x=(2, 4))
        self.check_forms(path, samples)
        output = self.quantize(path, samples)[0]
        np.testing.assert_array_equal(self.outputs_of(output, samples)["onnxruntime"][0][1], weights)

    def test_a_constant_that_the_caller_may_replace_stays_float(self):
        path = self.build([node("MatMul", ["x", "w"], ["y"])], [value("x", [2, 4]), value("w", [4, 4])], [value("y", [2, 4])],
                          {"w": normal(4, 4)})
        for form in ("qdq", "qoperator", "integer"):
            model = self.quantize(path, self.samples(x=(2, 4)), "--form", form)[1]
            self.assertEqual(["w"], [each.name for each in model.graph.initializer if len(each.dims) == 2], form)
            self.assertEqual(["x", "w"], [each.name for each in model.graph.input], form)


class Elementwise(EdgeCase):
    def test_one_value_as_both_operands(self):
        for op in ("Add", "Mul"):
            path = self.build([node(op, ["x", "x"], ["y"])], [value("x", [1, 8])], [value("y", [1, 8])], {})
            self.check_forms(path, self.samples(x=(1, 8)))

    def test_operands_that_broadcast(self):
        for op in ("Add", "Mul"):
            path = self.build([node(op, ["x", "b"], ["y"])], [value("x", [2, 3, 4]), value("b", [3, 1])],
                              [value("y", [2, 3, 4])], {})
            self.check_forms(path, self.samples(x=(2, 3, 4), b=(3, 1)))

    def test_a_constant_operand_has_its_own_range(self):
        for op in ("Add", "Mul"):
            path = self.build([node(op, ["x", "k"], ["y"])], [value("x", [2, 3])], [value("y", [2, 3])],
                              {"k": np.array([100, -3, 0.5], np.float32)})
            self.check_forms(path, self.samples(x=(2, 3)))

    def test_outputs_of_known_range_use_all_of_it(self):
        for op in ("Softmax", "Sigmoid", "Tanh"):
            path = self.build([node("MatMul", ["x", "w"], ["c"]), node(op, ["c"], ["y"])], [value("x", [2, 8])],
                              [value("y", [2, 8])], {"w": 3 * normal(8, 8)})
            self.check_forms(path, self.samples(x=(2, 8)), steps=9)


class Names(EdgeCase):
    def test_names_that_are_taken(self):
        # Every name that the quantizer would like is somebody's already.
        path = self.build(
            [node("Add", ["x", "x_scale"], ["x_quantized"]), node("Conv", ["x_quantized", "w"], ["x_zero_point"]),
             node("Relu", ["x_zero_point"], ["x_dequantized"]),
             helper.make_node("Neg", ["x_dequantized"], ["w_quantized"], name="x_QuantizeLinear"),
             helper.make_node("Conv", ["w_quantized", "v"], ["y"], name="x_DequantizeLinear")],
            [value("x", [1, 2, 4, 4])], [value("y", [1, 2, 4, 4])],
            {"w": normal(2, 2, 1, 1), "v": normal(2, 2, 1, 1), "x_scale": np.float32(0.5)})
        for form, model in self.check_forms(path, self.samples(x=(1, 2, 4, 4)), steps=4).items():
            names = [each for each_node in model.graph.node for each in each_node.output]
            names += [each.name for each in (*model.graph.initializer, *model.graph.input)]
            self.assertEqual(len(names), len(set(names)), form)

    def test_inputs_and_outputs_keep_name_type_and_order(self):
        path = self.build([node("Conv", ["x", "w"], ["y"]), node("Relu", ["y"], ["z"]), node("Add", ["z", "x"], ["a"])],
                          [value("x", [1, 2, 4, 4])], [value(name, [1, 2, 4, 4]) for name in "azy"],
                          {"w": normal(2, 2, 1, 1)})
        real = onnx.load(path).graph
        for form, model in self.check_forms(path, self.samples(x=(1, 2, 4, 4))).items():
            self.assertEqual(list(real.input), list(model.graph.input), form)
            self.assertEqual(list(real.output), list(model.graph.output), form)

    def test_a_tensor_without_a_known_shape(self):
        # The shape is computed from the data, so that no inference knows it.
        path = self.build(
            [node("NonZero", ["m"], ["at"]), node("Squeeze", ["at", "axes"], ["rows"]), node("Gather", ["x", "rows"], ["g"]),
             node("MatMul", ["g", "w"], ["p"]), node("MatMul", ["p", "v"], ["y"])],
            [value("x", [6, 4]), value("m", [6])], [value("y", ["rows", 3])],
            {"w": normal(4, 5), "v": normal(5, 3), "axes": int64(0)})
        for model in self.check_forms(path, self.samples(x=(6, 4), m=(6,))).values():
            self.assertGreater(self.count(model, "QuantizeLinear") + self.count(model, "DynamicQuantizeLinear"), 0)

    def test_an_unknown_node_is_an_error_with_the_nearest_name(self):
        path = self.build([node("MatMul", ["x", "w"], ["y"])], [value("x", [2, 4])], [value("y", [2, 4])], {"w": normal(4, 4)})
        np.savez(self.folder / "data.npz", **self.samples(x=(2, 4)))
        for form in ("qdq", "qoperator", "integer"):
            result = zeropoint("static", path, "--data", self.folder / "data.npz", "-o", self.folder / "q.onnx", "--form", form,
                               "--exclude", "MatMul_z", check=False)
            self.assertEqual(1, result.returncode)
            self.assertIn("MatMul_y", result.stderr)
            self.assertFalse((self.folder / "q.onnx").exists())


class HiddenConstants(EdgeCase):
    """A weight is a constant however it is written."""

    OPTIMIZE = "basic"

    def check_weight(self, nodes, constants, weights, opset=13):
        path = self.build([*nodes, node("MatMul", ["x", "w"], ["y"])], [value("x", [2, 4])], [value("y", [2, 4])], constants,
                          opset=opset)
        for form, model in self.check_forms(path, self.samples(x=(2, 4))).items():
            codes = [each for each in model.graph.initializer if list(each.dims) == [4, 4]]
            self.assertEqual([True], [each.data_type in (TensorProto.INT8, TensorProto.UINT8) for each in codes], form)
            self.assertEqual([1], [np.abs(numpy_helper.to_array(each).astype(int)).max() > 100 for each in codes], form)
        self.assertEqual((4, 4), weights.shape)

    def test_a_constant_node(self):
        w = normal(4, 4)
        self.check_weight([helper.make_node("Constant", [], ["w"], name="c", value=numpy_helper.from_array(w))], {}, w)

    def test_behind_an_identity(self):
        self.check_weight([node("Identity", ["u"], ["w"])], {"u": normal(4, 4)}, normal(4, 4))

    def test_behind_a_cast(self):
        w = normal(4, 4)
        self.check_weight([node("Cast", ["u"], ["w"], to=TensorProto.FLOAT)], {"u": w.astype(np.float64)}, w)

    def test_behind_a_transpose(self):
        self.check_weight([node("Transpose", ["u"], ["w"])], {"u": normal(4, 4)}, normal(4, 4))

    def test_behind_a_reshape(self):
        self.check_weight([node("Reshape", ["u", "s"], ["w"])], {"u": normal(2, 8), "s": int64(4, 4)}, normal(4, 4))


class Bodies(EdgeCase):
    def check_branches(self, branch_nodes, constants=()):
        """Both branches of an If read the outer Conv's output."""
        def branch(name, nodes):
            return helper.make_graph(nodes, name, [], [value(nodes[-1].output[0], [1, 2, 4, 4])])

        path = self.build(
            [node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["r"]), node("ReduceMax", ["r"], ["top"], keepdims=0),
             node("Greater", ["top", "limit"], ["which"]),
             node("If", ["which"], ["y"], then_branch=branch("then", branch_nodes("t")),
                  else_branch=branch("else", branch_nodes("e")))],
            [value("x", [1, 2, 4, 4])], [value("y", [1, 2, 4, 4])],
            {"w": normal(2, 2, 1, 1), "limit": np.float32(1.5), **dict(constants)})
        samples = self.samples(x=(1, 2, 4, 4))
        # Far from the limit on both sides, so that rounding does not change the branch.
        samples["x"][::2] *= 0.1
        samples["x"][1::2] *= 10
        return self.check_forms(path, samples, steps=5)

    def test_branches_read_a_value_that_a_relu_reads_too(self):
        self.check_branches(lambda prefix: [node("Neg" if prefix == "t" else "Abs", ["c"], [prefix + "_out"])])

    def test_a_relu_inside_of_a_branch(self):
        self.check_branches(lambda prefix: [node("Relu" if prefix == "t" else "Neg", ["c"], [prefix + "_out"])])

    def test_convolutions_inside_of_branches(self):
        models = self.check_branches(lambda prefix: [node("Conv", ["c", "v"], [prefix + "_conv"]),
                                                     node("Relu", [prefix + "_conv"], [prefix + "_out"])],
                                     {"v": normal(2, 2, 1, 1)})
        for form, model in models.items():
            choice = next(each for each in model.graph.node if each.op_type == "If")
            for branch in (each.g for each in choice.attribute):
                self.assertTrue([each for each in branch.node if "Integer" in each.op_type or "Linear" in each.op_type], form)


class Dynamic(EdgeCase):
    def test_convolutions_have_scales_of_channels(self):
        path = self.build([node("Conv", ["x", "w"], ["y"])], [value("x", [1, 2, 4, 4])], [value("y", [1, 4, 4, 4])],
                          {"w": normal(4, 2, 1, 1) * np.array([1, 10, 100, 1000], np.float32).reshape(4, 1, 1, 1)})
        samples, output = self.samples(x=(1, 2, 4, 4)), self.folder / "dynamic.onnx"
        report = json.loads(zeropoint("dynamic", path, "-o", output, "--op-types", "Conv", "--json").stdout)
        self.assertEqual(["Conv_y"], report["nodes"]["quantized_names"])
        expected = self.outputs_of(path, samples)["onnxruntime"]
        for runtime, results in self.outputs_of(output, samples).items():
            for real, got in zip(expected, results, strict=True):
                for channel in range(4):
                    error = np.abs(real[0][0, channel] - got[0][0, channel]).max()
                    self.assertLess(error, 0.03 * np.abs(real[0][0, channel]).max(), (runtime, channel))


if __name__ == "__main__":
    unittest.main()

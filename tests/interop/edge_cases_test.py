"""Rare models, built here, quantized by `zeropoint static`: ONNX Runtime (optimizations off and on) and `zeropoint run` compute
nearly what the float model computes."""
import json
import unittest

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from edge_case import EdgeCase, RANDOM, node, onnxruntime_outputs, value
from support import zeropoint


class Rounding(EdgeCase):
    def test_weight_ties_go_to_even(self):
        weights = np.array([127, 126.5, 0.5, 2.5], np.float32).reshape(4, 1)
        path = self.build([node("MatMul", ["x", "w"], ["y"])], [value("x", [1, 4])], [value("y", [1, 1])], {"w": weights})
        models = self.check_forms(path, self.samples(x=(1, 4)), "--rounding", "nearest", "--tune", "off")
        for model in models.values():
            self.assertEqual([127, 126, 0, 2], self.initializer(model, "w_quantized").ravel().tolist())

    def test_a_channel_of_zeros_has_scale_one(self):
        weights = RANDOM.normal(size=(2, 3, 1, 1)).astype(np.float32)
        weights[1] = 0
        path = self.build([node("Conv", ["x", "w", "b"], ["y"])], [value("x", [1, 3, 4, 4])], [value("y", [1, 2, 4, 4])],
                          {"w": weights, "b": np.array([0.5, 0.25], np.float32)})
        _, model, _ = self.check(path, self.samples(x=(1, 3, 4, 4)))
        self.assertEqual(1.0, self.initializer(model, "w_scale")[1])


class Bias(EdgeCase):
    def conv_pair(self):
        return self.build([node("Conv", ["x", "v", "b"], ["y"]), node("Conv", ["x", "w", "b"], ["z"])],
                          [value("x", [1, 2, 4, 4])], [value("y", [1, 2, 4, 4]), value("z", [1, 2, 4, 4])],
                          {"v": RANDOM.normal(size=(2, 2, 1, 1)).astype(np.float32),
                           "w": 100 * RANDOM.normal(size=(2, 2, 1, 1)).astype(np.float32),
                           "b": np.array([3.0, -2.0], np.float32)})

    def test_a_shared_bias_has_a_copy_for_each_scale(self):
        models = self.check_forms(self.conv_pair(), self.samples(x=(1, 2, 4, 4)))
        for form in ("qdq", "qoperator", "qoperator+ms"):
            codes = [tensor for tensor in models[form].graph.initializer
                     if tensor.data_type == TensorProto.INT32 and len(tensor.dims) == 1 and "quantized" in tensor.name]
            self.assertEqual(2, len(codes), form)

    def test_the_bias_may_stay_float(self):
        _, model, _ = self.check(self.conv_pair(), self.samples(x=(1, 2, 4, 4)), "--bias", "float")
        self.assertFalse(any(tensor.data_type == TensorProto.INT32 for tensor in model.graph.initializer))

    def test_gemm_alpha_and_beta(self):
        for alpha, beta in ((1.0, 0.5), (2.0, 1.0), (0.5, 3.0)):
            path = self.build([node("Gemm", ["x", "w", "b"], ["y"], alpha=alpha, beta=beta)], [value("x", [1, 6])],
                              [value("y", [1, 3])], {"w": RANDOM.normal(size=(6, 3)).astype(np.float32),
                                                     "b": np.array([5.0, -4.0, 3.0], np.float32)})
            with self.subTest(alpha=alpha, beta=beta):
                self.check_forms(path, self.samples(x=(1, 6)))

    def test_a_bias_beyond_int32_enlarges_the_scale(self):
        path = self.build([node("Conv", ["x", "w", "b"], ["y"])], [value("x", [1, 1, 2, 2])], [value("y", [1, 2, 2, 2])],
                          {"w": np.array([1.0, 1e-9], np.float32).reshape(2, 1, 1, 1),
                           "b": np.array([1.0, 50.0], np.float32)})
        self.check_forms(path, self.samples(x=(1, 1, 2, 2)))

    def test_grouped_transposed_convolution(self):
        path = self.build([node("ConvTranspose", ["x", "w", "b"], ["y"], group=2)], [value("x", [1, 4, 3, 3])],
                          [value("y", [1, 6, 4, 4])],
                          {"w": (RANDOM.normal(size=(4, 3, 2, 2)) * np.array([1, 10, 100]).reshape(1, 3, 1, 1))
                           .astype(np.float32), "b": RANDOM.normal(size=6).astype(np.float32)})
        self.check_forms(path, self.samples(x=(1, 4, 3, 3)))


class Activations(EdgeCase):
    CONSTANTS = {"w": RANDOM.normal(size=(2, 2, 1, 1)).astype(np.float32)}

    def conv_then(self, nodes, outputs, **constants):
        return self.build([node("Conv", ["x", "w"], ["c"]), *nodes], [value("x", [1, 2, 4, 4])],
                          [value(name, [1, 2, 4, 4]) for name in outputs], {**self.CONSTANTS, **constants})

    def test_a_relu_alone_folds(self):
        path = self.conv_then([node("Relu", ["c"], ["y"])], ["y"])
        _, model, _ = self.check(path, self.samples(x=(1, 2, 4, 4)))
        self.assertEqual(0, self.count(model, "Relu"))

    def test_a_second_reader_of_the_relus_input(self):
        path = self.conv_then([node("Relu", ["c"], ["y"]), node("Neg", ["c"], ["z"])], ["y", "z"])
        self.check_forms(path, self.samples(x=(1, 2, 4, 4)))

    def test_the_relus_input_is_a_graph_output(self):
        self.check_forms(self.conv_then([node("Relu", ["c"], ["y"])], ["c", "y"]), self.samples(x=(1, 2, 4, 4)))

    def test_a_clip_above_zero(self):
        path = self.conv_then([node("Clip", ["c", "one"], ["y"])], ["y"], one=np.float32(1))
        _, model, _ = self.check(path, self.samples(x=(1, 2, 4, 4)))
        self.assertEqual(1, self.count(model, "Clip"))

    def test_symmetric_activations_keep_the_relu(self):
        path = self.conv_then([node("Relu", ["c"], ["y"])], ["y"])
        _, model, _ = self.check(path, self.samples(x=(1, 2, 4, 4)), "--activations", "i8:sym", steps=5)
        self.assertEqual(1, self.count(model, "Relu"))


class Moving(EdgeCase):
    def test_padding_with_a_value_has_its_own_range(self):
        path = self.build([node("Pad", ["x", "p", "fill"], ["y"])], [value("x", [1, 1, 4, 4])], [value("y", [1, 1, 6, 6])],
                          {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "fill": np.float32(5)})
        self.check(path, self.samples(x=(1, 1, 4, 4)))

    def test_interpolation_has_its_own_range(self):
        path = self.build([node("Resize", ["x", "", "s"], ["y"], mode="linear")], [value("x", [1, 1, 4, 4])],
                          [value("y", [1, 1, 8, 8])], {"s": np.array([1, 1, 2, 2], np.float32)})
        self.check(path, self.samples(x=(1, 1, 4, 4)))

    def test_boxes_and_scores_keep_their_own_scales(self):
        path = self.build(
            [node("Conv", ["x", "v"], ["boxes"]), node("Conv", ["x", "w"], ["logits"]),
             node("Sigmoid", ["logits"], ["scores"]), node("Concat", ["boxes", "scores"], ["y"], axis=1),
             node("Split", ["y", "sizes"], ["first", "second"], axis=1)],
            [value("x", [1, 2, 4, 4])], [value("first", [1, 4, 4, 4]), value("second", [1, 3, 4, 4])],
            {"v": 200 * RANDOM.normal(size=(4, 2, 1, 1)).astype(np.float32),
             "w": RANDOM.normal(size=(3, 2, 1, 1)).astype(np.float32), "sizes": np.array([4, 3], np.int64)})
        # Behind the Concat nothing is named, so that only the scales before it count.
        self.check(path, self.samples(x=(1, 2, 4, 4)), "--op-types", "Conv,Sigmoid,Concat")

    def test_an_embedding_is_stored_as_codes(self):
        path = self.build([node("Gather", ["table", "i"], ["y"])], [value("i", [1, 3], TensorProto.INT64)],
                          [value("y", [1, 3, 4])], {"table": RANDOM.normal(size=(10, 4)).astype(np.float32)})
        samples = {"i": RANDOM.integers(0, 10, (8, 1, 3))}
        _, model, _ = self.check(path, samples)
        self.assertEqual(np.uint8, self.initializer(model, "table_quantized").dtype)


class Types(EdgeCase):
    def matmul(self, opset=13, k=35):
        return self.build([node("MatMul", ["x", "w"], ["y"])], [value("x", [2, k])], [value("y", [2, 5])],
                          {"w": RANDOM.normal(size=(k, 5)).astype(np.float32)}, opset=opset)

    def test_16_bits_raise_opset_and_ir_version(self):
        _, model, _ = self.check(self.matmul(), self.samples(x=(2, 35)), "--activations", "u16", "--weights", "i16:sym",
                                 bits=12)
        self.assertEqual(21, model.opset_import[0].version)
        self.assertEqual(10, model.ir_version)

    def test_other_models_keep_theirs(self):
        _, model, _ = self.check(self.matmul(), self.samples(x=(2, 35)))
        self.assertEqual((13, 8), (model.opset_import[0].version, model.ir_version))

    def run_weights(self, scheme):
        """`zeropoint run` has no 4-bit and blocked codes; ONNX Runtime has."""
        path, samples = self.matmul(), self.samples(x=(2, 35))
        output, model, _ = self.quantize(path, samples, "--weights", scheme)
        weights = self.initializer(onnx.load(path), "w")
        feeds = [{"x": each} for each in samples["x"]]
        results = onnxruntime_outputs(output, feeds, optimized=False)
        expected = onnxruntime_outputs(path, feeds)
        return model, weights, np.abs(np.stack([e[0] - r[0] for e, r in zip(expected, results)])).max()

    def test_4_bit_weights(self):
        model, _, error = self.run_weights("i4:sym:channel:narrow")
        packed = [tensor for tensor in model.graph.initializer if tensor.name == "w_quantized"][0]
        self.assertEqual(TensorProto.INT4, packed.data_type)
        self.assertEqual((35 * 5 + 1) // 2, len(packed.raw_data))
        self.assertLess(error, 1.5)

    def test_blocked_weights_with_a_short_last_block(self):
        model, weights, error = self.run_weights("i8:sym:block=16")
        scales = self.initializer(model, "w_scale")
        self.assertEqual((3, 5), scales.shape)
        np.testing.assert_allclose(scales[2], 2 * np.abs(weights[32:]).max(axis=0) / 255, rtol=1e-6)
        self.assertLess(error, 0.3)

    def test_blocked_4_bit_weights(self):
        model, _, error = self.run_weights("i4:sym:block=16")
        self.assertEqual((3, 5), self.initializer(model, "w_scale").shape)
        self.assertLess(error, 1.5)


class Options(EdgeCase):
    def chain(self):
        # Weights of their own: ONNX Runtime's x64quantprecision stumbles over shared ones.
        return self.build([node("Conv", ["x", "u"], ["a"]), node("Conv", ["a", "v"], ["y"]), node("Conv", ["a", "w"], ["z"])],
                          [value("x", [1, 2, 4, 4])], [value("y", [1, 2, 4, 4]), value("z", [1, 2, 4, 4])],
                          {name: RANDOM.normal(size=(2, 2, 1, 1)).astype(np.float32) for name in "uvw"})

    def test_dedicated_pairs(self):
        _, model, _ = self.check(self.chain(), self.samples(x=(1, 2, 4, 4)), "--pairs", "dedicated", steps=5)
        self.assertEqual(5, self.count(model, "QuantizeLinear"))  # x, twice a, y, z

    def test_integer_inputs_and_outputs(self):
        path, samples = self.chain(), self.samples(x=(1, 2, 4, 4))
        output, model, report = self.quantize(path, samples, "--io", "integer")
        ports = {port["name"]: port for port in report["integer_io"]}
        self.assertEqual({"x", "y", "z"}, ports.keys())
        for each in (*model.graph.input, *model.graph.output):
            self.assertEqual(TensorProto.UINT8, each.type.tensor_type.elem_type)
        codes = {"x": np.clip(np.rint(samples["x"] / np.float32(ports["x"]["scale"])) + ports["x"]["zero_point"], 0, 255)
                 .astype(np.uint8)}
        expected = self.outputs_of(path, samples)["onnxruntime"]
        for runtime, results in self.outputs_of(output, codes).items():
            for index, name in enumerate("yz"):
                port = ports[name]
                for real, got in zip(expected, results, strict=True):
                    decoded = port["scale"] * (got[index].astype(np.float32) - port["zero_point"])
                    self.assertLessEqual(np.abs(real[index] - decoded).max(), 4 * port["scale"], runtime)

    def test_overrides_mix_types(self):
        path = self.chain()
        file = self.folder / "overrides.json"
        file.write_text(json.dumps({"a": [{"quant_type": "QUInt16", "convert": {"quant_type": "QUInt8",
                                                                               "recv_nodes": ["Conv_y"]}}]}))
        _, model, report = self.check(path, self.samples(x=(1, 2, 4, 4)), "--overrides", file, steps=5)
        self.assertEqual(np.uint16, self.initializer(model, "a_zero_point").dtype)
        self.assertEqual("u16:asym", {each["name"]: each["scheme"] for each in report["tensors"]}["a"])
        self.assertEqual(21, model.opset_import[0].version)

    def test_overrides_of_unknown_tensors_are_errors(self):
        path = self.chain()
        file = self.folder / "overrides.json"
        for text, words in (('{"aa": [{}]}', "nearest: 'a'"), ('{"a": [{"quant_typ": "QInt8"}]}', "'quant_type'")):
            file.write_text(text)
            np.savez(self.folder / "data.npz", **self.samples(x=(1, 2, 4, 4)))
            result = zeropoint("static", path, "--data", self.folder / "data.npz", "-o", self.folder / "q.onnx",
                               "--overrides", file, check=False)
            self.assertEqual(1, result.returncode)
            self.assertIn(words, result.stderr)


class Data(EdgeCase):
    def test_infinities_never_reach_a_scale(self):
        path = self.build([node("MatMul", ["x", "w"], ["y"])], [value("x", [1, 4])], [value("y", [1, 2])],
                          {"w": RANDOM.normal(size=(4, 2)).astype(np.float32)})
        samples = self.samples(x=(1, 4))
        samples["x"][3, 0, 1] = np.inf
        _, model, report = self.quantize(path, samples)
        for tensor in report["tensors"]:
            self.assertTrue(np.isfinite(tensor["scale"]))
        self.assertIn("x", [each["name"] for each in report["non_finite"]])
        self.assertLess(self.initializer(model, "x_scale"), 0.01)


if __name__ == "__main__":
    unittest.main()

"""Models of float16 and bfloat16: what the program writes is valid, runs in ONNX Runtime and OpenVINO, and computes nearly what
the model computes. Half precision models are made here from the shipped ones and from small graphs."""
import json
import pathlib
import tempfile
import unittest

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from forms_test import run_ours
from qat_test import Network
from support import AT_ANY_SPEED, openvino_outputs, shipped_models, sqnr, zeropoint

CALIBRATION_SAMPLES = 32
SAMPLES = 32
NUMPY = {TensorProto.FLOAT16: np.float16, TensorProto.BFLOAT16: ml_dtypes.bfloat16}


def to_half(model, kind):
    """All reals of `model` in half precision, in place."""
    def narrow(tensor):
        if tensor.data_type == TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor).astype(NUMPY[kind])
            stored = TensorProto(name=tensor.name, data_type=kind, dims=tensor.dims, raw_data=array.tobytes())
            tensor.CopyFrom(stored)

    graph = model.graph
    for tensor in graph.initializer:
        narrow(tensor)
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = kind
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                narrow(attribute.t)
            if node.op_type == "Cast" and attribute.i == TensorProto.FLOAT:
                attribute.i = kind
    return model


def between_casts(model, kind):
    """`model` in half precision but for its inputs and outputs, which stay float."""
    to_half(model, kind)
    graph = model.graph
    for value in graph.input:
        value.type.tensor_type.elem_type = TensorProto.FLOAT
        for node in graph.node:
            node.input[:] = [name + "_half" if name == value.name else name for name in node.input]
        graph.node.insert(0, helper.make_node("Cast", [value.name], [value.name + "_half"], to=kind))
    for value in graph.output:
        value.type.tensor_type.elem_type = TensorProto.FLOAT
        for node in graph.node:
            node.output[:] = [name + "_half" if name == value.name else name for name in node.output]
        graph.node.append(helper.make_node("Cast", [value.name + "_half"], [value.name], to=TensorProto.FLOAT))
    return model


def types_of(model, op_type):
    """The types of the scales of all nodes of a type."""
    held = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    return {held[node.input[1]] for node in model.graph.node if node.op_type == op_type}


class Half(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def static(self, path, source, *options, limit=CALIBRATION_SAMPLES):
        output = self.folder / "quantized.onnx"
        result = zeropoint("static", *AT_ANY_SPEED, path, *source, "--limit", limit, "-o", output, "--json", *options)
        report = json.loads(result.stdout)
        model = onnx.load(str(output))
        onnx.checker.check_model(model, full_check=True)
        return output, model, report

    def onnxruntime(self, path, feeds, optimized_path=None):
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.x64quantprecision", "1")
        if optimized_path is not None:
            options.optimized_model_filepath = str(optimized_path)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        half = {value.name for value in session.get_inputs() if value.type == "tensor(float16)"}
        return [session.run(None, {name: array.astype(np.float16) if name in half else array
                                   for name, array in feed.items()}) for feed in feeds]

    def openvino(self, path, feeds):
        half = {value.name for value in onnx.load(str(path)).graph.input
                if value.type.tensor_type.elem_type == TensorProto.FLOAT16}
        return openvino_outputs(path, [{name: array.astype(np.float16) if name in half else array
                                        for name, array in feed.items()} for feed in feeds])


class ShippedModels(Half):
    def setUp(self):
        super().setUp()
        self.model = shipped_models()[0]
        self.path = self.folder / "half.onnx"
        onnx.save(to_half(onnx.load(str(self.model.path)), TensorProto.FLOAT16), str(self.path))
        self.feeds = self.model.feeds("eval", SAMPLES)
        self.reference = self.onnxruntime(self.model.path, self.feeds)

    def quantize(self, *options):
        return self.static(self.path, self.model.source("calib"), *options)

    def measure(self, what, path):
        reached = {"onnxruntime-cpu": sqnr(self.reference, self.onnxruntime(path, self.feeds)),
                   "openvino": sqnr(self.reference, self.openvino(path, self.feeds))}
        print(f"{what}: " + ", ".join(f"{value:.1f} dB in {runtime}" for runtime, value in reached.items()), flush=True)
        return reached

    def test_for_onnxruntime_quantized_operators_are_float_between_casts(self):
        path, model, _ = self.quantize("--profile", "onnxruntime-cpu")
        self.assertEqual({TensorProto.FLOAT}, types_of(model, "QuantizeLinear"))
        self.assertLess(path.stat().st_size, self.path.stat().st_size)
        optimized = self.folder / "optimized.onnx"
        self.onnxruntime(path, self.feeds[:1], optimized)
        fused = [node.op_type for node in onnx.load(str(optimized)).graph.node]
        self.assertIn("QLinearConv", fused)  # what pairs of float16 do not become there
        reached = self.measure("float16 for onnxruntime-cpu", path)
        self.assertGreaterEqual(reached["onnxruntime-cpu"], self.model.floor)

    def test_for_openvino_pairs_have_float16_scales(self):
        path, model, _ = self.quantize("--profile", "openvino")
        self.assertGreaterEqual(model.opset_import[0].version, 19)
        self.assertEqual({TensorProto.FLOAT16}, types_of(model, "QuantizeLinear"))
        self.assertEqual({TensorProto.FLOAT16}, types_of(model, "DequantizeLinear"))
        self.assertNotIn("Cast", [node.op_type for node in model.graph.node])
        self.assertLess(path.stat().st_size, self.path.stat().st_size)
        reached = self.measure("float16 for openvino", path)
        self.assertGreaterEqual(reached["openvino"], self.model.floor)
        self.assertGreaterEqual(reached["onnxruntime-cpu"], self.model.floor)  # it runs them, in float

    def test_other_forms_run(self):
        for profile in ("onnxruntime-cpu", "openvino"):
            for form in ("qoperator", "integer"):
                with self.subTest(profile=profile, form=form):
                    path, model, _ = self.quantize("--profile", profile, "--form", form)
                    operators = [node.op_type for node in model.graph.node]
                    self.assertIn({"qoperator": "QLinearConv", "integer": "ConvInteger"}[form], operators)
                    reached = sqnr(self.reference, self.onnxruntime(path, self.feeds))
                    print(f"float16, {profile}, {form}: {reached:.1f} dB", flush=True)
                    self.assertGreaterEqual(reached, self.model.floor)

    def test_the_program_compares_half_with_float(self):
        path, _, _ = self.quantize("--profile", "openvino")
        report = json.loads(zeropoint("compare", self.model.path, path, *self.model.source("eval"), "--limit", SAMPLES,
                                      "--json").stdout)
        self.assertGreaterEqual(report["outputs"][0]["sqnr_db"], self.model.floor)


class SmallModels(Half):
    RANDOM = np.random.default_rng(11)

    def matmuls(self, opset=19, between="Relu"):
        """x -> MatMul -> Relu -> MatMul -> y"""
        weights = {"v": self.RANDOM.normal(size=(16, 32)), "w": self.RANDOM.normal(size=(32, 8))}
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "v"], ["a"], name="first"), helper.make_node(between, ["a"], ["r"]),
             helper.make_node("MatMul", ["r", "w"], ["y"], name="second")], "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 16])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 8])],
            [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()])
        return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset)])

    def data(self):
        samples = self.RANDOM.uniform(-1, 1, (16, 4, 16)).astype(np.float32)
        path = self.folder / "data.npz"
        np.savez(path, x=samples)
        return ["--data", path], [{"x": sample} for sample in samples]

    def reference(self, model, feeds):
        path = self.folder / "float.onnx"
        onnx.save(model, str(path))
        return self.onnxruntime(path, feeds)

    def save(self, model):
        path = self.folder / "half.onnx"
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, str(path))
        return path

    def test_bfloat16_gets_bfloat16_scales(self):
        source, feeds = self.data()
        model = self.matmuls()
        expected = self.reference(model, feeds)
        path, _, _ = self.static(self.folder / "float.onnx", source, "--profile", "generic")
        of_float = sqnr(expected, self.openvino(path, feeds))
        path, quantized, _ = self.static(self.save(between_casts(model, TensorProto.BFLOAT16)), source, "--profile",
                                         "generic")
        self.assertEqual({TensorProto.BFLOAT16}, types_of(quantized, "DequantizeLinear"))
        # OpenVINO on a CPU without VNNI loses much of either.
        reached = sqnr(expected, self.openvino(path, feeds))
        ours = sqnr(expected, run_ours(path, feeds, self.folder))
        print(f"bfloat16 pairs: {ours:.1f} dB in zeropoint run, {reached:.1f} dB in openvino, {of_float:.1f} dB there from "
              "float", flush=True)
        self.assertGreater(ours, 35)
        self.assertGreater(reached, of_float - 3)

    def test_bfloat16_runs_in_onnxruntime_between_casts(self):
        source, feeds = self.data()
        model = self.matmuls(between="Identity")
        expected = self.reference(model, feeds)
        path, quantized, _ = self.static(self.save(between_casts(model, TensorProto.BFLOAT16)), source)
        self.assertEqual({TensorProto.FLOAT}, types_of(quantized, "DequantizeLinear"))
        reached = sqnr(expected, self.onnxruntime(path, feeds))
        print(f"bfloat16 between casts: {reached:.1f} dB in onnxruntime-cpu", flush=True)
        self.assertGreater(reached, 25)

    def test_codes_at_inputs_and_outputs(self):
        source, feeds = self.data()
        model = self.matmuls()
        expected = self.reference(model, feeds)
        for profile in ("generic", "onnxruntime-cpu"):
            with self.subTest(profile=profile):
                path, quantized, report = self.static(self.save(to_half(self.matmuls_of(model), TensorProto.FLOAT16)), source,
                                                      "--profile", profile, "--io", "integer")
                self.assertEqual(TensorProto.UINT8, quantized.graph.input[0].type.tensor_type.elem_type)
                port = report["integer_io"][0]
                codes = [{"x": np.clip(np.rint(feed["x"] / port["scale"]) + port["zero_point"], 0, 255).astype(np.uint8)}
                         for feed in feeds]
                outputs = self.onnxruntime(path, codes)
                if quantized.graph.output[0].type.tensor_type.elem_type == TensorProto.UINT8:
                    port = report["integer_io"][1]
                    outputs = [[(one[0].astype(np.float32) - port["zero_point"]) * port["scale"]] for one in outputs]
                self.assertGreater(sqnr(expected, outputs), 25)

    @staticmethod
    def matmuls_of(model):
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        return copy

    def test_a_float_island_in_a_float16_model(self):
        source, feeds = self.data()
        model = self.matmuls()
        expected = self.reference(model, feeds)
        mixed = to_half(self.matmuls_of(model), TensorProto.FLOAT16)
        graph = mixed.graph
        for index, tensor in enumerate(graph.initializer):
            if tensor.name == "w":
                graph.initializer[index].CopyFrom(model.graph.initializer[index])
        graph.node[2].input[0] = "r_float"
        graph.node[2].output[0] = "y_float"
        graph.node.insert(2, helper.make_node("Cast", ["r"], ["r_float"], to=TensorProto.FLOAT))
        graph.node.append(helper.make_node("Cast", ["y_float"], ["y"], to=TensorProto.FLOAT16))
        mixed_path = self.save(mixed)
        path, quantized, _ = self.static(mixed_path, source, "--profile", "generic")
        self.assertEqual({TensorProto.FLOAT16, TensorProto.FLOAT}, types_of(quantized, "QuantizeLinear"))
        self.assertGreater(sqnr(expected, self.onnxruntime(path, feeds)), 25)
        path, quantized, _ = self.static(mixed_path, source)
        self.assertEqual({TensorProto.FLOAT}, types_of(quantized, "QuantizeLinear"))
        self.assertGreater(sqnr(expected, self.onnxruntime(path, feeds)), 25)

    def test_16_bit_codes_raise_the_opset_to_21(self):
        source, feeds = self.data()
        model = self.matmuls(17)
        expected = self.reference(model, feeds)
        path, quantized, _ = self.static(self.save(to_half(model, TensorProto.FLOAT16)), source, "--profile", "generic",
                                         "--activations", "u16:asym")
        self.assertEqual((21, 10), (quantized.opset_import[0].version, quantized.ir_version))
        self.assertGreater(sqnr(expected, self.onnxruntime(path, feeds)), 25)

    def test_dynamic_computes_bfloat16_in_float(self):
        _, feeds = self.data()
        model = self.matmuls(between="Identity")
        expected = self.reference(model, feeds)
        half, path = self.save(between_casts(model, TensorProto.BFLOAT16)), self.folder / "dynamic.onnx"
        report = json.loads(zeropoint("dynamic", half, "-o", path, "--json").stdout)
        onnx.checker.check_model(str(path), full_check=True)
        self.assertEqual(2, report["nodes"]["quantized"])
        self.assertGreater(sqnr(expected, self.onnxruntime(path, feeds)), 25)

    def test_conversions_of_float16_pairs(self):
        source, feeds = self.data()
        model = self.matmuls()
        expected = self.reference(model, feeds)
        path, _, _ = self.static(self.save(to_half(model, TensorProto.FLOAT16)), source, "--profile", "generic")
        for form, operator in (("qoperator", "QLinearMatMul"), ("integer", "MatMulInteger"), ("float", "MatMul")):
            with self.subTest(form=form):
                converted, back = self.folder / f"{form}.onnx", self.folder / f"{form}.qdq.onnx"
                zeropoint("convert", path, "--to", form, "-o", converted)
                onnx.checker.check_model(str(converted), full_check=True)
                graph = onnx.load(str(converted)).graph
                self.assertEqual(2, [node.op_type for node in graph.node].count(operator))
                self.assertEqual(TensorProto.FLOAT16, graph.output[0].type.tensor_type.elem_type)
                self.assertGreater(sqnr(expected, self.onnxruntime(converted, feeds)), 25)
                if form == "float":
                    self.assertNotIn(TensorProto.FLOAT, [tensor.data_type for tensor in graph.initializer])
                    continue
                zeropoint("convert", converted, "--to", "qdq", "-o", back)
                onnx.checker.check_model(str(back), full_check=True)
                self.assertGreater(sqnr(expected, self.onnxruntime(back, feeds)), 25)


class Trained(Half):
    """Fake quantization in float16."""

    def test_scales_are_taken_over(self):
        network = Network()
        network.fake_quantize("x", 2 ** -7, 0, 255, zero_point=128)
        network.constant("w", SmallModels.RANDOM.normal(size=(16, 8)).astype(np.float32))
        network.fake_quantize("w", np.float16(0.03), -64, 64)
        network.add("MatMul", ["x_fq", "w_fq"], "y")
        graph = helper.make_graph(network.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 16])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 8])],
                                  [numpy_helper.from_array(value, name) for name, value in network.constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        real, result = self.folder / "trained.onnx", self.folder / "result.onnx"
        onnx.save(to_half(model, TensorProto.FLOAT16), str(real))
        feeds = [{"x": SmallModels.RANDOM.uniform(-1, 1, (4, 16)).astype(np.float32)} for _ in range(8)]
        expected = self.onnxruntime(real, feeds)
        for profile, kind in (("generic", TensorProto.FLOAT16), ("onnxruntime-cpu", TensorProto.FLOAT)):
            with self.subTest(profile=profile):
                zeropoint("qat", real, "-o", result, "--profile", profile)
                onnx.checker.check_model(str(result), full_check=True)
                quantized = onnx.load(str(result))
                self.assertEqual({kind}, types_of(quantized, "DequantizeLinear"))
                self.assertIn("w_quantized", [tensor.name for tensor in quantized.graph.initializer])
                reached = sqnr(expected, self.onnxruntime(result, feeds))
                print(f"float16 fake quantization, {profile}: {reached:.1f} dB", flush=True)
                self.assertGreater(reached, 40)  # but for the rounding of half precision


if __name__ == "__main__":
    unittest.main()

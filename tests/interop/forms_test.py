"""The four forms: what the program writes is valid, runs in ONNX Runtime, and computes nearly the same in every form.

Two levels. One operator at a time, on random codes, against ONNX Runtime: within one step. Whole models: valid, running
with optimizations on and off, and as close to the float model in one form as in another.

A CPU without 8-bit dot products (VNNI) adds pairs of products of uint8 and int8 in 16 bits and saturates. There ONNX
Runtime's integer kernels compute something else than ONNX says for full-range weights, so the operators are compared on
weights of -64..64, which cannot saturate, and whole models in the built-in executor, which is exact.
"""
import json
import pathlib
import tempfile
import unittest

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from edge_case import FORMS
from support import AT_ANY_SPEED, onnxruntime_outputs, shipped_models, sqnr, zeropoint

MICROSOFT = "com.microsoft"
SAMPLES = 32


def has_exact_products():
    """Whether the CPU multiplies uint8 by int8 without saturation."""
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return "avx512_vnni" in flags or "avx_vnni" in flags or not any(flag == "avx2" for flag in flags)


def run_ours(path, feeds, folder):
    """[sample][output]"""
    data, output = folder / "feeds.npz", folder / "outputs.npz"
    np.savez(data, **{name: np.stack([feed[name] for feed in feeds]) for name in feeds[0]})
    zeropoint("run", path, "--data", data, "-o", output)
    names = [value.name for value in onnx.load(str(path)).graph.output]
    with np.load(output) as arrays:
        loaded = [arrays[name] for name in names]
    return [[array[sample] for array in loaded] for sample in range(len(feeds))]


def operators(path):
    return [node.op_type for node in onnx.load(str(path)).graph.node]


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class Operators(Folder):
    """One operator on codes, in the built-in executor and in ONNX Runtime."""

    rng = np.random.default_rng(20240607)

    def codes(self, dtype, *shape):
        low, high = (-128, 128) if dtype == np.int8 else (0, 256)
        return self.rng.integers(low, high, shape, dtype)

    def check(self, op, inputs, domain=MICROSOFT, fed=("x",), output=TensorProto.UINT8, **attributes):
        """`inputs`: name -> array, "" for an omitted one; those in `fed` are inputs, the others initializers."""
        node = helper.make_node(op, list(inputs), ["y"], domain=domain, **attributes)
        arrays = {name: value for name, value in inputs.items() if name}
        graph = helper.make_graph(
            [node], "g", [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(arrays[name].dtype),
                                                        arrays[name].shape) for name in fed],
            [helper.make_tensor_value_info("y", output, None)],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in arrays.items() if name not in fed])
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17),
                                                                      helper.make_opsetid(MICROSOFT, 1)])
        path = self.folder / "model.onnx"
        onnx.save(model, str(path))
        feeds = [{name: arrays[name] for name in fed}]
        theirs = onnxruntime_outputs(path, feeds, optimized=False)[0][0][0]
        ours = run_ours(path, feeds, self.folder)[0][0]
        self.assertEqual((theirs.shape, theirs.dtype), (ours.shape, ours.dtype))
        if theirs.dtype == np.float32:
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
            return
        steps = np.abs(theirs.astype(np.int64) - ours)
        print(f"{op}, {theirs.dtype}: {int((steps > 0).sum())} of {steps.size} codes differ by one", flush=True)
        self.assertLessEqual(steps.max(), 1)
        self.assertLessEqual((steps > 0).mean(), 0.02)

    def params(self, dtype, **scales):
        """name_scale and name_zero for each of `scales`, in its order."""
        values = {}
        for name, scale in scales.items():
            values[name + "_scale"] = np.float32(scale)
            values[name + "_zero"] = dtype(3 if dtype == np.int8 else 117)
        return values

    def each(self, check):
        for dtype, output in ((np.uint8, TensorProto.UINT8), (np.int8, TensorProto.INT8)):
            with self.subTest(dtype=dtype.__name__):
                check(dtype, output)

    def test_elementwise(self):
        for op in ("QLinearAdd", "QLinearMul"):
            def check(dtype, output, op=op):
                x, b, y = (self.params(dtype, **{name: scale}) for name, scale in
                           (("x", 0.021), ("b", 0.013), ("y", 0.045)))
                self.check(op, {"x": self.codes(dtype, 2, 3, 17, 5), **x, "b": self.codes(dtype, 1, 3, 1, 1), **b, **y},
                           output=output)
            self.each(check)

    def test_unary(self):
        for op, scale, attributes in (("QLinearSigmoid", 1 / 256, {}), ("QLinearLeakyRelu", 0.02, {"alpha": 0.1}),
                                      ("QLinearGlobalAveragePool", 0.01, {"channels_last": 0}),
                                      ("QLinearAveragePool", 0.0203, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1],
                                                                    "strides": [2, 2]}),
                                      ("QLinearAveragePool", 0.0203, {"kernel_shape": [2, 2], "count_include_pad": 1,
                                                                    "pads": [1, 0, 1, 0]})):
            def check(dtype, output, op=op, scale=scale, attributes=attributes):
                self.check(op, {"x": self.codes(dtype, 2, 3, 9, 7), **self.params(dtype, x=0.03, y=scale)}, output=output,
                           **attributes)
            self.each(check)

    def test_softmax(self):
        def check(dtype, output):
            inputs = {"x": self.codes(dtype, 4, 10), **self.params(dtype, x=0.05), "y_scale": np.float32(1 / 256),
                      "y_zero": dtype(-128 if dtype == np.int8 else 0)}
            self.check("QLinearSoftmax", inputs, output=output, axis=-1, opset=17)
        self.each(check)

    def test_concat_and_where(self):
        def check(dtype, output):
            y, a, b = self.params(dtype, y=0.04), self.params(dtype, a=0.03), self.params(dtype, b=0.01)
            self.check("QLinearConcat", {**y, "a": self.codes(dtype, 2, 3), **a, "b": self.codes(dtype, 2, 5), **b},
                       fed=("a", "b"), output=output, axis=1)
            self.check("QLinearWhere", {"c": self.rng.integers(0, 2, (4, 6)).astype(bool),
                                        "a": self.codes(dtype, 4, 6), **a, "b": self.codes(dtype, 4, 6), **b, **y},
                       fed=("c", "a", "b"), output=output)
        self.each(check)

    def weights(self, *shape):
        return self.rng.integers(-64, 65, shape, np.int8)

    def test_gemm(self):
        def check(dtype, output):
            w = {"w": self.weights(9, 21), "w_scale": self.rng.uniform(0.001, 0.02, 9).astype(np.float32),
                 "w_zero": np.zeros(9, np.int8)}
            inputs = {"x": self.codes(dtype, 7, 21), **self.params(dtype, x=0.02), **w,
                      "c": self.rng.integers(-20000, 20000, 9, np.int32), **self.params(dtype, y=0.5)}
            self.check("QGemm", inputs, output=output, transB=1, alpha=2.0)
            real = dict(list(inputs.items())[:7])
            self.check("QGemm", real, output=TensorProto.FLOAT, transB=1)
        self.each(check)

    def test_sums_of_onnx(self):
        def check(dtype, output):
            x, y = self.params(dtype, x=0.02), self.params(dtype, y=0.3)
            w = {"w_scale": self.rng.uniform(0.001, 0.02, 6).astype(np.float32), "w_zero": np.zeros(6, np.int8)}
            self.check("QLinearConv", {"x": self.codes(dtype, 2, 4, 9, 9), **x, "w": self.weights(6, 4, 3, 3), **w, **y,
                                       "b": self.rng.integers(-9000, 9000, 6, np.int32)}, domain="", output=output,
                       pads=[1, 1, 1, 1])
            self.check("QLinearMatMul", {"x": self.codes(dtype, 2, 5, 12), **x, "w": self.weights(12, 6), **w, **y},
                       domain="", output=output)
        self.each(check)


class Forms(Folder):
    """Gains a test for each shipped model, below."""

    def static(self, model, form, limit=SAMPLES):
        path = self.folder / f"{model.name}.{form}.onnx"
        result = zeropoint("static", *AT_ANY_SPEED, model.path, *model.source("calib"), "--limit", limit, *FORMS[form], "-o",
                           path, "--json")
        return path, json.loads(result.stdout)

    def convert(self, path, form, *options):
        output = path.with_suffix(f".{form}{len(options)}.onnx")
        report = json.loads(zeropoint("convert", path, "--to", form, *options, "-o", output, "--json").stdout)
        self.assertEqual((form, str(output)), (report["form"], report["output"]))
        nodes = report["nodes"]
        self.assertEqual(nodes["total"], nodes["quantized"] + len(nodes["float"]))
        return output

    def check(self, model):
        feeds = model.feeds("eval", SAMPLES)
        reference = onnxruntime_outputs(model.path, feeds)[0]
        reached = {}

        def measure(name, path):
            onnx.checker.check_model(str(path), full_check=True)
            ours = sqnr(reference, run_ours(path, feeds, self.folder))
            theirs = [sqnr(reference, onnxruntime_outputs(path, feeds, optimized)[0]) for optimized in (False, True)]
            print(f"{model.name}, {name}: {ours:.2f} dB, in ONNX Runtime {theirs[0]:.2f} and {theirs[1]:.2f} dB, "
                  f"{path.stat().st_size} bytes", flush=True)
            reached[name] = ours
            for value in theirs:
                self.assertTrue(np.isfinite(value))
                # Sums of floats are rounded in another order, and a code that differs by one differs again further on.
                if has_exact_products():
                    self.assertAlmostEqual(ours, value, delta=1.0)

        paths = {}
        for form in FORMS:
            paths[form], report = self.static(model, form)
            self.assertEqual(form.partition("+")[0], report["form"])
            measure(form, paths[form])
        self.assertIn("QLinearConv", operators(paths["qoperator"]))
        self.assertIn("ConvInteger", operators(paths["integer"]))

        # The same placement in every form: nothing but the form differs.
        whole = paths["qoperator+ms"]
        raised = self.convert(whole, "qdq")
        self.assertFalse([op for op in operators(raised) if "QLinear" in op or "Integer" in op or op == "QGemm"])
        measure("qoperator+ms to qdq", raised)
        again = self.convert(raised, "qoperator", "--domain", MICROSOFT)
        self.assertEqual(sorted(operators(whole)), sorted(operators(again)))
        measure("and back", again)
        measure("to integer", self.convert(raised, "integer"))
        for name in ("qoperator+ms to qdq", "and back", "to integer"):
            self.assertAlmostEqual(reached["qoperator+ms"], reached[name], delta=0.5, msg=name)
        self.assertAlmostEqual(reached["qdq"], reached["integer"], delta=8.0)  # another placement

        measure("qdq to float", self.convert(paths["qdq"], "float"))
        self.assertFalse([op for op in operators(paths["qdq"].with_suffix(".float0.onnx")) if "Linear" in op])
        measure("integer to qdq", self.convert(paths["integer"], "qdq"))
        self.assertAlmostEqual(reached["integer"], reached["integer to qdq"], delta=0.5)

    def test_codes_come_back_bit_for_bit(self):
        model = shipped_models()[0]
        path, _ = self.static(model, "qoperator+ms", limit=4)
        again = self.convert(self.convert(path, "qdq"), "qoperator", "--domain", MICROSOFT)

        def parameters(file):
            """Of each operator on codes, by name: what its constant inputs hold."""
            graph = onnx.load(str(file)).graph
            held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
            return {node.name: [held[name].tobytes() if name in held else b"" for name in node.input]
                    for node in graph.node if node.op_type.startswith("QLinear") or node.op_type == "QGemm"}

        before, after = parameters(path), parameters(again)
        self.assertGreater(len(before), 10)
        self.assertEqual(before, after)

    def test_a_float_model_is_refused(self):
        model = shipped_models()[0]
        result = zeropoint("convert", model.path, "--to", "qdq", "-o", self.folder / "a.onnx", check=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("zeropoint static", result.stderr)
        self.assertFalse((self.folder / "a.onnx").exists())

    def test_opset_is_raised_not_lowered(self):
        path, _ = self.static(shipped_models()[1], "qdq", limit=4)
        output = self.folder / "b.onnx"
        zeropoint("convert", path, "--to", "qoperator", "--opset", 18, "-o", output)
        self.assertEqual(18, onnx.load(str(output)).opset_import[0].version)
        result = zeropoint("convert", path, "--to", "qoperator", "--opset", 11, "-o", output, check=False)
        self.assertEqual(1, result.returncode)

    def test_only_the_selected_nodes_change_form(self):
        path, _ = self.static(shipped_models()[1], "qdq", limit=4)
        names = [node.name for node in onnx.load(str(path)).graph.node if node.op_type == "Conv"]
        feeds = shipped_models()[1].feeds("eval", 8)
        reference = run_ours(path, feeds, self.folder)
        output = self.folder / "some.onnx"
        for form, operator in (("qoperator", "QLinearConv"), ("integer", "ConvInteger")):
            with self.subTest(form=form):
                result = json.loads(zeropoint("convert", path, "--to", form, "--nodes", names[0], "-o", output, "--json").stdout)
                onnx.checker.check_model(str(output), full_check=True)
                changed = [node.name for node in onnx.load(str(output)).graph.node if node.op_type == operator]
                self.assertEqual([names[0]] if not result["left_undone"] else [], changed)
                zeropoint("convert", path, "--to", form, "--exclude", names[0], "-o", output)
                graph = onnx.load(str(output)).graph
                self.assertIn(names[0], [node.name for node in graph.node if node.op_type == "Conv"])
                self.assertIn(operator, [node.op_type for node in graph.node])
                self.assertGreater(sqnr(reference, run_ours(output, feeds, self.folder)), 30)
                onnxruntime.InferenceSession(str(output), providers=["CPUExecutionProvider"])
                # The type of the float operator names it in every form.
                back = self.folder / "back.onnx"
                zeropoint("convert", output, "--to", "qdq", "--op-types", "Conv", "-o", back)
                self.assertNotIn(operator, operators(back))
        zeropoint("convert", path, "--to", "float", "--nodes", names[0], "-o", output)
        left = operators(output)
        self.assertIn("DequantizeLinear", left)
        self.assertLess(left.count("DequantizeLinear"), operators(path).count("DequantizeLinear"))

    def test_a_selection_that_matches_nothing_is_an_error(self):
        path, _ = self.static(shipped_models()[1], "qdq", limit=4)
        name = next(node.name for node in onnx.load(str(path)).graph.node if node.op_type == "Conv")
        for options, says in ((("--nodes", name + "x"), name), (("--nodes", "re:^nothing$"), "nothing"),
                              (("--op-types", "Convx"), "Conv"), (("--exclude", name + "x"), name)):
            with self.subTest(options=options):
                result = zeropoint("convert", path, "--to", "integer", *options, "-o", self.folder / "a.onnx", check=False)
                self.assertEqual(1, result.returncode)
                self.assertIn(says, result.stderr)
                self.assertFalse((self.folder / "a.onnx").exists())

    def test_forms_mix_in_one_model(self):
        path, _ = self.static(shipped_models()[1], "qdq", limit=4)
        names = [node.name for node in onnx.load(str(path)).graph.node if node.op_type == "Conv"]
        output = self.folder / "mixed.onnx"
        zeropoint("passes", path, "--pipeline", f'lower-to-integer{{nodes="{names[0]}"}}', "-o", output)
        found = operators(output)
        self.assertEqual(1, found.count("ConvInteger"))
        self.assertEqual(len(names) - 1, found.count("Conv"))
        onnxruntime.InferenceSession(str(output), providers=["CPUExecutionProvider"])


for _model in shipped_models():
    setattr(Forms, f"test_{_model.name}", lambda self, m=_model: self.check(m))


if __name__ == "__main__":
    unittest.main()

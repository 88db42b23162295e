"""What `zeropoint weights` writes runs in ONNX Runtime and computes what the layouts of its operators say."""
import json
import pathlib
import tempfile
import unittest

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from support import all_models, onnxruntime_outputs, sqnr, zeropoint

FLOAT, HALF, INT64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64
FORMATS = ("matmulnbits", "qdq")


def operators(path):
    return [node.op_type for node in onnx.load(path).graph.node]


def unpacked(codes, bits, count):
    """The first `count` codes of each row of bytes, low bits first."""
    parts = [(codes >> shift) & (2 ** bits - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, axis=-1).reshape(*codes.shape[:-1], -1)[..., :count].astype(np.float64)


def stored_weights(path):
    """[N, K] of the one MatMulNBits of a model, or the table of its GatherBlockQuantized, as the operator's text says."""
    model = onnx.load(path)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    node = next(node for node in model.graph.node if node.domain == "com.microsoft")
    attributes = {a.name: a.i for a in node.attribute}
    table = node.op_type == "GatherBlockQuantized"
    codes, scales = constants[node.input[0 if table else 1]], constants[node.input[2]].astype(np.float64)
    bits, block = attributes["bits"], attributes["block_size"]
    if table:
        columns = codes.shape[1] * 8 // bits
        codes = unpacked(codes, bits, columns)
    else:
        columns = attributes["K"]
        codes = unpacked(codes, bits, block).reshape(attributes["N"], -1)[:, :columns]
    zeros = np.full(scales.shape, 2 ** (bits - 1))
    if len(node.input) > 3 and node.input[3]:
        zeros = unpacked(constants[node.input[3]], bits, scales.shape[1])
    spread = np.repeat(np.arange(scales.shape[1]), block)[:columns]
    return (codes - zeros[:, spread]) * scales[:, spread]


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.random = np.random.default_rng(7)

    def normal(self, *shape, dtype=np.float32):
        return self.random.normal(size=shape).astype(dtype)

    def save(self, nodes, inputs, outputs, constants, opset=17, ir_version=8):
        graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info(*i) for i in inputs],
                                  [helper.make_tensor_value_info(*o) for o in outputs],
                                  [numpy_helper.from_array(v, k) for k, v in constants.items()])
        path = self.folder / "float.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version), path)
        return path

    def weights(self, real, *options, name="quantized"):
        """(path of the quantized model, report)"""
        path = self.folder / f"{name}.onnx"
        report = json.loads(zeropoint("weights", real, "-o", path, "--json", *options).stdout)
        onnx.checker.check_model(str(path))
        return path, report

    def run_ours(self, path, feeds):
        """[sample][output]"""
        np.savez(self.folder / "feeds.npz", **{key: np.stack([feed[key] for feed in feeds]) for key in feeds[0]})
        zeropoint("run", path, "--data", self.folder / "feeds.npz", "-o", self.folder / "outputs.npz")
        names = [value.name for value in onnx.load(path).graph.output]
        with np.load(self.folder / "outputs.npz") as arrays:
            return [[arrays[name][i] for name in names] for i in range(len(feeds))]

    def run_theirs(self, path, feeds, optimized=True):
        """[sample][output]. Their optimizer makes MatMulNBits of pairs, which rounds activations unless told not to."""
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
        if not optimized:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return [session.run(None, feed) for feed in feeds]


class Products(Folder):
    def test_codes_lie_as_the_operator_says(self):
        for bits in (2, 4, 8):
            for scheme in ("sym", "asym"):
                for k, block in ((64, 16), (100, 32), (33, 16), (20, 128)):
                    with self.subTest(bits=bits, scheme=scheme, k=k, block=block):
                        w, x = self.normal(k, 6) + 0.3, self.normal(3, k)
                        real = self.save([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", FLOAT, [3, k])],
                                         [("y", FLOAT, [3, 6])], {"w": w})
                        path, _ = self.weights(real, "--bits", bits, "--block", block, "--scheme", scheme, "--rounding", "nearest")
                        stored = stored_weights(path)
                        step = np.ptp(w, axis=0).max() / (2 ** bits - 1) * (2 if scheme == "sym" else 1.5)
                        self.assertLess(np.abs(stored - w.T).max(), step)
                        expected = x @ stored.T
                        for found in (self.run_theirs(path, [{"x": x}])[0][0], self.run_ours(path, [{"x": x}])[0][0]):
                            np.testing.assert_allclose(found, expected, rtol=0, atol=3e-6 * np.abs(expected).max())

    def test_every_gemm(self):
        for format_ in FORMATS:
            for transposed in (0, 1):
                for bias in (None, (6,), (1, 6), (4, 1), ()):
                    with self.subTest(format=format_, transposed=transposed, bias=bias):
                        w, x = self.normal(*((6, 40) if transposed else (40, 6))), self.normal(4, 40)
                        constants = {"w": w} if bias is None else {"w": w, "c": self.normal(*bias)}
                        node = helper.make_node("Gemm", ["x", *constants], ["y"], alpha=-0.5, beta=2.0, transB=transposed)
                        real = self.save([node], [("x", FLOAT, [4, 40])], [("y", FLOAT, [4, 6])], constants)
                        path, report = self.weights(real, "--format", format_, "--bits", 8)
                        self.assertEqual(1, report["nodes"]["quantized"])
                        found = self.run_theirs(path, [{"x": x}])
                        self.assertGreater(sqnr(self.run_theirs(real, [{"x": x}]), found), 38)
                        np.testing.assert_allclose(found[0][0], self.run_ours(path, [{"x": x}])[0][0], rtol=0, atol=1e-5 *
                                                   np.abs(found[0][0]).max())

    def test_half_precision(self):
        for format_ in FORMATS:
            with self.subTest(format=format_):
                w, x = self.normal(64, 8, dtype=np.float16), self.normal(3, 64, dtype=np.float16)
                real = self.save([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", HALF, [3, 64])],
                                 [("y", HALF, [3, 8])], {"w": w})
                path, _ = self.weights(real, "--format", format_, "--bits", 8)
                found = self.run_theirs(path, [{"x": x}])
                self.assertEqual(np.float16, found[0][0].dtype)
                self.assertGreater(sqnr([[x.astype(np.float32) @ w.astype(np.float32)]], found), 35)

    def test_bodies_and_shared_weights(self):
        w, x = self.normal(32, 32), self.normal(3, 32)
        body = [helper.make_graph([helper.make_node("MatMul", ["x", "w"], [name])], name, [],
                                  [helper.make_tensor_value_info(name, FLOAT, [3, 32])]) for name in ("t", "e")]
        nodes = [helper.make_node("If", ["b"], ["y"], then_branch=body[0], else_branch=body[1])]
        real = self.save(nodes, [("b", TensorProto.BOOL, []), ("x", FLOAT, [3, 32])], [("y", FLOAT, [3, 32])], {"w": w})
        for format_ in FORMATS:
            with self.subTest(format=format_):
                path, report = self.weights(real, "--format", format_)
                self.assertCountEqual(["t", "e"], report["nodes"]["quantized_names"])
                for flag in (True, False):
                    feeds = [{"b": np.array(flag), "x": x}]
                    self.assertGreater(sqnr(self.run_theirs(real, feeds), self.run_theirs(path, feeds)), 17)


class Tables(Folder):
    def test_rows_lie_as_the_operator_says(self):
        indices = np.array([[1, 8], [0, 3]])
        for bits in (2, 4, 8):
            for scheme in ("sym", "asym"):
                for columns, block in ((64, 16), (48, 32), (20, 64)):
                    with self.subTest(bits=bits, scheme=scheme, columns=columns, block=block):
                        table = self.normal(9, columns)
                        real = self.save([helper.make_node("Gather", ["t", "i"], ["y"])], [("i", INT64, [2, 2])],
                                         [("y", FLOAT, [2, 2, columns])], {"t": table})
                        path, _ = self.weights(real, "--bits", bits, "--block", block, "--scheme", scheme)
                        expected = stored_weights(path)[indices]
                        for found in (self.run_theirs(path, [{"i": indices}]), self.run_ours(path, [{"i": indices}])):
                            np.testing.assert_allclose(found[0][0], expected, rtol=0, atol=1e-6)


class Transformer(Folder):
    """A layer of attention and one of Gelu's kind over an embedding, of random weights."""

    VOCABULARY, TOKENS, WIDTH, HEADS, INNER = 50, 6, 64, 4, 160

    def setUp(self):
        super().setUp()
        width, inner = self.WIDTH, self.INNER
        shapes = {"words": (self.VOCABULARY, width), "wq": (width, width), "wk": (width, width), "wv": (width, width),
                  "wo": (width, width), "up": (width, inner), "down": (width, inner)}
        constants = {key: self.normal(*shape) / np.float32(np.sqrt(width)) for key, shape in shapes.items()}
        constants["words"] *= 8
        constants |= {"heads": np.array([0, -1, self.HEADS, width // self.HEADS]), "flat": np.array([0, -1, width]),
                      "root": np.array(np.sqrt(width / self.HEADS), np.float32), "gamma": np.ones(width, np.float32),
                      "beta": self.normal(width) / 10, "rows": np.array([-1, width]), "bias": self.normal(width) / 10}
        node = helper.make_node
        nodes = [node("Gather", ["words", "tokens"], ["x"], "embed")]
        for each in "qkv":
            nodes += [node("MatMul", ["x", f"w{each}"], [each], each), node("Reshape", [each, "heads"], [f"{each}h"]),
                      node("Transpose", [f"{each}h"], [f"{each}t"], perm=[0, 2, 3, 1] if each == "k" else [0, 2, 1, 3])]
        nodes += [node("MatMul", ["qt", "kt"], ["scores"], "scores"), node("Div", ["scores", "root"], ["scaled"]),
                  node("Softmax", ["scaled"], ["share"], axis=-1), node("MatMul", ["share", "vt"], ["mixed"], "mix"),
                  node("Transpose", ["mixed"], ["back"], perm=[0, 2, 1, 3]), node("Reshape", ["back", "flat"], ["joined"]),
                  node("MatMul", ["joined", "wo"], ["o"], "out"), node("Add", ["x", "o"], ["sum"]),
                  node("LayerNormalization", ["sum", "gamma", "beta"], ["normal"]),
                  node("MatMul", ["normal", "up"], ["wide"], "up"), node("Tanh", ["wide"], ["bent"]),
                  node("Reshape", ["bent", "inner_rows"], ["flat_wide"]),
                  node("Gemm", ["flat_wide", "down", "bias"], ["y"], "down", transB=1)]
        constants["inner_rows"] = np.array([-1, inner])
        self.real = self.save(nodes, [("tokens", INT64, [1, self.TOKENS])], [("y", FLOAT, [self.TOKENS, width])], constants)
        self.feeds = [{"tokens": self.random.integers(0, self.VOCABULARY, (1, self.TOKENS))} for _ in range(48)]
        np.savez(self.folder / "calib.npz", tokens=np.stack([feed["tokens"] for feed in self.feeds[:32]]))
        self.held_out = self.feeds[32:]

    def test_both_formats_run_and_agree(self):
        reference = self.run_theirs(self.real, self.held_out)
        for format_ in FORMATS:
            for bits, floor in ((4, 12), (8, 35)):
                with self.subTest(format=format_, bits=bits):
                    path, report = self.weights(self.real, "--format", format_, "--bits", bits, "--data",
                                                self.folder / "calib.npz")
                    self.assertEqual({"embed", "q", "k", "v", "out", "up", "down"}, set(report["nodes"]["quantized_names"]))
                    self.assertEqual(report["nodes"]["total"],
                                     len(set(report["nodes"]["quantized_names"])) + len(report["nodes"]["float"]))
                    ours = self.run_ours(path, self.held_out)
                    for optimized in (True, False):
                        theirs = self.run_theirs(path, self.held_out, optimized)
                        self.assertGreater(sqnr(reference, theirs), floor)
                        self.assertGreater(sqnr(theirs, ours), 80)

    def test_each_rounding_is_better_than_the_one_before(self):
        reference = self.run_theirs(self.real, self.held_out)
        reached = []
        for rounding in ("nearest", "mse", "second-order"):
            data = ["--data", self.folder / "calib.npz"] if rounding == "second-order" else []
            path, _ = self.weights(self.real, "--rounding", rounding, "--op-types", "MatMul,Gemm", "--scheme", "sym", *data)
            reached.append(sqnr(reference, self.run_theirs(path, self.held_out)))
        self.assertLess(reached[0], reached[1])
        self.assertLess(reached[1] + 0.5, reached[2])

    def test_the_file_takes_what_bits_and_scales_take(self):
        for bits in (2, 4, 8):
            path, _ = self.weights(self.real, "--bits", bits, "--block", 32, "--scheme", "sym")
            constants = onnx.load(path).graph.initializer
            codes = sum(len(each.raw_data) for each in constants if each.name.endswith("_quantized"))
            scales = sum(len(each.raw_data) for each in constants if each.name.endswith("_scale"))
            count = self.VOCABULARY * self.WIDTH + 4 * self.WIDTH ** 2 + 2 * self.WIDTH * self.INNER
            self.assertEqual(count * bits // 8, codes)
            self.assertEqual(count // 32 * 4, scales)


class CommandLine(Folder):
    def setUp(self):
        super().setUp()
        self.real = self.save([helper.make_node("MatMul", ["x", "w"], ["y"], "mm")], [("x", FLOAT, [3, 64])],
                              [("y", FLOAT, [3, 8])], {"w": self.normal(64, 8)})

    def test_mistakes_are_named(self):
        for options, words in ((["--block", 24], "need the format qdq"), (["--rounding", "second-order"], "samples"),
                               (["--exclude", "mn"], "mm"), (["--op-types", "Conv"], "Gather, Gemm, MatMul"),
                               (["--bits", 2, "--format", "qdq"], "matmulnbits")):
            with self.subTest(options=options):
                result = zeropoint("weights", self.real, "-o", self.folder / "q.onnx", *options, check=False)
                self.assertEqual(1, result.returncode)
                self.assertIn(words, result.stderr)
                self.assertFalse((self.folder / "q.onnx").exists())

    def test_the_pass_alone_does_the_same(self):
        flow, _ = self.weights(self.real, "--optimize", "off")
        alone = self.folder / "alone.onnx"
        zeropoint("passes", self.real, "--pipeline", "quantize-weights,eliminate-dead", "-o", alone)
        self.assertEqual(flow.read_bytes(), alone.read_bytes())


class RealModels(Folder):
    """Gains one test a model, below: no rounding is worse than the one before it."""

    NAMES = ("minilm_l6",)

    def check_model(self, model):
        feeds = model.feeds("eval", 32)
        reference, _ = onnxruntime_outputs(model.path, feeds)
        reached = {}
        for bits in (4, 8):
            for rounding in ("nearest", "mse", "second-order"):
                path, _ = self.weights(model.path, "--bits", bits, "--rounding", rounding, *model.source("calib"))
                reached[bits, rounding] = sqnr(reference, self.run_theirs(path, feeds))
        print(f"{model.name}: " + ", ".join(f"{bits} bits {rounding} {value:.1f} dB"
                                           for (bits, rounding), value in reached.items()), flush=True)
        for bits in (4, 8):
            self.assertGreater(reached[bits, "mse"], reached[bits, "nearest"] - 0.1)
            self.assertGreater(reached[bits, "second-order"], reached[bits, "mse"] + 1)


for _model in all_models():
    if _model.name in RealModels.NAMES:
        setattr(RealModels, f"test_{_model.name}", lambda self, m=_model: self.check_model(m))


if __name__ == "__main__":
    unittest.main()

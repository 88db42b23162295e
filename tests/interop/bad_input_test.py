"""Whatever is wrong with the input: one clear line that names it, exit status 1 (2 for usage), and no file left behind."""
import pathlib
import tempfile
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support import shipped_models, zeropoint


def small_model(node=None, inputs=("x",)):
    """y = MatMul(x, w) over x [1, 4]; with `node`, which makes z from the inputs, y = MatMul(z, w)."""
    weights = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    nodes = [node] if node else []
    nodes.append(helper.make_node("MatMul", ["z" if node else "x", "w"], ["y"], "multiply"))
    graph = helper.make_graph(nodes, "small",
                              [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in inputs],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def point_outside(model, location, **places):
    """Makes the first initializer external data at `location`."""
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **places}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    return model


class BadInput(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name, "inner")
        self.folder.mkdir()
        self.model = self.folder / "small.onnx"
        onnx.save(small_model(), str(self.model))
        self.data = self.folder / "data.npz"
        self.save_data(x=np.ones((2, 1, 4), np.float32))
        self.output = self.folder / "out.onnx"

    def save_data(self, **arrays):
        np.savez(self.data, **arrays)

    def save_model(self, model):
        self.model.write_bytes(model.SerializeToString())

    def refuse(self, arguments, *words, status=1, largest_file=None):
        before = sorted(self.folder.parent.rglob("*"))
        result = zeropoint(*arguments, check=False, largest_file=largest_file)
        self.assertEqual(status, result.returncode, result.stderr)
        self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
        self.assertEqual("", result.stdout)
        for word in words:
            self.assertIn(str(word), result.stderr)
        self.assertEqual(before, sorted(self.folder.parent.rglob("*")), "a file was left behind or taken away")

    def refuse_static(self, *words, options=(), **keywords):
        self.refuse(["static", self.model, "--data", self.data, "-o", self.output, *options], *words, **keywords)

    def refuse_model(self, *words):
        """Every command that reads a model says so."""
        self.refuse_static(*words)
        self.refuse(["run", self.model, "--data", self.data, "-o", self.folder / "out.npz"], *words)
        self.refuse(["compare", self.model, self.model, "--data", self.data], *words)


class GoodInput(BadInput):
    """What the other tests spoil is accepted as it is."""

    def test_static(self):
        zeropoint("static", self.model, "--data", self.data, "-o", self.output)
        self.assertEqual([self.data, self.output, self.model], sorted(self.folder.iterdir()))

    def test_compare(self):
        zeropoint("compare", self.model, self.model, "--data", self.data)

    def test_external_data(self):
        (self.folder / "weights.bin").write_bytes(np.ones((4, 4), np.float32).tobytes())
        self.save_model(point_outside(small_model(), "weights.bin", offset=0, length=64))
        output = self.folder / "out.npz"
        zeropoint("run", self.model, "--data", self.data, "-o", output)
        with np.load(output) as arrays:
            np.testing.assert_array_equal(np.full((2, 1, 4), 4, np.float32), arrays["y"])


class BadModel(BadInput):
    def test_no_such_file(self):
        self.model.unlink()
        self.refuse_model(self.model)
        self.refuse(["inspect", self.model], self.model)

    def test_truncated(self):
        whole = self.model.read_bytes()
        for length in (0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 1):
            with self.subTest(length=length):
                self.model.write_bytes(whole[:length])
                self.refuse_model(self.model)

    def test_truncated_real_model(self):
        whole = shipped_models()[0].path.read_bytes()
        self.model.write_bytes(whole[:len(whole) // 2])
        self.refuse_model(self.model)
        self.refuse(["inspect", self.model], self.model)

    def test_not_a_protobuf(self):
        for content in (b"This is not a model.\n" * 100, b"\xff" * 4096, b"PK\x03\x04" + b"\0" * 100):
            with self.subTest(content=content[:8]):
                self.model.write_bytes(content)
                self.refuse_model(self.model)
                self.refuse(["inspect", self.model], self.model)

    def test_folder_in_place_of_a_model(self):
        self.model.unlink()
        self.model.mkdir()
        self.refuse_model(self.model)

    def test_missing_external_data(self):
        self.save_model(point_outside(small_model(), "weights.bin"))
        self.refuse_model("weights.bin")

    def test_external_data_outside_the_folder(self):
        secret = self.folder.parent / "secret.bin"
        secret.write_bytes(bytes(64))
        for location in ("../secret.bin", str(secret), "a/../../secret.bin"):
            with self.subTest(location=location):
                self.save_model(point_outside(small_model(), location))
                self.refuse_model(location)

    def test_external_data_through_a_link_that_leads_outside(self):
        secret = self.folder.parent / "secret.bin"
        secret.write_bytes(bytes(64))
        (self.folder / "weights.bin").symlink_to(secret)
        self.save_model(point_outside(small_model(), "weights.bin"))
        self.refuse_model("weights.bin")

    def test_external_data_too_short(self):
        (self.folder / "weights.bin").write_bytes(bytes(60))
        for places in ({}, {"offset": 0, "length": 64}, {"offset": 1 << 62, "length": 64}, {"offset": -4, "length": 64}):
            with self.subTest(places=places):
                self.save_model(point_outside(small_model(), "weights.bin", **places))
                self.refuse_model("w")

    def test_initializer_shorter_than_its_shape(self):
        model = small_model()
        model.graph.initializer[0].raw_data = bytes(60)
        self.save_model(model)
        self.refuse_model("w")

    def test_initializer_whose_shape_overflows(self):
        model = small_model()
        model.graph.initializer[0].dims[:] = [1 << 40, 1 << 40]
        self.save_model(model)
        self.refuse_model("w")

    def test_unknown_operator(self):
        self.save_model(small_model(helper.make_node("Frobnicate", ["x"], ["z"], "strange")))
        self.refuse_model("Frobnicate")

    def test_unknown_domain(self):
        model = small_model(helper.make_node("Frobnicate", ["x"], ["z"], "strange", domain="com.example"))
        model.opset_import.append(helper.make_opsetid("com.example", 1))
        self.save_model(model)
        self.refuse_model("Frobnicate")

    def test_node_that_reads_what_nobody_makes(self):
        self.save_model(small_model(helper.make_node("Add", ["x", "nothing"], ["z"], "lost")))
        self.refuse_model("nothing")


class BadData(BadInput):
    def refuse_data(self, *words):
        self.refuse_static(*words)
        self.refuse(["run", self.model, "--data", self.data, "-o", self.folder / "out.npz"], *words)
        self.refuse(["compare", self.model, self.model, "--data", self.data], *words)

    def test_no_such_file(self):
        self.data.unlink()
        self.refuse_data(self.data)

    def test_wrong_name(self):
        self.save_data(z=np.ones((2, 1, 4), np.float32))
        self.refuse_data("x", "z")

    def test_missing_input(self):
        self.save_model(small_model(helper.make_node("Add", ["x", "other"], ["z"], "add"), ("x", "other")))
        self.refuse_data("other")

    def test_wrong_shape(self):
        for shape in ((2, 1, 5), (2, 4), (2, 1, 1, 4)):
            with self.subTest(shape=shape):
                self.save_data(x=np.ones(shape, np.float32))
                self.refuse_data("x", "[1, 4]")

    def test_wrong_type(self):
        self.save_data(x=np.ones((2, 1, 4), np.float64))
        self.refuse_data("x", "float")

    def test_integers_without_preprocessing(self):
        self.save_data(x=np.ones((2, 1, 4), np.uint8))
        self.refuse_data("x", "--preprocess")

    def test_no_samples(self):
        self.save_data(x=np.ones((0, 1, 4), np.float32))
        self.refuse_data(self.data.name)

    def test_no_arrays(self):
        self.save_data()
        self.refuse_data(self.data.name)

    def test_inputs_with_different_numbers_of_samples(self):
        self.save_model(small_model(helper.make_node("Add", ["x", "other"], ["z"], "add"), ("x", "other")))
        self.save_data(x=np.ones((2, 1, 4), np.float32), other=np.ones((3, 1, 4), np.float32))
        self.refuse_data("2", "3")

    def test_truncated(self):
        whole = self.data.read_bytes()
        for length in (0, 10, len(whole) // 2):
            with self.subTest(length=length):
                self.data.write_bytes(whole[:length])
                self.refuse_data(self.data.name)

    def test_not_an_archive(self):
        self.data.write_bytes(b"This is not an archive.\n" * 10)
        self.refuse_data(self.data.name)

    def test_python_objects(self):
        np.savez(self.data, x=np.array([{"a": 1}], dtype=object))
        self.refuse_data("x")

    def test_unknown_kind_of_source(self):
        self.data = self.folder / "data.csv"
        self.data.write_text("1,2,3,4\n")
        self.refuse_data("data.csv")


class BadPreprocessing(BadInput):
    def setUp(self):
        super().setUp()
        self.save_data(x=np.ones((2, 1, 4), np.uint8))
        self.rules = self.folder / "preprocess.json"

    def refuse_rules(self, text, *words):
        self.rules.write_text(text)
        self.refuse_static(*words, options=["--preprocess", self.rules])

    def test_accepted(self):
        self.rules.write_text('{"inputs": {"x": {"scale": 0.5, "offset": -1}}}')
        zeropoint("static", self.model, "--data", self.data, "-o", self.output, "--preprocess", self.rules)

    def test_no_such_file(self):
        self.refuse_static("preprocess.json", options=["--preprocess", self.rules])

    def test_not_json(self):
        self.refuse_rules("scale: 0.5\n", "preprocess.json")

    def test_unknown_input(self):
        self.refuse_rules('{"inputs": {"z": {"scale": 1, "offset": 0}}}', "z")

    def test_unknown_key(self):
        self.refuse_rules('{"inputs": {"x": {"scale": 1, "median": 0}}}', "median")

    def test_not_a_number(self):
        self.refuse_rules('{"inputs": {"x": {"scale": "half", "offset": 0}}}', "scale")

    def test_list_of_the_wrong_length(self):
        self.refuse_rules('{"inputs": {"x": {"scale": [1, 2, 3], "offset": 0}}}', "x", "3")


class BadOutput(BadInput):
    def test_no_such_folder(self):
        self.output = self.folder / "missing/out.onnx"
        self.refuse_static(self.output)

    def test_folder_in_place_of_a_file(self):
        self.output.mkdir()
        self.refuse_static(self.output)

    def test_run(self):
        self.refuse(["run", self.model, "--data", self.data, "-o", self.folder / "missing/out.npz"], "missing/out.npz")

    def test_full_disk(self):
        self.refuse_static(self.output, largest_file=100)
        output = self.folder / "out.npz"
        self.refuse(["run", self.model, "--data", self.data, "-o", output], output, largest_file=100)

    def test_failure_keeps_the_old_file(self):
        self.output.write_text("precious")
        self.refuse_static(self.output, largest_file=100)
        self.assertEqual("precious", self.output.read_text())


class BadUsage(BadInput):
    def test_unknown_option(self):
        self.refuse_static("--frobnicate", options=["--frobnicate"], status=2)

    def test_unknown_command(self):
        self.refuse(["frobnicate"], "frobnicate", status=2)

    def test_no_command(self):
        self.refuse([], status=2)

    def test_missing_option(self):
        self.refuse(["static", self.model, "-o", self.output], "--data", status=2)
        self.refuse(["static", self.model, "--data", self.data], "--output", status=2)

    def test_missing_model(self):
        self.refuse(["inspect"], status=2)

    def test_bad_values(self):
        for option, value in (("--limit", "many"), ("--limit", "-1"), ("--limit", "0"), ("--threads", "-1"),
                              ("--profile", "abacus"), ("--progress", "perhaps")):
            with self.subTest(option=option, value=value):
                self.refuse_static(option, options=[option, value], status=2)

    def test_unknown_node(self):
        self.refuse_static("nobody", options=["--exclude", "nobody"])
        self.refuse_static("nobody", options=["--nodes", "nobody"])

    def test_unknown_operator_type(self):
        self.refuse_static("Convolution", options=["--op-types", "Convolution"])

    def test_bad_schemes(self):
        for option in ("--activations", "--weights"):
            with self.subTest(option=option):
                self.refuse_static("u9", options=[option, "u9:asym"])


if __name__ == "__main__":
    unittest.main()

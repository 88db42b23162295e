"""Calibration of a model whose tensors change shape from sample to sample, in the bodies of If and Loop too."""
import json
import pathlib
import tempfile
import unittest

import numpy as np
import onnx
from onnx import numpy_helper

from support import zeropoint

# `kept` has as many rows as x has positive sums; the loop goes round once for each row of x.
MODEL = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[N, 4] x, bool flag) => (float[M, 4] kept, float[N, 4] chosen, float[K, 1, 4] rows)
<float[4, 4] w = {1, 2, 3, 4, -1, -2, -3, -4, 0.5, 0, 0.5, 0, 1, 1, 1, 1},
 float[4, 4] v = {2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2},
 int64[1] last = {1}, float none = {0}, bool yes = {1}, int64[1] first = {0}, int64 axis0 = {0}>
{
  sums = ReduceSum <keepdims = 0> (x, last)
  positive = Greater (sums, none)
  selected = Compress <axis = 0> (x, positive)
  kept = MatMul (selected, w)
  chosen = If (flag) <
    then_branch = yes_branch () => (float[N, 4] then_out) { then_product = MatMul (x, w)  then_out = Relu (then_product) },
    else_branch = no_branch () => (float[N, 4] else_out) { else_product = MatMul (x, v)  else_out = Neg (else_product) }>
  shape = Shape <start = 0, end = 1> (x)
  trips = Squeeze (shape, first)
  rows = Loop (trips, yes) <
    body = round (int64 i, bool go) => (bool again, float[1, 4] row_product)
    {
      again = Identity (go)
      at = Unsqueeze (i, first)
      row = Gather <axis = 0> (x, at)
      row_product = MatMul (row, w)
    }>
}
"""


class Scopes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.model = onnx.parser.parse_model(MODEL)
        onnx.save(self.model, self.folder / "model.onnx")
        random = np.random.default_rng(1)
        self.samples = [(random.normal(size=(rows, 4)).astype(np.float32), bool(k % 2))
                        for k, rows in enumerate((3, 1, 7, 2, 5, 16))]
        for k, (x, flag) in enumerate(self.samples):
            data = self.folder / "data" / f"test_data_set_{k}"
            data.mkdir(parents=True)
            for i, (name, value) in enumerate((("x", x), ("flag", np.array(flag)))):
                (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(value, name).SerializeToString())

    def ranges(self, *options):
        state, table = self.folder / "state.zpcal", self.folder / "table.json"
        result = zeropoint("calibrate", self.folder / "model.onnx", "--data", self.folder / "data", "--profile", "generic",
                           "--json", "-o", state, *options)
        zeropoint("table", state, "-o", table)
        found = {name: (entry["lowest"]["data"], entry["highest"]["data"])
                 for name, entry in json.loads(table.read_text()).items()}
        return found, json.loads(result.stdout), state.read_bytes()

    def test_every_scope_is_observed_with_every_shape(self):
        weights = {name: numpy_helper.to_array(tensor) for tensor in self.model.graph.initializer for name in [tensor.name]}
        seen = {"x": [], "selected": [], "kept": [], "then_product": [], "then_out": [], "else_product": [], "row": [],
                "row_product": []}
        for x, flag in self.samples:
            seen["x"].append(x)
            seen["selected"].append(x[x.sum(axis=1) > 0])
            seen["kept"].append(seen["selected"][-1] @ weights["w"])
            seen["then_product" if flag else "else_product"].append(x @ weights["w" if flag else "v"])
            if flag:
                seen["then_out"].append(np.maximum(seen["then_product"][-1], 0))
            seen["row"].append(x)
            seen["row_product"].append(x @ weights["w"])
        found, report, _ = self.ranges()
        self.assertEqual(len(self.samples), report["samples"])
        for name, parts in seen.items():
            with self.subTest(name):
                values = np.concatenate([part.ravel() for part in parts])
                np.testing.assert_allclose(found[name], (values.min(), values.max()), rtol=1e-6)

    def test_threads_do_not_matter(self):
        _, _, serial = self.ranges("--threads", 1)
        for threads in (2, 4):
            self.assertEqual(serial, self.ranges("--threads", threads)[2])

    def test_a_branch_that_is_never_taken_is_named(self):
        for k in range(len(self.samples)):
            (self.folder / "data" / f"test_data_set_{k}" / "input_1.pb").write_bytes(
                numpy_helper.from_array(np.array(False), "flag").SerializeToString())
        _, report, _ = self.ranges()
        self.assertIn("then_out", json.dumps(report["calibration"]))


if __name__ == "__main__":
    unittest.main()

"""What `zeropoint static` writes is a valid model, and other runtimes compute nearly the float model's answer with it."""
import json
import pathlib
import tempfile
import unittest

import onnx

from support import (AT_ANY_SPEED, PROFILES, all_models, onnxruntime_outputs, openvino_outputs, quantized, shipped_models, sqnr,
                     zeropoint)


class Quantize(unittest.TestCase):
    """Gains one test a model and profile, below."""

    def check(self, model, profile):
        output, report = quantized(model, profile)
        onnx.checker.check_model(str(output), full_check=True)
        self.assertGreater(report["nodes"]["quantized"], 0)
        self.assertLess(output.stat().st_size, model.path.stat().st_size)

        feeds = model.feeds("eval", model.samples)
        reference, _ = onnxruntime_outputs(model.path, feeds)
        reached = {"onnxruntime-cpu": sqnr(reference, onnxruntime_outputs(output, feeds)[0]),
                   "openvino": sqnr(reference, openvino_outputs(output, feeds))}
        print(f"{model.name}, profile {profile}: " +
              ", ".join(f"{value:.1f} dB in {runtime}" for runtime, value in reached.items()), flush=True)
        # Each runtime fuses in its own way; a profile answers for its own.
        self.assertGreaterEqual(reached[profile], model.floor)


for _model in all_models():
    for _profile in PROFILES:
        setattr(Quantize, f"test_{_model.name}_for_{_profile}",
                lambda self, m=_model, p=_profile: self.check(m, p))


class Output(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.model = shipped_models()[0]

    def static(self, output, *options):
        return zeropoint("static", *AT_ANY_SPEED, self.model.path, *self.model.source("calib"), "--limit", 4, "-o", output,
                         *options)

    def test_json_holds_what_is_promised(self):
        output = self.folder / "a.onnx"
        result = self.static(output, "--json")
        report = json.loads(result.stdout)
        self.assertEqual("", result.stderr)
        self.assertEqual(str(output), report["output"])
        self.assertEqual("qdq", report["form"])
        nodes = report["nodes"]
        self.assertEqual(nodes["total"], nodes["quantized"] + len(nodes["float"]))
        for node in nodes["float"]:
            self.assertTrue(node["op"] and node["reason"], node)
        for tensor in report["tensors"]:
            self.assertLessEqual({"name", "lo", "hi", "scale", "zero_point", "scheme", "why"}, tensor.keys())
        self.assertGreater(report["peak_rss_bytes"], 1 << 20)
        self.assertTrue(all(seconds >= 0 for seconds in report["seconds"].values()))

    def test_same_bytes_whatever_the_number_of_threads(self):
        one, two = self.folder / "one.onnx", self.folder / "two.onnx"
        self.static(one, "--threads", 1)
        self.static(two, "--threads", 2)
        self.assertEqual(one.read_bytes(), two.read_bytes())

    def test_quiet_says_nothing(self):
        result = self.static(self.folder / "a.onnx", "--quiet")
        self.assertEqual(("", ""), (result.stdout, result.stderr))

    def test_compare_json(self):
        output = self.folder / "a.onnx"
        self.static(output)
        report = json.loads(zeropoint("compare", self.model.path, output, *self.model.source("eval"), "--limit", 8,
                                      "--json").stdout)
        self.assertEqual(8, report["samples"])
        self.assertEqual({"float": self.model.path.stat().st_size, "quantized": output.stat().st_size}, report["bytes"])
        for measured in report["outputs"]:
            self.assertLessEqual({"name", "sqnr_db", "cosine", "max_abs_error", "argmax_agreement"}, measured.keys())

    def test_compare_measures_what_onnxruntime_measures(self):
        output = self.folder / "a.onnx"
        self.static(output)
        report = json.loads(zeropoint("compare", self.model.path, output, *self.model.source("eval"), "--limit", 32,
                                      "--json").stdout)
        feeds = self.model.feeds("eval", 32)
        reference, _ = onnxruntime_outputs(self.model.path, feeds)
        measured = sqnr(reference, onnxruntime_outputs(output, feeds, optimized=False)[0])
        self.assertAlmostEqual(measured, report["outputs"][0]["sqnr_db"], delta=0.5)

    def test_inspect_json(self):
        report = json.loads(zeropoint("inspect", self.model.path, "--json").stdout)
        self.assertTrue(report)


if __name__ == "__main__":
    unittest.main()

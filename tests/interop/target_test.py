"""--target: what the result must reach on held-out samples, also by a command of the user's; and what int8 must gain."""
import json
import pathlib
import tempfile
import unittest

import onnx

from support import AT_ANY_SPEED, shipped_models, zeropoint


class Target(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.model = next(model for model in shipped_models() if model.name == "mnist_dwcnn")

    def static(self, *options, check=True):
        return zeropoint("static", self.model.path, *self.model.source("calib"), "--limit", 32, "-o", self.folder / "q.onnx",
                         "--json", *options, check=check)

    def report(self, *options):
        return json.loads(self.static(*AT_ANY_SPEED, *options).stdout)

    def test_more_decibel_leave_more_in_float(self):
        quantized = []
        for decibel in (20, 40, 50):
            report = self.report("--target", f"sqnr:{decibel}")
            quantized.append(report["nodes"]["quantized"])
            reached = [step["quality"] for step in report["tuning"] if step["accepted"] and "quality" in step]
            self.assertGreaterEqual(reached[-1], decibel)
        self.assertGreater(quantized[0], quantized[2])
        self.assertGreaterEqual(quantized[0], quantized[1])

    def test_agreement(self):
        report = self.report("--target", "agreement:1")
        self.assertEqual([1.0], [step["quality"] for step in report["tuning"] if step["accepted"] and "quality" in step][-1:])

    def test_a_command_measures_the_model_that_it_is_given(self):
        # more is better: the fewer QuantizeLinear nodes
        script = self.folder / "score.py"
        script.write_text("import sys, onnx\n"
                          "nodes = onnx.load(sys.argv[1]).graph.node\n"
                          "print('some words')\n"
                          "print(-sum(node.op_type == 'QuantizeLinear' for node in nodes))\n", encoding="utf-8")
        import sys
        command = f"{sys.executable} {script}"
        self.report("--target", f"metric:-4:{command}")
        nodes = onnx.load(self.folder / "q.onnx").graph.node
        self.assertLessEqual(sum(node.op_type == "QuantizeLinear" for node in nodes), 4)

    def test_what_cannot_be_reached_is_an_error_and_leaves_no_model(self):
        for target, word in (("metric:1:echo 0.5 #", "cannot be reached"), ("metric:1:false", "failed"),
                             ("metric:1:echo none #", "not a number"), ("sqnr:many", "expected")):
            result = self.static(*AT_ANY_SPEED, "--target", target, check=False)
            self.assertEqual(1, result.returncode, target)
            self.assertIn(word, result.stderr, target)
            self.assertFalse((self.folder / "q.onnx").exists(), target)

    def test_a_target_needs_samples(self):
        result = zeropoint("static", self.model.path, *AT_ANY_SPEED, *self.model.source("calib"), "--limit", 4, "-o",
                           self.folder / "q.onnx", "--target", "sqnr:20", check=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("at least 8 samples", result.stderr)

    def test_what_is_slower_in_int8_stays_float_and_says_so(self):
        report = json.loads(self.static().stdout)
        self.assertEqual(0, report["nodes"]["quantized"])
        self.assertTrue(any(note.startswith("left float") for note in report["notes"]), report["notes"])
        self.assertAlmostEqual(1.0, report["predicted"]["speed_up"])
        onnx.checker.check_model(str(self.folder / "q.onnx"), full_check=True)


class Inspect(unittest.TestCase):
    def test_the_difference_of_two_models(self):
        model = shipped_models()[0]
        with tempfile.TemporaryDirectory() as folder:
            quantized = pathlib.Path(folder) / "q.onnx"
            zeropoint("static", *AT_ANY_SPEED, model.path, *model.source("calib"), "--limit", 8, "-o", quantized)
            difference = json.loads(zeropoint("inspect", quantized, "--against", model.path, "--json").stdout)
            self.assertGreater(difference["operators"]["QuantizeLinear"][1], 0)
            self.assertEqual(0, difference["operators"]["QuantizeLinear"][0])
            same = zeropoint("inspect", quantized, "--against", quantized).stdout
            self.assertEqual("no difference\n", same)
            weights = json.loads(zeropoint("inspect", quantized, "--json").stdout)["weights"]
            self.assertTrue(weights["quantized"])
            self.assertTrue(all(each["codes_used"] > 1 for each in weights["quantized"]))


if __name__ == "__main__":
    unittest.main()

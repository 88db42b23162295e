"""docs/program.md says what the program's help says, and the examples of the help run."""
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path.cwd()
sys.path.insert(0, str(ROOT / "tools"))
import program_reference  # noqa: E402

ZEROPOINT = ROOT / "tools/zeropoint/zeropoint"
DATA = ROOT / "examples/data/mnist_dwcnn"

FOUND = [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "score": 0.9}]
TRUTH = {
    "images": [{"id": 1, "width": 20, "height": 20}],
    "categories": [{"id": 1, "name": "digit"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "area": 100, "iscrowd": 0}],
}


class Program(unittest.TestCase):
    def test_page_says_what_help_says(self):
        self.assertEqual((ROOT / "docs/program.md").read_text(), program_reference.page(ZEROPOINT),
                         "docs/program.md is out of date: python3 tools/program_reference.py "
                         "bazel-bin/tools/zeropoint/zeropoint > docs/program.md")

    def run_line(self, line, folder):
        program, *arguments = shlex.split(line)
        self.assertEqual("zeropoint", program, line)
        done = subprocess.run([ZEROPOINT, *arguments], cwd=folder, capture_output=True, text=True)
        self.assertEqual(0, done.returncode, f"{line}\n{done.stderr}")

    def test_examples_of_help_run(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for file in ("model.onnx", "calib.npz", "eval.npz", "preprocess.json"):
                shutil.copy(DATA / file, folder)
            (folder / "instances.json").write_text(json.dumps(TRUTH))
            (folder / "found.json").write_text(json.dumps(FOUND))
            for words, help in program_reference.commands(ZEROPOINT):
                self.assertEqual(1, len(help.example()), f"{words}: the help ends with one example")
                line = help.example()[0]
                self.assertTrue(line.startswith(" ".join(("zeropoint", *words, ""))), line)
                # So small a network would stay float, and the other commands need a quantized one.
                self.run_line(line + (" --if-slower quantize" if words == ("static",) else ""), folder)
                if words == ("static",):
                    shutil.copy(folder / "model.int8.onnx", folder / "trained.onnx")
                if words == ("calibrate",):
                    self.run_line(line.replace("0/2", "1/2").replace("part0", "part1"), folder)


if __name__ == "__main__":
    unittest.main()

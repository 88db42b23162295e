"""The commands of docs/getting-started.md run, in their order, as it has them."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path.cwd()
PAGE = (ROOT / "docs/getting-started.md").read_text()


def commands():
    """The indented lines of the page, but for builds, which Bazel has done already."""
    prose = re.sub(r"^```.*?^```$", "", PAGE, flags=re.M | re.S)
    lines = re.sub(r"\\\n +", "", "\n".join(re.findall(r"^ {4}(.+)$", prose, re.M))).split("\n")
    return [line for line in lines if not re.match(r"tools/quickstart|bazel |export PATH", line)]


class GettingStarted(unittest.TestCase):
    def test_commands_run(self):
        found = commands()
        self.assertGreater(len(found), 6, "the test does not see the commands")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            shutil.copytree(ROOT / "examples", folder / "examples")
            (folder / "bazel-bin/mine").mkdir(parents=True)
            shutil.copy(ROOT / "examples/20_your_own_flow", folder / "bazel-bin/mine/flow")
            path = f"{ROOT}/tools/zeropoint:{os.environ['PATH']}"
            done = subprocess.run(["bash", "-euxc", "\n".join(found)], cwd=folder, env={**os.environ, "PATH": path},
                                  capture_output=True, text=True)
            self.assertEqual(0, done.returncode, done.stderr)
            for written in ("digits.int8.onnx", "digits.html", "best.onnx"):
                self.assertTrue((folder / "out" / written).exists(), written)
            self.assertTrue((folder / "mine/flow.cc").exists())

    def test_your_own_target_has_what_the_example_has(self):
        def layers(text, name):
            return re.search(rf'name = "{name}",.*?deps = \[(.*?)\]', text, re.S)[1].split()

        self.assertEqual(layers((ROOT / "examples/BUILD.bazel").read_text(), "20_your_own_flow"), layers(PAGE, "flow"))


if __name__ == "__main__":
    unittest.main()

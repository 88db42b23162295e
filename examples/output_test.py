"""An example prints what the documentation says it prints. Usage: output_test.py PROGRAM EXPECTED.txt [ARGUMENT...]"""
import pathlib
import subprocess
import sys
import unittest


class Example(unittest.TestCase):
    maxDiff = None

    def test_output(self):
        result = subprocess.run([PROGRAM, *ARGUMENTS], capture_output=True, text=True, check=False)
        self.assertEqual("", result.stderr)
        self.assertEqual(0, result.returncode)
        self.assertEqual(pathlib.Path(EXPECTED).read_text(), result.stdout)


if __name__ == "__main__":
    PROGRAM, EXPECTED, *ARGUMENTS = sys.argv[1:]
    del sys.argv[1:]
    unittest.main()

"""Runs every interop test; needs the virtual environment of tools/setup.sh test, and //tools/zeropoint built.

Usage: run.py [unittest options and names]     for example: run.py -v bad_input_test
ZEROPOINT names another program, ZEROPOINT_MODELS a folder with further models.
"""
import pathlib
import sys
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

if __name__ == "__main__":
    if any(not word.startswith("-") for word in sys.argv[1:]):
        unittest.main(module=None)
    suite = unittest.TestLoader().discover(str(FOLDER), pattern="*_test.py")
    result = unittest.TextTestRunner(verbosity=2 if "-v" in sys.argv else 1).run(suite)
    sys.exit(not result.wasSuccessful())

"""Every promise of docs/numerics.md names a test that exists."""
import pathlib
import re
import unittest

ROOT = pathlib.Path.cwd()
NAMED = re.compile(r"`(?P<file>tests/\S+\.(?:cc|py)) (?P<case>\w+)`")
CASES = re.compile(r"(?:BOOST_AUTO_TEST_CASE(?:_TEMPLATE)?\(\s*|^ *def |^\w[^\n(]* )(\w+)[,()]", re.M)


class Numerics(unittest.TestCase):
    def setUp(self):
        self.page = (ROOT / "docs/numerics.md").read_text()

    def test_named_cases_exist(self):
        named = list(NAMED.finditer(self.page))
        self.assertGreater(len(named), 60, "the test does not see the names")
        for name in named:
            file = ROOT / name["file"]
            self.assertTrue(file.exists(), f"{name['file']} does not exist, or is no data of tests/docs/BUILD.bazel")
            self.assertIn(name["case"], CASES.findall(file.read_text()), f"no such case in {name['file']}")

    def test_every_promise_names_a_case(self):
        promises = re.findall(r"^\| (?!promise|no promise).*\|$", self.page, re.M)
        self.assertGreater(len(promises), 40, "the test does not see the promises")
        without = [promise for promise in promises if not NAMED.search(promise)]
        # What the library does not have needs no test.
        self.assertEqual(["The library has none"], [re.search("The library has none", line)[0] for line in without])


if __name__ == "__main__":
    unittest.main()

"""The summary line of tools/test.sh: nothing that went wrong may be missing from it."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path.cwd() / "tools"))
from count_tests import count_all, count_cases  # noqa: E402

BOOST_GOOD = "Running 7 test cases...\n\n\x1b[1;32;49m*** No errors detected\n\x1b[0;39;49m"
BOOST_BAD = ('Running 7 test cases...\na.cc(1): error: in "suite/A": check failed\n'
             'a.cc(2): error: in "suite/A": check failed\na.cc(9): fatal error: in "suite/B": signal\n\n'
             '*** 3 failures are detected in the test module "zeropoint"\n')
BOOST_CRASHED = "Running 7 test cases...\nSegmentation fault\n"
UNITTEST_GOOD = "......\n----\nRan 6 tests in 0.1s\n\nOK (skipped=2)\n"
UNITTEST_BAD = "FE....\n----\nRan 6 tests in 0.1s\n\nFAILED (failures=1, errors=1)\n"


class Cases(unittest.TestCase):
    def test_boost(self):
        self.assertEqual((7, 0), count_cases(BOOST_GOOD, True))
        self.assertEqual((5, 2), count_cases(BOOST_BAD, False))

    def test_unittest(self):
        self.assertEqual((4, 0), count_cases(UNITTEST_GOOD, True))
        self.assertEqual((4, 2), count_cases(UNITTEST_BAD, False))

    def test_own_summary(self):
        self.assertEqual((974, 0), count_cases("skipped a\n974 passed, 0 failed\nexit status 0\n", True))
        self.assertEqual((970, 4), count_cases("970 passed, 4 failed\nexit status 1\n", False))
        self.assertEqual((0, 1), count_cases("970 passed, 4 failed\nand then a crash\nexit status 139\n", False))

    def test_crash_is_a_failure_and_its_other_cases_did_not_pass(self):
        self.assertEqual((0, 1), count_cases(BOOST_CRASHED, False))

    def test_failed_status_wins_over_a_good_log(self):
        self.assertEqual((6, 1), count_cases(BOOST_GOOD, False))

    def test_program_without_a_summary_is_one_case(self):
        self.assertEqual((1, 0), count_cases("hello\n", True))
        self.assertEqual((0, 1), count_cases("", False))


class Events(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.lines = []

    def result(self, label, status, log):
        path = pathlib.Path(self.folder.name, label.replace("/", "_") + ".log")
        path.write_text(log)
        self.lines += [{"id": {"testResult": {"label": label}},
                        "testResult": {"status": status, "cachedLocally": True,
                                       "testActionOutput": [{"name": "test.log", "uri": path.as_uri()}]}},
                       {"id": {"testSummary": {"label": label}}, "testSummary": {"overallStatus": status}}]

    def finish(self, success, logs=()):
        self.lines.append({"id": {"buildFinished": {}}, "finished": {"overallSuccess": success}})
        return count_all("\n".join(json.dumps(line) for line in self.lines), logs)

    def test_cached_results_count(self):
        self.result("//a:a_test", "PASSED", BOOST_GOOD)
        self.result("//a:b_test", "PASSED", UNITTEST_GOOD)
        self.assertEqual((11, 0), self.finish(True))

    def test_timeout(self):
        self.result("//a:a_test", "PASSED", BOOST_GOOD)
        self.result("//a:b_test", "TIMEOUT", BOOST_CRASHED)
        self.assertEqual((7, 1), self.finish(False))

    def test_target_that_does_not_build(self):
        self.result("//a:a_test", "PASSED", BOOST_GOOD)
        self.lines += [{"id": {"targetCompleted": {"label": "//a:b_test"}}, "completed": {}},
                       {"id": {"testSummary": {"label": "//a:b_test"}},
                        "testSummary": {"overallStatus": "FAILED_TO_BUILD"}},
                       {"id": {"targetCompleted": {"label": "//a:library"}}, "aborted": {"reason": "ANALYSIS_FAILURE"}}]
        self.assertEqual((7, 2), self.finish(False))

    def test_bazel_that_failed_before_any_target(self):
        self.assertEqual((0, 1), self.finish(False))
        self.assertEqual((0, 1), count_all("", []))

    def test_programs_outside_bazel(self):
        self.result("//a:a_test", "PASSED", BOOST_GOOD)
        self.assertEqual((15, 3), self.finish(True, [UNITTEST_GOOD + "exit status 0\n", UNITTEST_BAD + "exit status 1\n",
                                                     "Traceback\nexit status 1\n"]))


if __name__ == "__main__":
    unittest.main()

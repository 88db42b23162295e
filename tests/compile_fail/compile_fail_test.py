"""Mistakes that the compiler must catch, in words that tell the user what to write instead.

Each snippet says in its first lines what must happen:

    // expect-error: words of the message, on one line
    // expect-success

A snippet with expect-success is the corrected twin of a wrong one: it shows that the wrong one fails for its mistake
and not for a missing header. Usage: compile_fail_test.py COMPILER; clang++-16 joins in where it is installed.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(__file__).parent
EXPECT = re.compile(r"^// expect-(?:error: (.+)|success)$", re.M)


def compilers(configured):
    """The C++ drivers to ask, given the compiler that the build uses."""
    names = [re.sub(r"\bclang\b(?!\+)", "clang++", re.sub(r"\bgcc\b", "g++", configured))]
    if not names[0].endswith("clang++-16") and shutil.which("clang++-16"):
        names.append("clang++-16")
    return names


def compile_snippet(compiler, snippet):
    """The compiler's messages on one line, and whether it accepted the snippet."""
    result = subprocess.run([compiler, "-x", "c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Werror", "-Iinclude",
                             str(snippet)], capture_output=True, text=True, check=False)
    return " ".join(result.stderr.split()), result.returncode == 0


class CompileFail(unittest.TestCase):
    """Gains one test a compiler and snippet, below."""

    def check(self, compiler, snippet):
        expected = EXPECT.findall(snippet.read_text())
        self.assertTrue(expected, "the snippet does not say what to expect")
        messages, accepted = compile_snippet(compiler, snippet)
        if expected == [""]:
            self.assertTrue(accepted, messages)
            return
        self.assertFalse(accepted, "the compiler accepts this mistake")
        for words in expected:
            self.assertIn(words, messages)


def add_tests(configured):
    for compiler in compilers(configured):
        for snippet in sorted(FOLDER.glob("*.cc")):
            name = f"test_{snippet.stem}_with_{pathlib.Path(compiler).name}"
            setattr(CompileFail, name, lambda self, c=compiler, s=snippet: self.check(c, s))


if __name__ == "__main__":
    add_tests(sys.argv.pop(1) if len(sys.argv) > 1 else "g++")
    unittest.main()

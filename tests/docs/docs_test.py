"""The documentation tells the truth where a machine can tell: its code is compiled and its links lead somewhere."""
import os
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path.cwd()
sys.path.insert(0, str(ROOT / "tools"))
import snippets  # noqa: E402

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)


def without_code(text):
    return re.sub(r"`[^`]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def linked(page, target):
    """The file or folder that a relative link leads to. (resolve() would follow the symbolic links of a test.)"""
    path = target.partition("#")[0]
    return pathlib.Path(os.path.normpath(page.parent / path)) if path else page


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


class Docs(unittest.TestCase):
    def pages(self):
        pages = snippets.documents(ROOT)
        self.assertGreater(len(pages), 3, "the test does not see the pages")
        return [(page, page.read_text()) for page in pages]

    def test_blocks_of_code_quote_what_is_built(self):
        for page, text in self.pages():
            for block in snippets.BLOCK.finditer(text):
                if block["language"] in ("cpp", "cmake", "makefile", "starlark"):
                    self.assertTrue(block["file"], f"{page}: a block of code that quotes no file:\n{block['body']}")

    def test_quotes_are_up_to_date(self):
        for page, text in self.pages():
            self.assertEqual(text, snippets.rewritten(ROOT, text), f"{page}: run python3 tools/snippets.py")

    def test_every_example_is_short_and_quoted(self):
        quoted = {block["file"] for _, text in self.pages() for block in snippets.BLOCK.finditer(text)}
        examples = sorted(ROOT.glob("examples/*.cc"))
        self.assertGreater(len(examples), 3, "the test does not see the examples")
        for example in examples:
            self.assertLess(len(example.read_text().splitlines()), 120, f"{example.name}: split it in two")
            self.assertIn(str(example.relative_to(ROOT)), quoted, "no page quotes it")

    def test_relative_links_resolve(self):
        broken = []
        for page, text in self.pages():
            for target in LINK.findall(without_code(text)):
                if re.match(r"[a-z]+:", target):
                    continue
                file, anchor = linked(page, target), target.partition("#")[2]
                if not file.exists():
                    broken.append(f"{page}: {target}")
                elif anchor and anchor not in anchors(file.read_text()):
                    broken.append(f"{page}: {target}: no such heading")
        self.assertEqual([], broken)

    def test_every_page_is_reachable_from_the_index(self):
        pages = {page: without_code(text) for page, text in self.pages()}
        seen, waiting = set(), [ROOT / "docs/index.md"]
        while waiting:
            page = waiting.pop()
            if page in seen or page not in pages:
                continue
            seen.add(page)
            for target in LINK.findall(pages[page]):
                found = linked(page, target)
                waiting.extend(found.glob("*.md") if found.is_dir() else [found])
        self.assertEqual(set(), {page for page in pages if ROOT / "docs" in page.parents} - seen)


if __name__ == "__main__":
    unittest.main()

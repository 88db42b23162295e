"""Keeps the code in the documentation equal to the examples that the tests run.

A code block quotes a file, or a region of it, that the line before it names:

    <!-- snippet: examples/01_quantize_a_vector.cc scheme -->
    ```cpp
    ...
    ```

and the file marks the region with `// #region scheme` and `// #endregion`, or `# #region scheme` in a build file, or declares
a concept of that name.

Usage: python3 tools/snippets.py      rewrites the blocks of docs/ and README.md; tests/docs checks them.
"""
import pathlib
import re
import textwrap

BLOCK = re.compile(r"(?P<head>(?:^<!-- snippet: (?P<file>\S+)(?: (?P<region>\S+))? -->\n)?^```(?P<language>\w*)\n)"
                   r"(?P<body>.*?)^```$", re.M | re.S)
REGION = re.compile(r"^[ \t]*(?://|#) #region (?P<name>\S+)\n(?P<body>.*?)^[ \t]*(?://|#) #endregion$", re.M | re.S)
CONCEPT = re.compile(r"^template <[^\n]*>\nconcept (?P<name>\w+) =.*?;\n(?=\n)", re.M | re.S)


def documents(root):
    """The pages of the project."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("examples/**/*.md"),
                   *root.glob("tests/**/*.md")])


def quoted(root, file, region):
    """The text that a block must hold. Raises KeyError for a region that the file neither marks nor declares."""
    text = (root / file).read_text()
    if region is None:
        return text
    regions = {match["name"]: match[0] for match in CONCEPT.finditer(text)}
    regions |= {match["name"]: match["body"] for match in REGION.finditer(text)}
    return textwrap.dedent(regions[region])


def rewritten(root, text):
    """The page with each quoting block filled in."""
    return BLOCK.sub(lambda block: block[0] if not block["file"] else
                     block["head"] + quoted(root, block["file"], block["region"]) + "```", text)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    for page in documents(root):
        text = page.read_text()
        new = rewritten(root, text)
        if new != text:
            page.write_text(new)
            print(f"rewrote {page.relative_to(root)}")


if __name__ == "__main__":
    main()

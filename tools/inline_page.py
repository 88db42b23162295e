"""Makes the report's page one file, as C++: {{NAME}} becomes the text of that file, {{document}} the end of the first half.

    inline_page.py OUTPUT.cc FILE...     one of the files is page.html
"""
import pathlib
import re
import sys

DOCUMENT = "{{document}}"
# longer literals are not portable
LITERAL = 16000


def literal(text):
    pieces = (text[i:i + LITERAL] for i in range(0, len(text), LITERAL))
    return "\n".join(f'R"zpage({piece})zpage"' for piece in pieces) or '""'


def main(output, *files):
    texts = {pathlib.Path(file).name: pathlib.Path(file).read_text(encoding="utf-8") for file in files}
    # dagre comes as a module; in a page without modules its name is enough
    texts["dagre.js"] = re.sub(r"^export [^\n]*$", "", texts["dagre.js"], flags=re.MULTILINE)
    page = texts.pop("page.html")
    unused = set(texts)

    def text_of(match):
        name = match[1]
        if match[0] == DOCUMENT:
            return DOCUMENT
        unused.discard(name)
        if "</script" in texts[name]:
            sys.exit(f"{name} would end the script that it stands in")
        return texts[name].rstrip("\n")

    whole = re.sub(r"\{\{([\w.]+)\}\}", text_of, page)
    if unused:
        sys.exit(f"page.html does not use {', '.join(sorted(unused))}")
    before, after = whole.split(DOCUMENT)
    pathlib.Path(output).write_text(
        '#include "zeropoint/report/report_page.h"\n\n'
        "#include <string_view>\n\n"
        "namespace zeropoint {\n\n"
        f"const std::string_view kReportPageBefore =\n{literal(before)};\n\n"
        f"const std::string_view kReportPageAfter =\n{literal(after)};\n\n"
        "}  // namespace zeropoint\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Shows Doxygen a header as it is meant: the comment at its head is about the file, one behind a member is about the member,
and no comment holds a command.

Usage: python3 tools/api_filter.py HEADER      prints the header; lines keep their numbers.
"""
import re
import sys

HEAD = re.compile(r"\A(?://.*\n)+")
COMMENT = re.compile(r"^ *//.*$", re.M)
MEMBER = re.compile(r"^( {2,4}\S.*[;,}]) +// (?=\S)", re.M)


def filtered(text):
    """The text of a header, its comments in Doxygen's form."""
    text = COMMENT.sub(lambda comment: re.sub(r"[\\#](?=\w)", r"\\\g<0>", comment[0]), text)
    text = text.replace("`.`", "<code>&#46;</code>")  # where Doxygen would end a first sentence
    head = HEAD.match(text)
    if head:
        text = re.sub(r"^//", "///", head[0], flags=re.M).rstrip("\n") + " @file\n" + text[head.end():]
    return MEMBER.sub(r"\1  ///< ", text)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as header:
        print(filtered(header.read()), end="")

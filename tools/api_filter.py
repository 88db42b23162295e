"""Shows Doxygen a header as it is meant: the comment at its head is about the file and what it names first, one behind a
member is about the member, and no comment holds a command.

Usage: python3 tools/api_filter.py FROM TO      copies the headers of a folder; lines keep their numbers.
"""
import pathlib
import re
import sys

HEAD = re.compile(r"\A(?://.*\n)+")
COMMENT = re.compile(r"^ *//.*$", re.M)
NAMED = re.compile(r"// (?P<names>\w+(?:, \w+)*(?: and \w+)?): (?P<about>.+(?:\n// .+)*)")
MEMBER = re.compile(r"^( {2,4}\S.*[;,}]) +// (?=\S)", re.M)


def named_at_the_head(text):
    """The header, where a type that its head names and that has no comment of its own gets the words of the head."""
    named = NAMED.match(text)
    if not named:
        return text
    about = named["about"].replace("\n//", "")
    for name in re.findall(r"\w+", named["names"]):
        bare = re.compile(rf"(?:^template <.*>\n)?^(?:class|struct|enum class) {name}\b[^;]*$", re.M)
        found = bare.search(text)
        if found and not re.search(r"///.*\n\Z", text[:found.start()]):
            text = text[:found.start()] + f"/** {about[0].upper() + about[1:]} */ " + text[found.start():]
    return text


def filtered(text):
    """The text of a header, its comments in Doxygen's form."""
    text = named_at_the_head(text)
    text = COMMENT.sub(lambda comment: re.sub(r"[\\#](?=\w)", r"\\\g<0>", comment[0]), text)
    text = text.replace("`.`", "<code>&#46;</code>")  # where Doxygen would end a first sentence
    head = HEAD.match(text)
    if head:
        text = re.sub(r"^//", "///", head[0], flags=re.M).rstrip("\n") + " @file\n" + text[head.end():]
    return MEMBER.sub(r"\1  ///< ", text)


def main():
    source, target = map(pathlib.Path, sys.argv[1:])
    for header in source.rglob("*.h"):
        copy = target / header.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(filtered(header.read_text()))


if __name__ == "__main__":
    main()

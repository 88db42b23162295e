"""Writes docs/program.md from what `zeropoint --help` and the help of each command print.

Usage: python3 tools/program_reference.py ZEROPOINT > docs/program.md      tests/docs holds the page to it.
"""
import re
import subprocess
import sys

# Options that many commands take in the same words are described once: a heading, and the options under it.
SHARED = [
    ("Samples", "Of every command that reads samples. [Samples](guide/data.md) explains the files.",
     ["--data", "--preprocess", "--limit", "--skip", "--start-index", "--stride", "--shuffle", "--batch-size",
      "--prefetch"]),
    ("Running and printing", "", ["--threads", "--json", "--quiet", "--progress"]),
]

HEAD = """# The program

What `zeropoint --help` and the help of each command say, on one page. `python3 tools/program_reference.py
bazel-bin/tools/zeropoint/zeropoint > docs/program.md` writes it; do not edit it.
"""

OPTION = re.compile(r"(?P<names>-[\w,-]+|[A-Z]+)(?: (?P<type>(?:TEXT|INT|UINT|FLOAT)\S*(?: in \[[^]]*\]\S*)?))?"
                    r"(?P<several> \.\.\.)?(?P<required> REQUIRED)?$")
COLUMN = 30  # of the descriptions; longer names have theirs on the line below


class Option:
    """One option or positional argument, as the help says it."""

    def __init__(self, left, text):
        # "TEXT ... REQUIRED" and "UINT=1 ..." and "TEXT:{a,b} REQUIRED"
        match = OPTION.match(left)
        if not match:
            raise ValueError(f"cannot read this option of the help: {left!r}")
        self.text = text
        self.required = bool(match["required"])
        self.names = match["names"].split(",")
        self.name = self.names[-1]
        kind, _, self.default = (match["type"] or "").partition("=")
        self.takes = taken(kind) + (", several" if match["several"] else "")
        if self.default:
            self.default = f"`{self.default.strip('[]')}`"
        elif (said := re.search(r"; default: ([^;]+)", text)):  # one that the program finds out
            self.default = said[1]
            self.text = text.replace(said[0], "")

    def words(self):
        """What must be equal for two commands to share the option."""
        return self.names, self.takes, self.default, self.text


def taken(kind):
    """'UINT:POSITIVE' in words."""
    base, _, check = kind.partition(":")
    noun = {"": "", "TEXT": "text", "INT": "integer", "UINT": "integer", "FLOAT": "number"}[base]
    if check.startswith("{"):
        return ", ".join(f"`{word}`" for word in check[1:-1].split(","))
    limits = re.search(r"\[(.+) - (.+)\]", check)
    if limits:
        return f"{noun} from {limits[1]} to {limits[2]}"
    return noun + {"": "", "POSITIVE": " above 0", "NONNEGATIVE": " from 0"}[check]


class Help:
    """The help of the program or a command, in parts."""

    def __init__(self, text):
        self.title, self.usage, self.parts, footer = "", "", {}, []
        part = None
        lines = text.splitlines()
        for line, below in zip(lines, [*lines[1:], ""]):
            if line.startswith("Usage: "):
                self.usage = line.removeprefix("Usage: ")
            elif line in ("Positionals:", "Options:", "Subcommands:"):
                part = self.parts.setdefault(line[:-1], [])
            elif not self.usage:
                self.title += line
            elif not line:
                part = None
            elif part is None:
                footer.append(line)
            elif line.startswith(" " * COLUMN):
                part[-1][1] = line.strip()
            elif below.startswith(" " * COLUMN):
                part.append([line.strip(), ""])
            else:
                part.append([line[:COLUMN].strip(), line[COLUMN:]])
        self.footer = footer
        self.options = [Option(*entry) for entry in self.parts.get("Options", []) if entry[0] != "-h,--help"]
        self.positionals = [Option(*entry) for entry in self.parts.get("Positionals", [])]

    def example(self):
        """The lines under 'Example:'."""
        return [line.strip() for line in self.footer if line.startswith("  ")]


def read(program, *command):
    return Help(subprocess.run([program, *command, "--help"], check=True, capture_output=True, text=True).stdout)


def commands(program):
    """[(words of the command, its Help)], sub-commands in the place of what holds them."""
    found = []
    for name, _ in read(program).parts["Subcommands"]:
        inner = read(program, name)
        subs = [sub for sub, _ in inner.parts.get("Subcommands", [])]
        found += [((name, sub), read(program, name, sub)) for sub in subs] or [((name,), inner)]
    return found


def escaped(text):
    return re.sub(r"([*|<])", r"\\\1", text)


def table(options, first):
    """A table row an option; a column that would be empty is left out."""
    columns = [(first, lambda option: ", ".join(f"`{name}`" for name in option.names)),
               ("takes", lambda option: escaped(option.takes)),
               ("default", lambda option: "required" if option.required else
                escaped(option.default)),
               ("meaning", lambda option: escaped(option.text))]
    columns = [column for column in columns if any(column[1](option) for option in options)]
    rows = [[title for title, _ in columns], ["---"] * len(columns)]
    rows += [[cell(option) for _, cell in columns] for option in options]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def anchor(heading):
    return heading.lower().replace(" ", "-")


def page(program):
    """The text of docs/program.md."""
    found = commands(program)
    said_once = {}
    for _, _, names in SHARED:
        for name in names:
            variants = [option for _, help in found for option in help.options if option.name == name]
            if len({str(option.words()) for option in variants}) != 1:
                raise ValueError(f"{name}: commands describe it differently")
            said_once[name] = variants[0]
    root = read(program)
    out = [HEAD, f"    {root.usage}\n", "\n\n".join(root.footer) + "\n", "| command | does |\n|---|---|"]
    out[-1] += "".join(f"\n| [`{' '.join(words)}`](#{anchor('zeropoint ' + ' '.join(words))}) | {escaped(help.title)} |"
                       for words, help in found) + "\n"
    for words, help in found:
        out.append(f"## zeropoint {' '.join(words)}\n\n{help.title[0].upper() + help.title[1:]}.\n\n    {help.usage}\n")
        if help.positionals:
            out.append(table(help.positionals, "argument"))
        own = [option for option in help.options if option.name not in said_once]
        if own:
            out.append(table(own, "option"))
        also = []
        for heading, _, names in SHARED:
            taken_here = [f"`{option.name}`" + (" (required)" if option.required else "")
                          for option in help.options if option.name in names]
            if taken_here:
                also.append(f"[{heading}](#{anchor(heading)}): {', '.join(taken_here)}.")
        out += ["\n".join(also) + "\n"] if also else []
        out += ["\n".join("    " + line for line in help.example()) + "\n"] if help.example() else []
    for heading, text, names in SHARED:
        options = [said_once[name] for name in names]
        for option in options:
            option.required = False
        out.append(f"## {heading}\n" + (f"\n{text}\n" if text else "") + "\n" + table(options, "option"))
    return "\n".join(out)


if __name__ == "__main__":
    print(page(sys.argv[1]), end="")

"""Installs the library into a prefix, from what //tools/install:layers has built. tools/install.sh calls it.

    include/zeropoint/**            headers
    share/zeropoint/src/**          the units that a user's own build compiles
    lib/zeropoint/REPOSITORY/       headers and archive of onnx and Highway, as Bazel has compiled them
    lib/cmake/zeropoint/            find_package(zeropoint)
    lib/pkgconfig/zeropoint-*.pc    pkg-config
    bin/zeropoint                   with --with-program
    share/zeropoint/manifest.txt    every file of the above

No installed file holds the prefix, so the folder can be moved.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MANIFEST = "share/zeropoint/manifest.txt"
# Of Debian's packages; what is not here comes with the compiler or is only headers in /usr/include.
PKG_CONFIG = {"system_jpeg": "libjpeg", "system_json": "nlohmann_json", "system_png": "libpng",
              "system_protobuf": "protobuf", "system_zip": "libzip"}


class Library:
    """One library of BUILD.bazel, with the places where its parts are installed."""

    def __init__(self, described):
        self.label = described["label"]
        self.repository, _, target = self.label.lstrip("@").partition("//:")
        self.name = target if self.repository in ("", target) else f"{self.repository}_{target}"
        self.own = not self.repository
        self.headers, self.sources = described["headers"], described["sources"]
        self.archives, self.defines, self.linkopts = (described[key] for key in ("archives", "defines", "linkopts"))
        self.deps = described["deps"]
        self.include = "include" if self.own else f"lib/zeropoint/{self.repository}/include"
        self.archive = f"lib/zeropoint/{self.repository}/lib{self.name}.a" if self.archives else None

    def installed_sources(self):
        return [place_of_source(source["short_path"]) for source in self.sources]

    def files(self):
        """{installed path: built path}"""
        found = {place_of_source(source["short_path"]): source["path"] for source in self.sources}
        for header in self.headers:
            inner = header["short_path"].removeprefix("include/") if self.own else header["short_path"].split("/", 2)[2]
            found[f"{self.include}/{inner}"] = header["path"]
        if self.archive:
            [found[self.archive]] = self.archives
        return found


def place_of_source(short_path):
    return "share/zeropoint/src/" + short_path.removeprefix("include/")


def below(library, by_label):
    """`library` and all that it rests on, each once."""
    found = {}
    waiting = [library]
    while waiting:
        each = waiting.pop()
        if each.name not in found:
            found[each.name] = each
            waiting += [by_label[label] for label in each.deps]
    return list(found.values())


def for_any_shell(define):
    """`define` without what a shell would take for its own: only in a Makefile do the flags go through one.

    (A|B) of single bits is A+B.
    """
    plain = re.sub(r"\((\w+(?:\|\w+)*)\)", lambda match: match[1].replace("|", "+"), define)
    if re.search(r"[^\w=+.-]", plain):
        sys.exit(f"pkg-config cannot carry the definition {define}")
    return plain


def pkg_config(library, by_label, version):
    sources = [f"${{prefix}}/{source}" for each in below(library, by_label) for source in each.installed_sources()]
    uses = [by_label[label].name for label in library.deps]
    requires = [PKG_CONFIG.get(name, f"zeropoint-{name}") for name in uses]
    # Warnings of what others wrote are hidden.
    flags = [f"{'-I' if library.own else '-isystem '}${{prefix}}/{library.include}"] if library.headers else []
    flags += [f"-D{for_any_shell(define)}" for define in library.defines]
    archives = [f"${{prefix}}/{library.archive}"] if library.archive else []
    return (f"prefix=${{pcfiledir}}/../..\n"
            f"# The units to compile into the program, those of the layers below included.\n"
            f"sources={' '.join(sources)}\n"
            f"\n"
            f"Name: zeropoint-{library.name}\n"
            f"Description: {library.name} of Zeropoint, which quantizes ONNX models\n"
            f"Version: {version}\n"
            f"Requires: {' '.join(requires)}\n"
            f"Cflags: {' '.join(flags)}\n"
            f"Libs: {' '.join(archives + library.linkopts)}\n")


def cmake_libraries(libraries, by_label):
    def line(name, values):
        return f"set(_zeropoint_{name} {' '.join(json.dumps(value) for value in values)})\n"

    text = "# Dependencies first.\n" + line("libraries", [each.name for each in libraries])
    text += line("layers", [each.name for each in libraries if each.own])
    for each in libraries:
        facts = {"uses": [by_label[label].name for label in each.deps], "sources": each.installed_sources()}
        if each.own:
            facts["linkopts"] = each.linkopts
        else:
            facts["repository"] = [each.repository]
        if each.archive:
            facts |= {"archive": [each.archive], "include": [each.include], "defines": each.defines}
        text += "".join(line(f"{fact}_of_{each.name}", values) for fact, values in facts.items() if values)
    return text


def planned(description, program):
    """{installed path: its bytes, or the file that holds them}"""
    libraries = [Library(each) for each in description["libraries"]]
    by_label = {each.label: each for each in libraries}
    version = description["version"]
    output_base = bazel_info("output_base")
    plan = {}
    for library in libraries:
        for place, path in library.files().items():
            plan[place] = pathlib.Path(output_base if path.startswith("external/") else ROOT, path)
        if library.own or library.name not in PKG_CONFIG:
            plan[f"lib/pkgconfig/zeropoint-{library.name}.pc"] = pkg_config(library, by_label, version).encode()
    if program:
        plan["bin/zeropoint"] = ROOT / "bazel-bin/tools/zeropoint/zeropoint"
    plan["share/doc/zeropoint/LICENSE"] = ROOT / "LICENSE"
    cmake = "lib/cmake/zeropoint/zeropoint"
    plan[f"{cmake}Libraries.cmake"] = cmake_libraries(libraries, by_label).encode()
    plan[f"{cmake}ConfigVersion.cmake"] = (
        (HERE / "zeropointConfigVersion.cmake").read_text().replace("@version@", version).encode())
    # Last: a project that looks for Zeropoint finds all of it or nothing.
    plan[f"{cmake}Config.cmake"] = HERE / "zeropointConfig.cmake"
    return plan


def bazel_info(key):
    return subprocess.run(["bazel", "info", key], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def listed(prefix):
    manifest = prefix / MANIFEST
    return manifest.read_text().splitlines() if manifest.exists() else []


def write_manifest(prefix, staging, places):
    staged = staging / "manifest.txt"
    staged.write_text("".join(f"{place}\n" for place in sorted({*places, MANIFEST})))
    (prefix / MANIFEST).parent.mkdir(parents=True, exist_ok=True)
    os.replace(staged, prefix / MANIFEST)


def install(prefix, plan):
    """Puts files in place whole, one by one; what is there already with the same bytes keeps its time."""
    before = listed(prefix)
    prefix.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=prefix, prefix=".zeropoint-") as folder:
        staging = pathlib.Path(folder)
        staged = {}
        for number, (place, content) in enumerate(plan.items()):
            data = content if isinstance(content, bytes) else content.read_bytes()
            target = prefix / place
            if not target.is_file() or target.read_bytes() != data:
                staged[place] = staging / str(number)
                staged[place].write_bytes(data)
                staged[place].chmod(0o755 if place.startswith("bin/") else 0o644)
        # Whatever happens from here on, the manifest names every file that is there.
        write_manifest(prefix, staging, {*before, *plan})
        for place, file in staged.items():
            (prefix / place).parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, prefix / place)
        remove(prefix, set(before) - set(plan) - {MANIFEST})
        write_manifest(prefix, staging, plan)
    return len(staged)


def remove(prefix, places):
    """Removes files, and the folders that are empty without them."""
    for place in places:
        (prefix / place).unlink(missing_ok=True)
    for folder in sorted({parent for place in places for parent in pathlib.PurePath(place).parents}, reverse=True):
        try:
            (prefix / folder).rmdir()
        except OSError:
            pass  # it holds something else


def main():
    parser = argparse.ArgumentParser(prog="tools/install.sh", description="Installs Zeropoint's library.")
    parser.add_argument("--prefix", required=True, type=pathlib.Path, help="the folder to install into")
    parser.add_argument("--with-program", action="store_true", help="also the program, as bin/zeropoint")
    parser.add_argument("--remove", action="store_true", help="remove what an earlier call has installed there")
    options = parser.parse_args()
    prefix = options.prefix.resolve()
    if options.remove:
        places = listed(prefix)
        remove(prefix, places)
        print(f"removed {len(places)} files from {prefix}")
        return
    targets = ["//tools/install:layers"] + (["//tools/zeropoint"] if options.with_program else [])
    subprocess.run(["bazel", "build", "--show_result=0", *targets], cwd=ROOT, check=True)
    description = json.loads((ROOT / "bazel-bin/tools/install/layers.json").read_text())
    plan = planned(description, options.with_program)
    written = install(prefix, plan)
    print(f"{len(plan)} files in {prefix}, {written} of them new; {MANIFEST} lists them")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"tools/install.sh: {error}")

"""Brings one archive of a Python package by pip, checks its sha256 and unpacks it into the current folder.

Archives are kept in $ZEROPOINT_ARCHIVES (default ~/.cache/zeropoint-archives), so that the next clone needs no network.
"""
import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bring(options, into):
    with tempfile.TemporaryDirectory() as scratch:
        wanted = pathlib.Path(scratch, "wanted.txt")
        wanted.write_text(f"{options.package}=={options.version} --hash=sha256:{options.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch,
                   "--requirement", str(wanted)]
        environment = dict(os.environ)
        if options.wheel_tags:
            version, abi, platform = options.wheel_tags.split(",")
            command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={version}",
                        f"--abi={abi}", f"--platform={platform}"]
        else:
            # pip asks a source archive for its metadata; the stub answers without building anything.
            command += [f"--no-binary={options.package}", "--no-build-isolation", "--ignore-requires-python"]
            environment["PYTHONPATH"] = options.stub
        subprocess.run(command, env=environment, check=True)
        found = [path for path in pathlib.Path(scratch).iterdir() if path != wanted]
        into.parent.mkdir(parents=True, exist_ok=True)
        partial = into.with_name(f"{into.name}.{os.getpid()}")
        shutil.copyfile(found[0], partial)
        os.replace(partial, into)


def members(archive):
    """Yields (name, reader) of every plain file."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                if not entry.is_dir():
                    yield entry.filename, lambda entry=entry: opened.read(entry)
        return
    with tarfile.open(archive) as opened:
        for entry in opened:
            if entry.isfile():
                # a source archive holds one top folder
                yield entry.name.partition("/")[2], lambda entry=entry: opened.extractfile(entry).read()


def unpack(archive, keep, keep_as):
    for name, read in members(archive):
        if keep:
            if not name.startswith(keep + "/"):
                continue
            name = (keep_as + "/" if keep_as else "") + name[len(keep) + 1:]
        target = pathlib.Path(name)
        if target.is_absolute() or ".." in target.parts:
            raise SystemExit(f"{archive} holds a path outside itself: {name}")
        # Bazel would take these for packages of their own
        if target.name in ("BUILD", "BUILD.bazel", "WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel"):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("package", "version", "sha256", "stub"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("keep", "keep-as", "wheel-tags"):
        parser.add_argument(f"--{name}", default="")
    options = parser.parse_args()
    store = pathlib.Path(os.environ.get("ZEROPOINT_ARCHIVES")
                         or pathlib.Path(os.environ.get("HOME", "/tmp"), ".cache/zeropoint-archives"))
    archive = store / options.sha256
    if not archive.is_file() or digest(archive) != options.sha256:
        bring(options, archive)
    if digest(archive) != options.sha256:
        raise SystemExit(f"{options.package} {options.version} is not the pinned archive")
    unpack(archive, options.keep, options.keep_as)


main()

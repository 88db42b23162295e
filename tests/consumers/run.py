"""Installs the library and builds three small projects of other people's kind on it: by CMake, pkg-config and Bazel.

Usage: run.py [unittest options and names]     for example: run.py -v Consumers.test_cmake
Needs what tools/setup.sh test installs. Works in out/consumers, where the next run finds what is built already.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "out/consumers"
PREFIX = WORK / "prefix"
MODEL = ROOT / "examples/data/ppocr_cls/model.onnx"
# Nothing here is measured.
FLAGS = "-O0 -Wall -Wextra -Werror"
CODES = "codes: 0 59 85 127 170 255 255\n"

sys.path.insert(0, str(ROOT / "tools/install"))
import install as installer  # noqa: E402


def run(*command, fails=False, **kwargs):
    """The output of a command, which must succeed, or fail."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **kwargs)
    if (done.returncode != 0) != fails:
        raise AssertionError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def setUpModule():
    print(run(ROOT / "tools/install.sh", "--prefix", PREFIX, "--with-program"))


class Consumers(unittest.TestCase):
    def quantized(self, program):
        """What `program` prints about MODEL, once it has quantized it."""
        output = WORK / "quantized.onnx"
        output.unlink(missing_ok=True)
        said = run(program, MODEL, output)
        self.assertIn(b"DynamicQuantizeLinear", output.read_bytes())
        return said

    def test_cmake(self):
        # The layer's own unit catches what onnx throws, whatever the project says of exceptions.
        run("cmake", "-S", HERE / "cmake", "-B", WORK / "cmake", f"-DCMAKE_PREFIX_PATH={PREFIX}",
            f"-DCMAKE_CXX_FLAGS={FLAGS} -fno-exceptions -fno-rtti")
        run("cmake", "--build", WORK / "cmake", "--parallel", os.cpu_count())
        self.assertRegex(self.quantized(WORK / "cmake/quantize"), rf"^{CODES}quantized: \S.*\n$")

    def test_pkg_config(self):
        project = WORK / "pkg_config"
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(HERE / "pkg_config", project)
        run("make", "-C", project, f"CXXFLAGS={FLAGS} -fno-exceptions -fno-rtti",
            env={**os.environ, "PKG_CONFIG_PATH": str(PREFIX / "lib/pkgconfig")})
        self.assertEqual(CODES, run(project / "quantize"))

    def test_bazel(self):
        # As the project's .bazelrc has it for itself, so that onnx comes from the same cache.
        options = ["--compilation_mode=opt", "--force_pic", "--dynamic_mode=off", "--incompatible_strict_action_env",
                   "--disk_cache=~/.cache/zeropoint-bazel", "--nosandbox_debug",
                   "--per_file_copt=^(main.cc|external/zeropoint/.*)$@-O0", "--symlink_prefix=/",
                   "--noshow_progress"]
        project = HERE / "bazel"
        bazel = ["bazel", "--max_idle_secs=60"]
        run(*bazel, "build", *options, "//:quantize", cwd=project)
        folder = run(*bazel, "info", *options, "bazel-bin", cwd=project).splitlines()[-1]
        self.assertRegex(self.quantized(pathlib.Path(folder, "quantize")), rf"^{CODES}quantized: [1-9]\d*\n$")


class CMakePackage(unittest.TestCase):
    def configure(self, *lines, fails=False):
        """What CMake says to a project of these lines."""
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "CMakeLists.txt").write_text("\n".join(
                ["cmake_minimum_required(VERSION 3.16)", "project(consumer LANGUAGES CXX)", *lines, ""]))
            return run("cmake", "-S", folder, "-B", f"{folder}/build", f"-DCMAKE_PREFIX_PATH={PREFIX}", fails=fails)

    def test_layer_needs_only_what_it_uses(self):
        nothing = [f"set(CMAKE_DISABLE_FIND_PACKAGE_{name} ON)"
                   for name in ("JPEG", "nlohmann_json", "PNG", "Protobuf", "Threads")]
        self.configure(*nothing, "find_package(zeropoint REQUIRED COMPONENTS kernels_dispatch)")
        said = self.configure(*nothing, "find_package(zeropoint REQUIRED COMPONENTS graph)", fails=True)
        self.assertIn("Protobuf", said)

    def test_without_components_there_is_everything(self):
        layers = re.findall(r'"(\w+)"', re.search(
            r"_zeropoint_layers (.*)\)", (PREFIX / "lib/cmake/zeropoint/zeropointLibraries.cmake").read_text())[1])
        self.assertIn("report", layers)
        self.configure("find_package(zeropoint REQUIRED)", "file(WRITE main.cc \"int main() {}\")",
                       "add_executable(main main.cc)",
                       f"target_link_libraries(main {' '.join(f'zeropoint::{layer}' for layer in layers)})")

    def test_unknown_component_is_an_error_that_names_the_known_ones(self):
        said = self.configure("find_package(zeropoint REQUIRED COMPONENTS grpah)", fails=True)
        self.assertRegex(" ".join(said.split()), "no component 'grpah'; it has: .* graph ")
        self.configure("find_package(zeropoint REQUIRED COMPONENTS core OPTIONAL_COMPONENTS grpah)",
                       "if(NOT zeropoint_core_FOUND OR zeropoint_grpah_FOUND)", "message(FATAL_ERROR)", "endif()")

    def test_other_series_of_versions_is_not_taken(self):
        self.configure("find_package(zeropoint 0.1.0 EXACT REQUIRED COMPONENTS core)")
        for version in ("0.0", "0.2", "1.0"):
            self.assertIn("compatible", self.configure(f"find_package(zeropoint {version} REQUIRED)", fails=True))

    def test_project_brings_its_own_onnx(self):
        self.configure("add_library(my_onnx INTERFACE)", "set(zeropoint_onnx_TARGET my_onnx)",
                       "find_package(zeropoint REQUIRED COMPONENTS graph)",
                       "get_target_property(linked zeropoint_graph LINK_LIBRARIES)",
                       "if(TARGET zeropoint::onnx OR TARGET zeropoint::onnx_proto OR NOT my_onnx IN_LIST linked)",
                       "message(FATAL_ERROR \"${linked}\")", "endif()")

    def test_two_calls_give_the_layers_of_both(self):
        self.configure("find_package(zeropoint REQUIRED COMPONENTS core)",
                       "find_package(zeropoint REQUIRED COMPONENTS graph)",
                       "if(NOT TARGET zeropoint::core OR NOT TARGET zeropoint::graph)",
                       "message(FATAL_ERROR)", "endif()")


class Folders(unittest.TestCase):
    def test_core_and_static_kernels_need_only_their_folders(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "include/zeropoint/core", f"{folder}/zeropoint/core")
            compile_ = ["g++", "-std=c++20", *FLAGS.split(), f"-I{folder}", "-o", f"{folder}/program"]
            run(*compile_, ROOT / "examples/01_quantize_a_vector.cc")
            self.assertEqual((ROOT / "examples/01_quantize_a_vector.txt").read_text(), run(f"{folder}/program"))
            shutil.copytree(ROOT / "include/zeropoint/kernels", f"{folder}/zeropoint/kernels")
            pathlib.Path(folder, "main.cc").write_text(
                '#include <cstdio>\n#include "zeropoint/kernels/static.h"\n'
                'int main() { std::puts(zeropoint::StaticKernels().target); }\n')
            run(*compile_, "-DNDEBUG", "-isystem", PREFIX / "lib/zeropoint/highway/include", f"{folder}/main.cc")
            self.assertRegex(run(f"{folder}/program"), r"^[A-Z]\w+\n$")


class Documentation(unittest.TestCase):
    def test_table_of_layers(self):
        names = {"highway_hwy": "Highway", "onnx_proto": "onnx", "system_flatbuffers": "FlatBuffers",
                 "system_jpeg": "JPEG", "system_json": "JSON", "system_png": "PNG", "system_thread": "threads"}
        described = json.loads((ROOT / "bazel-bin/tools/install/layers.json").read_text())
        libraries = [installer.Library(each) for each in described["libraries"]]
        by_label = {each.label: each for each in libraries}
        rows = set()
        for library in libraries:
            if library.own:
                below = installer.below(library, by_label)
                needs = {names.get(each.name, each.name.removeprefix("system_")) for each in below if not each.own}
                units = "yes" if any(each.sources for each in below) else ""
                rows.add((library.name, ", ".join(sorted(needs, key=str.lower)), units))
        table = re.findall(r"^\| `(\w+)` \| (.*?) ?\| (\w*) ?\|$", (ROOT / "docs/embedding.md").read_text(), re.M)
        self.assertEqual(rows, set(table))


class Installation(unittest.TestCase):
    def test_manifest_lists_every_file(self):
        self.assertEqual(set(installer.listed(PREFIX)), files_in(PREFIX))

    def test_no_file_holds_the_prefix(self):
        for place in files_in(PREFIX):
            self.assertNotIn(str(PREFIX).encode(), (PREFIX / place).read_bytes(), place)

    def test_program_has_the_version_of_the_library(self):
        version = run("pkg-config", "--modversion", PREFIX / "lib/pkgconfig/zeropoint-core.pc")
        self.assertEqual(f"zeropoint {version}", run(PREFIX / "bin/zeropoint", "--version"))

    def test_installing_again_touches_nothing(self):
        times = {place: (PREFIX / place).stat().st_mtime_ns for place in files_in(PREFIX) - {installer.MANIFEST}}
        self.assertIn(" 0 of them new", run(ROOT / "tools/install.sh", "--prefix", PREFIX, "--with-program"))
        self.assertEqual(times, {place: (PREFIX / place).stat().st_mtime_ns for place in times})

    def test_new_version_takes_the_files_of_the_old_one_away(self):
        with tempfile.TemporaryDirectory() as folder:
            prefix = pathlib.Path(folder, "prefix")
            installer.install(prefix, {"include/old/a.h": b"1", "include/kept.h": b"1"})
            self.assertEqual(2, installer.install(prefix, {"include/new.h": b"2", "include/kept.h": b"2"}))
            self.assertEqual({"include/new.h", "include/kept.h", installer.MANIFEST}, files_in(prefix))
            self.assertFalse((prefix / "include/old").exists())
            self.assertEqual("2", (prefix / "include/kept.h").read_text())

    def test_failed_installation_changes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            prefix = pathlib.Path(folder, "prefix")
            installer.install(prefix, {"a.h": b"1"})
            with self.assertRaises(FileNotFoundError):
                installer.install(prefix, {"a.h": b"2", "b.h": pathlib.Path(folder, "missing")})
            self.assertEqual({"a.h", installer.MANIFEST}, files_in(prefix))
            self.assertEqual("1", (prefix / "a.h").read_text())

    def test_removing_leaves_what_others_put_there(self):
        with tempfile.TemporaryDirectory() as folder:
            prefix = pathlib.Path(folder)
            (prefix / "lib").mkdir()
            (prefix / "lib/other").touch()
            installer.install(prefix, {"lib/a.h": b"1", "include/a.h": b"1"})
            self.assertIn("removed 3 files", run(ROOT / "tools/install.sh", "--prefix", prefix, "--remove"))
            self.assertEqual(["lib", "lib/other"], sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*")))


if __name__ == "__main__":
    unittest.main()

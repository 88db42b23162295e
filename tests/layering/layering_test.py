"""Holds the headers to the layers of docs/design: an include goes downward, and only to a layer that may be used.

The build cannot do this: headers of all layers share one include folder, so a missing dependency compiles. The rules
live in problems_of(), which sees one header at a time; the second half of the tests plants a fault for each rule.
"""
import pathlib
import re
import unittest

ROOT = pathlib.Path("include/zeropoint")

# What each layer may include besides itself and the standard library.
LAYERS = {
    "core": set(),
    "kernels": {"core"},
    "calibration": {"core", "kernels"},
    "graph": {"core"},
    "exec": {"core", "kernels", "graph"},
    "passes": {"core", "kernels", "calibration", "graph"},
    "profiles": {"core", "graph"},
    "data": {"core"},
    "eval": {"core", "data", "exec"},
    "flow": {"core", "kernels", "calibration", "graph", "exec", "passes", "profiles", "data", "eval"},
    "report": {"core", "eval", "flow"},
    "adapters": {"core", "calibration", "flow"},
}

# Layers that see the ModelProto, and data, which reads single tensors in its form.
ONNX_LAYERS = {"graph", "exec", "passes", "profiles", "flow"}
ONNX_PROTO = re.compile(r"onnx/(onnx_pb|onnx-ml\.pb)\.h")
# onnx's throwing parts: no header includes them; graph/onnx_tools.cc turns what they throw into Status.
ONNX_TOOLS = re.compile(r"onnx/(checker\.h|shape_inference/|version_converter/|common/ir)")
# Highway's ops: whoever includes them decides for which CPU a whole translation unit is compiled.
HIGHWAY_USERS = re.compile(r"kernels/(\w+-inl|static|dispatch|dispatch_tables)\.h")
# What the other layers see of the kernels: plain structs and function pointers.
KERNELS_FOR_OTHERS = {"zeropoint/kernels/kernel_table.h", "zeropoint/kernels/layout.h"}

# Only includes others, which open again for each CPU target.
WITHOUT_GUARD = {"kernels/all-inl.h"}

MOST_LINES = 400
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def guard_of(path):
    return "ZEROPOINT_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"


def include_problems(path, quote, included):
    layer = path.partition("/")[0]
    if included.startswith("zeropoint/"):
        other = included.split("/")[1]
        if other != layer and other not in LAYERS[layer]:
            yield f"layer {layer} may not include {included}; it may use {sorted(LAYERS[layer]) or 'nothing above it'}"
        elif other == "kernels" and layer != "kernels" and included not in KERNELS_FOR_OTHERS:
            yield f"{included} is private to the kernels; others include zeropoint/kernels/kernel_table.h"
    elif included.startswith("hwy/"):
        if not HIGHWAY_USERS.fullmatch(path):
            yield f"{included} may stand only in kernels/*-inl.h, static.h and dispatch*.h"
    elif included.startswith("onnx/"):
        if layer == "data" and not ONNX_PROTO.fullmatch(included):
            yield f"{included}: of onnx, data may include onnx/onnx_pb.h only"
        elif layer not in ONNX_LAYERS | {"data"}:
            yield f"{included}: layer {layer} knows nothing of onnx"
        elif ONNX_TOOLS.match(included):
            yield f"{included} throws; call it through zeropoint/graph/onnx_tools.h"
    elif included.startswith("google/protobuf/"):
        if layer not in ONNX_LAYERS | {"data"}:
            yield f"{included}: layer {layer} knows nothing of protobuf"
    elif quote == '"':
        yield f'"{included}" is not a full path from include/'


def problems_of(path, text):
    """Everything wrong with the header at `path` (below include/zeropoint/)."""
    if path == "zeropoint.h":  # the umbrella includes every layer
        return
    if path.partition("/")[0] not in LAYERS:
        yield "a layer that no rule knows; add it to LAYERS"
        return
    lines = text.count("\n")
    if lines > MOST_LINES:
        yield f"{lines} lines; a header has at most {MOST_LINES}, one idea each"
    guard = guard_of(path)
    if path not in WITHOUT_GUARD and not re.search(rf"^#ifndef {guard}\n#define {guard}$", text, re.M):
        yield f"no include guard {guard}"
    for quote, included in INCLUDE.findall(text):
        yield from include_problems(path, quote, included)


class Headers(unittest.TestCase):
    def test_every_header_keeps_the_rules(self):
        headers = sorted(ROOT.rglob("*.h"))
        self.assertGreater(len(headers), 10, "the test does not see the headers")
        found = [f"{header}: {problem}" for header in headers
                 for problem in problems_of(str(header.relative_to(ROOT)), header.read_text())]
        self.assertEqual([], found, "\n" + "\n".join(found))

    def test_no_header_includes_itself_through_others(self):
        graph = {str(source.relative_to(ROOT.parent)): [included for _, included in INCLUDE.findall(source.read_text())]
                 for source in ROOT.rglob("*.h") if not source.name.endswith("-inl.h")}
        done = set()

        def visit(header, trail):
            self.assertNotIn(header, trail, "a circle of includes: " + " -> ".join([*trail, header]))
            if header in done:
                return
            for included in graph.get(header, []):
                visit(included, [*trail, header])
            done.add(header)

        for header in graph:
            visit(header, [])


class PlantedFaults(unittest.TestCase):
    def problems(self, path, includes, lines=0):
        guard = guard_of(path)
        text = f"#ifndef {guard}\n#define {guard}\n" + "".join(f"#include {name}\n" for name in includes)
        return "\n".join(problems_of(path, text + "\n" * lines))

    def test_what_is_allowed(self):
        self.assertEqual("", self.problems("passes/a.h", ["<vector>", '"zeropoint/graph/model.h"',
                                                          '"zeropoint/kernels/kernel_table.h"', '"onnx/onnx_pb.h"']))
        self.assertEqual("", self.problems("kernels/a-inl.h", ['"hwy/highway.h"', '"zeropoint/kernels/layout.h"']))
        self.assertEqual("", self.problems("data/a.h", ['"onnx/onnx_pb.h"', "<zip.h>"]))

    def test_upward_include(self):
        self.assertIn("layer graph may not include", self.problems("graph/a.h", ['"zeropoint/passes/pass.h"']))

    def test_undeclared_include(self):
        self.assertIn("layer exec may not include", self.problems("exec/a.h", ['"zeropoint/calibration/table.h"']))
        self.assertIn("layer report may not include", self.problems("report/a.h", ['"zeropoint/graph/model.h"']))

    def test_private_kernels(self):
        self.assertIn("private to the kernels", self.problems("exec/a.h", ['"zeropoint/kernels/gemm-inl.h"']))

    def test_highway_outside_the_kernels_code(self):
        self.assertIn("may stand only in", self.problems("kernels/layout.h", ['"hwy/highway.h"']))
        self.assertIn("may stand only in", self.problems("exec/a.h", ["<hwy/base.h>"]))

    def test_onnx_left_of_the_graph(self):
        self.assertIn("knows nothing of onnx", self.problems("calibration/a.h", ['"onnx/onnx_pb.h"']))
        self.assertIn("knows nothing of protobuf", self.problems("core/a.h", ["<google/protobuf/message.h>"]))
        self.assertIn("onnx_pb.h only", self.problems("data/a.h", ['"onnx/checker.h"']))

    def test_throwing_tools_called_directly(self):
        self.assertIn("throws", self.problems("passes/a.h", ['"onnx/shape_inference/implementation.h"']))

    def test_relative_include(self):
        self.assertIn("not a full path", self.problems("core/a.h", ['"status.h"']))

    def test_length(self):
        self.assertIn("at most 400", self.problems("core/a.h", [], lines=400))

    def test_guard(self):
        self.assertIn("no include guard ZEROPOINT_CORE_A_H_", "".join(problems_of("core/a.h", "#pragma once\n")))

    def test_unknown_layer(self):
        self.assertIn("no rule knows", self.problems("util/a.h", []))


if __name__ == "__main__":
    unittest.main()

"""EdgeCase: a model built for a test, quantized by `zeropoint static`, computes nearly what the float model computes, in ONNX
Runtime (optimizations off and on) and in `zeropoint run`."""
import json
import pathlib
import tempfile
import unittest

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from support import zeropoint

RANDOM = np.random.default_rng(7)
FORMS = {"qdq": [], "qoperator": ["--form", "qoperator"],
         "qoperator+ms": ["--form", "qoperator", "--domain", "com.microsoft"], "integer": ["--form", "integer"]}


# Without these instructions its kernels add pairs of uint8 by int8 products in 16 bits, which saturates.
HAS_DOT_PRODUCTS = not {"avx512_vnni", "avx_vnni"}.isdisjoint(pathlib.Path("/proc/cpuinfo").read_text().split())


def may_saturate(path):
    """Whether ONNX Runtime, without optimizations, may compute something else than the model says on this processor."""
    if HAS_DOT_PRODUCTS:
        return False
    return any("Integer" in each.op_type or each.op_type.startswith(("QLinear", "QGemm"))
               for each in onnx.load(path).graph.node)


def onnxruntime_outputs(path, feeds, optimized=True):
    """[sample][output]. The option makes its kernels exact, so that what is measured is the model; it is itself an
    optimization."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [session.run(None, feed) for feed in feeds]


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def node(op_type, inputs, outputs, **attributes):
    return helper.make_node(op_type, inputs, outputs, name=f"{op_type}_{outputs[0]}", **attributes)


class EdgeCase(unittest.TestCase):
    OPTIMIZE = "off"

    def setUp(self):
        RANDOM.bit_generator.state = np.random.default_rng(7).bit_generator.state  # whichever tests ran before
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, nodes, inputs, outputs, constants, opset=13, ir_version=8):
        graph = helper.make_graph(nodes, "g", inputs, outputs,
                                  [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
        onnx.checker.check_model(model, full_check=True)
        path = self.folder / "float.onnx"
        onnx.save(model, path)
        return path

    def samples(self, **shapes):
        return {name: RANDOM.uniform(-1, 1, (8, *shape)).astype(np.float32) for name, shape in shapes.items()}

    def quantize(self, path, samples, *options, profile="generic"):
        data = self.folder / "data.npz"
        np.savez(data, **samples)
        output = self.folder / "quantized.onnx"
        result = zeropoint("static", path, "--data", data, "-o", output, "--profile", profile, "--optimize",
                           self.OPTIMIZE, "--bias-correction", "off", "--calibration", "minmax", "--json", *options)
        model = onnx.load(output)
        onnx.checker.check_model(model, full_check=True)
        return output, model, json.loads(result.stdout)

    @staticmethod
    def feeds(samples):
        return [{name: array[i] for name, array in samples.items()} for i in range(len(next(iter(samples.values()))))]

    def outputs_of(self, path, samples):
        """By name of the runtime: [sample][output]."""
        feeds = self.feeds(samples)
        results = {"onnxruntime": onnxruntime_outputs(path, feeds)}
        if not may_saturate(path):
            results["onnxruntime, not optimized"] = onnxruntime_outputs(path, feeds, optimized=False)
        data, output = self.folder / "run.npz", self.folder / "outputs.npz"
        np.savez(data, **samples)
        zeropoint("run", path, "--data", data, "-o", output)
        arrays = np.load(output)
        names = [each.name for each in onnx.load(path).graph.output]
        results["zeropoint"] = [[arrays[name][i] for name in names] for i in range(len(feeds))]
        return results

    def check(self, path, samples, *options, steps=3.0, profile="generic", bits=8):
        """The error stays within `steps` steps of each output's range. Outputs that are no floats are equal."""
        output, model, report = self.quantize(path, samples, *options, profile=profile)
        expected = onnxruntime_outputs(path, self.feeds(samples), optimized=False)
        for runtime, results in self.outputs_of(output, samples).items():
            for index in range(len(expected[0])):
                real = np.stack([outputs[index] for outputs in expected])
                got = np.stack([outputs[index] for outputs in results])
                if real.dtype.kind != "f":
                    np.testing.assert_array_equal(real, got)
                    continue
                step = (max(real.max(), 0) - min(real.min(), 0)) / (2 ** bits - 1)
                self.assertLessEqual(np.abs(real - got).max(), steps * step + 1e-6, f"output {index} in {runtime}")
        return output, model, report

    def check_forms(self, path, samples, *options, steps=3.0, profile="generic"):
        """The same in every form; the models by the form's name."""
        models = {}
        for form, form_options in FORMS.items():
            with self.subTest(form=form):
                models[form] = self.check(path, samples, *form_options, *options, steps=steps, profile=profile)[1]
        return models

    @staticmethod
    def initializer(model, name):
        for tensor in model.graph.initializer:
            if tensor.name == name:
                return numpy_helper.to_array(tensor)
        raise AssertionError(f"no initializer {name} among {[tensor.name for tensor in model.graph.initializer]}")

    @staticmethod
    def count(model, op_type):
        return sum(each.op_type == op_type for each in model.graph.node)

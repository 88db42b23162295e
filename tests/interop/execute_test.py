"""`zeropoint run`: the built-in executor computes what ONNX Runtime computes, for float models and for quantized ones.

A quantized model is compared unit by unit. End to end, two correct executors differ: they add up products in different
orders, one value in a million lies so near a tie that it falls on the other code, and dozens of layers amplify that one
step. (ONNX Runtime differs from itself as much, with its optimizations on and off.) So each unit between quantizers gets
the same codes in both, and must give the same codes to within one.
"""
import pathlib
import tempfile
import unittest

import numpy as np
import onnx

from support import PROFILES, all_models, onnxruntime_outputs, quantized, sqnr, zeropoint

SAMPLES = 8
FLOAT_TOLERANCE = 1e-4  # of the output's range


def range_of(arrays):
    return max(float(array.max()) for array in arrays) - min(float(array.min()) for array in arrays)


def activation_quantizers(graph):
    constants = {tensor.name for tensor in graph.initializer}
    return [node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] not in constants]


def code_type(graph, quantizer):
    return next(tensor.data_type for tensor in graph.initializer if tensor.name == quantizer.input[2])


def with_codes_as_outputs(model):
    """The model with the codes of every quantized activation as further outputs."""
    graph = model.graph
    for node in activation_quantizers(graph):
        graph.output.append(onnx.helper.make_tensor_value_info(node.output[0], code_type(graph, node), None))
    return model


def cut_at_codes(model):
    """The model whose quantized activations are inputs; what would have been their codes are outputs NAME.computed."""
    graph = model.graph
    for node in activation_quantizers(graph):
        name, elements = node.output[0], code_type(graph, node)
        graph.input.append(onnx.helper.make_tensor_value_info(name, elements, None))
        node.output[0] = name + ".computed"
        graph.output.append(onnx.helper.make_tensor_value_info(node.output[0], elements, None))
    return model


class Execute(unittest.TestCase):
    """Gains tests for each model, below."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_both(self, path, feeds):
        """(ours, theirs, names): each [sample][output]. Theirs without graph optimizations."""
        data, output = self.folder / "feeds.npz", self.folder / "outputs.npz"
        np.savez(data, **{name: np.stack([feed[name] for feed in feeds]) for name in feeds[0]})
        zeropoint("run", path, "--data", data, "-o", output)
        theirs, names = onnxruntime_outputs(path, feeds, optimized=False)
        with np.load(output) as arrays:
            self.assertEqual(set(names), set(arrays.files))
            loaded = [arrays[name] for name in names]
        for index, array in enumerate(loaded):
            self.assertEqual((len(feeds), *theirs[0][index].shape), array.shape)
            self.assertEqual(theirs[0][index].dtype, array.dtype)
        return [[array[sample] for array in loaded] for sample in range(len(feeds))], theirs, names

    def check_float(self, model):
        ours, theirs, names = self.run_both(model.path, model.feeds("eval", SAMPLES))
        for index, name in enumerate(names):
            error = max(float(np.abs(a[index] - b[index]).max()) for a, b in zip(ours, theirs, strict=True))
            relative = error / range_of([sample[index] for sample in theirs])
            print(f"{model.name}, output {name}: {relative:.1e} of its range", flush=True)
            self.assertLessEqual(relative, FLOAT_TOLERANCE)

    def check_units(self, model, profile):
        path, _ = quantized(model, profile)
        feeds = model.feeds("eval", 2)
        codes = self.folder / "codes.onnx"
        onnx.save(with_codes_as_outputs(onnx.load(str(path))), str(codes))
        values, names = onnxruntime_outputs(codes, feeds, optimized=False)
        taps = {node.output[0] for node in activation_quantizers(onnx.load(str(path)).graph)}
        feeds = [{**feed, **{name: value for name, value in zip(names, sample, strict=True) if name in taps}}
                 for feed, sample in zip(feeds, values, strict=True)]
        cut = self.folder / "cut.onnx"
        onnx.save(cut_at_codes(onnx.load(str(path))), str(cut))
        ours, theirs, names = self.run_both(cut, feeds)
        differing = total = 0
        for index, name in enumerate(names):
            if name.endswith(".computed"):
                for a, b in zip(ours, theirs, strict=True):
                    steps = np.abs(a[index].astype(np.int64) - b[index])
                    self.assertLessEqual(steps.max(), 1, name)
                    differing += int((steps > 0).sum())
                    total += steps.size
        self.assertGreater(total, 0)
        print(f"{model.name}, profile {profile}: {differing} of {total} codes differ by one", flush=True)

    def check_outputs(self, model, profile):
        path, _ = quantized(model, profile)
        feeds = model.feeds("eval", SAMPLES)
        ours, theirs, _ = self.run_both(path, feeds)
        between = sqnr(theirs, ours)
        cost = sqnr(onnxruntime_outputs(model.path, feeds)[0], theirs)
        print(f"{model.name}, profile {profile}: {between:.1f} dB between the executors, {cost:.1f} dB to the float model",
              flush=True)
        self.assertGreaterEqual(between, cost)


for _model in all_models():
    setattr(Execute, f"test_float_{_model.name}", lambda self, m=_model: self.check_float(m))
    for _profile in PROFILES:
        setattr(Execute, f"test_units_of_{_model.name}_for_{_profile}",
                lambda self, m=_model, p=_profile: self.check_units(m, p))
        setattr(Execute, f"test_outputs_of_{_model.name}_for_{_profile}",
                lambda self, m=_model, p=_profile: self.check_outputs(m, p))


if __name__ == "__main__":
    unittest.main()

"""Operators of com.microsoft: `zeropoint run` computes what ONNX Runtime computes."""
import pathlib
import tempfile
import unittest

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from support import zeropoint

TOLERANCE = 1e-4  # of the output's range
RANDOM = np.random.default_rng(7)


def reals(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


def codes(low, high, dtype, *shape):
    return RANDOM.integers(low, high, shape).astype(dtype)


class Case:
    """One node. `feeds` become inputs, `weights` initializers; None leaves an input out."""

    def __init__(self, op, inputs, outputs=1, fed=1, domain="com.microsoft", **attributes):
        self.op, self.feeds, weights, names = op, {}, [], []
        for i, value in enumerate(inputs):
            names.append("" if value is None else f"x{i}")
            if value is None:
                continue
            if i < fed:
                self.feeds[f"x{i}"] = value
            else:
                weights.append(numpy_helper.from_array(value, f"x{i}"))
        self.outputs = [f"y{i}" for i in range(outputs)]
        node = helper.make_node(op, names, self.outputs, domain=domain, **attributes)
        graph = helper.make_graph(
            [node], "g",
            [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
             for name, value in self.feeds.items()],
            [helper.make_empty_tensor_value_info(name) for name in self.outputs], weights)
        imports = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
        self.model = helper.make_model(graph, opset_imports=imports, ir_version=10)


def n_bits(bits, zero_points=False, bias=False, k=64, n=6, block=32):
    blocks = k // block
    inputs = [reals(3, k), codes(0, 256, np.uint8, n, blocks, block * bits // 8), reals(n, blocks)]
    inputs.append(codes(0, 256, np.uint8, n, (blocks * bits + 7) // 8) if zero_points else None)
    if bias:
        inputs += [None, reals(n)]
    while inputs[-1] is None:
        inputs.pop()
    return Case("MatMulNBits", inputs, K=k, N=n, bits=bits, block_size=block)


def cases():
    hidden = 16
    normal = [reals(hidden), reals(hidden)]
    x, skip = reals(2, 5, hidden), reals(2, 5, hidden)
    yield "gelu", Case("Gelu", [x])
    yield "quick_gelu", Case("QuickGelu", [x], alpha=1.5)
    yield "fast_gelu", Case("FastGelu", [x])
    yield "fast_gelu_bias", Case("FastGelu", [x, reals(hidden)])
    yield "bias_gelu", Case("BiasGelu", [x, reals(hidden)])
    yield "layer_normalization", Case("LayerNormalization", [x, *normal], domain="", axis=-1)
    yield "skip_layer_normalization", Case("SkipLayerNormalization", [x, skip, *normal], fed=2)
    yield "skip_layer_normalization_bias", Case("SkipLayerNormalization", [x, skip, *normal, reals(hidden)], fed=2,
                                                epsilon=1e-5)
    yield "skip_simplified_layer_normalization", Case("SkipSimplifiedLayerNormalization", [x, skip, reals(hidden)], fed=2,
                                                      epsilon=1e-5)
    words = [codes(0, 20, np.int32, 2, 5), codes(0, 2, np.int32, 2, 5), reals(20, hidden), reals(8, hidden), reals(2, hidden)]
    yield "embed_layer_normalization", Case("EmbedLayerNormalization", [*words, *normal, np.ones((2, 5), np.int32)], fed=2,
                                            outputs=2)
    yield "embed_layer_normalization_plain", Case("EmbedLayerNormalization", [words[0], None, *words[2:4], None, *normal],
                                                  outputs=2)
    qkv = [reals(hidden, 3 * hidden), reals(3 * hidden)]
    yield "attention", Case("Attention", [x, *qkv], num_heads=4)
    yield "attention_causal", Case("Attention", [x, *qkv], num_heads=4, unidirectional=1)
    yield "attention_mask", Case("Attention", [x, *qkv, np.array([[1] * 5, [1, 1, 1, 0, 0]], np.int32)], num_heads=2)
    yield "attention_lengths", Case("Attention", [x, *qkv, np.array([5, 3], np.int32)], num_heads=2)
    codes_of_x = [codes(0, 256, np.uint8, 2, 5, hidden), codes(-64, 64, np.int8, hidden, 3 * hidden), reals(3 * hidden)]
    by_column = [np.array(0.02, np.float32), np.abs(reals(3 * hidden)) / 64]
    zeros = [np.array(128, np.uint8), np.zeros(3 * hidden, np.int8)]
    mask = np.array([[1] * 5, [1, 1, 1, 0, 0]], np.int32)
    yield "q_attention", Case("QAttention", [*codes_of_x, np.array(0.02, np.float32), np.array(0.01, np.float32), None,
                                             zeros[0], np.array(3, np.int8)], num_heads=4)
    yield "q_attention_mask", Case("QAttention", [*codes_of_x, *by_column, mask, *zeros], num_heads=2)
    yield "q_attention_causal", Case("QAttention", [*codes_of_x, *by_column, None, *zeros], num_heads=4, unidirectional=1)
    tables = [codes(0, 256, np.uint8, *shape) for shape in ((20, hidden), (8, hidden), (2, hidden), (hidden,), (hidden,))]
    table_scales = [np.array(scale, np.float32) for scale in (0.02, 0.01, 0.03, 0.01, 0.02)]
    table_zeros = [np.array(zero, np.uint8) for zero in (128, 3, 120, 0, 255)]
    yield "q_embed_layer_normalization", Case("QEmbedLayerNormalization",
                                              [*words[:2], *tables, mask, *table_scales, *table_zeros], fed=2, outputs=2)
    yield "q_embed_layer_normalization_plain", Case(
        "QEmbedLayerNormalization",
        [words[0], None, *tables[:2], None, *tables[3:], None, *table_scales[:2], None, *table_scales[3:], *table_zeros[:2],
         None, *table_zeros[3:]], outputs=2)
    # Weights of 7 bits: on some CPUs ONNX Runtime saturates the sum of two products in 16 bits.
    for direction, count in (("forward", 1), ("reverse", 1), ("bidirectional", 2)):
        for rows in ((), (4 * hidden,)):
            weights = [codes(-64, 64, np.int8, count, 6, 4 * hidden), codes(-64, 64, np.int8, count, hidden, 4 * hidden)]
            params = [np.abs(reals(count, *rows)) / 200, np.zeros((count, *rows), np.int8)]
            yield f"dynamic_quantize_lstm_{direction}_{len(rows)}", Case(
                "DynamicQuantizeLSTM",
                [reals(4, 1, 6), *weights, reals(count, 8 * hidden), None, None, None, None, *params, *params], outputs=3,
                direction=direction, hidden_size=hidden)
    yield "fused_matmul", Case("FusedMatMul", [reals(3, 4, 5), reals(3, 6, 4)], fed=2, transA=1, transB=1, alpha=0.5)
    scales = [np.array(0.1, np.float32), np.array(0.2, np.float32)]
    a, b = codes(0, 256, np.uint8, 4, 8), codes(-64, 64, np.int8, 8, 3)
    yield "matmul_integer_to_float", Case("MatMulIntegerToFloat", [a, b, *scales, np.array(7, np.uint8), np.array(2, np.int8)])
    yield "matmul_integer_to_float_bias", Case("MatMulIntegerToFloat", [a, b, *scales, np.array(7, np.uint8), None, reals(3)])
    yield "dynamic_quantize_matmul", Case("DynamicQuantizeMatMul", [reals(4, 8), b, scales[1], np.array(2, np.int8)])
    yield "dynamic_quantize_matmul_bias", Case("DynamicQuantizeMatMul", [reals(4, 8), b, scales[1], None, reals(3)])
    yield "quantize_linear_16", Case("QuantizeLinear", [x, np.array(0.001, np.float32), np.array(3, np.uint16)])
    yield "dequantize_linear_16", Case("DequantizeLinear", [codes(0, 60000, np.uint16, 4, 5), np.array(0.01, np.float32),
                                                            np.array(3, np.uint16)])
    yield "matmul_4_bits", n_bits(4)
    yield "matmul_4_bits_zero_points", n_bits(4, zero_points=True, bias=True)
    yield "matmul_8_bits", n_bits(8, zero_points=True)
    yield "gather_block_quantized", Case("GatherBlockQuantized", [codes(0, 256, np.uint8, 6, 32), codes(0, 6, np.int64, 3),
                                                                  reals(6, 2), codes(0, 256, np.uint8, 6, 1)],
                                         fed=2, gather_axis=0, quantize_axis=1, block_size=32)


class ContribOperators(unittest.TestCase):
    """Gains a test for each case, below."""

    def check(self, case):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            onnx.save(case.model, folder / "model.onnx")
            # A sample needs at least one array.
            np.savez(folder / "feeds.npz", **{key: value[None] for key, value in case.feeds.items()})
            zeropoint("run", folder / "model.onnx", "--data", folder / "feeds.npz", "-o", folder / "outputs.npz")
            session = onnxruntime.InferenceSession(case.model.SerializeToString(), providers=["CPUExecutionProvider"])
            expected = session.run(case.outputs, case.feeds)
            with np.load(folder / "outputs.npz") as arrays:
                for output, theirs in zip(case.outputs, expected, strict=True):
                    ours = arrays[output][0]
                    self.assertEqual(theirs.dtype, ours.dtype)
                    self.assertEqual(theirs.shape, ours.shape)
                    if theirs.dtype.kind != "f":
                        np.testing.assert_array_equal(ours, theirs)
                        continue
                    limit = TOLERANCE * max(1e-6, float(np.ptp(theirs)))
                    self.assertLessEqual(float(np.abs(ours - theirs).max()), limit)


for case_name, made in cases():
    setattr(ContribOperators, f"test_{case_name}", lambda self, case=made: self.check(case))


if __name__ == "__main__":
    unittest.main()

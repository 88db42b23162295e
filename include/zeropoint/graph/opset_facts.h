// Opset facts: what ONNX's versions say, as tables that compile to constants.
#ifndef ZEROPOINT_GRAPH_OPSET_FACTS_H_
#define ZEROPOINT_GRAPH_OPSET_FACTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zeropoint {

namespace internal {

struct IrOfOpset {
  std::int64_t opset;  // from this version on
  std::int64_t ir_version;
};
inline constexpr std::array kIrOfOpset = {
    IrOfOpset{1, 3},   IrOfOpset{9, 4},   IrOfOpset{10, 5},  IrOfOpset{11, 6},
    IrOfOpset{12, 7},  IrOfOpset{15, 8},  IrOfOpset{19, 9},  IrOfOpset{21, 10},
    IrOfOpset{23, 11}, IrOfOpset{24, 12}, IrOfOpset{25, 13}, IrOfOpset{28, 14},
};

struct SinceOpset {
  std::string_view op_type;
  std::int64_t opset;
};
// Operators that passes and profiles put into a model.
inline constexpr std::array kFirstOpset = {
    SinceOpset{"QuantizeLinear", 10},
    SinceOpset{"DequantizeLinear", 10},
    SinceOpset{"QLinearConv", 10},
    SinceOpset{"QLinearMatMul", 10},
    SinceOpset{"ConvInteger", 10},
    SinceOpset{"MatMulInteger", 10},
    SinceOpset{"DynamicQuantizeLinear", 11},
    SinceOpset{"HardSwish", 14},
    SinceOpset{"LayerNormalization", 17},
    SinceOpset{"GroupNormalization", 18},
    SinceOpset{"Mish", 18},
    SinceOpset{"Gelu", 20},
    SinceOpset{"RMSNormalization", 23},
    SinceOpset{"RotaryEmbedding", 23},
    SinceOpset{"Attention", 23},
    SinceOpset{"Swish", 24},
};

}  // namespace internal

/// The newest version of the default operator set in these tables.
inline constexpr std::int64_t kNewestOpset = 28;

/// QuantizeLinear and DequantizeLinear take `axis` from here on; before, only
/// one scale for the whole tensor.
inline constexpr std::int64_t kFirstOpsetWithQuantizationAxis = 13;

/// They take float16 and bfloat16, reals and scales of one type, from here on.
inline constexpr std::int64_t kFirstOpsetWithHalfQuantization = 19;

/// They take 16- and 4-bit integers and blocks from here on.
inline constexpr std::int64_t kFirstOpsetWith16BitQuantization = 21;

/// The lowest IR version of a file that may import version `opset` of the
/// default operator set; for a later one than the table knows, the last entry.
/// Source: ONNX, docs/Versioning.md, "Released Versions".
constexpr std::int64_t LowestIrVersion(std::int64_t opset) {
  std::int64_t ir_version = internal::kIrOfOpset.front().ir_version;
  for (const auto& entry : internal::kIrOfOpset) {
    if (entry.opset <= opset) ir_version = entry.ir_version;
  }
  return ir_version;
}

/// The version of the default operator set that brought `op_type`, one of the
/// operators that passes put into a model; nothing for any other.
/// Source: ONNX, docs/Changelog.md.
constexpr std::optional<std::int64_t> FirstOpset(std::string_view op_type) {
  for (const auto& entry : internal::kFirstOpset) {
    if (entry.op_type == op_type) return entry.opset;
  }
  return std::nullopt;
}

/// The axis of a weight of rank `rank` that counts output channels, for an
/// operator whose second input is its weight; nothing for any other operator or
/// a rank that it does not take. `transposed` is Gemm's transB.
///
/// Conv [M, C/group, k...]: 0. ConvTranspose [C, M/group, k...]: 1 (with groups
/// an index of this axis stands for `group` channels). Gemm [K, N]: 1, or 0
/// with transB. MatMul [..., K, N]: the last. Instance-, Batch-, Group- and
/// LayerNormalization [C]: 0 (a scale of several axes has none).
constexpr std::optional<int> OutputChannelAxis(std::string_view op_type,
                                               int rank,
                                               bool transposed = false) {
  if (op_type == "Conv" || op_type == "ConvInteger") {
    return rank >= 3 ? std::optional(0) : std::nullopt;
  }
  if (op_type == "ConvTranspose") {
    return rank >= 3 ? std::optional(1) : std::nullopt;
  }
  if (op_type == "Gemm") {
    return rank == 2 ? std::optional(transposed ? 0 : 1) : std::nullopt;
  }
  if (op_type == "MatMul" || op_type == "MatMulInteger") {
    return rank >= 2 ? std::optional(rank - 1) : std::nullopt;
  }
  if (op_type == "InstanceNormalization" || op_type == "BatchNormalization" ||
      op_type == "GroupNormalization" || op_type == "LayerNormalization") {
    return rank == 1 ? std::optional(0) : std::nullopt;
  }
  return std::nullopt;
}

/// The axis of such a weight that the operator sums over: Conv 1,
/// ConvTranspose 0, Gemm the one that OutputChannelAxis does not name, MatMul
/// the last but one; nothing for the others.
constexpr std::optional<int> ReductionAxis(std::string_view op_type, int rank,
                                           bool transposed = false) {
  const std::optional<int> channels =
      OutputChannelAxis(op_type, rank, transposed);
  if (!channels || rank < 2) return std::nullopt;
  return *channels == 0 ? 1 : *channels - 1;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_OPSET_FACTS_H_

// FindBlockWeights: the weights of one node as a matrix, if they can be codes
// in blocks.
#ifndef ZEROPOINT_PASSES_FIND_BLOCK_WEIGHTS_H_
#define ZEROPOINT_PASSES_FIND_BLOCK_WEIGHTS_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/passes/weight_only_spec.h"

namespace zeropoint {

/// The operators whose weights weight-only quantization takes.
inline constexpr std::array<std::string_view, 3> kWeightOnlyOperators = {
    "Gather", "Gemm", "MatMul"};

/// The constant operand of a product, [rows, columns] with a row for each
/// output; or the table of a Gather, whose rows are looked up.
struct BlockWeights {
  NodeId node = kNoNode;
  int operand = 1;
  ValueId value = kNoValue;
  std::size_t rows = 0;
  std::size_t columns = 0;
  /// Stored [columns, rows].
  bool columns_first = false;
  bool is_table = false;
  /// Of a Gemm.
  float alpha = 1.0f;
  float beta = 1.0f;
  ValueId bias = kNoValue;

  /// float, float16 or bfloat16.
  DataType type = DataType::kFloat;
};

namespace internal {

inline Status CheckActivation(const GraphView& graph, ValueId value) {
  if (value == kNoValue || graph.IsConstant(value)) {
    return Unsupported("it computes on constants alone");
  }
  return Status();
}

inline Status ReadProduct(const GraphView& graph, WeightFormat format,
                          BlockWeights& found) {
  const onnx::NodeProto& proto = graph.node(found.node);
  const ValueId first = graph.input(found.node, 0);
  if (!graph.IsConstant(graph.input(found.node, 1))) {
    return Unsupported(first != kNoValue && graph.IsConstant(first)
                           ? "its first operand is the constant one"
                           : "its weights are not constant");
  }
  ZEROPOINT_RETURN_IF_ERROR(CheckActivation(graph, first));
  found.columns_first = true;
  if (proto.op_type() != "Gemm") return Status();
  found.columns_first = GetInt(proto, "transB", 0) == 0;
  if (GetInt(proto, "transA", 0) != 0 && format == WeightFormat::kMatMulNBits) {
    return Unsupported(
        "its first operand is transposed, which MatMulNBits cannot say");
  }
  found.alpha = GetFloat(proto, "alpha", 1.0f);
  found.beta = GetFloat(proto, "beta", 1.0f);
  found.bias = graph.input(found.node, 2);
  if (!std::isfinite(found.alpha) || !std::isfinite(found.beta)) {
    return Unsupported("its alpha or beta is not finite");
  }
  return Status();
}

inline Status ReadTable(const GraphView& graph, const WeightOnlySpec& spec,
                        const Dims& dims, BlockWeights& found) {
  ZEROPOINT_RETURN_IF_ERROR(CheckActivation(graph, graph.input(found.node, 1)));
  if (GetInt(graph.node(found.node), "axis", 0) != 0) {
    return Unsupported("it looks up columns, which lie across the blocks");
  }
  if (spec.format == WeightFormat::kMatMulNBits &&
      dims[1] * spec.bits % 8 != 0) {
    return Unsupported("a row of " + std::to_string(dims[1]) + " codes of " +
                       std::to_string(spec.bits) +
                       " bits does not fill its last byte, which "
                       "GatherBlockQuantized cannot say");
  }
  return Status();
}

}  // namespace internal

/// The weights of `node`.
/// Errors: kUnsupported; the message is the reason why they stay float.
inline Result<BlockWeights> FindBlockWeights(const GraphView& graph,
                                             NodeId node,
                                             const WeightOnlySpec& spec) {
  if (!IsOneOf(graph, node, kWeightOnlyOperators)) {
    return Unsupported("it is no MatMul, Gemm or Gather");
  }
  BlockWeights found{.node = node};
  found.is_table = graph.node(node).op_type() == "Gather";
  found.operand = found.is_table ? 0 : 1;
  found.value = graph.input(node, static_cast<std::size_t>(found.operand));
  if (found.is_table) {
    if (found.value == kNoValue || !graph.IsConstant(found.value)) {
      return Unsupported("its table is not constant");
    }
  } else {
    ZEROPOINT_RETURN_IF_ERROR(internal::ReadProduct(graph, spec.format, found));
  }
  const std::string what = found.is_table ? "its table is" : "its weights are";
  found.type = graph.element_type(found.value);
  if (!IsReal(found.type)) {
    return Unsupported(what + " of " + std::string(DataTypeName(found.type)) +
                       ", no reals");
  }
  const auto dims = ConstantShape(graph, found.value);
  if (!dims || ElementCount(*dims).value_or(0) == 0) {
    return Unsupported(what + " empty");
  }
  if (dims->size() != 2) {
    return Unsupported(what + " of shape " + FormatDims(*dims) +
                       "; blocks are those of one matrix");
  }
  if (found.is_table) {
    ZEROPOINT_RETURN_IF_ERROR(internal::ReadTable(graph, spec, *dims, found));
  }
  found.rows = static_cast<std::size_t>((*dims)[found.columns_first ? 1 : 0]);
  found.columns =
      static_cast<std::size_t>((*dims)[found.columns_first ? 0 : 1]);
  return found;
}

/// The matrix [rows, columns] times its factor, in float.
/// Errors: those of GraphView::ConstantView.
inline Result<Tensor> BlockWeightRows(const GraphView& graph,
                                      const BlockWeights& weights,
                                      float factor) {
  Tensor stored;
  Tensor wide;
  ZEROPOINT_ASSIGN_OR_RETURN(
      const TensorView real,
      RealConstantView(graph, weights.value, stored, wide));
  const std::span<const float> values = real.As<float>();
  Tensor rows(DataType::kFloat, {static_cast<std::int64_t>(weights.rows),
                                 static_cast<std::int64_t>(weights.columns)});
  const std::span<float> to = rows.MutableAs<float>();
  for (std::size_t r = 0; r < weights.rows; ++r) {
    for (std::size_t c = 0; c < weights.columns; ++c) {
      to[r * weights.columns + c] =
          factor * values[weights.columns_first ? c * weights.rows + r
                                                : r * weights.columns + c];
    }
  }
  graph.ForgetConstant(weights.value);
  return rows;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FIND_BLOCK_WEIGHTS_H_

// ResultBytes: how large a folded constant would be, before it is computed.
//
// A model of a few hundred bytes can ask for terabytes (Expand, Tile, Range, a
// Gather with many indices); so nothing is computed whose size is not bounded.
#ifndef ZEROPOINT_PASSES_RESULT_SIZE_H_
#define ZEROPOINT_PASSES_RESULT_SIZE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"

namespace zeropoint::internal {

/// a * b, or the largest size where that overflows.
constexpr std::size_t SaturatingProduct(std::size_t a, std::size_t b) {
  const std::size_t largest = std::numeric_limits<std::size_t>::max();
  return b != 0 && a > largest / b ? largest : a * b;
}

/// Bytes of the outputs as their types declare them; nothing unless all are
/// static.
inline std::optional<std::size_t> DeclaredBytes(const GraphView& graph,
                                                NodeId node) {
  std::size_t total = 0;
  for (const ValueId output : graph.outputs(node)) {
    if (output == kNoValue) continue;
    const auto dims = graph.shape(output);
    const int bits = BitsOf(graph.element_type(output));
    if (!dims || bits == 0) return std::nullopt;
    const auto count = ElementCount(*dims);
    if (!count) return std::numeric_limits<std::size_t>::max();
    total += BytesOf(graph.element_type(output), *count);
  }
  return total;
}

/// An upper bound for operators whose result has no more elements than the
/// product of their inputs' counts, or whose input lists the result's shape.
/// Assumes 8 bytes an element. Nothing for any other operator.
inline std::optional<std::size_t> BoundedBytes(
    const GraphView& graph, NodeId node, std::span<const TensorView> inputs) {
  constexpr std::string_view kNoLarger[] = {
      "Abs",   "Cast",      "Ceil",     "Concat", "Exp",     "Flatten",
      "Floor", "Identity",  "Log",      "Neg",    "Not",     "Reciprocal",
      "Relu",  "Reshape",   "Round",    "Shape",  "Sigmoid", "Sign",
      "Size",  "Slice",     "Split",    "Sqrt",   "Squeeze", "Tanh",
      "Clip",  "Unsqueeze", "Transpose"};
  constexpr std::string_view kBroadcast[] = {"Add",
                                             "And",
                                             "Div",
                                             "Equal",
                                             "Gather",
                                             "Greater",
                                             "GreaterOrEqual",
                                             "Less",
                                             "LessOrEqual",
                                             "MatMul",
                                             "Max",
                                             "Min",
                                             "Mod",
                                             "Mul",
                                             "Or",
                                             "Pow",
                                             "Sub",
                                             "Where"};
  constexpr std::size_t kElementBytes = 8;
  std::size_t sum = 0;
  std::size_t product = 1;
  for (const TensorView& input : inputs) {
    sum += input.size();
    product =
        SaturatingProduct(product, std::max<std::size_t>(input.size(), 1));
  }
  if (IsOneOf(graph, node, kNoLarger)) {
    return SaturatingProduct(sum + 1, kElementBytes);
  }
  if (IsOneOf(graph, node, kBroadcast)) {
    return SaturatingProduct(product, kElementBytes);
  }
  // Expand may keep axes of the input beyond those that it lists.
  const bool is_expand = IsOp(graph, node, "Expand") && inputs.size() == 2;
  const bool is_fill =
      IsOp(graph, node, "ConstantOfShape") && inputs.size() == 1;
  if (!is_expand && !is_fill) return std::nullopt;
  const auto lengths = IntegersOf(graph, graph.inputs(node).back());
  if (!lengths) return std::nullopt;
  std::size_t bound = is_expand ? inputs[0].size() : 1;
  for (const std::int64_t length : *lengths) {
    if (length < 0) return std::nullopt;
    bound = SaturatingProduct(
        bound, std::max<std::size_t>(static_cast<std::size_t>(length), 1));
  }
  return SaturatingProduct(bound, kElementBytes);
}

/// Bytes of the node's results, or an upper bound of them; nothing when the
/// model does not tell.
inline std::optional<std::size_t> ResultBytes(
    const GraphView& graph, NodeId node, std::span<const TensorView> inputs) {
  const auto declared = DeclaredBytes(graph, node);
  return declared ? declared : BoundedBytes(graph, node, inputs);
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_RESULT_SIZE_H_

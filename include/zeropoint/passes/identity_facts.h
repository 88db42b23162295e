// Which nodes hand their first input through unchanged: the table behind
// EliminateIdentity, one small predicate an operator.
//
// Each answers true only where the model proves it; shapes must be static as
// far as they matter.
#ifndef ZEROPOINT_PASSES_IDENTITY_FACTS_H_
#define ZEROPOINT_PASSES_IDENTITY_FACTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_value.h"

namespace zeropoint::internal {

/// True when every element of the constant equals `wanted`.
inline bool IsFilledWith(const GraphView& graph, ValueId constant, int wanted) {
  if (!graph.IsConstant(constant)) return false;
  Tensor scratch;
  const auto view = graph.ConstantView(constant, scratch);
  if (!view.ok()) return false;
  const auto all_equal = [&]<class T>() {
    const auto elements = view->As<T>();
    const bool equal =
        std::all_of(elements.begin(), elements.end(),
                    [wanted](T x) { return x == static_cast<T>(wanted); });
    return equal ? Status() : NotFound("");
  };
  return VisitDataType(view->type(), all_equal).ok();
}

/// True when combining `x` with `constant` by broadcasting gives x's shape.
inline bool BroadcastsInto(const GraphView& graph, ValueId constant,
                           ValueId x) {
  const auto dims = graph.shape(constant);
  const auto rank = RankOf(graph, x);
  if (!dims) return false;
  if (dims->empty()) return true;
  if (!rank || dims->size() > *rank) return false;
  for (std::size_t i = 0; i < dims->size(); ++i) {
    const auto axis =
        static_cast<std::int64_t>(i) - static_cast<std::int64_t>(dims->size());
    if ((*dims)[i] != 1 && DimOf(graph, x, axis) != (*dims)[i]) return false;
  }
  return true;
}

/// x + 0, x - 0, x * 1, x / 1, and with the operands swapped where that is the
/// same. Returns the operand that goes through.
inline ValueId NeutralArithmetic(const GraphView& graph, NodeId node) {
  const std::string_view op_type = graph.node(node).op_type();
  const int neutral = op_type == "Add" || op_type == "Sub" ? 0 : 1;
  const bool commutes = op_type == "Add" || op_type == "Mul";
  const ValueId a = graph.input(node, 0);
  const ValueId b = graph.input(node, 1);
  if (IsFilledWith(graph, b, neutral) && BroadcastsInto(graph, b, a)) return a;
  if (commutes && IsFilledWith(graph, a, neutral) &&
      BroadcastsInto(graph, a, b)) {
    return b;
  }
  return kNoValue;
}

/// A Reshape keeps the number of elements. So when the rank stays and all axes
/// but one keep their length, the last one does too, even if it is unknown.
inline bool IsIdentityReshape(const GraphView& graph, NodeId node) {
  const ValueId x = graph.input(node, 0);
  const ValueId y = graph.output(node, 0);
  const auto target = IntegersOf(graph, graph.input(node, 1));
  const bool zero_copies = GetInt(graph.node(node), "allowzero", 0) == 0;
  const auto rank = RankOf(graph, x);
  if (!rank || *rank != (target ? target->size() : RankOf(graph, y))) {
    return false;
  }
  int unknown = 0;
  for (std::size_t i = 0; i < *rank; ++i) {
    if (target && (*target)[i] == 0 && zero_copies) continue;
    const auto axis = static_cast<std::int64_t>(i);
    const auto before = DimOf(graph, x, axis);
    auto after = target ? (*target)[i] : DimOf(graph, y, axis);
    if (after == -1) after.reset();
    if (!before || !after) {
      ++unknown;
    } else if (*before != *after || *before == 0) {
      return false;
    }
  }
  return unknown <= 1;
}

/// perm lists the axes in order; without it the order is reversed.
inline bool IsIdentityTranspose(const GraphView& graph, NodeId node) {
  const auto perm = GetInts(graph.node(node), "perm");
  if (perm.empty()) {
    return RankOf(graph, graph.input(node, 0)).value_or(2) < 2;
  }
  return std::is_sorted(perm.begin(), perm.end());
}

inline bool IsIdentityFlatten(const GraphView& graph, NodeId node) {
  const std::int64_t axis = GetInt(graph.node(node), "axis", 1);
  return RankOf(graph, graph.input(node, 0)) == 2u && (axis == 1 || axis == -1);
}

/// All pads are 0 (an attribute below opset 11, an input from there on).
inline bool IsIdentityPad(const GraphView& graph, NodeId node) {
  auto pads = IntegersOf(graph, graph.input(node, 1));
  if (graph.input(node, 1) == kNoValue) {
    pads = GetInts(graph.node(node), "pads", {1});
  }
  return pads && std::all_of(pads->begin(), pads->end(),
                             [](std::int64_t pad) { return pad == 0; });
}

/// Every listed axis runs from 0 to its end in steps of 1. Inputs only: opset
/// 10 and later.
inline bool IsIdentitySlice(const GraphView& graph, NodeId node) {
  const auto starts = IntegersOf(graph, graph.input(node, 1));
  const auto ends = IntegersOf(graph, graph.input(node, 2));
  const ValueId steps = graph.input(node, 4);
  constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int32_t>::max();
  return starts && ends &&
         std::all_of(starts->begin(), starts->end(),
                     [](std::int64_t start) { return start == 0; }) &&
         std::all_of(ends->begin(), ends->end(),
                     [](std::int64_t end) { return end >= kToTheEnd; }) &&
         (steps == kNoValue || IsFilledWith(graph, steps, 1));
}

inline bool IsIdentityExpand(const GraphView& graph, NodeId node) {
  const ValueId x = graph.input(node, 0);
  const auto target = IntegersOf(graph, graph.input(node, 1));
  if (!target) return HaveEqualShapes(graph, x, graph.output(node, 0));
  const auto rank = RankOf(graph, x);
  return rank && target->size() <= *rank &&
         std::all_of(target->begin(), target->end(),
                     [](std::int64_t length) { return length == 1; });
}

/// Inference mode: no training_mode input, or a constant false.
inline bool IsInferenceDropout(const GraphView& graph, NodeId node) {
  const ValueId training = graph.input(node, 2);
  return training == kNoValue || IsFilledWith(graph, training, 0);
}

/// The input whose value output 0 of the node always has; kNoValue when there
/// is none or it cannot be proved.
inline ValueId PassedThrough(const GraphView& graph, NodeId node) {
  const std::string_view op_type = graph.node(node).op_type();
  const ValueId x = graph.input(node, 0);
  const auto if_true = [x](bool identity) { return identity ? x : kNoValue; };
  if (op_type == "Identity") return x;
  if (op_type == "Add" || op_type == "Sub" || op_type == "Mul" ||
      op_type == "Div") {
    return NeutralArithmetic(graph, node);
  }
  if (op_type == "Dropout") return if_true(IsInferenceDropout(graph, node));
  if (op_type == "Reshape") return if_true(IsIdentityReshape(graph, node));
  if (op_type == "Transpose") return if_true(IsIdentityTranspose(graph, node));
  if (op_type == "Flatten") return if_true(IsIdentityFlatten(graph, node));
  if (op_type == "Pad") return if_true(IsIdentityPad(graph, node));
  if (op_type == "Slice") return if_true(IsIdentitySlice(graph, node));
  if (op_type == "Expand") return if_true(IsIdentityExpand(graph, node));
  if (op_type == "Tile") {
    return if_true(IsFilledWith(graph, graph.input(node, 1), 1));
  }
  if (op_type == "Cast") {
    const auto to = static_cast<DataType>(GetInt(graph.node(node), "to", 0));
    return if_true(to != DataType::kUndefined && graph.element_type(x) == to);
  }
  if (op_type == "CastLike") {
    const DataType to = graph.element_type(graph.input(node, 1));
    return if_true(to != DataType::kUndefined && graph.element_type(x) == to);
  }
  // Concat, Sum, Max, Min and Mean of a single input.
  return if_true(graph.inputs(node).size() == 1);
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_IDENTITY_FACTS_H_

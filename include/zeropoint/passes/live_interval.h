// LiveInterval: where the consumers of a tensor still tell values apart.
#ifndef ZEROPOINT_PASSES_LIVE_INTERVAL_H_
#define ZEROPOINT_PASSES_LIVE_INTERVAL_H_

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/real_constants.h"

namespace zeropoint {

/// Real values; infinite ends limit nothing.
struct Interval {
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();
};

namespace internal {

/// The value of a constant scalar, or `otherwise` when the input is omitted.
/// Sets `known` to false when it is neither.
inline float ScalarOr(const GraphView& graph, ValueId value, float otherwise,
                      bool& known) {
  if (value == kNoValue) return otherwise;
  if (graph.IsConstant(value)) {
    const Result<Tensor> tensor = RealConstant(graph, value);
    if (tensor.ok() && tensor->size() == 1) {
      return tensor->As<float>()[0];
    }
  }
  known = false;
  return otherwise;
}

}  // namespace internal

/// The bounds of a Clip; nothing when they are not constant scalars in
/// order (where min > max, ONNX says max everywhere).
inline std::optional<Interval> ClipBounds(const GraphView& graph, NodeId node) {
  const onnx::NodeProto& proto = graph.node(node);
  const Interval all;
  bool known = true;
  // Attributes before opset 11, inputs since.
  const Interval bounds{
      internal::ScalarOr(graph, graph.input(node, 1),
                         GetFloat(proto, "min", all.lo), known),
      internal::ScalarOr(graph, graph.input(node, 2),
                         GetFloat(proto, "max", all.hi), known)};
  if (!known || !(bounds.lo <= bounds.hi)) return std::nullopt;
  return bounds;
}

/// The interval outside which `node` is constant in its first input: [0, inf)
/// for Relu, its bounds for Clip, [-3, inf) for HardSwish, where it is 0 below,
/// and the slope of HardSigmoid. Everything when that is not known.
inline Interval LiveIntervalOf(const GraphView& graph, NodeId node) {
  const onnx::NodeProto& proto = graph.node(node);
  if (!proto.domain().empty()) return {};
  const std::string& op_type = proto.op_type();
  Interval live;
  if (op_type == "Relu") {
    live.lo = 0.0f;
  } else if (op_type == "Clip") {
    live = ClipBounds(graph, node).value_or(live);
  } else if (op_type == "HardSwish") {
    live.lo = -3.0f;
  } else if (op_type == "HardSigmoid") {
    const float alpha = GetFloat(proto, "alpha", 0.2f);
    const float beta = GetFloat(proto, "beta", 0.5f);
    if (alpha > 0.0f) live = {-beta / alpha, (1.0f - beta) / alpha};
  }
  // Attributes are any bits: NaN, or an interval without a finite value.
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const bool usable =
      live.lo <= live.hi && live.lo < kInfinity && live.hi > -kInfinity;
  return usable ? live : Interval();
}

/// The interval outside which no consumer of `value` sees a difference.
/// Quantizing only this interval loses nothing: what saturates is what the
/// consumers would flatten themselves, and the steps become finer.
inline Interval LiveIntervalOf(const GraphView& graph, ValueId value) {
  if (graph.is_graph_output(value) || graph.uses(value).empty()) return {};
  Interval live{std::numeric_limits<float>::infinity(),
                -std::numeric_limits<float>::infinity()};
  for (const Use& use : graph.uses(value)) {
    if (use.input != 0) return {};
    const Interval one = LiveIntervalOf(graph, use.node);
    live.lo = std::min(live.lo, one.lo);
    live.hi = std::max(live.hi, one.hi);
  }
  return live;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_LIVE_INTERVAL_H_

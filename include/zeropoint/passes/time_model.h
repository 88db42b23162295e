// TimeModel: what the nodes of a graph take on a target, in float and in int8.
#ifndef ZEROPOINT_PASSES_TIME_MODEL_H_
#define ZEROPOINT_PASSES_TIME_MODEL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/cost_spec.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/operands.h"
#include "zeropoint/passes/quantization_plan.h"

namespace zeropoint {

/// Predicts by the target's CostSpec and the shapes of the calibration samples.
/// What a table lacks has its declared size, or that of the largest input of
/// the node that makes it.
class TimeModel {
 public:
  /// All must outlive the model.
  TimeModel(const GraphView& graph, const CostSpec& costs,
            const CalibrationTable& table)
      : graph_(graph), costs_(costs), table_(table) {
    elements_.assign(graph.value_count(), kUnknown);
  }

  /// Microseconds of a node.
  double RealTime(NodeId node) {
    const OperatorCost* cost = CostOf(node);
    if (IsFree(node)) return 0.0;
    const NodeCost& real = cost != nullptr ? cost->real : costs_.other;
    return real.Microseconds(MacsOf(node), ElementsAround(node));
  }

  double QuantizedTime(NodeId node) {
    if (IsFree(node)) return 0.0;
    const OperatorCost* cost = CostOf(node);
    if (cost != nullptr && cost->quantized) {
      return cost->quantized->Microseconds(MacsOf(node), ElementsAround(node));
    }
    // Codes take a quarter of the bytes.
    return costs_.other.Microseconds(0.0, ElementsAround(node) / 4.0);
  }

  /// Of a QuantizeLinear or DequantizeLinear.
  double ConversionTime(ValueId value) {
    return costs_.conversion.Microseconds(0.0, ElementsOf(value));
  }

  bool quantizes_float_outputs() const {
    return costs_.quantizes_float_outputs;
  }

 private:
  static constexpr double kUnknown = -1.0;

  static bool IsOneOf(std::string_view op_type,
                      std::initializer_list<std::string_view> types) {
    return std::find(types.begin(), types.end(), op_type) != types.end();
  }

  std::int64_t GroupOf(NodeId node) const {
    return std::max<std::int64_t>(GetInt(graph_.node(node), "group", 1), 1);
  }

  const OperatorCost* CostOf(NodeId node) const {
    const std::string_view op_type = graph_.node(node).op_type();
    const bool conv = IsOneOf(op_type, {"Conv", "ConvTranspose"});
    return costs_.Find(op_type, conv && GroupOf(node) > 1);
  }

  /// Views of the same elements, and activations that the operator before takes
  /// in.
  bool IsFree(NodeId node) const {
    const std::string_view op_type = graph_.node(node).op_type();
    if (IsOneOf(op_type, {"Constant", "Flatten", "Identity", "Reshape", "Shape",
                          "Squeeze", "Unsqueeze"})) {
      return true;
    }
    if (!IsOneOf(op_type, {"Relu", "Clip"})) return false;
    const ValueId input = graph_.input(node, 0);
    if (input == kNoValue || !graph_.has_single_use(input)) return false;
    const NodeId producer = graph_.producer(input);
    return producer != kNoNode && graph_.node(producer).op_type() == "Conv";
  }

  double MacsOf(NodeId node) {
    const std::string_view op_type = graph_.node(node).op_type();
    if (!IsOneOf(op_type, {"Conv", "ConvTranspose", "Gemm", "MatMul"}) ||
        graph_.outputs(node).empty() || graph_.input(node, 1) == kNoValue) {
      return 0.0;
    }
    const auto weights = graph_.shape(graph_.input(node, 1));
    if (!weights || weights->size() < 2) return ProductOfActivations(node);
    const std::span<const std::int64_t> dims(*weights);
    const auto outputs = ElementsOf(graph_.output(node, 0));
    if (op_type == "MatMul") {
      return outputs * static_cast<double>(dims[dims.size() - 2]);
    }
    if (op_type == "Gemm") {
      const bool transposed = GetInt(graph_.node(node), "transB", 0) != 0;
      return outputs * static_cast<double>(dims[transposed ? 1 : 0]);
    }
    const auto taps = static_cast<double>(internal::ProductOf(dims.subspan(1)));
    // A transposed convolution spreads each input over its window.
    return (op_type == "Conv" ? outputs : ElementsOf(graph_.input(node, 0))) *
           taps;
  }

  /// Of two activations whose shapes the samples gave.
  double ProductOfActivations(NodeId node) {
    const auto depth = table_.find(graph_.name(graph_.input(node, 0)));
    if (depth == table_.end() || depth->second.dims.empty()) return 0.0;
    return ElementsOf(graph_.output(node, 0)) *
           static_cast<double>(depth->second.dims.back());
  }

  double ElementsAround(NodeId node) {
    double elements = 0.0;
    for (const ValueId input : graph_.inputs(node)) {
      if (input != kNoValue && !graph_.IsConstant(input)) {
        elements += ElementsOf(input);
      }
    }
    for (const ValueId output : graph_.outputs(node)) {
      if (output != kNoValue) elements += ElementsOf(output);
    }
    return elements;
  }

  double ElementsOf(ValueId value) {
    // Producers come before what they make: so no recursion is deep that
    // starts at the first node.
    double& known = elements_[static_cast<std::size_t>(value)];
    if (known != kUnknown) return known;
    known = 0.0;
    const auto observed = table_.find(graph_.name(value));
    if (observed != table_.end() && !observed->second.dims.empty()) {
      known = static_cast<double>(internal::ProductOf(observed->second.dims));
    } else if (const auto dims = graph_.shape(value)) {
      known = static_cast<double>(internal::ProductOf(*dims));
    } else if (const NodeId producer = graph_.producer(value);
               producer != kNoNode) {
      double most = 0.0;
      for (const ValueId input : graph_.inputs(producer)) {
        if (input != kNoValue && !graph_.IsConstant(input)) {
          most = std::max(most, ElementsOf(input));
        }
      }
      elements_[static_cast<std::size_t>(value)] = most;
    }
    return elements_[static_cast<std::size_t>(value)];
  }

  const GraphView& graph_;
  const CostSpec& costs_;
  const CalibrationTable& table_;
  std::vector<double> elements_;  // by value
};

/// Whether times say what is quantized: they are known, and the network takes
/// longer than calling the runtime does; a smaller one gains no time by any
/// choice.
inline bool DecidesByTimes(const GraphView& graph, const TargetSpec& target,
                           const CalibrationTable& table) {
  constexpr double kMicrosecondsOfACall = 10.0;
  if (!target.leave_slower_float || target.costs.operators.empty()) {
    return false;
  }
  TimeModel times(graph, target.costs, table);
  double sum = 0.0;
  for (const NodeId node : graph.nodes()) sum += times.RealTime(node);
  return sum > kMicrosecondsOfACall;
}

/// What a plan is predicted to gain on `target`; zeros when nothing is known of
/// its times.
inline PredictedTimes PredictTimes(const GraphView& graph,
                                   const TargetSpec& target,
                                   const CalibrationTable& table,
                                   const QuantizationPlan& plan) {
  PredictedTimes times;
  if (target.costs.operators.empty()) return times;
  times.measured_on = target.costs.measured_on;
  TimeModel model(graph, target.costs, table);
  std::vector<bool> quantized(graph.node_count(), false);
  std::vector<bool> written_as_codes(graph.value_count(), false);
  for (const PlannedNode& node : plan.nodes) {
    quantized[static_cast<std::size_t>(node.node)] = true;
    for (const ValueId output : node.quantized_outputs) {
      written_as_codes[static_cast<std::size_t>(output)] = true;
    }
  }
  for (const NodeId node : graph.nodes()) {
    const double real = model.RealTime(node);
    times.real += real;
    times.quantized += quantized[static_cast<std::size_t>(node)]
                           ? model.QuantizedTime(node)
                           : real;
  }
  for (const auto& [value, tensor] : plan.tensors) {
    const NodeId producer = graph.producer(value);
    const bool fused = target.costs.quantizes_float_outputs &&
                       producer != kNoNode &&
                       quantized[static_cast<std::size_t>(producer)];
    if (!written_as_codes[static_cast<std::size_t>(value)]) {
      if (!fused) times.quantized += model.ConversionTime(value);
      continue;
    }
    const auto uses = graph.uses(value);
    const bool read_as_float =
        graph.is_graph_output(value) ||
        std::any_of(uses.begin(), uses.end(), [&](const Use& use) {
          return !quantized[static_cast<std::size_t>(use.node)];
        });
    if (read_as_float) times.quantized += model.ConversionTime(value);
  }
  return times;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_TIME_MODEL_H_

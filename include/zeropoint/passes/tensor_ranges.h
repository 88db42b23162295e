// ChooseTensorRanges: the range and the parameters of every tensor that a plan
// quantizes.
#ifndef ZEROPOINT_PASSES_TENSOR_RANGES_H_
#define ZEROPOINT_PASSES_TENSOR_RANGES_H_

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/live_interval.h"
#include "zeropoint/passes/quantization_plan.h"

namespace zeropoint {

namespace internal {

/// Values that must have one scale and zero point, because an operator between
/// them only moves codes.
class SharedParameters {
 public:
  explicit SharedParameters(std::size_t values) : parent_(values) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t Find(ValueId value) {
    auto at = static_cast<std::size_t>(value);
    while (parent_[at] != at) at = parent_[at] = parent_[parent_[at]];
    return at;
  }
  void Join(ValueId a, ValueId b) {
    const std::size_t x = Find(a);
    const std::size_t y = Find(b);
    parent_[std::max(x, y)] = std::min(x, y);
  }

 private:
  std::vector<std::size_t> parent_;
};

/// The range of one value on its own, with the reason for it.
inline PlannedTensor OwnRange(const GraphView& graph, const TargetSpec& target,
                              const CalibratedTensor& calibrated,
                              ValueId value) {
  PlannedTensor tensor;
  tensor.range = calibrated.range;
  tensor.why = calibrated.why;
  const NodeId producer = graph.producer(value);
  if (producer != kNoNode) {
    const onnx::NodeProto& node = graph.node(producer);
    if (const auto fixed = target.FixedRange(node.op_type());
        fixed && node.domain().empty()) {
      tensor.range = *fixed;
      tensor.why = "by definition of " + node.op_type();
    }
  }
  const Interval live = LiveIntervalOf(graph, value);
  const RealRange clipped{std::clamp(tensor.range.lo, live.lo, live.hi),
                          std::clamp(tensor.range.hi, live.lo, live.hi)};
  if (clipped != tensor.range) {
    tensor.range = clipped;
    tensor.why += ", limited to where its consumers are not constant";
  }
  return tensor;
}

}  // namespace internal

/// Fills plan.tensors: every activation that a planned node reads or writes
/// quantized. Values joined by code-moving operators get the union of their
/// ranges. Errors: kInvalidData for a calibrated range that is not finite.
inline Status ChooseTensorRanges(const GraphView& graph,
                                 const TargetSpec& target,
                                 const CalibrationTable& table,
                                 QuantizationPlan& plan) {
  internal::SharedParameters shared(graph.value_count());
  const auto add = [&](ValueId value) -> PlannedTensor& {
    const auto [at, is_new] = plan.tensors.try_emplace(value);
    if (is_new) {
      const auto calibrated = table.find(graph.name(value));
      ZEROPOINT_ASSERT(calibrated != table.end(),
                       "only calibrated values are planned");
      at->second = internal::OwnRange(graph, target, calibrated->second, value);
    }
    return at->second;
  };
  for (const PlannedNode& node : plan.nodes) {
    const OperatorRule* rule = target.Find(graph.node(node.node).op_type());
    std::vector<ValueId> values;
    for (const int i : node.operands.activations) {
      values.push_back(graph.input(node.node, static_cast<std::size_t>(i)));
      add(values.back());
    }
    for (const ValueId output : node.quantized_outputs) {
      add(output).produced_quantized = true;
      values.push_back(output);
    }
    if (rule->output == OutputKind::kSharesInput ||
        rule->output == OutputKind::kUnifiesInputs) {
      for (const ValueId value : values) shared.Join(values.front(), value);
    }
  }
  std::map<std::size_t, RealRange> unions;
  for (const auto& [value, tensor] : plan.tensors) {
    if (!IsValidRange(tensor.range)) {
      return InvalidData("tensor '" + std::string(graph.name(value)) +
                         "' has no finite range; the model computes infinities "
                         "or NaN on the calibration data");
    }
    const auto [at, is_new] =
        unions.try_emplace(shared.Find(value), tensor.range);
    at->second.lo = std::min(at->second.lo, tensor.range.lo);
    at->second.hi = std::max(at->second.hi, tensor.range.hi);
  }
  for (auto& [value, tensor] : plan.tensors) {
    const RealRange& range = unions.at(shared.Find(value));
    if (range != tensor.range) {
      tensor.why += ", shared with its neighbours";
      tensor.range = range;
    }
    tensor.params = ChooseQParams(range, target.activations);
  }
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_TENSOR_RANGES_H_

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
#include "zeropoint/core/tensor_overrides.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/real_constants.h"
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
  tensor.scheme = target.activations;
  tensor.scheme.scale_type = RealTypeOf(graph, value);
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

namespace internal {

/// Chooses the ranges of one plan.
class RangeChooser {
 public:
  RangeChooser(const GraphView& graph, const TargetSpec& target,
               const CalibrationTable& table, const TensorOverrides* overrides,
               QuantizationPlan& plan)
      : graph_(graph),
        target_(target),
        table_(table),
        overrides_(overrides),
        plan_(plan),
        shared_(graph.value_count()) {}

  Status Run() {
    for (const PlannedNode& node : plan_.nodes) AddTensorsOf(node);
    std::map<std::size_t, RealRange> unions;
    for (const auto& [value, tensor] : plan_.tensors) {
      if (!IsValidRange(tensor.range)) {
        return InvalidData("tensor '" + std::string(graph_.name(value)) +
                           "' has no finite range; the model computes "
                           "infinities or NaN on the calibration data");
      }
      const auto [at, is_new] =
          unions.try_emplace(shared_.Find(value), tensor.range);
      at->second.lo = std::min(at->second.lo, tensor.range.lo);
      at->second.hi = std::max(at->second.hi, tensor.range.hi);
    }
    for (auto& [value, tensor] : plan_.tensors) {
      const RealRange& range = unions.at(shared_.Find(value));
      if (range != tensor.range) {
        tensor.why += ", shared with its neighbours";
        tensor.range = range;
      }
      Settle(value, tensor);
    }
    return Status();
  }

 private:
  void AddTensorsOf(const PlannedNode& node) {
    std::vector<ValueId> values;
    for (const int i : node.operands.activations) {
      values.push_back(graph_.input(node.node, static_cast<std::size_t>(i)));
      Add(values.back());
    }
    for (const ValueId output : node.quantized_outputs) {
      Add(output).produced_quantized = true;
      values.push_back(output);
    }
    if (node.operands.output != OutputKind::kSharesInput &&
        node.operands.output != OutputKind::kUnifiesInputs) {
      return;
    }
    for (const ValueId value : values) Join(values.front(), value);
  }

  PlannedTensor& Add(ValueId value) {
    const auto [at, is_new] = plan_.tensors.try_emplace(value);
    if (is_new) {
      const auto calibrated = table_.find(graph_.name(value));
      ZEROPOINT_ASSERT(calibrated != table_.end(),
                       "only calibrated values are planned");
      at->second = OwnRange(graph_, target_, calibrated->second, value);
      if (const TensorOverride* fixed = OverrideOf(value)) {
        fixed_[shared_.Find(value)] = fixed;
      }
    }
    return at->second;
  }

  const TensorOverride* OverrideOf(ValueId value) const {
    if (overrides_ == nullptr) return nullptr;
    const auto known = overrides_->find(graph_.name(value));
    return known == overrides_->end() ? nullptr : &known->second;
  }

  /// Two tensors that are fixed apart stay apart: the operator between them
  /// requantizes. Otherwise what is fixed for one holds for both.
  void Join(ValueId a, ValueId b) {
    const std::size_t x = shared_.Find(a);
    const std::size_t y = shared_.Find(b);
    if (x == y) return;
    const auto left = fixed_.find(x);
    const auto right = fixed_.find(y);
    if (left != fixed_.end() && right != fixed_.end()) return;
    const TensorOverride* fixed = left != fixed_.end()    ? left->second
                                  : right != fixed_.end() ? right->second
                                                          : nullptr;
    shared_.Join(a, b);
    if (fixed != nullptr) fixed_[shared_.Find(a)] = fixed;
  }

  void Settle(ValueId value, PlannedTensor& tensor) {
    const auto fixed = fixed_.find(shared_.Find(value));
    if (fixed == fixed_.end()) {
      tensor.params = ChooseQParams(tensor.range, tensor.scheme);
      return;
    }
    const QuantizationOverride& first = fixed->second->at(0);
    tensor.scheme = OverrideScheme(tensor.scheme, first);
    tensor.range = OverrideRange(tensor.range, first);
    tensor.params = OverrideParams(tensor.range, tensor.scheme, first);
    tensor.why += ", with what was fixed for it";
    const TensorOverride* own = OverrideOf(value);
    if (own == nullptr || !own->conversion) return;
    const ConversionOverride& conversion = *own->conversion;
    PlannedConversion& planned = tensor.conversion.emplace();
    planned.scheme = OverrideScheme(tensor.scheme, conversion.to);
    planned.params =
        OverrideParams(tensor.range, planned.scheme, conversion.to);
    for (const Use& use : graph_.uses(value)) {
      const std::string& name = graph_.node(use.node).name();
      if (std::find(conversion.receivers.begin(), conversion.receivers.end(),
                    name) != conversion.receivers.end()) {
        planned.receivers.insert(use.node);
      }
    }
  }

  const GraphView& graph_;
  const TargetSpec& target_;
  const CalibrationTable& table_;
  const TensorOverrides* overrides_;
  QuantizationPlan& plan_;
  SharedParameters shared_;
  std::map<std::size_t, const TensorOverride*> fixed_;  // by group
};

}  // namespace internal

/// Fills plan.tensors: every activation that a planned node reads or writes
/// quantized. Values joined by code-moving operators get the union of their
/// ranges, and what `overrides` (if any) fixes for one of them.
/// Errors: kInvalidData for a calibrated range that is not finite.
inline Status ChooseTensorRanges(const GraphView& graph,
                                 const TargetSpec& target,
                                 const CalibrationTable& table,
                                 const TensorOverrides* overrides,
                                 QuantizationPlan& plan) {
  return internal::RangeChooser(graph, target, table, overrides, plan).Run();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_TENSOR_RANGES_H_

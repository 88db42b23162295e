// SharedScales: whether tensors may have one scale, through whatever operators
// they share it.
#ifndef ZEROPOINT_PASSES_SHARED_SCALES_H_
#define ZEROPOINT_PASSES_SHARED_SCALES_H_

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <map>
#include <span>
#include <string>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/operands.h"
#include "zeropoint/passes/tensor_ranges.h"

namespace zeropoint::internal {

/// Filled in topological order: Note for each node that may be quantized.
class SharedScales {
 public:
  SharedScales(const GraphView& graph, const TargetSpec& target,
               const CalibrationTable& table)
      : graph_(graph), target_(target), table_(table) {}

  void Clear() { narrowest_.clear(); }

  /// An operator whose output has the scale of its inputs passes on how narrow
  /// the narrowest of them is.
  void Note(NodeId node, const Operands& operands,
            std::span<const ValueId> outputs) {
    if (operands.output != OutputKind::kSharesInput &&
        operands.output != OutputKind::kUnifiesInputs) {
      return;
    }
    float narrowest = std::numeric_limits<float>::infinity();
    for (const int i : operands.activations) {
      const float width =
          NarrowestOf(graph_.input(node, static_cast<std::size_t>(i)));
      if (width > 0.0f) narrowest = std::min(narrowest, width);
    }
    for (const ValueId output : outputs) narrowest_[output] = narrowest;
  }

  /// Why one scale must not serve all inputs; empty when it may.
  std::string RangesApart(NodeId node, const Operands& operands) const {
    if (operands.output != OutputKind::kUnifiesInputs) return "";
    float narrowest = std::numeric_limits<float>::infinity();
    float widest = 0.0f;
    for (const int i : operands.activations) {
      const ValueId value = graph_.input(node, static_cast<std::size_t>(i));
      const float narrow = NarrowestOf(value);
      // All zero at calibration: any scale will do.
      if (narrow > 0.0f) narrowest = std::min(narrowest, narrow);
      widest = std::max(widest, WidthOf(value));
    }
    if (!(widest > narrowest * target_.unify_within)) return "";
    return "its inputs have ranges of " + ShortNumber(narrowest) + " and " +
           ShortNumber(widest) +
           ": one scale for both would leave little of the narrower";
  }

 private:
  float WidthOf(ValueId value) const {
    const RealRange range =
        WidenRange(OwnRange(graph_, target_,
                            table_.find(graph_.name(value))->second, value)
                       .range,
                   target_.activations);
    return range.hi - range.lo;
  }

  /// The least range that shares its scale with `value` through operators
  /// before it.
  float NarrowestOf(ValueId value) const {
    const auto known = narrowest_.find(value);
    return known == narrowest_.end() ? WidthOf(value) : known->second;
  }

  static std::string ShortNumber(float value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3g", static_cast<double>(value));
    return text;
  }

  const GraphView& graph_;
  const TargetSpec& target_;
  const CalibrationTable& table_;
  std::map<ValueId, float> narrowest_;
};

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_SHARED_SCALES_H_

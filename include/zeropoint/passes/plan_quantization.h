// PlanQuantization: decides what is quantized, before anything is edited.
//
// Four steps: which nodes can be quantized at all (operands.h); which of those
// the target wants, where an "island" operator stays only between quantized
// neighbours (islands.h); which of those are faster in int8, where the target's
// times are known (fastest_islands.h); and which range each tensor on the way
// gets (tensor_ranges.h). Every node that stays float leaves with a reason.
#ifndef ZEROPOINT_PASSES_PLAN_QUANTIZATION_H_
#define ZEROPOINT_PASSES_PLAN_QUANTIZATION_H_

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/fastest_islands.h"
#include "zeropoint/passes/float_units.h"
#include "zeropoint/passes/islands.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/operands.h"
#include "zeropoint/passes/quantization_plan.h"
#include "zeropoint/passes/shared_scales.h"
#include "zeropoint/passes/tensor_ranges.h"
#include "zeropoint/passes/time_model.h"

namespace zeropoint {

namespace internal {

// The overload below must not hide the one for a NodeProto.
using zeropoint::NodeLabel;

/// A name for a node in messages: its own, or that of its first output.
inline std::string NodeLabel(const GraphView& graph, NodeId node) {
  const onnx::NodeProto& proto = graph.node(node);
  if (!proto.name().empty()) return proto.name();
  return proto.output_size() > 0 ? proto.output(0) : "(unnamed)";
}

/// True when the node computes real values from activations: what a report on
/// quantization is about; or an index of them. Shape arithmetic and constants
/// are not.
inline bool ComputesReals(const GraphView& graph, NodeId node,
                          const CalibrationTable& table) {
  const std::string& op_type = graph.node(node).op_type();
  const auto values = op_type == "ArgMax" || op_type == "ArgMin"
                          ? graph.inputs(node)
                          : graph.outputs(node);
  return std::any_of(values.begin(), values.end(), [&](ValueId value) {
    return value != kNoValue && !graph.IsConstant(value) &&
           (IsReal(graph.element_type(value)) ||
            table.contains(graph.name(value)));
  });
}

class Planner {
 public:
  Planner(const GraphView& graph, const TargetSpec& target,
          const NodeSelection& selection, const CalibrationTable& table,
          const TensorOverrides* overrides)
      : graph_(graph),
        target_(target),
        selection_(selection),
        table_(table),
        overrides_(overrides),
        scales_(graph, target, table) {
    if (target.whole_units) units_.emplace(graph);
  }

  Result<QuantizationPlan> Plan() {
    const bool by_times = DecidesByTimes(graph_, target_, table_);
    std::vector<IslandNode> candidates =
        FindCandidates(/*use_bounds=*/!by_times);
    if (!by_times && !HasCompute(candidates) && bounded_ > 0) {
      candidates = FindCandidates(/*use_bounds=*/false);
      plan_.notes.push_back(
          "every convolution and matrix product is below the size from which " +
          std::string(target_.name) +
          " gains by int8; quantized all the same: the file shrinks, but "
          "expect no speed-up");
    }
    KeepIslands(graph_, candidates);
    if (by_times) {
      TimeModel times(graph_, target_.costs, table_);
      KeepFastest(graph_, times, candidates);
      for (const IslandNode& candidate : candidates) {
        if (!candidate.slower) continue;
        plan_.slower.push_back(NodeLabel(graph_, candidate.node));
      }
      NoteIfNothingPays(candidates);
    }
    std::vector<bool> planned(graph_.node_count(), false);
    for (IslandNode& candidate : candidates) {
      if (!candidate.kept) {
        reasons_[candidate.node] = candidate.reason;
        continue;
      }
      planned[static_cast<std::size_t>(candidate.node)] = true;
      TakeIn(candidate);
      PlannedNode& node = plan_.nodes.emplace_back();
      node.node = candidate.node;
      node.operands = std::move(candidate.operands);
      node.quantized_outputs = std::move(candidate.quantized_outputs);
    }
    ZEROPOINT_RETURN_IF_ERROR(
        ChooseTensorRanges(graph_, target_, table_, overrides_, plan_));
    if (target_.shield_float_weights) FindShielded(planned);
    for (auto& [node, reason] : reasons_) {
      plan_.declined.push_back({NodeLabel(graph_, node),
                                graph_.node(node).op_type(),
                                std::move(reason)});
    }
    return std::move(plan_);
  }

 private:
  void NoteIfNothingPays(const std::vector<IslandNode>& candidates) {
    const auto computes = [](const IslandNode& node) {
      return node.operands.macs_per_output > 0;
    };
    if (std::ranges::any_of(candidates, computes) &&
        std::ranges::none_of(candidates, &IslandNode::kept)) {
      plan_.notes.push_back("left float: by the times measured for " +
                            std::string(target_.name) +
                            " no part of it is faster in int8");
    }
  }

  std::vector<IslandNode> FindCandidates(bool use_bounds) {
    std::vector<IslandNode> candidates;
    bounded_ = 0;
    reasons_.clear();
    absorbed_.clear();
    scales_.Clear();
    for (const NodeId node : graph_.nodes()) {
      if (!ComputesReals(graph_, node, table_)) continue;
      IslandNode candidate;
      candidate.node = node;
      const std::string reason = Consider(candidate, use_bounds);
      if (reason.empty()) {
        candidates.push_back(std::move(candidate));
      } else {
        reasons_[node] = reason;
      }
    }
    return candidates;
  }

  /// Fills in the candidate; returns why it is none.
  std::string Consider(IslandNode& candidate, bool use_bounds) {
    const NodeId node = candidate.node;
    const onnx::NodeProto& proto = graph_.node(node);
    if (absorbed_.contains(node)) return "the operator before it stays float";
    const FloatUnit* unit = units_ ? units_->Of(node) : nullptr;
    if (unit != nullptr && IsQuantizedWhole(*unit)) {
      TakePartOf(*unit, candidate);
      return "";
    }
    const OperatorRule* rule =
        proto.domain().empty() ? target_.Find(proto.op_type()) : nullptr;
    if (rule == nullptr) {
      return std::string(target_.name) + " has no integer form of it";
    }
    if (std::string against = selection_.ReasonAgainst(proto);
        !against.empty()) {
      return against;
    }
    const bool named = selection_.Names(proto.op_type());
    if (rule->placement == Placement::kOnRequest && !named) {
      return "int8 gains no speed on " + std::string(target_.name) +
             " and costs accuracy; name it in the operator types to quantize "
             "it";
    }
    OperatorRule applied = *rule;
    if (named) applied.placement = Placement::kAlways;
    Result<Operands> operands = OperandsOf(graph_, node, applied);
    if (!operands.ok()) return operands.status().message();
    candidate.operands = std::move(*operands);
    if (std::string missing = MissingRange(candidate); !missing.empty()) {
      return missing;
    }
    if (std::string apart = scales_.RangesApart(node, candidate.operands);
        !apart.empty()) {
      return apart;
    }
    candidate.island = applied.placement == Placement::kIsland;
    candidate.required = named || !selection_.nodes_to_quantize.empty();
    candidate.reason = "its neighbours are not quantized";
    if (!named && use_bounds) ApplyBounds(*rule, candidate);
    candidate.quantized_outputs =
        QuantizedOutputs(node, candidate.operands.output);
    for (const ValueId output : candidate.quantized_outputs) {
      if (!HasRange(output)) {
        return "its output '" + std::string(graph_.name(output)) +
               "' has no calibrated range";
      }
    }
    scales_.Note(node, candidate.operands, candidate.quantized_outputs);
    return "";
  }

  /// Whether the target and the selection quantize the last node, which stands
  /// for the unit, and the selection no less of it.
  bool IsQuantizedWhole(const FloatUnit& unit) const {
    const OperatorRule* rule = target_.Find(graph_.node(unit.root()).op_type());
    return rule != nullptr &&
           (rule->placement == Placement::kAlways ||
            selection_.Names(graph_.node(unit.root()).op_type())) &&
           HasRange(unit.x) && HasRange(graph_.output(unit.root(), 0)) &&
           std::ranges::all_of(unit.nodes, [&](NodeId node) {
             return selection_.ReasonAgainst(graph_.node(node)).empty();
           });
  }

  /// A node of a unit reads codes of x and real values of the others; the last
  /// one writes codes.
  void TakePartOf(const FloatUnit& unit, IslandNode& candidate) {
    const auto inputs = graph_.inputs(candidate.node);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == unit.x) {
        candidate.operands.activations.push_back(static_cast<int>(i));
      }
    }
    candidate.operands.output = candidate.node == unit.root()
                                    ? OutputKind::kOwnRange
                                    : OutputKind::kFloat;
    candidate.quantized_outputs =
        QuantizedOutputs(candidate.node, candidate.operands.output);
  }

  /// Small or grouped: worth int8 only next to integers.
  void ApplyBounds(const OperatorRule& rule, IslandNode& candidate) {
    const ValueId output = graph_.output(candidate.node, 0);
    const Dims dims = HasRange(output)
                          ? table_.find(graph_.name(output))->second.dims
                          : Dims();
    const std::int64_t macs =
        CountTimes(candidate.operands.macs_per_output, ProductOf(dims));
    const bool known = !dims.empty() && candidate.operands.macs_per_output > 0;
    if (known && rule.min_macs > 0 && macs < rule.min_macs) {
      candidate.island = true;
      candidate.reason = "fewer than " + std::to_string(rule.min_macs) +
                         " multiply-accumulates a sample: int8 pays only "
                         "next to integer neighbours";
      ++bounded_;
    }
    if (rule.grouped_in_islands && candidate.operands.group > 1) {
      candidate.island = true;
      candidate.reason =
          "grouped convolutions are slower in int8 next to float neighbours";
      ++bounded_;
    }
  }

  bool HasRange(ValueId value) const {
    return value != kNoValue && table_.contains(graph_.name(value));
  }

  std::string MissingRange(const IslandNode& candidate) const {
    for (const int i : candidate.operands.activations) {
      const ValueId value =
          graph_.input(candidate.node, static_cast<std::size_t>(i));
      if (!HasRange(value)) {
        return "its input '" + std::string(graph_.name(value)) +
               "' has no calibrated range";
      }
    }
    return "";
  }

  /// The values that carry the node's quantized output: past a Relu or Clip
  /// that is its only consumer, which the range then covers. Only the first
  /// output holds values, except for Split: the others are indices or
  /// statistics.
  std::vector<ValueId> QuantizedOutputs(NodeId node, OutputKind kind) {
    std::vector<ValueId> carriers;
    if (kind == OutputKind::kFloat) return carriers;
    auto outputs = graph_.outputs(node);
    if (graph_.node(node).op_type() != "Split" && !outputs.empty()) {
      outputs = outputs.first(1);
    }
    for (ValueId output : outputs) {
      if (output == kNoValue) continue;
      while (kind == OutputKind::kOwnRange && graph_.has_single_use(output)) {
        const Use use = graph_.uses(output)[0];
        const onnx::NodeProto& next = graph_.node(use.node);
        const bool activation =
            next.domain().empty() && use.input == 0 &&
            (next.op_type() == "Relu" || next.op_type() == "Clip");
        if (!activation || graph_.scope(use.node) != graph_.scope(node) ||
            !HasRange(graph_.output(use.node, 0))) {
          break;
        }
        output = graph_.output(use.node, 0);
        absorbed_.insert(use.node);
      }
      carriers.push_back(output);
    }
    return carriers;
  }

  static bool HasCompute(const std::vector<IslandNode>& candidates) {
    for (const IslandNode& candidate : candidates) {
      if (!candidate.island && candidate.operands.macs_per_output > 0) {
        return true;
      }
    }
    return false;
  }

  /// Float nodes with float weights that read a dequantized value and whose
  /// output is quantized again.
  void FindShielded(const std::vector<bool>& planned) {
    for (const NodeId node : graph_.nodes()) {
      const onnx::NodeProto& proto = graph_.node(node);
      const bool weighted = proto.op_type() == "Conv" ||
                            proto.op_type() == "ConvTranspose" ||
                            proto.op_type() == "Gemm";
      if (!weighted || planned[static_cast<std::size_t>(node)] ||
          !graph_.IsConstant(graph_.input(node, 1))) {
        continue;
      }
      const auto input = plan_.tensors.find(graph_.input(node, 0));
      if (input == plan_.tensors.end() || !input->second.produced_quantized) {
        continue;
      }
      for (const ValueId output :
           QuantizedOutputs(node, OutputKind::kOwnRange)) {
        if (plan_.tensors.contains(output)) {
          plan_.shielded.push_back(node);
          break;
        }
      }
    }
  }

  /// The activations between a node and the values that carry its quantized
  /// output belong to it.
  void TakeIn(const IslandNode& candidate) {
    for (ValueId value : candidate.quantized_outputs) {
      for (NodeId node = graph_.producer(value); node != candidate.node;
           node = graph_.producer(graph_.input(node, 0))) {
        reasons_.erase(node);
        plan_.absorbed.push_back(node);
      }
    }
  }

  const GraphView& graph_;
  const TargetSpec& target_;
  const NodeSelection& selection_;
  const CalibrationTable& table_;
  const TensorOverrides* overrides_;
  SharedScales scales_;
  std::optional<FloatUnits> units_;
  QuantizationPlan plan_;
  /// By id, which follows the order of the file.
  std::map<NodeId, std::string> reasons_;
  /// Activations that a candidate's quantized output lies behind.
  std::set<NodeId> absorbed_;
  std::size_t bounded_ = 0;
};

}  // namespace internal

/// Decides what to quantize for `target`, in the main graph and in the bodies
/// of If, Loop and Scan, from the calibrated ranges in `table` and what
/// `overrides` (if any) fixes for single tensors.
///
/// Errors: kInvalidData when a needed range is not finite.   Cost: linear in
/// the nodes.
inline Result<QuantizationPlan> PlanQuantization(
    const GraphView& graph, const TargetSpec& target,
    const NodeSelection& selection, const CalibrationTable& table,
    const TensorOverrides* overrides = nullptr) {
  return internal::Planner(graph, target, selection, table, overrides).Plan();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_PLAN_QUANTIZATION_H_

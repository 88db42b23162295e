// CalibrationTargets: which tensors a target needs ranges of.
#ifndef ZEROPOINT_PASSES_CALIBRATION_TARGETS_H_
#define ZEROPOINT_PASSES_CALIBRATION_TARGETS_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/node_selection.h"

namespace zeropoint {

/// One tensor to observe.
struct CalibrationTarget {
  std::string name;
  /// Also the mean of each index of axis 1, for bias correction.
  bool channel_means = false;
};

/// The activations that PlanQuantization may ask for, in all scopes: inputs and
/// outputs of the nodes that `target` and `selection` let be quantized, past a
/// Relu or Clip. Sorted by name; values of sibling bodies that share a name are
/// one target and get one range.
inline std::vector<CalibrationTarget> CalibrationTargets(
    const GraphView& graph, const TargetSpec& target,
    const NodeSelection& selection) {
  std::set<ValueId> values;
  std::set<ValueId> means;
  const auto add = [&](ValueId value) {
    if (value == kNoValue || graph.IsConstant(value)) return;
    const DataType type = graph.element_type(value);
    if (IsReal(type) || type == DataType::kUndefined) {
      values.insert(value);
    }
  };
  for (const NodeId node : graph.nodes()) {
    const onnx::NodeProto& proto = graph.node(node);
    const OperatorRule* rule =
        proto.domain().empty() ? target.Find(proto.op_type()) : nullptr;
    if (rule == nullptr || !selection.ReasonAgainst(proto).empty() ||
        (rule->placement == Placement::kOnRequest &&
         !selection.Names(proto.op_type()))) {
      continue;
    }
    for (const ValueId input : graph.inputs(node)) add(input);
    for (ValueId output : graph.outputs(node)) {
      add(output);
      while (output != kNoValue && graph.has_single_use(output)) {
        const Use use = graph.uses(output)[0];
        const onnx::NodeProto& next = graph.node(use.node);
        if (use.input != 0 || graph.scope(use.node) != graph.scope(node) ||
            !next.domain().empty() ||
            (next.op_type() != "Relu" && next.op_type() != "Clip")) {
          break;
        }
        output = graph.output(use.node, 0);
        add(output);
      }
    }
    if (proto.op_type() == "Conv" || proto.op_type() == "ConvTranspose" ||
        proto.op_type() == "Gemm") {
      means.insert(graph.input(node, 0));
    }
  }
  std::map<std::string_view, bool> sorted;
  for (const ValueId value : values) {
    sorted[graph.name(value)] |= means.contains(value);
  }
  std::vector<CalibrationTarget> targets;
  for (const auto& [name, mean] : sorted) {
    targets.push_back({std::string(name), mean});
  }
  return targets;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_CALIBRATION_TARGETS_H_

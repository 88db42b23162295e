// NodeSelection: which nodes the user wants quantized.
#ifndef ZEROPOINT_PASSES_NODE_SELECTION_H_
#define ZEROPOINT_PASSES_NODE_SELECTION_H_

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/graph_view.h"

namespace zeropoint {

/// Empty lists select everything that the target quantizes.
struct NodeSelection {
  /// Only these operator types; naming one also takes it where the target would
  /// leave it float for speed.
  std::vector<std::string> op_types_to_quantize;
  /// Only these nodes, by name.
  std::vector<std::string> nodes_to_quantize;
  std::vector<std::string> nodes_to_exclude;

  bool Names(std::string_view op_type) const {
    return std::find(op_types_to_quantize.begin(), op_types_to_quantize.end(),
                     op_type) != op_types_to_quantize.end();
  }

  /// Empty when the node is selected; otherwise the reason why not.
  std::string ReasonAgainst(const onnx::NodeProto& node) const {
    if (!op_types_to_quantize.empty() && !Names(node.op_type())) {
      return "its operator type is not among those to quantize";
    }
    const auto lists = [&node](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), node.name()) != names.end();
    };
    if (!nodes_to_quantize.empty() && !lists(nodes_to_quantize)) {
      return "it is not among the nodes to quantize";
    }
    return lists(nodes_to_exclude) ? "it is excluded" : "";
  }
};

/// Whether everything that `selection` names is there: a name that matches
/// nothing is a mistake, not a wish. Errors: kInvalidArgument naming the first
/// one, with the operator types that the target knows.
inline Status CheckSelection(const NodeSelection& selection,
                             const GraphView& graph, const TargetSpec& target) {
  std::set<std::string, std::less<>> names;
  for (const NodeId node : graph.nodes()) names.insert(graph.node(node).name());
  for (const auto* list :
       {&selection.nodes_to_quantize, &selection.nodes_to_exclude}) {
    for (const std::string& name : *list) {
      if (name.empty() || !names.contains(name)) {
        return InvalidArgument("the model has no node named '" + name +
                               "'; `zeropoint inspect` lists its nodes");
      }
    }
  }
  for (const std::string& op_type : selection.op_types_to_quantize) {
    if (target.Find(op_type) != nullptr) continue;
    std::set<std::string_view> known;
    for (const OperatorRule& rule : target.operators)
      known.insert(rule.op_type);
    std::string list;
    for (const std::string_view each : known) {
      list += (list.empty() ? "" : ", ") + std::string(each);
    }
    return InvalidArgument("operator type '" + op_type +
                           "' cannot be quantized for " +
                           std::string(target.name) + "; known: " + list);
  }
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_NODE_SELECTION_H_

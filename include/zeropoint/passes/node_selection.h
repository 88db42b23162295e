// NodeSelection: which nodes the user wants quantized.
//
// It is written against the model that the user knows, and needed after the
// clean-up, where nodes were fused and values renamed. So it is resolved once,
// at the start, into the labels of nodes, which the clean-up keeps.
#ifndef ZEROPOINT_PASSES_NODE_SELECTION_H_
#define ZEROPOINT_PASSES_NODE_SELECTION_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/nearest_names.h"
#include "zeropoint/core/regular_expression.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/nodes_between.h"

namespace zeropoint {

/// True for a node that shall be quantized.
using NodePredicate = std::function<bool(const GraphView& graph, NodeId node)>;

/// Empty lists select everything that the target quantizes; what is not empty
/// must all hold: a node of one of the types, among the nodes, in one of the
/// sub-graphs, for which the predicate is true, and not excluded.
///
/// A node is named by its name, or by its first output when it has none;
/// "re:" and a regular expression (core/regular_expression.h) name every node
/// in whose name the expression occurs: "re:^/block3/".
struct NodeSelection {
  /// Only these operator types; naming one also takes it where the target would
  /// leave it float for speed.
  std::vector<std::string> op_types_to_quantize;
  std::vector<std::string> nodes_to_quantize;
  std::vector<std::string> nodes_to_exclude;
  std::vector<Subgraph> subgraphs_to_quantize;
  NodePredicate quantize_if;

  using Labels = std::set<std::string, std::less<>>;
  /// Filled by ResolveSelection: the labels of what the lists and the predicate
  /// select, nothing when they select everything; and of what is excluded.
  std::optional<Labels> selected;
  std::optional<Labels> excluded;

  bool Names(std::string_view op_type) const {
    return std::find(op_types_to_quantize.begin(), op_types_to_quantize.end(),
                     op_type) != op_types_to_quantize.end();
  }

  /// Leaves out one more node, also of a resolved selection.
  void Exclude(const std::string& label) {
    nodes_to_exclude.push_back(label);
    if (excluded) excluded->insert(label);
  }

  /// The name by which a selection knows the node.
  static std::string_view Label(const onnx::NodeProto& node) {
    if (!node.name().empty() || node.output_size() == 0) return node.name();
    return node.output(0);
  }

  /// Empty when the node is selected; otherwise the reason why not. A selection
  /// that was not resolved knows plain names only.
  std::string ReasonAgainst(const onnx::NodeProto& node) const {
    if (!op_types_to_quantize.empty() && !Names(node.op_type())) {
      return "its operator type is not among those to quantize";
    }
    const std::string_view label = Label(node);
    const auto lists = [label](const std::optional<Labels>& resolved,
                               const std::vector<std::string>& names) {
      return resolved
                 ? resolved->contains(label)
                 : std::find(names.begin(), names.end(), label) != names.end();
    };
    if ((selected || !nodes_to_quantize.empty()) &&
        !lists(selected, nodes_to_quantize)) {
      return "it is not among the nodes to quantize";
    }
    return lists(excluded, nodes_to_exclude) ? "it is excluded" : "";
  }
};

namespace internal {

inline constexpr std::string_view kPatternPrefix = "re:";

}  // namespace internal

/// Splits "conv1,re:^block[0-9]{1,2}/,fc" at its commas; one within the
/// brackets of a regular expression belongs to it. Empty parts are dropped.
inline std::vector<std::string> SplitNodeNames(std::string_view text) {
  std::vector<std::string> names;
  std::string name;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool pattern = name.starts_with(internal::kPatternPrefix);
    if (c == ',' && depth == 0) {
      if (!name.empty()) names.push_back(std::move(name));
      name.clear();
      continue;
    }
    name += c;
    if (!pattern) continue;
    if (c == '\\' && i + 1 < text.size()) {
      name += text[++i];
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if ((c == ')' || c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  if (!name.empty()) names.push_back(std::move(name));
  return names;
}

namespace internal {

/// Finds what a selection names in one graph.
class SelectionResolver {
 public:
  explicit SelectionResolver(const GraphView& graph) {
    for (const NodeId node : graph.nodes()) {
      labels_.emplace_back(NodeSelection::Label(graph.node(node)));
      nodes_.push_back(node);
    }
  }

  /// The nodes that a list of names and patterns names.
  Result<std::set<NodeId>> Find(const std::vector<std::string>& names) const {
    std::set<NodeId> found;
    for (const std::string& name : names) {
      const std::size_t before = found.size();
      bool known = false;
      std::optional<RegularExpression> pattern;
      if (name.starts_with(kPatternPrefix)) {
        ZEROPOINT_ASSIGN_OR_RETURN(
            pattern,
            RegularExpression::Compile(name.substr(kPatternPrefix.size())));
      }
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (pattern ? !pattern->FindIn(labels_[i])
                    : labels_[i] != name || name.empty()) {
          continue;
        }
        found.insert(nodes_[i]);
        known = true;
      }
      if (!known && found.size() == before) return NoNode(name);
    }
    return found;
  }

 private:
  Status NoNode(const std::string& name) const {
    if (!name.starts_with(kPatternPrefix)) {
      return InvalidArgument("the model has no node named '" + name + "'" +
                             NearestNames(name, labels_) +
                             "; `zeropoint inspect` lists its nodes");
    }
    std::string plain;
    for (const char c : name.substr(kPatternPrefix.size())) {
      constexpr std::string_view kOperators = "^$.*+?()[]{}|\\";
      if (kOperators.find(c) == std::string_view::npos) plain += c;
    }
    return InvalidArgument("the model has no node whose name matches '" + name +
                           "'" + NearestNames(plain, labels_));
  }

  std::vector<NodeId> nodes_;
  std::vector<std::string> labels_;
};

/// What the lists and the predicate select; nothing when they are empty.
inline Result<std::optional<std::set<NodeId>>> SelectedNodes(
    const NodeSelection& selection, const GraphView& graph,
    const SelectionResolver& resolver) {
  std::optional<std::set<NodeId>> selected;
  const auto narrow = [&selected](std::set<NodeId> nodes) {
    if (selected) {
      std::erase_if(nodes, [&](NodeId id) { return !selected->contains(id); });
    }
    selected = std::move(nodes);
  };
  if (!selection.nodes_to_quantize.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(std::set<NodeId> named,
                               resolver.Find(selection.nodes_to_quantize));
    narrow(std::move(named));
  }
  if (!selection.subgraphs_to_quantize.empty()) {
    std::set<NodeId> inside;
    for (const Subgraph& subgraph : selection.subgraphs_to_quantize) {
      ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<NodeId> nodes,
                                 NodesBetween(graph, subgraph));
      inside.insert(nodes.begin(), nodes.end());
    }
    narrow(std::move(inside));
  }
  if (selection.quantize_if) {
    std::set<NodeId> wanted;
    for (const NodeId node : graph.nodes()) {
      if (selection.quantize_if(graph, node)) wanted.insert(node);
    }
    narrow(std::move(wanted));
  }
  if (selected && selected->empty()) {
    return InvalidArgument(
        "no node is in all of what is selected: the nodes, the sub-graphs and "
        "the predicate");
  }
  return selected;
}

/// Gives nodes without a name their label as name: fused into another node,
/// they would lose the output that it comes from.
inline NodeSelection::Labels KeepLabels(const std::set<NodeId>& nodes,
                                        Rewriter& rewriter) {
  NodeSelection::Labels labels;
  for (const NodeId node : nodes) {
    const onnx::NodeProto& proto = rewriter.view().node(node);
    const std::string label(NodeSelection::Label(proto));
    if (proto.name().empty()) rewriter.SetNodeName(node, label);
    labels.insert(label);
  }
  return labels;
}

}  // namespace internal

/// Resolves `selection` in `graph`, the model as the user knows it: what comes
/// back holds for that graph and for what the clean-up makes of it. Nodes that
/// are named and have no name get one. `op_types` are those that can be
/// quantized for the target called `target`.
///
/// What matches nothing is a mistake, not a wish. Errors: kInvalidArgument
/// naming it, with the nearest names that there are.
inline Result<NodeSelection> ResolveSelection(
    const NodeSelection& selection, GraphView& graph,
    std::span<const std::string_view> op_types, std::string_view target) {
  const std::set<std::string_view> known(op_types.begin(), op_types.end());
  for (const std::string& op_type : selection.op_types_to_quantize) {
    if (known.contains(op_type)) continue;
    std::string list;
    for (const std::string_view each : known) {
      list += (list.empty() ? "" : ", ") + std::string(each);
    }
    return InvalidArgument(
        "operator type '" + op_type + "' cannot be quantized for " +
        std::string(target) +
        NearestNames(op_type, {op_types.begin(), op_types.end()}) +
        "; known: " + list);
  }
  const internal::SelectionResolver resolver(graph);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const auto selected, internal::SelectedNodes(selection, graph, resolver));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::set<NodeId> excluded,
                             resolver.Find(selection.nodes_to_exclude));
  NodeSelection resolved = selection;
  Rewriter rewriter(graph);
  if (selected) resolved.selected = internal::KeepLabels(*selected, rewriter);
  resolved.excluded = internal::KeepLabels(excluded, rewriter);
  return resolved;
}

/// Whether `graph`, after the clean-up, has a node of each operator type that
/// `selection` names. Errors: kInvalidArgument naming the first that has none,
/// with the nearest types that there are.
inline Status CheckOperatorTypes(const NodeSelection& selection,
                                 const GraphView& graph) {
  std::set<std::string> present;
  for (const NodeId node : graph.nodes()) {
    present.insert(graph.node(node).op_type());
  }
  for (const std::string& op_type : selection.op_types_to_quantize) {
    if (present.contains(op_type)) continue;
    return InvalidArgument(
        "the model has no node of type '" + op_type + "'" +
        NearestNames(op_type, {present.begin(), present.end()}));
  }
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_NODE_SELECTION_H_

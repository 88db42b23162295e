// NodesBetween: a part of a graph, given by the tensors at its border.
#ifndef ZEROPOINT_PASSES_NODES_BETWEEN_H_
#define ZEROPOINT_PASSES_NODES_BETWEEN_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/nearest_names.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"

namespace zeropoint {

/// The nodes on the ways from `inputs` to `outputs`, tensors of the main graph.
struct Subgraph {
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

/// Reads "in1,in2->out1,out2".
/// Errors: kInvalidArgument for a text without "->", or with nothing on a side.
inline Result<Subgraph> ParseSubgraph(std::string_view text) {
  constexpr std::string_view kArrow = "->";
  const std::size_t arrow = text.find(kArrow);
  Subgraph subgraph;
  const auto split = [](std::string_view names,
                        std::vector<std::string>& list) {
    while (!names.empty()) {
      const std::size_t comma = std::min(names.find(','), names.size());
      if (comma > 0) list.emplace_back(names.substr(0, comma));
      names.remove_prefix(std::min(comma + 1, names.size()));
    }
  };
  if (arrow != std::string_view::npos) {
    split(text.substr(0, arrow), subgraph.inputs);
    split(text.substr(arrow + kArrow.size()), subgraph.outputs);
  }
  if (subgraph.inputs.empty() || subgraph.outputs.empty()) {
    return InvalidArgument("sub-graph '" + std::string(text) +
                           "' is not of the form input,input->output");
  }
  return subgraph;
}

namespace internal {

/// Two walks over the main graph. A node counts as the reader of what is read
/// in its bodies.
class BetweenWalk {
 public:
  explicit BetweenWalk(const GraphView& graph)
      : graph_(graph),
        after_(graph.node_count(), false),
        before_(graph.node_count(), false) {}

  void GoForward(std::vector<ValueId> values) {
    while (!values.empty()) {
      const ValueId value = values.back();
      values.pop_back();
      for (const Use& use : graph_.uses(value)) {
        const NodeId node = InMainGraph(use.node);
        if (after_[IndexOf(node)]) continue;
        after_[IndexOf(node)] = true;
        for (const ValueId output : graph_.outputs(node)) {
          if (output != kNoValue) values.push_back(output);
        }
      }
    }
  }

  void GoBack(const std::vector<ValueId>& values) {
    std::vector<NodeId> open;
    const auto visit = [&](ValueId value) {
      if (value == kNoValue || graph_.producer(value) == kNoNode) return;
      const NodeId node = InMainGraph(graph_.producer(value));
      if (before_[IndexOf(node)]) return;
      before_[IndexOf(node)] = true;
      open.push_back(node);
    };
    for (const ValueId value : values) visit(value);
    while (!open.empty()) {
      std::vector<NodeId> inside = {open.back()};
      open.pop_back();
      while (!inside.empty()) {
        const NodeId node = inside.back();
        inside.pop_back();
        for (const ValueId input : graph_.inputs(node)) visit(input);
        for (const ScopeId body : graph_.bodies(node)) {
          for (const ValueId output : graph_.graph_outputs(body)) visit(output);
          const std::vector<NodeId> nodes = graph_.nodes(body);
          inside.insert(inside.end(), nodes.begin(), nodes.end());
        }
      }
    }
  }

  /// What both walks met, and what lies in the bodies of it.
  std::vector<NodeId> Met() const {
    std::vector<NodeId> met;
    for (const NodeId node : graph_.nodes()) {
      const std::size_t owner = IndexOf(InMainGraph(node));
      if (after_[owner] && before_[owner]) met.push_back(node);
    }
    return met;
  }

 private:
  NodeId InMainGraph(NodeId node) const {
    while (graph_.scope(node) != kMainScope) {
      node = graph_.owner(graph_.scope(node));
    }
    return node;
  }

  const GraphView& graph_;
  std::vector<bool> after_;
  std::vector<bool> before_;
};

}  // namespace internal

/// The nodes that depend on an input of `subgraph` and on which an output of it
/// depends, bodies included.
///
/// Errors: kInvalidArgument for a tensor that is not there, with the nearest
/// names, and when no way leads from the inputs to the outputs.
/// Cost: linear in the graph.
inline Result<std::vector<NodeId>> NodesBetween(const GraphView& graph,
                                                const Subgraph& subgraph) {
  const auto find = [&graph](const std::vector<std::string>& names)
      -> Result<std::vector<ValueId>> {
    std::vector<ValueId> values;
    for (const std::string& name : names) {
      const ValueId value = graph.Find(name);
      if (value == kNoValue) {
        std::vector<std::string> known;
        for (std::size_t i = 0; i < graph.value_count(); ++i) {
          known.emplace_back(graph.name(static_cast<ValueId>(i)));
        }
        return InvalidArgument("the model has no tensor named '" + name + "'" +
                               NearestNames(name, known));
      }
      values.push_back(value);
    }
    return values;
  };
  ZEROPOINT_ASSIGN_OR_RETURN(auto inputs, find(subgraph.inputs));
  ZEROPOINT_ASSIGN_OR_RETURN(auto outputs, find(subgraph.outputs));
  internal::BetweenWalk walk(graph);
  walk.GoForward(std::move(inputs));
  walk.GoBack(outputs);
  std::vector<NodeId> nodes = walk.Met();
  if (nodes.empty()) {
    return InvalidArgument("no node lies between '" + subgraph.inputs.front() +
                           "' and '" + subgraph.outputs.front() +
                           "': nothing of the outputs depends on the inputs");
  }
  return nodes;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_NODES_BETWEEN_H_

// The edits that most rewrites end in: a constant replaced, nodes fused, what
// nothing reads erased.
#ifndef ZEROPOINT_GRAPH_EDIT_NODES_H_
#define ZEROPOINT_GRAPH_EDIT_NODES_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/rewriter.h"

namespace zeropoint {

/// Removes the node that computes `value`, when nothing reads its outputs.
inline void EraseIfUnused(const GraphView& graph, Rewriter& rewriter,
                          ValueId value) {
  if (value == kNoValue) return;
  const NodeId node = graph.producer(value);
  if (node != kNoNode && HasNoOutputFrom(graph, node, 0)) rewriter.Erase(node);
}

/// Lets `use` read the constant `tensor`. A constant that nothing else reads is
/// replaced under its own name; otherwise a new one gets a name from the old,
/// or from `hint` where there was none.
inline void ReplaceConstant(const GraphView& graph, Rewriter& rewriter, Use use,
                            const TensorView& tensor,
                            std::string_view hint = "constant") {
  const ValueId old =
      graph.input(use.node, static_cast<std::size_t>(use.input));
  if (old != kNoValue && graph.has_single_use(old) &&
      !graph.is_graph_input(old)) {
    if (graph.producer(old) != kNoNode) rewriter.Erase(graph.producer(old));
    rewriter.SetInitializer(old, EncodeTensor("", tensor));
    return;
  }
  const std::string_view name = old == kNoValue ? hint : graph.name(old);
  rewriter.SetInput(use.node, use.input,
                    rewriter.AddInitializer(EncodeTensor(name, tensor),
                                            graph.scope(use.node)));
}

/// Puts one node of type `fused.op_type()` in the place of `nodes`: it produces
/// `output`, which one of them produced, under the name of the first.
inline void FuseNodes(const GraphView& graph, Rewriter& rewriter,
                      std::span<const NodeId> nodes, onnx::NodeProto fused,
                      std::span<const ValueId> inputs, ValueId output) {
  const ScopeId scope = graph.scope(nodes.front());
  fused.set_name(graph.node(nodes.front()).name());
  for (const NodeId node : nodes) rewriter.Erase(node);
  for (const ValueId input : inputs) {
    fused.add_input(std::string(graph.name(input)));
  }
  fused.add_output(std::string(graph.name(output)));
  rewriter.Add(std::move(fused), scope);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_EDIT_NODES_H_

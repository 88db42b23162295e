// What patterns ask of a node: is it this operator, who computes its input, who
// alone reads its output.
#ifndef ZEROPOINT_PASSES_NODE_FACTS_H_
#define ZEROPOINT_PASSES_NODE_FACTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/rewriter.h"

namespace zeropoint::internal {

/// True for a live node of the default domain with one of these operators.
inline bool IsOneOf(const GraphView& graph, NodeId node,
                    std::span<const std::string_view> op_types) {
  if (node == kNoNode || !graph.alive(node)) return false;
  const onnx::NodeProto& proto = graph.node(node);
  return (proto.domain().empty() || proto.domain() == "ai.onnx") &&
         std::find(op_types.begin(), op_types.end(), proto.op_type()) !=
             op_types.end();
}
inline bool IsOp(const GraphView& graph, NodeId node,
                 std::string_view op_type) {
  return IsOneOf(graph, node, {&op_type, 1});
}

/// The node that computes `value`, when it is an `op_type`; else kNoNode.
inline NodeId ProducerIfOp(const GraphView& graph, ValueId value,
                           std::string_view op_type) {
  if (value == kNoValue) return kNoNode;
  const NodeId node = graph.producer(value);
  return IsOp(graph, node, op_type) ? node : kNoNode;
}

/// The one node that reads `value`, when nothing else does, it is no graph
/// output, and the reader stands in the same scope: a body may run many times,
/// or never. Otherwise kNoNode.
inline NodeId SoleReader(const GraphView& graph, ValueId value) {
  if (value == kNoValue || !graph.has_single_use(value)) return kNoNode;
  const NodeId reader = graph.uses(value)[0].node;
  return graph.scope(reader) == graph.scope(value) ? reader : kNoNode;
}

/// True when nothing reads output `index` of the node or any later one.
inline bool HasNoOutputFrom(const GraphView& graph, NodeId node,
                            std::size_t index) {
  const auto outputs = graph.outputs(node);
  for (std::size_t i = index; i < outputs.size(); ++i) {
    if (outputs[i] == kNoValue) continue;
    if (!graph.uses(outputs[i]).empty() || graph.is_graph_output(outputs[i])) {
      return false;
    }
  }
  return true;
}

/// "HardSwish needs opset 14; the model has 12": for Decline.
inline std::string NeedsOpset(const GraphView& graph, std::string_view op_type,
                              std::int64_t opset) {
  return std::string(op_type) + " needs opset " + std::to_string(opset) +
         "; the model has " + std::to_string(graph.model().opset());
}

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

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_NODE_FACTS_H_

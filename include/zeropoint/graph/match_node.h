// Matchers of nodes: is it this operator, who computes its input, who alone
// reads its output.
#ifndef ZEROPOINT_GRAPH_MATCH_NODE_H_
#define ZEROPOINT_GRAPH_MATCH_NODE_H_

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "zeropoint/graph/graph_view.h"

namespace zeropoint {

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

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_MATCH_NODE_H_

// FloatUnits: nodes that are one function together, computed in float between
// pairs.
//
// HardSwish and, from opset 17 and 20 on, LayerNormalization and Gelu become
// one operator before anything is quantized. SiLU has no operator below opset
// 24, and a model keeps its opset. Their pieces must not be quantized each: the
// square inside a normalization, or 1 + erf(x), has a range of its own whose
// rounding the rest of the function multiplies.
#ifndef ZEROPOINT_PASSES_FLOAT_UNITS_H_
#define ZEROPOINT_PASSES_FLOAT_UNITS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/passes/fuse_gelu.h"
#include "zeropoint/passes/fuse_hard_swish.h"
#include "zeropoint/passes/fuse_layer_norm.h"
#include "zeropoint/passes/product.h"

namespace zeropoint {

/// y = f(x) in several nodes, whose inner values nothing else reads.
struct FloatUnit {
  ValueId x = kNoValue;
  std::vector<NodeId> nodes;  // the one that makes y first

  NodeId root() const { return nodes.front(); }
};

namespace internal {

/// x * f(x), where f is Sigmoid of x or of c * x (SiLU, also called Swish), or
/// Tanh of Softplus of x (Mish).
inline std::optional<FloatUnit> GatedBySelf(const GraphView& graph,
                                            NodeId root) {
  if (!IsOp(graph, root, "Mul")) return std::nullopt;
  for (const std::size_t side : {0u, 1u}) {
    FloatUnit unit{graph.input(root, side), {root}};
    ValueId gate = graph.input(root, 1 - side);
    if (unit.x == gate) return std::nullopt;
    const auto step_back = [&](const char* op_type) {
      const NodeId node = ProducerIfOp(graph, gate, op_type);
      if (node == kNoNode || SoleReader(graph, gate) != unit.nodes.back()) {
        return false;
      }
      unit.nodes.push_back(node);
      gate = graph.input(node, 0);
      return true;
    };
    if (step_back("Sigmoid")) {
      if (gate == unit.x) return unit;
      const NodeId scale = ProducerIfOp(graph, gate, "Mul");
      const auto product =
          scale == kNoNode ? std::nullopt : ProductAt(graph, scale);
      if (product && product->nodes.size() == 1 &&
          product->factors == std::vector{unit.x} && step_back("Mul")) {
        return unit;
      }
    } else if (step_back("Tanh") && step_back("Softplus") && gate == unit.x) {
      return unit;
    }
  }
  return std::nullopt;
}

}  // namespace internal

/// The units of all scopes: SiLU, Mish, Gelu, hard-swish and normalization over
/// the last axis in pieces.   Cost: linear in the nodes.
class FloatUnits {
 public:
  explicit FloatUnits(const GraphView& graph) {
    for (const NodeId root : graph.nodes()) {
      if (auto unit = internal::GatedBySelf(graph, root)) {
        Add(std::move(*unit));
      } else if (auto gelu = FuseGelu::Find(graph, root)) {
        Add({gelu->x, std::move(gelu->nodes)});
      } else if (auto swish = FuseHardSwish::Find(graph, root)) {
        Add({swish->x, std::move(swish->nodes)});
      } else if (auto norm = FuseLayerNorm::Find(graph, root)) {
        Add({norm->x, std::move(norm->nodes)});
      }
    }
  }

  /// The unit that the node is in, or nullptr.
  const FloatUnit* Of(NodeId node) const {
    const auto found = unit_of_.find(node);
    return found == unit_of_.end() ? nullptr : &units_[found->second];
  }

 private:
  void Add(FloatUnit unit) {
    for (const NodeId node : unit.nodes) unit_of_[node] = units_.size();
    units_.push_back(std::move(unit));
  }

  std::vector<FloatUnit> units_;
  std::map<NodeId, std::size_t> unit_of_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FLOAT_UNITS_H_

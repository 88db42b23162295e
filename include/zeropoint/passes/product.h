// Product: what a tree of Mul and Div multiplies, however it is written.
//
//   (x * c) / 6,   x * (c / 6),   (0.1666 * x) * c   are all   1/6 * x * c
//
// Units such as HardSwish and Gelu are products that exporters associate in
// every possible way; patterns look at the factors instead of the tree.
#ifndef ZEROPOINT_PASSES_PRODUCT_H_
#define ZEROPOINT_PASSES_PRODUCT_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"

namespace zeropoint::internal {

/// coefficient * factors[0] * factors[1] * ...
struct Product {
  double coefficient = 1;
  std::vector<ValueId> factors;
  /// The Mul and Div nodes, the root first; the others are read by nothing
  /// else.
  std::vector<NodeId> nodes;
};

/// A tree of at most this many nodes: enough for two factors and one constant
/// in any order.
inline constexpr std::size_t kLargestProduct = 3;

/// The product that `root`, a Mul or a Div by a float constant, computes.
/// Scalar constants must not add axes (ScalarBeside).
inline std::optional<Product> ProductAt(const GraphView& graph, NodeId root) {
  Product product;
  product.nodes.push_back(root);
  const auto take = [&](ValueId operand, NodeId reader) {
    const NodeId node = operand == kNoValue ? kNoNode : graph.producer(operand);
    const bool inner =
        product.nodes.size() < kLargestProduct &&
        SoleReader(graph, operand) == reader &&
        (IsOp(graph, node, "Mul") ||
         (IsOp(graph, node, "Div") &&
          ScalarBeside(graph, graph.input(node, 1), graph.input(node, 0))));
    if (inner) {
      product.nodes.push_back(node);
    } else {
      product.factors.push_back(operand);
    }
  };
  for (std::size_t i = 0; i < product.nodes.size(); ++i) {
    const NodeId node = product.nodes[i];
    const ValueId a = graph.input(node, 0);
    const ValueId b = graph.input(node, 1);
    const auto second = ScalarBeside(graph, b, a);
    if (IsOp(graph, node, "Div")) {
      if (!second || *second == 0) return std::nullopt;
      product.coefficient /= *second;
      take(a, node);
    } else if (second) {
      product.coefficient *= *second;
      take(a, node);
    } else if (const auto first = ScalarBeside(graph, a, b)) {
      product.coefficient *= *first;
      take(b, node);
    } else {
      take(a, node);
      take(b, node);
    }
  }
  return product;
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_PRODUCT_H_

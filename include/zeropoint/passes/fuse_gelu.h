// FuseGelu: 0.5 * x * (1 + erf(x / sqrt(2))) becomes one operator.
#ifndef ZEROPOINT_PASSES_FUSE_GELU_H_
#define ZEROPOINT_PASSES_FUSE_GELU_H_

#include <array>
#include <cstddef>
#include <numbers>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/product.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Fuses 0.5 * x * (1 + erf(x / sqrt(2))), factors in any order and each
/// constant as Mul or Div, into Gelu. Needs opset 20: below, each unit is
/// declined. Inner values with another reader, or that are graph outputs, stay.
/// Enters bodies.
/// Exact: up to the rounding of a few float operations (constants must be
/// within 1e-5). Source: ONNX Gelu-20.
class FuseGelu {
 public:
  static constexpr std::string_view kName = "fuse-gelu";
  static constexpr std::string_view kHelp =
      "Fuses 0.5 * x * (1 + erf(x / sqrt(2))) into Gelu (opset 20)";
  static constexpr std::string_view kSketch =
      "x -> Div(sqrt 2) -> Erf -> Add(1) -> Mul(x) -> Mul(0.5) -> y\n"
      "x -> Gelu -> y";
  static constexpr std::array<std::string_view, 2> kRoots = {"Mul", "Div"};
  static constexpr std::string_view kFused = "Gelu";
  static constexpr std::int64_t kSinceOpset = 20;

  struct Found {
    ValueId x;
    std::vector<NodeId> nodes;  // the root first
  };

  /// The unit whose last node is `root`, whatever the opset.
  static std::optional<Found> Find(const GraphView& graph, NodeId root) {
    const auto product = internal::ProductAt(graph, root);
    if (!product || product->factors.size() != 2 ||
        !IsAbout(product->coefficient, 0.5)) {
      return std::nullopt;
    }
    for (const std::size_t gate : {0u, 1u}) {
      const ValueId x = product->factors[1 - gate];
      const auto inner = OnePlusErf(graph, product->factors[gate], x);
      if (inner.empty()) continue;
      Found found{x, product->nodes};
      found.nodes.insert(found.nodes.end(), inner.begin(), inner.end());
      return found;
    }
    return std::nullopt;
  }

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    return internal::FindSinceOpset<FuseGelu>(graph, root);
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    onnx::NodeProto fused;
    fused.set_op_type(std::string(kFused));
    FuseNodes(graph, rewriter, found.nodes, std::move(fused), {&found.x, 1},
              graph.output(found.nodes.front(), 0));
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }

 private:
  // The nodes that compute `value` = 1 + erf(x / sqrt(2)); empty when they do
  // not.
  static std::vector<NodeId> OnePlusErf(const GraphView& graph, ValueId value,
                                        ValueId x) {
    const NodeId add = ProducerIfOp(graph, value, "Add");
    if (add == kNoNode || SoleReader(graph, value) == kNoNode) {
      return {};
    }
    for (const std::size_t data : {0u, 1u}) {
      const ValueId erf_value = graph.input(add, data);
      const NodeId erf = ProducerIfOp(graph, erf_value, "Erf");
      if (erf == kNoNode || SoleReader(graph, erf_value) != add ||
          ScalarBeside(graph, graph.input(add, 1 - data), erf_value) != 1.0) {
        continue;
      }
      const ValueId scaled = graph.input(erf, 0);
      NodeId scale = ProducerIfOp(graph, scaled, "Div");
      if (scale == kNoNode) {
        scale = ProducerIfOp(graph, scaled, "Mul");
      }
      if (scale == kNoNode || SoleReader(graph, scaled) != erf) {
        continue;
      }
      const auto product = internal::ProductAt(graph, scale);
      if (product && product->nodes.size() == 1 &&
          product->factors == std::vector{x} &&
          IsAbout(product->coefficient, std::numbers::sqrt2 / 2,
                  graph.element_type(x))) {
        return {add, erf, scale};
      }
    }
    return {};
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FUSE_GELU_H_

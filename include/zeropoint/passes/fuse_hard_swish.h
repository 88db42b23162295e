// FuseHardSwish: x * clip(x + 3, 0, 6) / 6 becomes one operator, so that
// nothing is quantized in its middle.
#ifndef ZEROPOINT_PASSES_FUSE_HARD_SWISH_H_
#define ZEROPOINT_PASSES_FUSE_HARD_SWISH_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/clipped_shift.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/product.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Fuses the spellings of hard-swish into HardSwish:
///
///   x * clip(x + 3, 0, 6) / 6   with the 6 anywhere, as Div or as Mul by 1/6
///   x * HardSigmoid(x)          with alpha 1/6 and beta 1/2
///
/// in any order of operands. Needs opset 14. Inner values with another reader,
/// or that are graph outputs, stay. Enters bodies.
/// Exact: up to the rounding of a few float operations (constants must be
/// within 1e-5 of 1/6). Source: ONNX HardSwish-14.
class FuseHardSwish {
 public:
  static constexpr std::string_view kName = "fuse-hard-swish";
  static constexpr std::string_view kHelp =
      "Fuses x * clip(x + 3, 0, 6) / 6 into HardSwish (opset 14)";
  static constexpr std::string_view kSketch =
      "x -> Add(3) -> Clip(0, 6) -> Mul(x) -> Div(6) -> y\n"
      "x -> HardSwish -> y";
  static constexpr std::array<std::string_view, 2> kRoots = {"Mul", "Div"};
  static constexpr std::string_view kFused = "HardSwish";
  static constexpr std::int64_t kSinceOpset = 14;

  struct Found {
    ValueId x;
    std::vector<NodeId> nodes;  // the root first
  };

  /// The unit whose last node is `root`, whatever the opset.
  static std::optional<Found> Find(const GraphView& graph, NodeId root) {
    const auto product = internal::ProductAt(graph, root);
    if (!product || product->factors.size() != 2) return std::nullopt;
    for (const std::size_t gate : {0u, 1u}) {
      const ValueId x = product->factors[1 - gate];
      auto inner = GateOf(graph, *product, product->factors[gate], x);
      if (inner.empty()) continue;
      Found found{x, product->nodes};
      found.nodes.insert(found.nodes.end(), inner.begin(), inner.end());
      return found;
    }
    return std::nullopt;
  }

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    return internal::FindSinceOpset<FuseHardSwish>(graph, root);
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
  // The nodes that compute `gate` from `x`, when the product is the hard-swish
  // of x; empty otherwise.
  static std::vector<NodeId> GateOf(const GraphView& graph,
                                    const internal::Product& product,
                                    ValueId gate, ValueId x) {
    // The node of the product that reads the gate.
    const NodeId reader = SoleReader(graph, gate);
    if (reader == kNoNode) return {};
    if (IsAbout(product.coefficient, 1.0 / 6, graph.element_type(x))) {
      const auto clip = internal::ClippedShiftAt(graph, gate, reader);
      if (clip && clip->x == x && clip->low == 0 && clip->high == 6 &&
          clip->shift == 3) {
        return {clip->clip, clip->add};
      }
    }
    const NodeId sigmoid = ProducerIfOp(graph, gate, "HardSigmoid");
    if (sigmoid == kNoNode || product.coefficient != 1) return {};
    const onnx::NodeProto& node = graph.node(sigmoid);
    if (graph.input(sigmoid, 0) != x ||
        !IsAbout(GetFloat(node, "alpha", 0.2F), 1.0 / 6) ||
        !IsAbout(GetFloat(node, "beta", 0.5F), 0.5)) {
      return {};
    }
    return {sigmoid};
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FUSE_HARD_SWISH_H_

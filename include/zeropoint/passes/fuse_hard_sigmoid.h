// FuseHardSigmoid: clip(x + 3, 0, 6) / 6 becomes one operator.
#ifndef ZEROPOINT_PASSES_FUSE_HARD_SIGMOID_H_
#define ZEROPOINT_PASSES_FUSE_HARD_SIGMOID_H_

#include <array>
#include <string_view>
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

/// Fuses clip(x + s, 0, h) / h into HardSigmoid with alpha = 1/h, beta = s/h:
///
///   clip(x + s, 0, h) / h  =  max(0, min(1, x / h + s / h))
///
/// The division may be a Mul by 1/h (within 1e-5). Inner values with another
/// reader, or that are graph outputs, stay. Run it behind fuse-hard-swish,
/// whose gate it would be. Enters bodies. Source: ONNX HardSigmoid-6.
class FuseHardSigmoid {
 public:
  static constexpr std::string_view kName = "fuse-hard-sigmoid";
  static constexpr std::string_view kHelp =
      "Fuses clip(x + 3, 0, 6) / 6 into HardSigmoid";
  static constexpr std::string_view kSketch =
      "x -> Add(3) -> Clip(0, 6) -> Div(6) -> y\n"
      "x -> HardSigmoid(alpha = 1/6, beta = 1/2) -> y";
  static constexpr std::array<std::string_view, 2> kRoots = {"Mul", "Div"};

  struct Found {
    internal::ClippedShift clip;
    std::vector<NodeId> nodes;  // the root first
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    const auto product = internal::ProductAt(graph, root);
    if (!product || product->factors.size() != 1) return std::nullopt;
    const ValueId gate = product->factors[0];
    const auto clip =
        internal::ClippedShiftAt(graph, gate, SoleReader(graph, gate));
    if (!clip || clip->low != 0 ||
        !IsAbout(product->coefficient * clip->high, 1,
                 graph.element_type(clip->x))) {
      return std::nullopt;
    }
    Found found{*clip, product->nodes};
    found.nodes.push_back(clip->clip);
    found.nodes.push_back(clip->add);
    return found;
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    onnx::NodeProto fused;
    fused.set_op_type("HardSigmoid");
    SetAttribute(fused, "alpha", 1 / found.clip.high);
    SetAttribute(fused, "beta", found.clip.shift / found.clip.high);
    FuseNodes(graph, rewriter, found.nodes, std::move(fused),
              {&found.clip.x, 1}, graph.output(found.nodes.front(), 0));
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FUSE_HARD_SIGMOID_H_

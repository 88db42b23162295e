// FuseSoftmax: undoes what the opset 13 version converter does to Softmax.
//
// Below opset 13 Softmax flattened its input to two axes. The converter writes
// that down as Flatten, Softmax, Reshape to the old shape, also where the last
// axis alone was meant and nothing needs flattening.
#ifndef ZEROPOINT_PASSES_FUSE_SOFTMAX_H_
#define ZEROPOINT_PASSES_FUSE_SOFTMAX_H_

#include <array>
#include <cstdint>
#include <optional>
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
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Fuses Flatten(axis = rank - 1), Softmax over the last axis and Reshape to
/// the shape before into one Softmax. LogSoftmax and Hardmax alike. Where
/// Flatten joins the last axis with others, or the rank is unknown, all stays.
/// Enters bodies. Exact.
class FuseSoftmax {
 public:
  static constexpr std::string_view kName = "fuse-softmax";
  static constexpr std::string_view kHelp =
      "Removes Flatten and Reshape around a Softmax over the last axis";
  static constexpr std::string_view kSketch =
      "x -> Flatten(axis = rank - 1) -> Softmax -> Reshape(Shape(x)) -> y\n"
      "x -> Softmax(axis = -1) -> y";
  static constexpr std::array<std::string_view, 1> kRoots = {"Reshape"};

  struct Found {
    ValueId x;
    ValueId shape;
    std::array<NodeId, 3> nodes;  // Reshape, Softmax, Flatten
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    constexpr std::string_view kSoftmaxes[] = {"Softmax", "LogSoftmax",
                                               "Hardmax"};
    if (graph.model().opset() < 13) return std::nullopt;
    const ValueId result = graph.input(root, 0);
    const ValueId shape = graph.input(root, 1);
    const NodeId softmax =
        result == kNoValue ? kNoNode : graph.producer(result);
    if (!IsOneOf(graph, softmax, kSoftmaxes) ||
        SoleReader(graph, result) != root) {
      return std::nullopt;
    }
    const std::int64_t axis = GetInt(graph.node(softmax), "axis", -1);
    const ValueId flat = graph.input(softmax, 0);
    const NodeId flatten = ProducerIfOp(graph, flat, "Flatten");
    if ((axis != -1 && axis != 1) || flatten == kNoNode ||
        SoleReader(graph, flat) != softmax) {
      return std::nullopt;
    }
    const ValueId x = graph.input(flatten, 0);
    const NodeId shape_of = ProducerIfOp(graph, shape, "Shape");
    if (shape_of == kNoNode || graph.input(shape_of, 0) != x ||
        HasAttribute(graph.node(shape_of), "start") ||
        HasAttribute(graph.node(shape_of), "end")) {
      return std::nullopt;
    }
    const auto rank = RankOf(graph, x);
    if (!rank) return Decline{"the rank of its input is not known"};
    std::int64_t split = GetInt(graph.node(flatten), "axis", 1);
    if (split < 0) split += static_cast<std::int64_t>(*rank);
    if (split + 1 != static_cast<std::int64_t>(*rank)) return std::nullopt;
    return Found{x, shape, {root, softmax, flatten}};
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    onnx::NodeProto fused;
    fused.set_op_type(graph.node(found.nodes[1]).op_type());
    SetAttribute(fused, "axis", -1);
    FuseNodes(graph, rewriter, found.nodes, std::move(fused), {&found.x, 1},
              graph.output(found.nodes[0], 0));
    EraseIfUnused(graph, rewriter, found.shape);
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FUSE_SOFTMAX_H_

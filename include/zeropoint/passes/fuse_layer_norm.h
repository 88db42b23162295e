// FuseLayerNorm: the nine nodes that spell a layer normalization become one
// operator, so that none of its steps is quantized alone.
#ifndef ZEROPOINT_PASSES_FUSE_LAYER_NORM_H_
#define ZEROPOINT_PASSES_FUSE_LAYER_NORM_H_

#include <array>
#include <cstddef>
#include <cstdint>
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
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Fuses the spelled-out normalization over the last axis
///
///   d = x - mean(x),  v = mean(d^2),  y = d / sqrt(v + epsilon) * scale + bias
///
/// into LayerNormalization. The square may be Pow(d, 2) or Mul(d, d), the
/// difference may be computed twice, and the bias may be missing. Scale and
/// bias must be float constants [C], where C is the known length of the last
/// axis. Needs opset 17. Inner values with another reader, or that are graph
/// outputs, stay. Enters bodies.
/// Exact: up to the rounding of a few float operations.
/// Source: ONNX LayerNormalization-17.
class FuseLayerNorm {
 public:
  static constexpr std::string_view kName = "fuse-layer-norm";
  static constexpr std::string_view kHelp =
      "Fuses a spelled-out normalization over the last axis into "
      "LayerNormalization (opset 17)";
  static constexpr std::string_view kSketch =
      "x -> Sub(ReduceMean(x)) = d -> Div(Sqrt(ReduceMean(Pow(d, 2)) + e))\n"
      "  -> Mul(scale) -> Add(bias) -> y\n"
      "x -> LayerNormalization(scale, bias, epsilon = e) -> y";
  static constexpr std::array<std::string_view, 1> kRoots = {"Div"};
  static constexpr std::string_view kFused = "LayerNormalization";
  static constexpr std::int64_t kSinceOpset = 17;

  struct Found {
    ValueId x = kNoValue;
    ValueId scale = kNoValue;
    ValueId bias = kNoValue;
    double epsilon = 0;
    std::vector<NodeId> nodes;  // last of the pattern first
  };

  /// The normalization whose division is `root`, whatever the opset.
  static std::optional<Found> Find(const GraphView& graph, NodeId root) {
    Found found;
    if (!IsOp(graph, root, "Div") || !MatchNormalization(graph, root, found) ||
        !MatchScaleAndBias(graph, root, found)) {
      return std::nullopt;
    }
    return found;
  }

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    auto match = internal::FindSinceOpset<FuseLayerNorm>(graph, root);
    if (!match) return match;
    Found& found = *match;
    // A scale [C] would stretch an axis of length 1: its length must be known.
    const auto length = DimOf(graph, found.x, -1);
    if (!length) return Decline{"the length of the last axis is not known"};
    const Dims wanted = {*length};
    if (ConstantShape(graph, found.scale) != wanted ||
        (found.bias != kNoValue &&
         ConstantShape(graph, found.bias) != wanted)) {
      return Decline{"its scale or bias is not one value along the last axis"};
    }
    return match;
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    onnx::NodeProto fused;
    fused.set_op_type(std::string(kFused));
    SetAttribute(fused, "axis", -1);
    SetAttribute(fused, "epsilon", found.epsilon);
    std::vector<ValueId> inputs = {found.x, found.scale};
    if (found.bias != kNoValue) inputs.push_back(found.bias);
    FuseNodes(graph, rewriter, found.nodes, std::move(fused), inputs,
              graph.output(found.nodes.front(), 0));
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }

 private:
  // From the division up to x. Every inner value is read by the pattern alone.
  static bool MatchNormalization(const GraphView& graph, NodeId div,
                                 Found& found) {
    const NodeId sub = ProducerIfOp(graph, graph.input(div, 0), "Sub");
    const ValueId deviation = graph.input(div, 1);
    const NodeId sqrt = ProducerIfOp(graph, deviation, "Sqrt");
    if (sub == kNoNode || sqrt == kNoNode ||
        SoleReader(graph, deviation) != div) {
      return false;
    }
    const ValueId sum = graph.input(sqrt, 0);
    const NodeId add = ProducerIfOp(graph, sum, "Add");
    if (add == kNoNode || SoleReader(graph, sum) != sqrt) return false;
    NodeId variance = kNoNode;
    for (const std::size_t data : {0u, 1u}) {
      const ValueId mean = graph.input(add, data);
      const auto epsilon =
          ScalarBeside(graph, graph.input(add, 1 - data), mean);
      variance = ProducerIfOp(graph, mean, "ReduceMean");
      if (variance == kNoNode || !epsilon || SoleReader(graph, mean) != add) {
        variance = kNoNode;
        continue;
      }
      found.epsilon = *epsilon;
      break;
    }
    if (variance == kNoNode || !ReducesLastAxis(graph, variance)) return false;
    const ValueId squared = graph.input(variance, 0);
    const NodeId square = graph.producer(squared);
    if (SoleReader(graph, squared) != variance) return false;
    const NodeId square_sub = SquaredDifference(graph, square);
    if (square_sub == kNoNode) return false;
    found.nodes = {div, sqrt, add, variance, square, sub};
    if (square_sub != sub) found.nodes.push_back(square_sub);
    return MatchMean(graph, sub, square_sub, square, found);
  }

  // The Sub whose result `square` squares, or kNoNode.
  static NodeId SquaredDifference(const GraphView& graph, NodeId square) {
    const ValueId difference = graph.input(square, 0);
    const bool is_square =
        (IsOp(graph, square, "Pow") &&
         ScalarBeside(graph, graph.input(square, 1), difference) == 2.0) ||
        (IsOp(graph, square, "Mul") && graph.input(square, 1) == difference);
    return is_square ? ProducerIfOp(graph, difference, "Sub") : kNoNode;
  }

  // Both differences are x - mean(x), and read by nothing but the pattern.
  static bool MatchMean(const GraphView& graph, NodeId sub, NodeId square_sub,
                        NodeId square, Found& found) {
    found.x = graph.input(sub, 0);
    const ValueId mean_value = graph.input(sub, 1);
    const NodeId mean = ProducerIfOp(graph, mean_value, "ReduceMean");
    if (mean == kNoNode || graph.input(mean, 0) != found.x ||
        graph.input(square_sub, 0) != found.x ||
        graph.input(square_sub, 1) != mean_value ||
        !ReducesLastAxis(graph, mean)) {
      return false;
    }
    const NodeId div = found.nodes.front();
    found.nodes.push_back(mean);
    return OnlyReadBy(graph, mean_value, {sub, square_sub}) &&
           OnlyReadBy(graph, graph.output(sub, 0), {div, square}) &&
           OnlyReadBy(graph, graph.output(square_sub, 0), {div, square});
  }

  // Forward: Mul by the scale, then Add of the bias if there is one.
  static bool MatchScaleAndBias(const GraphView& graph, NodeId div,
                                Found& found) {
    const NodeId mul = SoleReader(graph, graph.output(div, 0));
    if (!IsOp(graph, mul, "Mul")) return false;
    found.scale = RealConstantBeside(graph, mul, graph.output(div, 0));
    if (found.scale == kNoValue) return false;
    found.nodes.insert(found.nodes.begin(), mul);
    const NodeId add = SoleReader(graph, graph.output(mul, 0));
    if (!IsOp(graph, add, "Add")) return true;
    found.bias = RealConstantBeside(graph, add, graph.output(mul, 0));
    if (found.bias != kNoValue) found.nodes.insert(found.nodes.begin(), add);
    return true;
  }

  static ValueId RealConstantBeside(const GraphView& graph, NodeId node,
                                    ValueId data) {
    const std::size_t other = graph.input(node, 0) == data ? 1 : 0;
    const ValueId constant = graph.input(node, other);
    return IsRealConstant(graph, constant) ? constant : kNoValue;
  }

  static bool OnlyReadBy(const GraphView& graph, ValueId value,
                         const std::array<NodeId, 2>& readers) {
    if (graph.is_graph_output(value)) return false;
    for (const Use& use : graph.uses(value)) {
      if (use.node != readers[0] && use.node != readers[1]) return false;
    }
    return true;
  }

  // The axes are an attribute up to opset 17 and an input from 18 on.
  static bool ReducesLastAxis(const GraphView& graph, NodeId reduce) {
    const onnx::NodeProto& node = graph.node(reduce);
    if (GetInt(node, "keepdims", 1) == 0) return false;
    std::vector<std::int64_t> axes = GetInts(node, "axes");
    if (const ValueId listed = graph.input(reduce, 1); listed != kNoValue) {
      auto given = IntegersOf(graph, listed);
      if (!given) return false;
      axes = std::move(*given);
    }
    if (axes.size() != 1) return false;
    if (axes[0] == -1) return true;
    const auto rank = RankOf(graph, graph.input(reduce, 0));
    return rank && axes[0] + 1 == static_cast<std::int64_t>(*rank);
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FUSE_LAYER_NORM_H_

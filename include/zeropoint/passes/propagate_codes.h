// propagate-codes: weights stand right behind their DequantizeLinear.
#ifndef ZEROPOINT_PASSES_PROPAGATE_CODES_H_
#define ZEROPOINT_PASSES_PROPAGATE_CODES_H_

#include <algorithm>
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
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pair_params.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Moves constant codes through operators that only move elements:
///
///   Transpose(DequantizeLinear(Wq, axis 0)) = DequantizeLinear(Wq^T, axis 1)
///
/// for Transpose, Reshape, Squeeze, Unsqueeze, Flatten and Identity; with a
/// scale a channel only for Transpose and Identity. Frameworks export the
/// weights of a linear layer with such a Transpose, which hides them from a
/// runtime. A DequantizeLinear with another reader stays for it. Enters bodies.
/// Needs the context's evaluator; without one it does nothing.
/// Exact.
class PropagateCodes {
 public:
  static constexpr std::string_view kName = "propagate-codes";
  static constexpr std::string_view kHelp =
      "Moves constant codes through Transpose and Reshape";
  static constexpr std::string_view kSketch =
      "Wq -> DequantizeLinear -> Transpose -> MatMul\n"
      "Wq' (transposed) -> DequantizeLinear -> MatMul";

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    PassReport report;
    if (!context.evaluate) return report;
    Rewriter rewriter(graph);
    // Topological order: a chain of them moves in one sweep.
    for (const NodeId node : graph.nodes()) {
      constexpr std::array<std::string_view, 6> kMovers = {
          "Transpose", "Reshape", "Squeeze",
          "Unsqueeze", "Flatten", "Identity"};
      if (!IsOneOf(graph, node, kMovers)) continue;
      const NodeId dequantize =
          ProducerIfOp(graph, graph.input(node, 0), "DequantizeLinear");
      if (dequantize == kNoNode || !Moves(graph, node, dequantize)) continue;
      if (Move(graph, context.evaluate, node, dequantize, rewriter)) {
        ++report.rewrites;
      }
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
    return report;
  }

 private:
  static bool Moves(const GraphView& graph, NodeId node, NodeId dequantize) {
    if (!graph.IsConstant(graph.input(dequantize, 0))) return false;
    const auto pair = internal::PairParamsOf(graph, dequantize);
    if (!pair) return false;
    const std::string& op_type = graph.node(node).op_type();
    if (!pair->per_tensor && op_type != "Transpose" && op_type != "Identity") {
      return false;
    }
    for (std::size_t i = 1; i < graph.inputs(node).size(); ++i) {
      const ValueId input = graph.input(node, i);
      if (input != kNoValue && !graph.IsConstant(input)) return false;
    }
    return true;
  }

  /// False where the codes cannot be computed.
  static bool Move(const GraphView& graph, const NodeEvaluator& evaluate,
                   NodeId node, NodeId dequantize, Rewriter& rewriter) {
    std::vector<Tensor> scratch(graph.inputs(node).size());
    std::vector<TensorView> inputs;
    for (std::size_t i = 0; i < scratch.size(); ++i) {
      const ValueId input =
          i == 0 ? graph.input(dequantize, 0) : graph.input(node, i);
      if (input == kNoValue) {
        inputs.emplace_back();
        continue;
      }
      const auto view = graph.ConstantView(input, scratch[i]);
      if (!view.ok()) return false;
      inputs.push_back(*view);
    }
    const auto rank = static_cast<std::int64_t>(inputs[0].rank());
    const auto axis = MovedAxis(graph, node, dequantize, rank);
    const auto moved = evaluate(graph.node(node), inputs);
    if (!axis || !moved.ok() || moved->size() != 1) return false;
    const ValueId codes = rewriter.AddInitializer(
        EncodeTensor(
            std::string(graph.name(graph.input(dequantize, 0))) + "_moved",
            moved->front().view()),
        graph.scope(node));
    onnx::NodeProto behind = graph.node(dequantize);
    behind.set_input(0, std::string(graph.name(codes)));
    behind.set_output(0, graph.node(node).output(0));
    if (HasAttribute(behind, "axis")) SetAttribute(behind, "axis", *axis);
    const ScopeId scope = graph.scope(node);
    const ValueId before = graph.output(dequantize, 0);
    rewriter.Erase(node);
    EraseIfUnused(graph, rewriter, before);
    rewriter.Add(std::move(behind), scope);
    return true;
  }

  /// Where the axis of the scales goes; nothing for one that is not there.
  static std::optional<std::int64_t> MovedAxis(const GraphView& graph,
                                               NodeId node, NodeId dequantize,
                                               std::int64_t rank) {
    std::int64_t axis = GetInt(graph.node(dequantize), "axis", 1);
    const auto pair = internal::PairParamsOf(graph, dequantize);
    if (pair && pair->per_tensor) return axis;
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank) return std::nullopt;
    if (graph.node(node).op_type() == "Identity") return axis;
    const auto perm = GetInts(graph.node(node), "perm");
    if (perm.empty()) return rank - 1 - axis;
    const auto at = std::find(perm.begin(), perm.end(), axis);
    if (at == perm.end()) return std::nullopt;
    return at - perm.begin();
  }
};

static_assert(Pass<PropagateCodes>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_PROPAGATE_CODES_H_

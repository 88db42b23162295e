// eliminate-redundant-qdq: a tensor is quantized once with one scale.
#ifndef ZEROPOINT_PASSES_ELIMINATE_REDUNDANT_QDQ_H_
#define ZEROPOINT_PASSES_ELIMINATE_REDUNDANT_QDQ_H_

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pair_params.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Removes a QuantizeLinear that gives back the codes which were dequantized
/// with the same parameters, and the second of two QuantizeLinear or
/// DequantizeLinear of one value with equal parameters:
///
///   q -> DQ -> Q -> r    all that read r read q
///
/// Parameters are equal when their bits are, wherever they are stored. Nodes
/// whose output is a graph output stay. Enters bodies.
/// Exact: (q - z) * s / s rounds to q - z for every code of 16 bits or fewer;
/// with half precision between, for 8-bit codes in float16. What the others
/// lose there, they keep.
class EliminateRedundantQdq {
 public:
  static constexpr std::string_view kName = "eliminate-redundant-qdq";
  static constexpr std::string_view kHelp =
      "Removes pairs that repeat what was quantized already";
  static constexpr std::string_view kSketch =
      "x -> Q -> DQ -> Q -> DQ -> Conv, x -> Q -> DQ -> Add\n"
      "x -> Q -> DQ -> Conv, Add";

  Result<PassReport> Run(GraphView& graph, PassContext&) {
    PassReport report;
    Rewriter rewriter(graph);
    for (const NodeId node : graph.nodes()) {
      constexpr std::array<std::string_view, 2> kPair = {"QuantizeLinear",
                                                         "DequantizeLinear"};
      if (!IsOneOf(graph, node, kPair) ||
          graph.is_graph_output(graph.output(node, 0))) {
        continue;
      }
      auto pair = internal::PairParamsOf(graph, node);
      if (!pair) continue;
      const ValueId other = Repeated(graph, node, *pair);
      if (other == kNoValue) {
        made_[{graph.node(node).op_type(), graph.input(node, 0)}].push_back(
            {std::move(*pair), node});
        continue;
      }
      const ValueId output = graph.output(node, 0);
      const ValueId input = graph.input(node, 0);
      rewriter.ReplaceUses(output, other);
      rewriter.Erase(node);
      EraseIfUnused(graph, rewriter, input);
      ++report.rewrites;
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
    made_.clear();
    return report;
  }

 private:
  struct Made {
    internal::PairParams pair;
    NodeId node;
  };

  /// The value that the node computes again; kNoValue when it is the first.
  ValueId Repeated(const GraphView& graph, NodeId node,
                   const internal::PairParams& pair) const {
    const ValueId input = graph.input(node, 0);
    if (graph.node(node).op_type() == "QuantizeLinear" &&
        FullCodeRange(pair.storage)) {
      const auto before = internal::DequantizedBy(graph, input);
      if (before && *before == pair) {
        return graph.input(graph.producer(input), 0);
      }
    }
    const auto known = made_.find({graph.node(node).op_type(), input});
    if (known == made_.end()) return kNoValue;
    for (const Made& made : known->second) {
      if (made.pair == pair && graph.alive(made.node) &&
          graph.scope(made.node) == graph.scope(node)) {
        return graph.output(made.node, 0);
      }
    }
    return kNoValue;
  }

  std::map<std::pair<std::string, ValueId>, std::vector<Made>> made_;
};

static_assert(Pass<EliminateRedundantQdq>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_ELIMINATE_REDUNDANT_QDQ_H_

// EliminateIdentity: nodes whose output is their input.
#ifndef ZEROPOINT_PASSES_ELIMINATE_IDENTITY_H_
#define ZEROPOINT_PASSES_ELIMINATE_IDENTITY_H_

#include <array>
#include <string_view>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/identity_facts.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Removes nodes that hand an input through: Identity; Dropout in inference;
/// Cast to the type that the input has; Reshape, Flatten, Transpose, Expand,
/// Tile, Slice and Pad that change nothing; Add and Sub of 0, Mul and Div by 1
/// that keep the shape; Concat, Sum, Max, Min and Mean of one input.
///
/// Where one stays: the shapes or types that would prove it are unknown; a
/// further output (Dropout's mask) is read; or a graph output would have to be
/// a graph input, an initializer, another output or a value of an outer scope.
/// Where it produced a graph output, the node before produces that name from
/// then on. Enters bodies.
/// Exact, but for the sign of zero in x + 0.
class EliminateIdentity {
 public:
  static constexpr std::string_view kName = "eliminate-identity";
  static constexpr std::string_view kHelp =
      "Removes nodes that hand their input through unchanged";
  static constexpr std::string_view kSketch =
      "x -> Identity -> Mul(1) -> Relu -> y\n"
      "x -> Relu -> y";
  static constexpr std::array kRoots = std::to_array<std::string_view>(
      {"Identity", "Dropout",   "Cast",   "CastLike", "Reshape",
       "Flatten",  "Transpose", "Expand", "Tile",     "Slice",
       "Pad",      "Add",       "Sub",    "Mul",      "Div",
       "Concat",   "Sum",       "Max",    "Min",      "Mean"});

  struct Found {
    NodeId node;
    ValueId input;
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    const ValueId input = internal::PassedThrough(graph, root);
    const ValueId output = graph.output(root, 0);
    if (input == kNoValue || output == kNoValue ||
        !HasNoOutputFrom(graph, root, 1)) {
      return std::nullopt;
    }
    if (graph.is_graph_output(output) &&
        (graph.producer(input) == kNoNode || graph.is_graph_output(input) ||
         graph.scope(input) != graph.scope(output))) {
      return std::nullopt;
    }
    return Found{root, input};
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    const ValueId output = graph.output(found.node, 0);
    rewriter.Erase(found.node);
    rewriter.ReplaceUses(output, found.input);
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_ELIMINATE_IDENTITY_H_

// EliminateDead: what no output depends on need not be computed, stored or
// calibrated.
#ifndef ZEROPOINT_PASSES_ELIMINATE_DEAD_H_
#define ZEROPOINT_PASSES_ELIMINATE_DEAD_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Removes nodes none of whose outputs is read or a graph output, and
/// initializers that nothing reads. Graph inputs stay, with their default
/// values; so do nodes without outputs. Enters bodies. Exact.
class EliminateDead {
 public:
  static constexpr std::string_view kName = "eliminate-dead";
  static constexpr std::string_view kHelp =
      "Removes nodes and initializers that no output depends on";
  static constexpr std::string_view kSketch =
      "x -> Relu -> y,  x -> Exp -> (unread)\n"
      "x -> Relu -> y";

  Result<PassReport> Run(GraphView& graph, PassContext&) {
    PassReport report;
    Rewriter rewriter(graph);
    // Against topological order, and bodies before the graphs around them: each
    // reader is gone before its producer is asked.
    const std::vector<NodeId> nodes = graph.nodes();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
      if (!graph.alive(*node) || graph.outputs(*node).empty() ||
          !HasNoOutputFrom(graph, *node, 0)) {
        continue;
      }
      rewriter.Erase(*node);
      ++report.rewrites;
    }
    for (std::uint32_t s = 0; s < graph.scope_count(); ++s) {
      const auto scope = static_cast<ScopeId>(s);
      if (graph.owner(scope) != kNoNode && !graph.alive(graph.owner(scope))) {
        continue;
      }
      for (const ValueId value : graph.initializers(scope)) {
        if (!graph.uses(value).empty() || graph.is_graph_output(value) ||
            graph.is_graph_input(value)) {
          continue;
        }
        rewriter.EraseInitializer(value);
        ++report.rewrites;
      }
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
    return report;
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_ELIMINATE_DEAD_H_

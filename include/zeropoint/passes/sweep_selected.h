// SweepSelected: a pattern pass for the nodes alone that a selection selects.
#ifndef ZEROPOINT_PASSES_SWEEP_SELECTED_H_
#define ZEROPOINT_PASSES_SWEEP_SELECTED_H_

#include <optional>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

namespace internal {

/// Whether `selection` selects the node; nullptr selects every one.
inline bool Selects(const NodeSelection* selection,
                    const onnx::NodeProto& node) {
  return selection == nullptr || selection->ReasonAgainst(node).empty();
}

/// The pass P, which sees nothing but the selected nodes.
template <class P>
struct OnSelected {
  const P& pass;
  const NodeSelection* selection;
  static constexpr auto& kRoots = P::kRoots;

  auto Match(const GraphView& graph, NodeId root) const
      -> decltype(pass.Match(graph, root)) {
    if (!Selects(selection, graph.node(root))) return std::nullopt;
    return pass.Match(graph, root);
  }
  template <class Found>
  Status Rewrite(const GraphView& graph, Found& found,
                 Rewriter& rewriter) const {
    return pass.Rewrite(graph, found, rewriter);
  }
};

}  // namespace internal

/// SweepRoots at the nodes that `selection` selects, at all where it is
/// nullptr.
template <class P>
Result<PassReport> SweepSelected(const P& pass, const NodeSelection* selection,
                                 GraphView& graph, PassContext& context) {
  return SweepRoots(internal::OnSelected<P>{pass, selection}, graph, context);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_SWEEP_SELECTED_H_

// SweepRoots: the driver of pattern passes, and what they answer it.
//
// A pattern pass has two halves. Match looks at one node, the root, and returns
// what it found as plain data; it changes nothing. Rewrite edits the graph with
// what Match found. One sweep in topological order: no fixed point, no
// priorities, linear in the nodes.
#ifndef ZEROPOINT_PASSES_SWEEP_H_
#define ZEROPOINT_PASSES_SWEEP_H_

#include <optional>
#include <string>
#include <utility>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Why a node that looks like the pattern must stay as it is.
struct Decline {
  std::string reason;
};

/// What Match answers: the pattern (an M), nothing (std::nullopt), or a node
/// that the pass would have changed but for a reason worth reporting (Decline).
template <class M>
class MatchResult {
 public:
  using MatchType = M;

  // Implicit on purpose: Match returns any of the three.
  MatchResult(M match)  // NOLINT(google-explicit-constructor)
      : match_(std::move(match)) {}
  MatchResult(std::nullopt_t) {}  // NOLINT(google-explicit-constructor)
  MatchResult(Decline decline)    // NOLINT(google-explicit-constructor)
      : reason_(std::move(decline.reason)) {}

  explicit operator bool() const { return match_.has_value(); }
  M& operator*() { return *match_; }
  M* operator->() { return &*match_; }
  /// Empty unless declined.
  const std::string& reason() const { return reason_; }

 private:
  std::optional<M> match_;
  std::string reason_;
};

namespace internal {

/// "HardSwish needs opset 14; the model has 12": for Decline.
inline std::string NeedsOpset(const GraphView& graph, std::string_view op_type,
                              std::int64_t opset) {
  return std::string(op_type) + " needs opset " + std::to_string(opset) +
         "; the model has " + std::to_string(graph.model().opset());
}
/// A node that has no name is reported by its first output.
inline Declined DeclinedNode(const GraphView& graph, NodeId node,
                             std::string reason) {
  const onnx::NodeProto& proto = graph.node(node);
  std::string name = proto.name();
  if (name.empty() && proto.output_size() > 0) name = proto.output(0);
  return {std::move(name), proto.op_type(), std::move(reason)};
}

/// What P::Find finds at `root`; declined below opset P::kSinceOpset, the first
/// with the operator P::kFused.
template <class P>
MatchResult<typename P::Found> FindSinceOpset(const GraphView& graph,
                                              NodeId root) {
  auto found = P::Find(graph, root);
  if (!found) return std::nullopt;
  if (graph.model().opset() < P::kSinceOpset) {
    return Decline{NeedsOpset(graph, P::kFused, P::kSinceOpset)};
  }
  return std::move(*found);
}
}  // namespace internal

/// Calls pass.Match at each node whose operator is in P::kRoots, and
/// pass.Rewrite where it matched. Declined nodes go to context.declined.
///
///   static constexpr std::array<std::string_view, N> kRoots;
///   MatchResult<M> Match(const GraphView& graph, NodeId root) const;
///   Status Rewrite(const GraphView& graph, M& match, Rewriter& rewriter)
///   const;
template <class P>
Result<PassReport> SweepRoots(const P& pass, GraphView& graph,
                              PassContext& context) {
  PassReport report;
  Rewriter rewriter(graph);
  for (const NodeId root : graph.nodes()) {
    if (!IsOneOf(graph, root, P::kRoots)) continue;
    auto match = pass.Match(graph, root);
    if (match) {
      ZEROPOINT_RETURN_IF_ERROR(pass.Rewrite(graph, *match, rewriter));
      ++report.rewrites;
    } else if (!match.reason().empty()) {
      context.declined.push_back(
          internal::DeclinedNode(graph, root, match.reason()));
    }
  }
  ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
  return report;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_SWEEP_H_

// Types of intermediate values, from onnx's shape inference.
//
// Inference runs on a copy without weights and its result goes to the view: the
// model itself does not change.
#ifndef ZEROPOINT_GRAPH_INFER_TYPES_H_
#define ZEROPOINT_GRAPH_INFER_TYPES_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/onnx_tools.h"
#include "zeropoint/graph/payload.h"

namespace zeropoint {

namespace internal {

// Notes the types that `inferred`, a copy of the graph of `scope`, holds, and
// those of the bodies in it.
inline void NoteTypes(GraphView& view, ScopeId scope,
                      onnx::GraphProto& inferred) {
  for (auto& info : *inferred.mutable_value_info()) {
    const ValueId value = view.Find(info.name(), scope);
    if (value == kNoValue || view.scope(value) != scope) continue;
    if (!info.has_type() || view.shape(value)) continue;
    view.NoteType(value, std::move(*info.mutable_type()));
  }
  const std::vector<NodeId> nodes = view.nodes(scope);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto bodies = view.bodies(nodes[i]);
    if (bodies.empty()) continue;
    std::size_t next = 0;
    for (auto& attribute :
         *inferred.mutable_node(static_cast<int>(i))->mutable_attribute()) {
      if (attribute.has_g()) {
        NoteTypes(view, bodies[next++], *attribute.mutable_g());
      }
      for (auto& graph : *attribute.mutable_graphs()) {
        NoteTypes(view, bodies[next++], graph);
      }
    }
  }
}

}  // namespace internal

/// Fills GraphView::type for values of all scopes that onnx can type. Without
/// `options.strict`, value_info that contradicts the graph is set aside, as
/// runtimes do.
/// Requires: no rewrite under way (Rewriter::Finish was called).
/// Errors: InferShapes's.
inline Status InferTypes(GraphView& view,
                         const InferenceOptions& options = {}) {
  // What inference reads as numbers are shapes, axes and scales: small.
  constexpr std::size_t kKeepBelow = 4096;
  const auto copy = [&view] {
    return internal::CopyWithoutWeights(
        view.model().proto(), view.model().external_data(), kKeepBelow);
  };
  ZEROPOINT_ASSIGN_OR_RETURN(onnx::ModelProto inferred, copy());
  Status status = InferShapes(inferred, options);
  if (!status.ok() && !options.strict) {
    ZEROPOINT_ASSIGN_OR_RETURN(inferred, copy());
    inferred.mutable_graph()->clear_value_info();
    status = InferShapes(inferred, options);
  }
  ZEROPOINT_RETURN_IF_ERROR(status);
  internal::NoteTypes(view, kMainScope, *inferred.mutable_graph());
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_INFER_TYPES_H_

// VisitTensors: every TensorProto of a model, wherever it hides: initializers
// and sparse initializers of all scopes, attributes of nodes, local functions,
// training information.
#ifndef ZEROPOINT_GRAPH_VISIT_TENSORS_H_
#define ZEROPOINT_GRAPH_VISIT_TENSORS_H_

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

/// Bodies within bodies that this library follows. protobuf's own limit on
/// nested messages (100) allows about 33; a proto built in memory has none.
inline constexpr int kMaxScopeDepth = 64;

/// What a visitor is told about the place of a tensor.
enum class TensorRole {
  kInitializer,  // a dense initializer of a graph, in any scope
  kOther,        // sparse, an attribute's value
};

namespace internal {

// `Visit` is called as Status(onnx::TensorProto&, TensorRole).
template <class Visit>
class TensorWalk {
 public:
  explicit TensorWalk(Visit& visit) : visit_(visit) {}

  Status Graph(onnx::GraphProto& graph, int depth) {
    if (depth > kMaxScopeDepth) {
      return Unsupported("graph \"" + graph.name() +
                         "\" is nested deeper than " +
                         std::to_string(kMaxScopeDepth) + " bodies");
    }
    for (auto& tensor : *graph.mutable_initializer()) {
      ZEROPOINT_RETURN_IF_ERROR(visit_(tensor, TensorRole::kInitializer));
    }
    for (auto& tensor : *graph.mutable_sparse_initializer()) {
      ZEROPOINT_RETURN_IF_ERROR(Sparse(tensor));
    }
    for (auto& node : *graph.mutable_node()) {
      ZEROPOINT_RETURN_IF_ERROR(Node(node, depth));
    }
    return Status();
  }

  Status Node(onnx::NodeProto& node, int depth) {
    for (auto& attribute : *node.mutable_attribute()) {
      ZEROPOINT_RETURN_IF_ERROR(Attribute(attribute, depth));
    }
    return Status();
  }

  Status Attribute(onnx::AttributeProto& attribute, int depth) {
    if (attribute.has_t()) {
      ZEROPOINT_RETURN_IF_ERROR(
          visit_(*attribute.mutable_t(), TensorRole::kOther));
    }
    for (auto& tensor : *attribute.mutable_tensors()) {
      ZEROPOINT_RETURN_IF_ERROR(visit_(tensor, TensorRole::kOther));
    }
    if (attribute.has_sparse_tensor()) {
      ZEROPOINT_RETURN_IF_ERROR(Sparse(*attribute.mutable_sparse_tensor()));
    }
    for (auto& tensor : *attribute.mutable_sparse_tensors()) {
      ZEROPOINT_RETURN_IF_ERROR(Sparse(tensor));
    }
    if (attribute.has_g()) {
      ZEROPOINT_RETURN_IF_ERROR(Graph(*attribute.mutable_g(), depth + 1));
    }
    for (auto& graph : *attribute.mutable_graphs()) {
      ZEROPOINT_RETURN_IF_ERROR(Graph(graph, depth + 1));
    }
    return Status();
  }

 private:
  Status Sparse(onnx::SparseTensorProto& tensor) {
    if (tensor.has_values()) {
      ZEROPOINT_RETURN_IF_ERROR(
          visit_(*tensor.mutable_values(), TensorRole::kOther));
    }
    if (tensor.has_indices()) {
      ZEROPOINT_RETURN_IF_ERROR(
          visit_(*tensor.mutable_indices(), TensorRole::kOther));
    }
    return Status();
  }

  Visit& visit_;
};

}  // namespace internal

/// Calls `visit(onnx::TensorProto&, TensorRole)`, which returns Status, on each
/// tensor in a fixed order, and stops at the first error.
/// Errors: the visitor's; kUnsupported beyond kMaxScopeDepth.
template <class Visit>
Status VisitTensors(onnx::ModelProto& model, Visit&& visit) {
  internal::TensorWalk walk(visit);
  if (model.has_graph()) {
    ZEROPOINT_RETURN_IF_ERROR(walk.Graph(*model.mutable_graph(), 0));
  }
  for (auto& training : *model.mutable_training_info()) {
    if (training.has_initialization()) {
      ZEROPOINT_RETURN_IF_ERROR(
          walk.Graph(*training.mutable_initialization(), 0));
    }
    if (training.has_algorithm()) {
      ZEROPOINT_RETURN_IF_ERROR(walk.Graph(*training.mutable_algorithm(), 0));
    }
  }
  for (auto& function : *model.mutable_functions()) {
    for (auto& attribute : *function.mutable_attribute_proto()) {
      ZEROPOINT_RETURN_IF_ERROR(walk.Attribute(attribute, 0));
    }
    for (auto& node : *function.mutable_node()) {
      ZEROPOINT_RETURN_IF_ERROR(walk.Node(node, 0));
    }
  }
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_VISIT_TENSORS_H_

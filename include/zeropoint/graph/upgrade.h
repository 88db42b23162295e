// UpgradeOpset: lifts a model to a later version of the default operator set.
//
// Changing the number alone is wrong: between two versions an operator may turn
// an attribute into an input or change what it computes. onnx's version
// converter knows each step; what it would lose on the way, this keeps.
#ifndef ZEROPOINT_GRAPH_UPGRADE_H_
#define ZEROPOINT_GRAPH_UPGRADE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/converted_graph.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/onnx_tools.h"
#include "zeropoint/graph/opset_facts.h"
#include "zeropoint/graph/payload.h"
#include "zeropoint/graph/placement.h"

namespace zeropoint {

namespace internal {

inline bool HasSparseInitializer(const onnx::GraphProto& graph) {
  if (graph.sparse_initializer_size() > 0) return true;
  for (const auto& node : graph.node()) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g() && HasSparseInitializer(attribute.g())) return true;
    }
  }
  return false;
}

// What the converter would leave behind at the old version, or drop.
inline Status CheckConvertible(const GraphView& view) {
  const onnx::ModelProto& model = view.model().proto();
  if (model.functions_size() > 0) {
    return Unsupported("the model has local functions (\"" +
                       model.functions(0).name() +
                       "\"), which would keep the old operators: inline them "
                       "first");
  }
  if (model.training_info_size() > 0) {
    return Unsupported(
        "the model has training information, which would keep the old "
        "operators: export it for inference");
  }
  if (HasSparseInitializer(model.graph())) {
    return Unsupported(
        "the model has sparse initializers, which onnx's version converter "
        "does not read: make them dense first");
  }
  for (const NodeId id : view.nodes()) {
    const onnx::NodeProto& node = view.node(id);
    const bool is_custom = !node.domain().empty() && node.domain() != "ai.onnx";
    if (is_custom && !view.bodies(id).empty()) {
      return Unsupported(NodeLabel(node) + " of the domain \"" + node.domain() +
                         "\" has a body, which would keep the old operators");
    }
    for (const auto& attribute : node.attribute()) {
      if (attribute.graphs_size() == 0) continue;
      return Unsupported(NodeLabel(node) + " has a list of bodies in \"" +
                         attribute.name() +
                         "\", which would keep the old operators");
    }
  }
  return Status();
}

// Before IR version 4 every initializer was listed among the inputs and none
// could be overridden. From there on the list would make it a default value.
inline void RaiseIrVersion(onnx::ModelProto& model, std::int64_t ir_version) {
  constexpr std::int64_t kFirstWithDefaults = 4;
  if (model.ir_version() >= ir_version) return;
  if (model.ir_version() < kFirstWithDefaults) {
    onnx::GraphProto& graph = *model.mutable_graph();
    std::unordered_set<std::string_view> initializers;
    for (const auto& tensor : graph.initializer()) {
      initializers.insert(tensor.name());
    }
    EraseIf(*graph.mutable_input(), [&](const onnx::ValueInfoProto& input) {
      return initializers.contains(input.name());
    });
  }
  model.set_ir_version(ir_version);
}

inline Status ConvertNodes(Model& model, std::int64_t opset) {
  // What the converter reads as numbers are axes, scales and ratios: small.
  constexpr std::size_t kKeepBelow = 4096;
  onnx::ModelProto& proto = model.proto();
  {
    ZEROPOINT_ASSIGN_OR_RETURN(const GraphView view, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(CheckConvertible(view));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(
      onnx::ModelProto copy,
      CopyWithoutWeights(proto, model.external_data(), kKeepBelow));
  RaiseIrVersion(copy, LowestIrVersion(opset));
  ConvertedGraph merge(*proto.mutable_graph(), *copy.mutable_graph(),
                       kKeepBelow);
  merge.Number();
  ZEROPOINT_ASSIGN_OR_RETURN(onnx::ModelProto converted,
                             ConvertOpset(copy, opset));
  ZEROPOINT_RETURN_IF_ERROR(merge.Settle(*converted.mutable_graph()));
  ZEROPOINT_ASSIGN_OR_RETURN(Model checked,
                             Model::FromProto(std::move(converted)));
  ZEROPOINT_RETURN_IF_ERROR(GraphView::Over(checked).status().WithContext(
      "onnx's version converter made a broken graph"));
  merge.Merge(*checked.proto().mutable_graph());
  return Status();
}

}  // namespace internal

/// Lifts `model` to version `minimum` of the default operator set, if it
/// imports an earlier one, by onnx's conversion rules, in all scopes; and its
/// IR version to the lowest that the operator set needs. Weights are not
/// touched. Nodes keep names, documentation and metadata; those of other
/// domains stay as they are. An initializer that an IR version below 4 had to
/// list as an input is one no longer.
///
/// Requires: no GraphView of the model is used afterwards.
/// Errors, which leave the model as it was: kUnsupported for what the rules do
/// not reach (local functions, training information, sparse initializers,
/// bodies of custom operators) and in a program without exceptions;
/// kInvalidModel with onnx's words.
inline Status UpgradeOpset(Model& model, std::int64_t minimum) {
  const std::int64_t opset = model.opset();
  if (opset < 1) {
    return InvalidModel(
        "the model imports no version of the default operator set");
  }
  if (opset < minimum) {
    ZEROPOINT_RETURN_IF_ERROR(
        internal::ConvertNodes(model, minimum)
            .WithContext("cannot upgrade the model from opset " +
                         std::to_string(opset) + " to " +
                         std::to_string(minimum)));
    model.ImportOpset("", minimum);
  }
  internal::RaiseIrVersion(model.proto(),
                           LowestIrVersion(std::max(opset, minimum)));
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_UPGRADE_H_

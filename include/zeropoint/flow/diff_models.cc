#include "zeropoint/flow/diff_models.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/node_selection.h"

namespace zeropoint {

namespace {

/// Counts that differ; what one side lacks counts as 0.
template <class Count>
std::map<std::string, std::pair<Count, Count>> Differing(
    const std::map<std::string, Count>& first,
    const std::map<std::string, Count>& second) {
  std::map<std::string, std::pair<Count, Count>> differing;
  for (const auto& [key, count] : first) differing[key].first = count;
  for (const auto& [key, count] : second) differing[key].second = count;
  std::erase_if(differing, [](const auto& each) {
    return each.second.first == each.second.second;
  });
  return differing;
}

/// Attributes by name, with what they hold but for their documentation.
std::map<std::string, std::string> AttributesOf(const onnx::NodeProto& node) {
  std::map<std::string, std::string> attributes;
  for (onnx::AttributeProto attribute : node.attribute()) {
    attribute.clear_doc_string();
    attributes[attribute.name()] = attribute.SerializeAsString();
  }
  return attributes;
}

std::vector<std::string> WhatDiffers(const onnx::NodeProto& first,
                                     const onnx::NodeProto& second) {
  std::vector<std::string> what;
  if (first.op_type() != second.op_type() ||
      first.domain() != second.domain()) {
    what.emplace_back("operator");
  }
  if (!std::ranges::equal(first.input(), second.input())) {
    what.emplace_back("inputs");
  }
  if (!std::ranges::equal(first.output(), second.output())) {
    what.emplace_back("outputs");
  }
  if (AttributesOf(first) != AttributesOf(second)) {
    what.emplace_back("attributes");
  }
  return what;
}

/// Nodes of all scopes by label; of several with one label the first.
std::map<std::string, NodeId> NodesByLabel(const GraphView& graph) {
  std::map<std::string, NodeId> nodes;
  for (const NodeId node : graph.nodes()) {
    nodes.emplace(NodeSelection::Label(graph.node(node)), node);
  }
  return nodes;
}

/// The nodes whose labels `other` lacks.
std::vector<NodeDescription> Missing(
    const GraphView& graph, const std::map<std::string, NodeId>& other) {
  std::vector<NodeDescription> missing;
  const std::vector<NodeDescription> all = DescribeNodes(graph);
  const std::vector<NodeId> nodes = graph.nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string label(NodeSelection::Label(graph.node(nodes[i])));
    if (!other.contains(label)) missing.push_back(all[i]);
  }
  return missing;
}

std::set<std::string> ConstantNames(const GraphView& graph) {
  std::set<std::string> names;
  for (const ValueId value : graph.initializers()) {
    names.emplace(graph.name(value));
  }
  return names;
}

std::vector<std::string> Without(const std::set<std::string>& names,
                                 const std::set<std::string>& others) {
  std::vector<std::string> rest;
  std::ranges::set_difference(names, others, std::back_inserter(rest));
  return rest;
}

std::string TypeOf(const TensorView& tensor) {
  return std::string(DataTypeName(tensor.type())) + " " +
         FormatDims(tensor.dims());
}

bool SameBytes(const TensorView& a, const TensorView& b) {
  return a.bytes() == b.bytes() &&
         (a.bytes() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}

double MaxAbsDifference(std::span<const float> a, std::span<const float> b) {
  double most = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(
        most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return most;
}

/// Nothing when they are equal.
Result<std::optional<ConstantDifference>> CompareConstants(
    const GraphView& first, const GraphView& second, const std::string& name) {
  Tensor scratch_first;
  Tensor scratch_second;
  ZEROPOINT_ASSIGN_OR_RETURN(
      const TensorView a, first.ConstantView(first.Find(name), scratch_first));
  ZEROPOINT_ASSIGN_OR_RETURN(
      const TensorView b,
      second.ConstantView(second.Find(name), scratch_second));
  const bool same_type = TypeOf(a) == TypeOf(b);
  if (same_type && SameBytes(a, b)) return std::optional<ConstantDifference>();
  ConstantDifference difference{name, TypeOf(a), TypeOf(b), std::nullopt};
  if (IsReal(a.type()) && IsReal(b.type()) &&
      std::ranges::equal(a.dims(), b.dims())) {
    Tensor wide_first;
    Tensor wide_second;
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView x, AsFloat(a, wide_first));
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView y, AsFloat(b, wide_second));
    difference.max_abs_difference =
        MaxAbsDifference(x.As<float>(), y.As<float>());
  }
  return std::optional(std::move(difference));
}

Status DiffConstants(const GraphView& first, const GraphView& second,
                     ModelDifference& difference) {
  const std::set<std::string> names_first = ConstantNames(first);
  const std::set<std::string> names_second = ConstantNames(second);
  difference.constants_only_in_first = Without(names_first, names_second);
  difference.constants_only_in_second = Without(names_second, names_first);
  for (const std::string& name : names_first) {
    if (!names_second.contains(name)) continue;
    ZEROPOINT_ASSIGN_OR_RETURN(auto changed,
                               CompareConstants(first, second, name));
    if (changed) difference.changed_constants.push_back(std::move(*changed));
  }
  return Status();
}

}  // namespace

Result<ModelDifference> DiffModels(Model& first, Model& second) {
  ZEROPOINT_ASSIGN_OR_RETURN(const ModelDescription described_first,
                             DescribeModel(first));
  ZEROPOINT_ASSIGN_OR_RETURN(const ModelDescription described_second,
                             DescribeModel(second));
  ModelDifference difference;
  difference.operators =
      Differing(described_first.operators, described_second.operators);
  difference.opsets =
      Differing(described_first.opsets, described_second.opsets);
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph_first,
                             GraphView::Over(first));
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph_second,
                             GraphView::Over(second));
  const auto nodes_first = NodesByLabel(graph_first);
  const auto nodes_second = NodesByLabel(graph_second);
  difference.only_in_first = Missing(graph_first, nodes_second);
  difference.only_in_second = Missing(graph_second, nodes_first);
  for (const auto& [label, node] : nodes_first) {
    const auto other = nodes_second.find(label);
    if (other == nodes_second.end()) continue;
    const onnx::NodeProto& proto = graph_second.node(other->second);
    auto what = WhatDiffers(graph_first.node(node), proto);
    if (what.empty()) continue;
    difference.changed.push_back({label, proto.op_type(), std::move(what)});
  }
  ZEROPOINT_RETURN_IF_ERROR(
      DiffConstants(graph_first, graph_second, difference));
  return difference;
}

}  // namespace zeropoint

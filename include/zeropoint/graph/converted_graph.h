// ConvertedGraph: joins a model with what onnx's version converter made of it.
//
// The converter works in a representation of its own, which loses most of what
// surrounds a node. So only its changes are taken over: the copy that it gets
// has no weights and a number in the place of each node's documentation; what
// comes back under a number and unchanged is the proto that it was.
#ifndef ZEROPOINT_GRAPH_CONVERTED_GRAPH_H_
#define ZEROPOINT_GRAPH_CONVERTED_GRAPH_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/external_data.h"
#include "zeropoint/graph/graph_tables.h"
#include "zeropoint/graph/initializer.h"

namespace zeropoint::internal {

/// One conversion: `original` -> `copy`, numbered by Number -> the converter
/// -> Settle -> Merge. All three graphs stay where they are meanwhile.
/// Requires: bodies nested at most kMaxScopeDepth deep, none in lists.
class ConvertedGraph {
 public:
  /// `copy`: of `original` without tensors of `kept_below` bytes or more.
  ConvertedGraph(onnx::GraphProto& original, onnx::GraphProto& copy,
                 std::size_t kept_below)
      : original_(original), copy_(copy), kept_below_(kept_below) {
    ListNodes(original_, originals_);
    ListNodes(copy_, copies_);
  }

  /// Writes each node's number where its documentation was, in the copy.
  void Number() {
    for (std::size_t i = 0; i < copies_.size(); ++i) {
      copies_[i]->set_doc_string(std::to_string(i));
    }
  }

  /// Looks at what the converter made of the copy: every node of it gets back
  /// its number or a new one, and new values a name that no scope has.
  /// Errors: kInvalidModel where inputs or outputs of a graph differ, or a node
  /// that is new has a body.
  Status Settle(onnx::GraphProto& converted) {
    CollectNames(copy_);
    return SettleScope(copy_, converted, {});
  }

  /// Gives `original` the nodes and new initializers of `converted`.
  void Merge(onnx::GraphProto& converted) {
    replaced_ = ReplacedNodes();
    MergeScope(original_, converted);
  }

 private:
  using Renames = std::unordered_map<std::string, std::string>;

  // The same walk gives the same numbers in original and copy.
  static void ListNodes(onnx::GraphProto& graph,
                        std::vector<onnx::NodeProto*>& nodes) {
    for (auto& node : *graph.mutable_node()) {
      nodes.push_back(&node);
      for (auto& attribute : *node.mutable_attribute()) {
        if (attribute.has_g()) ListNodes(*attribute.mutable_g(), nodes);
      }
    }
  }

  // Names that a scope itself defines.
  template <class Visit>
  static void ForEachDefinition(onnx::GraphProto& graph, Visit visit) {
    for (auto& tensor : *graph.mutable_initializer()) {
      visit(*tensor.mutable_name());
    }
    for (auto& node : *graph.mutable_node()) {
      for (auto& output : *node.mutable_output()) {
        if (!output.empty()) visit(output);
      }
    }
  }

  void CollectNames(onnx::GraphProto& graph) {
    for (const auto& input : graph.input()) names_.insert(input.name());
    ForEachDefinition(graph,
                      [this](std::string& name) { names_.insert(name); });
    for (auto& node : *graph.mutable_node()) {
      for (auto& attribute : *node.mutable_attribute()) {
        if (attribute.has_g()) CollectNames(*attribute.mutable_g());
      }
    }
  }

  template <class Values>
  static bool SameNames(const Values& a, const Values& b) {
    if (a.size() != b.size()) return false;
    for (int i = 0; i < a.size(); ++i) {
      if (a[i].name() != b[i].name()) return false;
    }
    return true;
  }

  Status SettleScope(onnx::GraphProto& before, onnx::GraphProto& after,
                     Renames renames) {
    if (!SameNames(before.input(), after.input()) ||
        !SameNames(before.output(), after.output())) {
      return InvalidModel(
          "onnx's version converter changed the inputs or outputs of the "
          "graph \"" +
          before.name() + "\": export the model at a later opset instead");
    }
    // The converter names new values scope by scope, blind to outer ones.
    std::unordered_set<std::string> own;
    for (const auto& input : before.input()) own.insert(input.name());
    ForEachDefinition(before, [&](std::string& name) { own.insert(name); });
    ForEachDefinition(after, [&](std::string& name) {
      if (own.contains(name) || names_.insert(name).second) return;
      std::string unique = name;
      for (int i = 1; !names_.insert(unique).second; ++i) {
        unique = name + "_" + std::to_string(i);
      }
      renames[name] = unique;
      name = unique;
    });
    for (auto& node : *after.mutable_node()) {
      for (auto& input : *node.mutable_input()) {
        const auto renamed = renames.find(input);
        if (renamed != renames.end()) input = renamed->second;
      }
      ZEROPOINT_RETURN_IF_ERROR(SettleNode(node, renames));
    }
    return Status();
  }

  Status SettleNode(onnx::NodeProto& node, const Renames& renames) {
    const auto number = NumberOf(node);
    if (number && !seen_.insert(*number).second) node.clear_doc_string();
    for (auto& attribute : *node.mutable_attribute()) {
      if (!attribute.has_g()) continue;
      onnx::AttributeProto* before =
          number ? Attribute(*copies_[*number], attribute.name()) : nullptr;
      if (before == nullptr || !before->has_g()) {
        return InvalidModel("onnx's version converter put a new body into " +
                            NodeLabel(node) +
                            ": export the model at a later opset instead");
      }
      ZEROPOINT_RETURN_IF_ERROR(
          SettleScope(*before->mutable_g(), *attribute.mutable_g(), renames));
    }
    return Status();
  }

  std::optional<std::size_t> NumberOf(const onnx::NodeProto& node) const {
    const auto number = ParseSize(node.doc_string());
    return number && *number < copies_.size() ? number : std::nullopt;
  }

  static onnx::AttributeProto* Attribute(onnx::NodeProto& node,
                                         std::string_view name) {
    return const_cast<onnx::AttributeProto*>(FindAttribute(node, name));
  }

  // Nodes that are gone, by their first output: a new node that produces it
  // took their place.
  std::unordered_map<std::string, std::size_t> ReplacedNodes() const {
    std::unordered_map<std::string, std::size_t> replaced;
    for (std::size_t i = 0; i < copies_.size(); ++i) {
      if (seen_.contains(i) || copies_[i]->output_size() == 0) continue;
      replaced.emplace(copies_[i]->output(0), i);
    }
    return replaced;
  }

  void MergeScope(onnx::GraphProto& original, onnx::GraphProto& converted) {
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    nodes.Reserve(converted.node_size());
    for (auto& node : *converted.mutable_node()) {
      MergeNode(node);
      nodes.Add()->Swap(&node);
    }
    original.mutable_node()->Swap(&nodes);

    std::unordered_set<std::string_view> known;
    for (const auto& tensor : original.initializer()) {
      known.insert(tensor.name());
    }
    std::vector<onnx::TensorProto*> added;
    for (auto& tensor : *converted.mutable_initializer()) {
      if (!known.contains(tensor.name())) added.push_back(&tensor);
    }
    for (onnx::TensorProto* tensor : added) {
      original.add_initializer()->Swap(tensor);
    }
  }

  // `node` becomes the original with the converter's changes.
  void MergeNode(onnx::NodeProto& node) {
    auto number = NumberOf(node);
    node.clear_doc_string();
    if (!number && node.output_size() > 0) {
      const auto replaced = replaced_.find(node.output(0));
      if (replaced != replaced_.end()) number = replaced->second;
    }
    if (!number) return;
    onnx::NodeProto& original = *originals_[*number];
    google::protobuf::RepeatedPtrField<onnx::AttributeProto> attributes;
    for (auto& attribute : *node.mutable_attribute()) {
      onnx::AttributeProto* kept = Attribute(original, attribute.name());
      onnx::AttributeProto* copy =
          Attribute(*copies_[*number], attribute.name());
      if (attribute.has_g()) {
        MergeScope(*kept->mutable_g(), *attribute.mutable_g());
      } else if (copy == nullptr || !IsUnchanged(*copy, attribute)) {
        kept = &attribute;
      }
      attributes.Add()->Swap(kept);
    }
    original.mutable_attribute()->Swap(&attributes);
    original.mutable_input()->Swap(node.mutable_input());
    original.mutable_output()->Swap(node.mutable_output());
    original.set_op_type(node.op_type());
    node.Swap(&original);
  }

  // A tensor whose elements the converter never saw it cannot have changed.
  bool IsUnchanged(const onnx::AttributeProto& copy,
                   const onnx::AttributeProto& converted) const {
    if (copy.has_t()) {
      const auto bytes = PackedBytes(copy.t());
      if (bytes.ok() && *bytes >= kept_below_) return true;
    }
    onnx::AttributeProto expected = copy;
    expected.mutable_unknown_fields()->clear();
    expected.clear_doc_string();
    if (expected.has_t()) {
      expected.mutable_t()->mutable_unknown_fields()->clear();
      expected.mutable_t()->clear_doc_string();
      expected.mutable_t()->clear_metadata_props();
    }
    return expected.SerializeAsString() == converted.SerializeAsString();
  }

  onnx::GraphProto& original_;
  onnx::GraphProto& copy_;
  const std::size_t kept_below_;
  std::vector<onnx::NodeProto*> originals_;
  std::vector<onnx::NodeProto*> copies_;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::size_t> seen_;
  std::unordered_map<std::string, std::size_t> replaced_;
};

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_GRAPH_CONVERTED_GRAPH_H_

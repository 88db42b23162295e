// Rewriter: the only way to edit a graph under a GraphView.
//
// Each call edits the protos and the index together, so a pass may ask the view
// at any time. Nothing moves until Finish: erased nodes are marks and added
// ones stand at the end; Finish compacts and places them once, in linear time.
#ifndef ZEROPOINT_GRAPH_REWRITER_H_
#define ZEROPOINT_GRAPH_REWRITER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/assert.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_tables.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/placement.h"

namespace zeropoint {

/// One at a time a view. A pass that returns early with an error leaves the
/// model in an undefined state; nothing else does.
class Rewriter {
 public:
  explicit Rewriter(GraphView& view) : view_(view), tables_(view.tables_) {}

  const GraphView& view() const { return view_; }

  /// Adds `node` to `scope`. Its inputs name values that the scope sees, its
  /// outputs values of NewValue, values that lost their producer, or new names.
  /// Its own name becomes unique, unless an erased node had it: what takes a
  /// node's place may take its name. Bodies in its attributes are indexed too.
  /// Requires: the above; anything else is a fault of the pass.
  NodeId Add(onnx::NodeProto node, ScopeId scope = kMainScope) {
    node.set_name(NodeName(node.name().empty() ? node.op_type() : node.name()));
    for (const std::string& output : node.output()) {
      ZEROPOINT_ASSERT(
          output.empty() || view_.Find(output, scope) != kNoValue ||
              !tables_.names.contains(output),
          "Rewriter::Add: the output's name is taken; use NewValue");
    }
    onnx::NodeProto* added = tables_.at(scope).graph->add_node();
    added->Swap(&node);
    auto id = internal::GraphIndexer(tables_).IndexNode(added, scope);
    ZEROPOINT_ASSERT(id.ok(), id.status().message().c_str());
    MarkDirty(scope);
    return *id;
  }

  /// The same from ids: Add("Relu", {x}, {y}). Attributes follow through
  /// MutableNode.
  NodeId Add(std::string_view op_type, std::span<const ValueId> inputs,
             std::span<const ValueId> outputs, ScopeId scope = kMainScope) {
    onnx::NodeProto& node = *tables_.at(scope).graph->add_node();
    node.set_op_type(std::string(op_type));
    node.set_name(NodeName(node.op_type()));
    const NodeId id = tables_.AddNode(&node, scope);
    internal::NodeRecord& record = tables_.at(id);
    record.inputs.assign(inputs.size(), kNoValue);
    record.use_at.assign(inputs.size(), 0);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      CheckVisible(inputs[i], scope);
      node.add_input(NameOf(inputs[i]));
      tables_.AddUse(id, static_cast<int>(i), inputs[i]);
    }
    record.outputs.assign(outputs.begin(), outputs.end());
    for (const ValueId output : outputs) {
      CheckUndefined(output, scope);
      node.add_output(NameOf(output));
      if (output != kNoValue) tables_.at(output).producer = id;
    }
    MarkDirty(scope);
    return id;
  }
  NodeId Add(std::string_view op_type, std::initializer_list<ValueId> inputs,
             std::initializer_list<ValueId> outputs,
             ScopeId scope = kMainScope) {
    return Add(op_type, std::span(inputs.begin(), inputs.size()),
               std::span(outputs.begin(), outputs.size()), scope);
  }

  /// Removes a node and its bodies. To read its outputs at Finish is an error.
  void Erase(NodeId id) {
    ZEROPOINT_ASSERT(view_.alive(id), "Rewriter::Erase needs a live node");
    internal::NodeRecord& record = tables_.at(id);
    MarkDirty(record.scope);
    record.alive = false;
    if (!record.proto->name().empty()) {
      free_node_names_.insert(record.proto->name());
    }
    for (std::size_t i = 0; i < record.inputs.size(); ++i) {
      tables_.RemoveUse(id, static_cast<int>(i));
    }
    for (const ValueId output : record.outputs) Orphan(output);
    for (const ScopeId body : record.bodies) {
      for (const NodeId inner : tables_.at(body).nodes) {
        if (view_.alive(inner)) Erase(inner);
      }
      tables_.at(body).alive = false;
    }
  }

  /// A value that nothing produces yet, with a name made from `name_hint` that
  /// is unique over all scopes. The same calls give the same names.
  ValueId NewValue(std::string_view name_hint, ScopeId scope = kMainScope) {
    const ValueId value =
        tables_.AddInternedValue(UniqueName(name_hint), scope);
    unproduced_.push_back(value);
    return value;
  }

  /// Adds an initializer; the tensor's name is a hint as for NewValue.
  ValueId AddInitializer(onnx::TensorProto tensor, ScopeId scope = kMainScope) {
    const std::string hint = tensor.name().empty() ? "constant" : tensor.name();
    const ValueId value = tables_.AddInternedValue(UniqueName(hint), scope);
    tensor.set_name(NameOf(value));
    view_.model().Spill(tensor);
    onnx::TensorProto* added = tables_.at(scope).graph->add_initializer();
    added->Swap(&tensor);
    tables_.at(value).initializer = added;
    return value;
  }

  /// `value` is an initializer with the data of `tensor` from now on. It keeps
  /// its name and its readers, so a value that a node computed can become one.
  /// Requires: no node produces it and it is no graph input.
  void SetInitializer(ValueId value, onnx::TensorProto tensor) {
    internal::ValueRecord& record = tables_.at(value);
    ZEROPOINT_ASSERT(record.producer == kNoNode && !record.is_graph_input &&
                         !record.is_sparse,
                     "Rewriter::SetInitializer needs a value that nothing else "
                     "defines");
    tensor.set_name(NameOf(value));
    view_.model().Spill(tensor);
    if (record.type != nullptr && !record.is_graph_output) {
      SetType(value, TypeOf(tensor));
    }
    if (record.initializer != nullptr) {
      // The view hands it out as const; the model is ours to edit.
      const_cast<onnx::TensorProto*>(record.initializer)->Swap(&tensor);
      return;
    }
    onnx::TensorProto* added =
        tables_.at(record.scope).graph->add_initializer();
    added->Swap(&tensor);
    record.initializer = added;
  }

  /// Removes an initializer.
  /// Requires: nothing reads it and it is neither graph input nor output.
  void EraseInitializer(ValueId value) {
    internal::ValueRecord& record = tables_.at(value);
    ZEROPOINT_ASSERT(record.initializer != nullptr && record.uses.empty() &&
                         !record.is_graph_input && !record.is_graph_output,
                     "Rewriter::EraseInitializer needs an unused initializer");
    erased_initializers_.insert(record.initializer);
    record.initializer = nullptr;
    MarkDirty(record.scope);
  }

  /// Input `input` of the node reads `value` from now on; kNoValue omits it. An
  /// index at or beyond the present number of inputs lengthens the list.
  /// Requires: the node's scope sees the value.
  void SetInput(NodeId id, int input, ValueId value) {
    const auto slot = static_cast<std::size_t>(input);
    internal::NodeRecord& record = tables_.at(id);
    CheckVisible(value, record.scope);
    while (record.inputs.size() <= slot) {
      record.inputs.push_back(kNoValue);
      record.use_at.push_back(0);
      record.proto->add_input();
    }
    tables_.RemoveUse(id, input);
    tables_.AddUse(id, input, value);
    record.proto->set_input(input, NameOf(value));
    while (!record.inputs.empty() && record.inputs.back() == kNoValue) {
      record.inputs.pop_back();
      record.use_at.pop_back();
      record.proto->mutable_input()->RemoveLast();
    }
    MarkDirty(record.scope);
  }

  /// Output `output` of the node is `value` from now on; the value that it was
  /// keeps name and uses and waits for a new producer.
  /// Requires: nothing defines `value`, and it belongs to the node's scope.
  void SetOutput(NodeId id, int output, ValueId value) {
    const auto slot = static_cast<std::size_t>(output);
    internal::NodeRecord& record = tables_.at(id);
    ZEROPOINT_ASSERT(slot < record.outputs.size(),
                     "Rewriter::SetOutput needs an output that is there");
    CheckUndefined(value, record.scope);
    Orphan(record.outputs[slot]);
    record.outputs[slot] = value;
    if (value != kNoValue) tables_.at(value).producer = id;
    record.proto->set_output(output, NameOf(value));
    MarkDirty(record.scope);
  }

  /// The node, to change its attributes (not bodies), documentation or metadata
  /// and nothing else.
  onnx::NodeProto& MutableNode(NodeId id) {
    ZEROPOINT_ASSERT(view_.alive(id), "Rewriter::MutableNode: an erased node");
    return *tables_.at(id).proto;
  }

  /// Names a node that has no name; it may be that of a value.
  void SetNodeName(NodeId id, std::string_view name) {
    MutableNode(id).set_name(std::string(tables_.Intern(name)));
  }

  /// Whatever reads `from` reads `to` instead; both ids stay what they are.
  ///
  /// A graph output keeps its public name: when `from` is one, `to` takes the
  /// name over and becomes the output, and `from` gets a fresh name. Where `to`
  /// cannot be renamed (a graph input or output, an initializer, a value of an
  /// outer scope) an Identity node produces `from` out of `to` instead.
  /// To put nodes behind a value, call this first, then Add the nodes.
  /// Requires: `to` is visible wherever `from` is.
  void ReplaceUses(ValueId from, ValueId to);

  /// States the type of a value that is no input or output of a graph; it
  /// reaches the model where value_info has an entry.
  void SetType(ValueId value, onnx::TypeProto type) {
    internal::ValueRecord& record = tables_.at(value);
    ZEROPOINT_ASSERT(!record.is_graph_input && !record.is_graph_output,
                     "Rewriter::SetType: public types stay as they are");
    record.type = &tables_.own_types.emplace_back(std::move(type));
    retyped_.insert(value);
    MarkDirty(record.scope);
  }

  /// Changes the element type of a graph's input or output: its contract.
  void SetPublicType(ValueId value, DataType type) {
    auto* declared = const_cast<onnx::TypeProto*>(tables_.at(value).type);
    ZEROPOINT_ASSERT(declared != nullptr && declared->has_tensor_type(),
                     "Rewriter::SetPublicType needs a declared tensor");
    declared->mutable_tensor_type()->set_elem_type(
        static_cast<std::int32_t>(type));
  }

  /// Compacts and places the nodes of every scope that changed, and drops stale
  /// value_info. The rewriter can be used again.
  /// Errors: kInvalidModel for a value that is read and not produced, and for a
  /// cycle; messages name the node.
  Status Finish();

 private:
  std::string NameOf(ValueId value) const {
    return value == kNoValue ? std::string()
                             : std::string(tables_.at(value).name);
  }

  void CheckVisible(ValueId value, ScopeId scope) const {
    ZEROPOINT_ASSERT(
        value == kNoValue || tables_.Contains(tables_.at(value).scope, scope),
        "Rewriter: a node reads a value that its scope sees");
  }
  void CheckUndefined(ValueId value, ScopeId scope) const {
    ZEROPOINT_ASSERT(value == kNoValue || (!tables_.IsDefined(value) &&
                                           tables_.at(value).scope == scope),
                     "Rewriter: a node produces a value of its own scope that "
                     "nothing else defines");
  }

  // hint, hint_1, hint_2 ...: remembered, so that many of one hint stay linear.
  std::string_view UniqueName(std::string_view hint) {
    const auto [name, is_new] = tables_.names.emplace(hint);
    if (is_new) return *name;
    std::uint32_t& next = tables_.next_suffix[*name];
    for (std::string candidate;;) {
      candidate = std::string(hint) + "_" + std::to_string(++next);
      const auto [unique, inserted] = tables_.names.insert(candidate);
      if (inserted) return *unique;
    }
  }
  std::string NodeName(const std::string& hint) {
    return free_node_names_.erase(hint) > 0 ? hint
                                            : std::string(UniqueName(hint));
  }

  void Orphan(ValueId value) {
    if (value == kNoValue) return;
    tables_.at(value).producer = kNoNode;
    unproduced_.push_back(value);
  }

  // A change in a body may change what the nodes around it need.
  void MarkDirty(ScopeId scope) {
    for (; scope != kNoScope; scope = tables_.at(scope).parent) {
      tables_.at(scope).dirty = true;
    }
  }

  void Rename(ValueId value, std::string_view name);

  GraphView& view_;
  internal::GraphTables& tables_;
  std::vector<ValueId> unproduced_;
  std::unordered_set<const onnx::TensorProto*> erased_initializers_;
  std::unordered_set<ValueId> retyped_;
  std::unordered_set<std::string> free_node_names_;
};

inline void Rewriter::Rename(ValueId value, std::string_view name) {
  internal::ValueRecord& record = tables_.at(value);
  auto& names = tables_.at(record.scope).values;
  names[record.name] = kNoValue;
  record.name = tables_.Intern(name);
  names[record.name] = value;
  if (record.producer != kNoNode) {
    const internal::NodeRecord& producer = tables_.at(record.producer);
    for (std::size_t i = 0; i < producer.outputs.size(); ++i) {
      if (producer.outputs[i] != value) continue;
      producer.proto->set_output(static_cast<int>(i), NameOf(value));
    }
  }
  for (const Use& use : record.uses) {
    tables_.at(use.node).proto->set_input(use.input, NameOf(value));
  }
}

inline void Rewriter::ReplaceUses(ValueId from, ValueId to) {
  ZEROPOINT_ASSERT(
      from != to &&
          tables_.Contains(tables_.at(to).scope, tables_.at(from).scope),
      "Rewriter::ReplaceUses needs a value that is visible to all users");
  for (const Use& use : std::exchange(tables_.at(from).uses, {})) {
    tables_.AddUse(use.node, use.input, to);
    tables_.at(use.node).proto->set_input(use.input, NameOf(to));
    MarkDirty(tables_.at(use.node).scope);
  }
  internal::ValueRecord& source = tables_.at(from);
  internal::ValueRecord& target = tables_.at(to);
  if (!source.is_graph_output || source.is_graph_input ||
      source.initializer != nullptr || source.is_sparse) {
    return;
  }
  MarkDirty(source.scope);
  const bool fixed_name = target.is_graph_input || target.is_graph_output ||
                          target.initializer != nullptr || target.is_sparse ||
                          target.scope != source.scope;
  if (fixed_name) {
    if (source.producer != kNoNode) {
      const NodeId producer = source.producer;
      const auto outputs = view_.outputs(producer);
      const auto at = std::find(outputs.begin(), outputs.end(), from);
      SetOutput(producer, static_cast<int>(at - outputs.begin()),
                NewValue(NameOf(from) + "_inner", source.scope));
    }
    Add("Identity", {to}, {from}, tables_.at(from).scope);
    return;
  }
  const std::string public_name = NameOf(from);
  Rename(from, UniqueName(public_name + "_inner"));
  Rename(to, public_name);
  target.is_graph_output = true;
  target.type = source.type;
  source.is_graph_output = false;
  for (auto& scope : tables_.scopes) {
    std::replace(scope.outputs.begin(), scope.outputs.end(), from, to);
  }
}

inline Status Rewriter::Finish() {
  ZEROPOINT_RETURN_IF_ERROR(internal::CheckProduced(tables_, unproduced_));
  internal::NodePlacement placement(tables_);
  for (std::size_t i = 0; i < tables_.scopes.size(); ++i) {
    internal::ScopeRecord& scope = tables_.scopes[i];
    if (!scope.alive || !scope.dirty) continue;
    const auto id = static_cast<ScopeId>(i);
    ZEROPOINT_RETURN_IF_ERROR(internal::PlaceNodes(tables_, id, placement));
    internal::DropInitializers(*scope.graph, erased_initializers_);
    internal::SettleValueInfo(tables_, id, retyped_);
    scope.dirty = false;
  }
  unproduced_.clear();
  erased_initializers_.clear();
  retyped_.clear();

  tables_.nodes_of_type.clear();
  for (const NodeId node : view_.nodes()) {
    tables_.nodes_of_type[view_.node(node).op_type()].push_back(node);
  }
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_REWRITER_H_

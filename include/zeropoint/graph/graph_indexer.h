// GraphIndexer: fills GraphTables from protos, scope by scope, and refuses a
// graph that breaks ONNX's rules on names and order.
//
// Breadth first, no recursion: when a body is indexed all that it can see
// outside is known.
#ifndef ZEROPOINT_GRAPH_GRAPH_INDEXER_H_
#define ZEROPOINT_GRAPH_GRAPH_INDEXER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_tables.h"
#include "zeropoint/graph/visit_tensors.h"

namespace zeropoint::internal {

class GraphIndexer {
 public:
  explicit GraphIndexer(GraphTables& tables) : tables_(tables) {}

  /// Indexes the main graph and all bodies within it.
  /// Errors: kInvalidModel for a name that two places define, one that none
  /// does, a node before its producer, a cycle; kUnsupported beyond
  /// kMaxScopeDepth. Messages name the node and the value.
  Status IndexModel(onnx::ModelProto& model) {
    pending_.push_back({model.mutable_graph(), kNoScope, kNoNode, 0});
    ZEROPOINT_RETURN_IF_ERROR(IndexPending());
    // Training graphs use names of the main one: new names must avoid theirs.
    for (const auto& training : model.training_info()) {
      ReserveNames(training.initialization());
      ReserveNames(training.algorithm());
    }
    return Status();
  }

  /// Indexes one more node at the end of `scope`, and its bodies. Its inputs
  /// must be known; its outputs are those known without a producer, or new.
  Result<NodeId> IndexNode(onnx::NodeProto* node, ScopeId scope) {
    for (const std::string& output : node->output()) {
      if (output.empty()) continue;
      const ValueId known = tables_.Find(output, scope);
      if (known == kNoValue) {
        tables_.AddValue(output, scope);
      } else if (tables_.IsDefined(known) || tables_.at(known).scope != scope) {
        return DefinedTwice(output, known, NodeLabel(*node));
      }
    }
    const NodeId id = AddNode(node, scope);
    BindOutputs(id);
    ZEROPOINT_RETURN_IF_ERROR(BindInputs(id, OrderCheck::kNo));
    int depth = 0;
    for (ScopeId s = scope; s != kMainScope; s = tables_.at(s).parent) ++depth;
    QueueBodies(id, depth);
    ZEROPOINT_RETURN_IF_ERROR(IndexPending());
    return id;
  }

 private:
  enum class OrderCheck { kNo, kYes };

  struct Pending {
    onnx::GraphProto* graph;
    ScopeId parent;
    NodeId owner;
    int depth;
  };

  Status IndexPending() {
    while (!pending_.empty()) {
      const Pending next = pending_.front();
      pending_.pop_front();
      ZEROPOINT_RETURN_IF_ERROR(IndexScope(next));
    }
    return Status();
  }

  Status IndexScope(const Pending& next) {
    if (next.depth > kMaxScopeDepth) {
      return Unsupported("graph \"" + next.graph->name() +
                         "\" is nested deeper than " +
                         std::to_string(kMaxScopeDepth) + " bodies");
    }
    const auto scope = static_cast<ScopeId>(tables_.scopes.size());
    tables_.scopes.emplace_back();
    ScopeRecord& record = tables_.at(scope);
    record.graph = next.graph;
    record.parent = next.parent;
    record.owner = next.owner;
    if (next.owner != kNoNode) tables_.at(next.owner).bodies.push_back(scope);
    record.values.reserve(static_cast<std::size_t>(next.graph->node_size()) *
                          2);

    ZEROPOINT_RETURN_IF_ERROR(DefineInputs(scope));
    ZEROPOINT_RETURN_IF_ERROR(DefineInitializers(scope));
    ZEROPOINT_RETURN_IF_ERROR(DefineNodes(scope));
    // By index: a body's nodes are appended to other scopes only.
    const std::size_t count = tables_.at(scope).nodes.size();
    for (std::size_t i = 0; i < count; ++i) {
      const NodeId node = tables_.at(scope).nodes[i];
      ZEROPOINT_RETURN_IF_ERROR(BindInputs(node, OrderCheck::kYes));
      QueueBodies(node, next.depth);
    }
    ZEROPOINT_RETURN_IF_ERROR(BindGraphOutputs(scope));
    BindTypes(scope);
    return Status();
  }

  Status DefineInputs(ScopeId scope) {
    for (const auto& input : tables_.at(scope).graph->input()) {
      if (tables_.at(scope).values.contains(input.name())) {
        return InvalidModel(Where(scope) + " has two inputs called \"" +
                            input.name() + "\"");
      }
      const ValueId value = tables_.AddValue(input.name(), scope);
      tables_.at(value).is_graph_input = true;
      if (input.has_type()) tables_.at(value).type = &input.type();
      tables_.at(scope).inputs.push_back(value);
    }
    return Status();
  }

  Status DefineInitializers(ScopeId scope) {
    onnx::GraphProto& graph = *tables_.at(scope).graph;
    for (const auto& tensor : graph.initializer()) {
      ZEROPOINT_ASSIGN_OR_RETURN(const ValueId value,
                                 DefineInitializer(tensor.name(), scope));
      tables_.at(value).initializer = &tensor;
    }
    for (const auto& tensor : graph.sparse_initializer()) {
      ZEROPOINT_ASSIGN_OR_RETURN(
          const ValueId value,
          DefineInitializer(tensor.values().name(), scope));
      tables_.at(value).is_sparse = true;
    }
    return Status();
  }

  // An initializer may give a graph input its default value.
  Result<ValueId> DefineInitializer(const std::string& name, ScopeId scope) {
    if (name.empty()) {
      return InvalidModel(Where(scope) + " has an initializer without a name");
    }
    const auto known = tables_.at(scope).values.find(name);
    if (known == tables_.at(scope).values.end()) {
      return tables_.AddValue(name, scope);
    }
    const ValueRecord& record = tables_.at(known->second);
    if (record.initializer != nullptr || record.is_sparse) {
      return InvalidModel(Where(scope) + " has two initializers called \"" +
                          name + "\"");
    }
    return known->second;
  }

  Status DefineNodes(ScopeId scope) {
    onnx::GraphProto& graph = *tables_.at(scope).graph;
    tables_.at(scope).nodes.reserve(
        static_cast<std::size_t>(graph.node_size()));
    for (auto& node : *graph.mutable_node()) {
      const NodeId id = AddNode(&node, scope);
      for (const std::string& output : node.output()) {
        if (output.empty()) continue;
        const ValueId known = tables_.Find(output, scope);
        if (known != kNoValue) {
          return DefinedTwice(output, known, NodeLabel(node));
        }
        const ValueId value = tables_.AddValue(output, scope);
        tables_.at(value).producer = id;
      }
      BindOutputs(id);
    }
    return Status();
  }

  NodeId AddNode(onnx::NodeProto* node, ScopeId scope) {
    if (!node->name().empty()) tables_.Intern(node->name());
    return tables_.AddNode(node, scope);
  }

  void BindOutputs(NodeId id) {
    NodeRecord& record = tables_.at(id);
    record.outputs.reserve(
        static_cast<std::size_t>(record.proto->output_size()));
    for (const std::string& output : record.proto->output()) {
      ValueId value = kNoValue;
      if (!output.empty()) {
        value = tables_.at(record.scope).values.find(output)->second;
        tables_.at(value).producer = id;
      }
      record.outputs.push_back(value);
    }
  }

  Status BindInputs(NodeId id, OrderCheck check) {
    const onnx::NodeProto& node = *tables_.at(id).proto;
    const auto count = static_cast<std::size_t>(node.input_size());
    tables_.at(id).inputs.assign(count, kNoValue);
    tables_.at(id).use_at.assign(count, 0);
    for (int i = 0; i < node.input_size(); ++i) {
      if (node.input(i).empty()) continue;
      const ValueId value = tables_.Find(node.input(i), tables_.at(id).scope);
      if (value == kNoValue) {
        return InvalidModel(NodeLabel(node) + " reads \"" + node.input(i) +
                            "\", which nothing produces");
      }
      if (check == OrderCheck::kYes) {
        ZEROPOINT_RETURN_IF_ERROR(CheckOrder(id, value));
      }
      tables_.AddUse(id, i, value);
    }
    return Status();
  }

  // While a scope is indexed its nodes' ids grow in file order.
  Status CheckOrder(NodeId user, ValueId value) const {
    const ValueRecord& read = tables_.at(value);
    if (read.producer == kNoNode) return Status();
    const NodeId reader = tables_.AncestorIn(read.scope, user);
    if (read.producer < reader) return Status();
    const std::string sentence = NodeLabel(*tables_.at(user).proto) +
                                 " reads \"" + std::string(read.name) + "\", ";
    if (read.producer == reader) {
      return InvalidModel(sentence + "which it produces itself: a cycle");
    }
    if (DependsOn(read.producer, reader)) {
      return InvalidModel(sentence +
                          "which depends on its own output: a cycle");
    }
    return InvalidModel(sentence + "which a later node produces (" +
                        NodeLabel(*tables_.at(read.producer).proto) +
                        "): the nodes must be sorted topologically");
  }

  // For a message only: does `node` need what `earlier` produces? Follows
  // names, since uses are not complete yet; bodies are not entered.
  bool DependsOn(NodeId node, NodeId earlier) const {
    std::vector<bool> seen(tables_.nodes.size(), false);
    std::vector<NodeId> open = {node};
    while (!open.empty()) {
      const NodeId next = open.back();
      open.pop_back();
      if (next == earlier) return true;
      if (seen[IndexOf(next)]) continue;
      seen[IndexOf(next)] = true;
      for (const std::string& input : tables_.at(next).proto->input()) {
        const ValueId value = tables_.Find(input, tables_.at(next).scope);
        if (value != kNoValue && tables_.at(value).producer != kNoNode) {
          open.push_back(tables_.at(value).producer);
        }
      }
    }
    return false;
  }

  void QueueBodies(NodeId id, int depth) {
    const ScopeId scope = tables_.at(id).scope;
    for (auto& attribute : *tables_.at(id).proto->mutable_attribute()) {
      if (attribute.has_g()) {
        pending_.push_back({attribute.mutable_g(), scope, id, depth + 1});
      }
      for (auto& graph : *attribute.mutable_graphs()) {
        pending_.push_back({&graph, scope, id, depth + 1});
      }
    }
  }

  Status BindGraphOutputs(ScopeId scope) {
    for (const auto& output : tables_.at(scope).graph->output()) {
      const ValueId value = tables_.Find(output.name(), scope);
      if (value == kNoValue) {
        return InvalidModel(Where(scope) + " has the output \"" +
                            output.name() + "\", which nothing produces");
      }
      ValueRecord& record = tables_.at(value);
      record.is_graph_output = true;
      if (record.type == nullptr && output.has_type()) {
        record.type = &output.type();
      }
      tables_.at(scope).outputs.push_back(value);
    }
    return Status();
  }

  void BindTypes(ScopeId scope) {
    for (const auto& info : tables_.at(scope).graph->value_info()) {
      const auto known = tables_.at(scope).values.find(info.name());
      if (known == tables_.at(scope).values.end() || !info.has_type()) continue;
      ValueRecord& record = tables_.at(known->second);
      if (record.type == nullptr) record.type = &info.type();
    }
  }

  Status DefinedTwice(std::string_view name, ValueId known,
                      const std::string& by) const {
    const ValueRecord& first = tables_.at(known);
    const std::string where =
        first.producer != kNoNode ? NodeLabel(*tables_.at(first.producer).proto)
        : first.is_graph_input    ? std::string("a graph input")
                                  : std::string("an initializer");
    return InvalidModel("\"" + std::string(name) + "\" is defined twice: by " +
                        where + " and by " + by);
  }

  std::string Where(ScopeId scope) const {
    const ScopeRecord& record = tables_.at(scope);
    const std::string graph = "graph \"" + record.graph->name() + "\"";
    if (record.owner == kNoNode) return "the main " + graph;
    return graph + " in " + NodeLabel(*tables_.at(record.owner).proto);
  }

  void ReserveNames(const onnx::GraphProto& graph) {
    for (const auto& tensor : graph.initializer()) {
      tables_.Intern(tensor.name());
    }
    for (const auto& input : graph.input()) tables_.Intern(input.name());
    for (const auto& node : graph.node()) {
      tables_.Intern(node.name());
      for (const std::string& output : node.output()) tables_.Intern(output);
    }
  }

  GraphTables& tables_;
  std::deque<Pending> pending_;
};

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_GRAPH_GRAPH_INDEXER_H_

// Where nodes stand in the file after a rewrite: old ones keep their order,
// added ones come right before the first node that needs them.
#ifndef ZEROPOINT_GRAPH_PLACEMENT_H_
#define ZEROPOINT_GRAPH_PLACEMENT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_tables.h"

namespace zeropoint::internal {

/// A stable topological order: depth first over inputs from each node in turn,
/// with a stack of its own. Linear in nodes and inputs.
class NodePlacement {
 public:
  explicit NodePlacement(const GraphTables& tables)
      : tables_(tables), state_(tables.nodes.size(), State::kNew) {}

  /// The live nodes of `scope`: those that were placed before keep their order
  /// as far as their inputs allow; the rest stand right before their first
  /// user, or at the end when they have none. Errors: kInvalidModel for a
  /// cycle, naming a node on it.
  Result<std::vector<NodeId>> Order(ScopeId scope) {
    scope_ = scope;
    std::vector<NodeId> order;
    order.reserve(tables_.at(scope).nodes.size());
    for (const NodeId node : tables_.at(scope).nodes) {
      if (!tables_.at(node).alive) continue;
      ZEROPOINT_RETURN_IF_ERROR(Place(node, order));
    }
    return order;
  }

 private:
  enum class State : std::uint8_t { kNew, kOpen, kPlaced };

  // A node whose needs are being placed.
  struct Frame {
    NodeId node;
    std::vector<NodeId> needs;
    std::size_t next = 0;
  };

  Status Place(NodeId root, std::vector<NodeId>& order) {
    if (state_[IndexOf(root)] == State::kPlaced) return Status();
    std::vector<Frame> stack;
    stack.push_back(Open(root));
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next == top.needs.size()) {
        state_[IndexOf(top.node)] = State::kPlaced;
        order.push_back(top.node);
        stack.pop_back();
        continue;
      }
      const NodeId need = top.needs[top.next++];
      if (state_[IndexOf(need)] == State::kOpen) {
        return InvalidModel(NodeLabel(*tables_.at(need).proto) +
                            " depends on its own output: a cycle");
      }
      if (state_[IndexOf(need)] == State::kNew) stack.push_back(Open(need));
    }
    return Status();
  }

  Frame Open(NodeId node) {
    state_[IndexOf(node)] = State::kOpen;
    Frame frame{node, {}};
    CollectNeeds(node, frame.needs);
    return frame;
  }

  // The nodes of this scope that produce what `node` reads, itself or in its
  // bodies.
  void CollectNeeds(NodeId node, std::vector<NodeId>& needs) const {
    for (const ValueId input : tables_.at(node).inputs) {
      CollectProducer(input, needs);
    }
    for (const ScopeId body : tables_.at(node).bodies) {
      for (const NodeId inner : tables_.at(body).nodes) {
        if (tables_.at(inner).alive) CollectNeeds(inner, needs);
      }
      for (const ValueId output : tables_.at(body).outputs) {
        CollectProducer(output, needs);
      }
    }
  }

  void CollectProducer(ValueId value, std::vector<NodeId>& needs) const {
    if (value == kNoValue || tables_.at(value).scope != scope_) return;
    const NodeId producer = tables_.at(value).producer;
    if (producer != kNoNode) needs.push_back(producer);
  }

  const GraphTables& tables_;
  ScopeId scope_ = kMainScope;
  std::vector<State> state_;
};

/// Orders the nodes of `scope` in index and proto, and deletes the erased ones.
inline Status PlaceNodes(GraphTables& tables, ScopeId id,
                         NodePlacement& placement) {
  ZEROPOINT_ASSIGN_OR_RETURN(std::vector<NodeId> order, placement.Order(id));
  ScopeRecord& scope = tables.at(id);
  // The field is an array of pointers: live nodes to the front in their new
  // order, erased ones behind, then cut.
  auto& field = *scope.graph->mutable_node();
  std::vector<onnx::NodeProto*> protos;
  protos.reserve(scope.nodes.size());
  for (const NodeId node : order) protos.push_back(tables.at(node).proto);
  for (const NodeId node : scope.nodes) {
    if (tables.at(node).alive) continue;
    protos.push_back(std::exchange(tables.at(node).proto, nullptr));
  }
  std::copy(protos.begin(), protos.end(), field.pointer_begin());
  field.DeleteSubrange(static_cast<int>(order.size()),
                       static_cast<int>(protos.size() - order.size()));
  scope.nodes = std::move(order);
  return Status();
}

// Deletes the elements of a repeated field for which `is_gone` holds; the
// others keep their order and their addresses.
template <class Field, class IsGone>
void EraseIf(Field& field, IsGone is_gone) {
  const auto gone = std::stable_partition(
      field.pointer_begin(), field.pointer_end(),
      [&](const auto* entry) { return !is_gone(*entry); });
  const auto kept = static_cast<int>(gone - field.pointer_begin());
  field.DeleteSubrange(kept, field.size() - kept);
}

inline void DropInitializers(
    onnx::GraphProto& graph,
    const std::unordered_set<const onnx::TensorProto*>& erased) {
  if (erased.empty()) return;
  EraseIf(*graph.mutable_initializer(), [&](const onnx::TensorProto& tensor) {
    return erased.contains(&tensor);
  });
}

/// Drops the value_info of values that are gone and renews that of `retyped`
/// ones. Entries for names that were never in the graph are not ours to judge.
inline void SettleValueInfo(GraphTables& tables, ScopeId id,
                            const std::unordered_set<ValueId>& retyped) {
  const ScopeRecord& scope = tables.at(id);
  auto& field = *scope.graph->mutable_value_info();
  EraseIf(field, [&](const onnx::ValueInfoProto& info) {
    const auto known = scope.values.find(info.name());
    if (known == scope.values.end()) return false;
    if (known->second == kNoValue) return true;
    if (tables.IsDefined(known->second)) return false;
    if (tables.at(known->second).type == &info.type()) {
      tables.at(known->second).type = nullptr;
    }
    return true;
  });
  if (retyped.empty()) return;
  for (auto& info : field) {
    const auto known = scope.values.find(info.name());
    if (known == scope.values.end() || !retyped.contains(known->second)) {
      continue;
    }
    *info.mutable_type() = *tables.at(known->second).type;
  }
}

/// Errors: kInvalidModel for one of `values` that is read, or an output of a
/// graph, and that nothing defines any more.
inline Status CheckProduced(const GraphTables& tables,
                            std::span<const ValueId> values) {
  for (const ValueId value : values) {
    if (tables.IsDefined(value)) continue;
    const ValueRecord& record = tables.at(value);
    const std::string name(record.name);
    if (!record.uses.empty()) {
      return InvalidModel(
          NodeLabel(*tables.at(record.uses.front().node).proto) + " reads \"" +
          name + "\", which nothing produces after the rewrite");
    }
    if (record.is_graph_output && tables.at(record.scope).alive) {
      return InvalidModel("the graph output \"" + name +
                          "\" is produced by nothing after the rewrite");
    }
  }
  return Status();
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_GRAPH_PLACEMENT_H_

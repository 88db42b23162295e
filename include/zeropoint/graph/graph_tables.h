// GraphTables: the index behind GraphView, as plain data.
//
// Ids are positions in vectors and never reused, so an id that a pass holds
// stays good while the graph changes under it. Names are interned once: the
// strings of a proto move when it is edited.
#ifndef ZEROPOINT_GRAPH_GRAPH_TABLES_H_
#define ZEROPOINT_GRAPH_GRAPH_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"

namespace zeropoint {

enum class NodeId : std::uint32_t {};
enum class ValueId : std::uint32_t {};
/// One graph: the main one or a body of an If, Loop or Scan.
enum class ScopeId : std::uint32_t {};

inline constexpr NodeId kNoNode{0xffffffff};
/// Also the place of an optional input or output that a node omits.
inline constexpr ValueId kNoValue{0xffffffff};
inline constexpr ScopeId kMainScope{0};
inline constexpr ScopeId kNoScope{0xffffffff};

/// Input `input` of `node` reads a value.
struct Use {
  NodeId node;
  int input;
  friend bool operator==(const Use&, const Use&) = default;
};

/// `node "conv1" (Conv)`, or by its output when it has no name: for messages.
inline std::string NodeLabel(const onnx::NodeProto& node) {
  std::string label = "node ";
  if (!node.name().empty()) {
    label += "\"" + node.name() + "\"";
  } else if (node.output_size() > 0) {
    label += "that produces \"" + node.output(0) + "\"";
  } else {
    label += "without name and output";
  }
  return label + " (" + node.op_type() + ")";
}

namespace internal {

template <class Id>
constexpr std::size_t IndexOf(Id id) {
  return static_cast<std::size_t>(id);
}

struct NodeRecord {
  onnx::NodeProto* proto = nullptr;  // null once erased and compacted away
  ScopeId scope = kMainScope;
  bool alive = true;
  std::vector<ValueId> inputs;
  std::vector<std::uint32_t> use_at;  // where inputs[i].uses lists this input
  std::vector<ValueId> outputs;
  std::vector<ScopeId> bodies;
};

struct ValueRecord {
  std::string_view name;
  ScopeId scope = kMainScope;
  NodeId producer = kNoNode;
  const onnx::TensorProto* initializer = nullptr;
  const onnx::TypeProto* type = nullptr;
  bool is_sparse = false;  // a sparse initializer
  bool is_graph_input = false;
  bool is_graph_output = false;
  std::vector<Use> uses;
};

struct ScopeRecord {
  onnx::GraphProto* graph = nullptr;
  ScopeId parent = kNoScope;
  NodeId owner = kNoNode;
  bool alive = true;
  bool dirty = false;  // changed since its nodes were last placed
  // In file order; those added since the last placement at the end.
  std::vector<NodeId> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  // kNoValue: a name that its value gave up.
  std::unordered_map<std::string_view, ValueId> values;
};

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

struct GraphTables {
  std::vector<NodeRecord> nodes;
  std::vector<ValueRecord> values;
  std::vector<ScopeRecord> scopes;
  std::unordered_map<std::string, std::vector<NodeId>, StringHash,
                     std::equal_to<>>
      nodes_of_type;
  // Every name of any kind in any scope. Node-based: views of it stay valid.
  std::unordered_set<std::string, StringHash, std::equal_to<>> names;
  // The last number given to a name that was wanted again.
  std::unordered_map<std::string, std::uint32_t> next_suffix;
  // Types that the proto does not hold: inferred, or set by a pass.
  std::deque<onnx::TypeProto> own_types;

  NodeRecord& at(NodeId id) { return nodes[IndexOf(id)]; }
  const NodeRecord& at(NodeId id) const { return nodes[IndexOf(id)]; }
  ValueRecord& at(ValueId id) { return values[IndexOf(id)]; }
  const ValueRecord& at(ValueId id) const { return values[IndexOf(id)]; }
  ScopeRecord& at(ScopeId id) { return scopes[IndexOf(id)]; }
  const ScopeRecord& at(ScopeId id) const { return scopes[IndexOf(id)]; }

  std::string_view Intern(std::string_view name) {
    const auto known = names.find(name);
    return known != names.end() ? *known : *names.emplace(name).first;
  }

  ValueId AddValue(std::string_view name, ScopeId scope) {
    return AddInternedValue(Intern(name), scope);
  }

  /// `name` lies in `names`.
  ValueId AddInternedValue(std::string_view name, ScopeId scope) {
    const auto id = static_cast<ValueId>(values.size());
    values.push_back({.name = name, .scope = scope, .uses = {}});
    at(scope).values.emplace(name, id);
    return id;
  }

  /// A node at the end of `scope`, without inputs and outputs as yet. Its name
  /// is interned.
  NodeId AddNode(onnx::NodeProto* node, ScopeId scope) {
    const auto id = static_cast<NodeId>(nodes.size());
    NodeRecord& record = nodes.emplace_back();
    record.proto = node;
    record.scope = scope;
    at(scope).nodes.push_back(id);
    nodes_of_type[node->op_type()].push_back(id);
    return id;
  }

  /// The value called `name` that `scope` sees: its own, else an outer one's.
  ValueId Find(std::string_view name, ScopeId scope) const {
    for (; scope != kNoScope; scope = at(scope).parent) {
      const auto found = at(scope).values.find(name);
      if (found != at(scope).values.end()) return found->second;
    }
    return kNoValue;
  }

  /// True when `inner` is `outer` or lies in a body within it.
  bool Contains(ScopeId outer, ScopeId inner) const {
    while (inner != kNoScope && inner != outer) inner = at(inner).parent;
    return inner == outer;
  }

  /// The node of `scope` in which `node` lies: itself, or the owner of a body
  /// around it. Requires Contains(scope, the node's scope).
  NodeId AncestorIn(ScopeId scope, NodeId node) const {
    while (at(node).scope != scope) node = at(at(node).scope).owner;
    return node;
  }

  /// False for a value whose producer was taken away and that is nothing else.
  bool IsDefined(ValueId value) const {
    const ValueRecord& record = at(value);
    return record.producer != kNoNode || record.is_graph_input ||
           record.initializer != nullptr || record.is_sparse;
  }

  void AddUse(NodeId node, int input, ValueId value) {
    NodeRecord& record = at(node);
    const auto slot = static_cast<std::size_t>(input);
    record.inputs[slot] = value;
    if (value == kNoValue) return;
    record.use_at[slot] = static_cast<std::uint32_t>(at(value).uses.size());
    at(value).uses.push_back({node, input});
  }

  /// Constant time: the last use takes the place of the removed one.
  void RemoveUse(NodeId node, int input) {
    NodeRecord& record = at(node);
    const auto slot = static_cast<std::size_t>(input);
    const ValueId value = std::exchange(record.inputs[slot], kNoValue);
    if (value == kNoValue) return;
    std::vector<Use>& uses = at(value).uses;
    const std::uint32_t hole = record.use_at[slot];
    uses[hole] = uses.back();
    at(uses[hole].node).use_at[static_cast<std::size_t>(uses[hole].input)] =
        hole;
    uses.pop_back();
  }
};

}  // namespace internal
}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_GRAPH_TABLES_H_

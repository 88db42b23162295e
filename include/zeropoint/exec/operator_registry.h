// OperatorRegistry: which code runs which operator of which opset.
//
// An ordinary object that is filled by calls: no globals, no registration
// before main. AddBuiltinOperators fills in what operators/ holds; a user's own
// operators are one Add away.
#ifndef ZEROPOINT_EXEC_OPERATOR_REGISTRY_H_
#define ZEROPOINT_EXEC_OPERATOR_REGISTRY_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/exec/operator.h"

namespace zeropoint {

struct PlanScope;

/// What an operator is made from. All of it outlives the operator, except
/// `scope`.
struct OperatorInit {
  const onnx::NodeProto& node;
  std::int64_t opset;  // version of the node's domain that the model imports
  /// Where the node stands (plan.h): what the graphs in its attributes and the
  /// functions that it calls are made with. Null for a node by itself.
  const PlanScope* scope = nullptr;
};

using OperatorFactory =
    Result<std::unique_ptr<Operator>> (*)(const OperatorInit& init);

/// Opsets of a domain, both ends included.
struct OpsetRange {
  std::int64_t first = 1;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
};

class OperatorRegistry {
 public:
  /// Later additions win over earlier ones where ranges overlap. "ai.onnx" is
  /// the default domain "".
  void Add(std::string_view domain, std::string_view op_type, OpsetRange opsets,
           OperatorFactory factory) {
    entries_[Key(domain, op_type)].push_back({opsets, factory});
  }

  /// Whether Make knows the operator in any opset.
  bool Contains(std::string_view domain, std::string_view op_type) const {
    return entries_.count(Key(domain, op_type)) > 0;
  }

  /// Errors: kUnsupported for an operator that is not here; what the factory
  /// finds wrong with the attributes.
  Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) const {
    const auto& node = init.node;
    const auto found = entries_.find(Key(node.domain(), node.op_type()));
    if (found != entries_.end()) {
      for (std::size_t i = found->second.size(); i-- > 0;) {
        const Entry& entry = found->second[i];
        if (init.opset < entry.opsets.first) continue;
        if (init.opset > entry.opsets.last) continue;
        return entry.factory(init);
      }
    }
    return Unsupported("operator " + node.op_type() + " of domain '" +
                       (node.domain().empty() ? "ai.onnx" : node.domain()) +
                       "' in opset " + std::to_string(init.opset) +
                       " is not one that the built-in executor runs");
  }

 private:
  struct Entry {
    OpsetRange opsets;
    OperatorFactory factory;
  };
  using EntryKey = std::pair<std::string, std::string>;
  static EntryKey Key(std::string_view domain, std::string_view op_type) {
    return {domain == "ai.onnx" ? std::string() : std::string(domain),
            std::string(op_type)};
  }
  std::map<EntryKey, std::vector<Entry>> entries_;
};

/// Adds every operator of exec/operators/. Defined in exec/operators.cc
/// (//:exec_operators).
void AddBuiltinOperators(OperatorRegistry& registry);

/// The operator of a node: a function of the model if the node names one, else
/// the registry's, else the function that onnx defines the operator by. One
/// without a rule for 16-bit floats runs in float. Requires init.scope.
/// Errors: as OperatorRegistry::Make's. Defined in exec/families/functions.cc
/// (//:exec_operators).
Result<std::unique_ptr<Operator>> MakeOperator(const OperatorInit& init);

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATOR_REGISTRY_H_

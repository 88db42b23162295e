// DiffModels: in what two models differ, by name.
#ifndef ZEROPOINT_FLOW_DIFF_MODELS_H_
#define ZEROPOINT_FLOW_DIFF_MODELS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

/// A node that both have, under its name or that of its first output.
struct NodeDifference {
  std::string node;
  std::string op_type;  // of the second model
  /// "operator", "inputs", "outputs", "attributes": what differs.
  std::vector<std::string> what;
};

/// A constant that both have under one name.
struct ConstantDifference {
  std::string name;
  /// As "float [8, 3, 3, 3]".
  std::string first;
  std::string second;
  /// Of real constants of one shape.
  std::optional<double> max_abs_difference;
};

struct ModelDifference {
  /// By operator type, or by domain: of the first and of the second model.
  std::map<std::string, std::pair<std::size_t, std::size_t>> operators;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> opsets;
  std::vector<NodeDescription> only_in_first;
  std::vector<NodeDescription> only_in_second;
  std::vector<NodeDifference> changed;
  std::vector<std::string> constants_only_in_first;
  std::vector<std::string> constants_only_in_second;
  std::vector<ConstantDifference> changed_constants;

  bool empty() const {
    return operators.empty() && opsets.empty() && only_in_first.empty() &&
           only_in_second.empty() && changed.empty() &&
           constants_only_in_first.empty() &&
           constants_only_in_second.empty() && changed_constants.empty();
  }
};

/// Errors: kInvalidModel for a graph that is not well formed; those of reading
/// constants.
Result<ModelDifference> DiffModels(Model& first, Model& second);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_DIFF_MODELS_H_

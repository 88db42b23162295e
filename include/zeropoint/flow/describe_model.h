// DescribeModel: what a model consists of, for `inspect`.
#ifndef ZEROPOINT_FLOW_DESCRIBE_MODEL_H_
#define ZEROPOINT_FLOW_DESCRIBE_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

struct NodeDescription {
  std::string name;
  std::string op_type;  // with its domain, if that is not ONNX's own
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

struct StoredElements {
  std::size_t tensors = 0;
  std::size_t bytes = 0;
};

struct ModelDescription {
  std::int64_t ir_version = 0;
  std::map<std::string, std::int64_t> opsets;
  std::string producer;
  std::vector<InputDescription> inputs;
  std::vector<std::string> outputs;
  /// Of all scopes, in file order.
  std::vector<NodeDescription> nodes;
  std::map<std::string, std::size_t> operators;
  /// Constants by element type.
  std::map<std::string, StoredElements> constants;
  /// "float", or the quantized forms that occur: "qdq", "qoperator", "integer".
  std::string form;
};

/// The nodes of all scopes, in file order.
std::vector<NodeDescription> DescribeNodes(const GraphView& graph);

/// Errors: kInvalidModel for a graph that is not well formed.
Result<ModelDescription> DescribeModel(Model& model);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_DESCRIBE_MODEL_H_

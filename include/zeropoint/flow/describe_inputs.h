// DescribeInputs: what sources of samples must know of a model.
#ifndef ZEROPOINT_FLOW_DESCRIBE_INPUTS_H_
#define ZEROPOINT_FLOW_DESCRIBE_INPUTS_H_

#include <set>
#include <string>
#include <vector>

#include "zeropoint/data/input_description.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

/// The inputs of the main graph, in order. One with a default value (an
/// initializer of its name) is optional; before IR version 4 such an entry is a
/// weight, not an input, and is left out.
inline std::vector<InputDescription> DescribeInputs(const Model& model) {
  const onnx::GraphProto& graph = model.proto().graph();
  std::set<std::string> initializers;
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    initializers.insert(tensor.name());
  }
  std::vector<InputDescription> inputs;
  for (const onnx::ValueInfoProto& info : graph.input()) {
    InputDescription input;
    input.name = info.name();
    input.optional = initializers.contains(info.name());
    if (input.optional && model.proto().ir_version() < 4) continue;
    const onnx::TypeProto::Tensor& type = info.type().tensor_type();
    input.type = static_cast<DataType>(type.elem_type());
    if (type.has_shape()) {
      input.dims.emplace();
      for (const auto& dim : type.shape().dim()) {
        // Exporters also write -1 for an axis of any length.
        const bool known = dim.has_dim_value() && dim.dim_value() >= 0;
        input.dims->push_back(known ? dim.dim_value() : -1);
      }
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

/// The names of the main graph's outputs, in order.
inline std::vector<std::string> OutputNames(const Model& model) {
  std::vector<std::string> names;
  for (const auto& output : model.proto().graph().output()) {
    names.push_back(output.name());
  }
  return names;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_DESCRIBE_INPUTS_H_

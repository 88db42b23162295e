// A float model with all its reals in half precision.
#ifndef ZEROPOINT_TESTS_GRAPH_HALF_MODEL_H_
#define ZEROPOINT_TESTS_GRAPH_HALF_MODEL_H_

#include <cstdint>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/real_tensor.h"
#include "zeropoint/graph/initializer.h"

namespace zeropoint::testing {

/// Constants rounded to `type`; inputs, outputs and other values declared so;
/// a Cast to float becomes one to `type`.
inline onnx::ModelProto InHalf(onnx::ModelProto model, DataType type) {
  onnx::GraphProto& graph = *model.mutable_graph();
  for (auto& tensor : *graph.mutable_initializer()) {
    if (ElementType(tensor) != DataType::kFloat) continue;
    const Tensor real = DecodeTensor(tensor).value();
    tensor = EncodeTensor(tensor.name(), RoundedTo(type, real.view()).view());
  }
  for (auto* values : {graph.mutable_input(), graph.mutable_output(),
                       graph.mutable_value_info()}) {
    for (auto& value : *values) {
      auto& tensor = *value.mutable_type()->mutable_tensor_type();
      if (tensor.elem_type() == onnx::TensorProto::FLOAT) {
        tensor.set_elem_type(static_cast<std::int32_t>(type));
      }
    }
  }
  for (auto& node : *graph.mutable_node()) {
    if (node.op_type() != "Cast") continue;
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.i() == onnx::TensorProto::FLOAT) {
        attribute.set_i(static_cast<std::int32_t>(type));
      }
    }
  }
  return model;
}

}  // namespace zeropoint::testing

#endif  // ZEROPOINT_TESTS_GRAPH_HALF_MODEL_H_

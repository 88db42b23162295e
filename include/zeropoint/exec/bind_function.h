// BindFunction: a function's body as one call of it reads.
#ifndef ZEROPOINT_EXEC_BIND_FUNCTION_H_
#define ZEROPOINT_EXEC_BIND_FUNCTION_H_

#include <map>
#include <string>

#include "onnx/onnx_pb.h"

namespace zeropoint {

using AttributesByName = std::map<std::string, onnx::AttributeProto>;

namespace internal {

inline void BindNodes(
    google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes,
    const AttributesByName& values);

// An attribute that refers to one that the call does not give is not there.
inline void BindNode(onnx::NodeProto& node, const AttributesByName& values) {
  for (int i = node.attribute_size(); i-- > 0;) {
    onnx::AttributeProto& attribute = *node.mutable_attribute(i);
    if (!attribute.ref_attr_name().empty()) {
      const auto value = values.find(attribute.ref_attr_name());
      if (value == values.end()) {
        node.mutable_attribute()->DeleteSubrange(i, 1);
        continue;
      }
      const std::string name = attribute.name();
      attribute = value->second;
      attribute.set_name(name);
    } else if (attribute.has_g()) {
      BindNodes(*attribute.mutable_g()->mutable_node(), values);
    }
  }
}

inline void BindNodes(
    google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes,
    const AttributesByName& values) {
  for (onnx::NodeProto& node : nodes) BindNode(node, values);
}

}  // namespace internal

/// Puts the attributes of `call`, or else `defaults`, or else the function's
/// own defaults, where the body of `function` refers to them.
inline void BindFunction(const onnx::NodeProto& call, AttributesByName defaults,
                         onnx::FunctionProto& function) {
  AttributesByName values;
  for (const auto& attribute : call.attribute()) {
    values.emplace(attribute.name(), attribute);
  }
  values.merge(defaults);
  for (const auto& attribute : function.attribute_proto()) {
    values.emplace(attribute.name(), attribute);
  }
  internal::BindNodes(*function.mutable_node(), values);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_BIND_FUNCTION_H_

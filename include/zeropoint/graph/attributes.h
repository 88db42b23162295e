// Attributes of a node, read with a default and written by C++ type.
//
// An attribute that is there under the right name but holds another type counts
// as absent: the reader never fails, and CheckModel (onnx_tools.h) reports the
// fault with the node's name.
#ifndef ZEROPOINT_GRAPH_ATTRIBUTES_H_
#define ZEROPOINT_GRAPH_ATTRIBUTES_H_

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"

namespace zeropoint {

/// The attribute, or nullptr.
inline const onnx::AttributeProto* FindAttribute(const onnx::NodeProto& node,
                                                 std::string_view name) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

inline bool HasAttribute(const onnx::NodeProto& node, std::string_view name) {
  return FindAttribute(node, name) != nullptr;
}

inline std::int64_t GetInt(const onnx::NodeProto& node, std::string_view name,
                           std::int64_t otherwise) {
  const auto* attribute = FindAttribute(node, name);
  return attribute && attribute->has_i() ? attribute->i() : otherwise;
}

inline float GetFloat(const onnx::NodeProto& node, std::string_view name,
                      float otherwise) {
  const auto* attribute = FindAttribute(node, name);
  return attribute && attribute->has_f() ? attribute->f() : otherwise;
}

/// Valid until the attribute changes.
inline std::string_view GetString(const onnx::NodeProto& node,
                                  std::string_view name,
                                  std::string_view otherwise) {
  const auto* attribute = FindAttribute(node, name);
  if (attribute == nullptr || !attribute->has_s()) return otherwise;
  return attribute->s();
}

namespace internal {
// An empty list shows only in the attribute's type.
inline bool IsList(const onnx::AttributeProto& attribute,
                   onnx::AttributeProto::AttributeType type, int size) {
  return attribute.type() == type || size > 0;
}
}  // namespace internal

inline std::vector<std::int64_t> GetInts(
    const onnx::NodeProto& node, std::string_view name,
    std::vector<std::int64_t> otherwise = {}) {
  const auto* attribute = FindAttribute(node, name);
  if (!attribute || !internal::IsList(*attribute, onnx::AttributeProto::INTS,
                                      attribute->ints_size())) {
    return otherwise;
  }
  return {attribute->ints().begin(), attribute->ints().end()};
}

inline std::vector<float> GetFloats(const onnx::NodeProto& node,
                                    std::string_view name,
                                    std::vector<float> otherwise = {}) {
  const auto* attribute = FindAttribute(node, name);
  if (!attribute || !internal::IsList(*attribute, onnx::AttributeProto::FLOATS,
                                      attribute->floats_size())) {
    return otherwise;
  }
  return {attribute->floats().begin(), attribute->floats().end()};
}

inline std::vector<std::string> GetStrings(
    const onnx::NodeProto& node, std::string_view name,
    std::vector<std::string> otherwise = {}) {
  const auto* attribute = FindAttribute(node, name);
  if (!attribute || !internal::IsList(*attribute, onnx::AttributeProto::STRINGS,
                                      attribute->strings_size())) {
    return otherwise;
  }
  return {attribute->strings().begin(), attribute->strings().end()};
}

/// The tensor, or nullptr. Valid until the attribute changes.
inline const onnx::TensorProto* GetTensor(const onnx::NodeProto& node,
                                          std::string_view name) {
  const auto* attribute = FindAttribute(node, name);
  return attribute && attribute->has_t() ? &attribute->t() : nullptr;
}

/// Removes the attribute if it is there; the others keep their order.
inline void RemoveAttribute(onnx::NodeProto& node, std::string_view name) {
  for (int i = 0; i < node.attribute_size(); ++i) {
    if (node.attribute(i).name() != name) continue;
    node.mutable_attribute()->DeleteSubrange(i, 1);
    return;
  }
}

namespace internal {
// The attribute emptied and typed; appended when the node has none.
inline onnx::AttributeProto& ResetAttribute(
    onnx::NodeProto& node, std::string_view name,
    onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto* found = nullptr;
  for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
    if (attribute.name() == name) found = &attribute;
  }
  if (found == nullptr) found = node.add_attribute();
  found->Clear();
  found->set_name(std::string(name));
  found->set_type(type);
  return *found;
}
}  // namespace internal

/// SetAttribute(node, name, value) sets or replaces; the attribute's type
/// follows from the C++ type of `value`.
template <std::integral Int>
void SetAttribute(onnx::NodeProto& node, std::string_view name, Int value) {
  internal::ResetAttribute(node, name, onnx::AttributeProto::INT)
      .set_i(static_cast<std::int64_t>(value));
}
template <std::floating_point Float>
void SetAttribute(onnx::NodeProto& node, std::string_view name, Float value) {
  internal::ResetAttribute(node, name, onnx::AttributeProto::FLOAT)
      .set_f(static_cast<float>(value));
}
inline void SetAttribute(onnx::NodeProto& node, std::string_view name,
                         std::string_view value) {
  internal::ResetAttribute(node, name, onnx::AttributeProto::STRING)
      .set_s(std::string(value));
}
inline void SetAttribute(onnx::NodeProto& node, std::string_view name,
                         std::span<const std::int64_t> values) {
  auto& attribute =
      internal::ResetAttribute(node, name, onnx::AttributeProto::INTS);
  attribute.mutable_ints()->Add(values.begin(), values.end());
}
inline void SetAttribute(onnx::NodeProto& node, std::string_view name,
                         std::span<const float> values) {
  auto& attribute =
      internal::ResetAttribute(node, name, onnx::AttributeProto::FLOATS);
  attribute.mutable_floats()->Add(values.begin(), values.end());
}
inline void SetAttribute(onnx::NodeProto& node, std::string_view name,
                         onnx::TensorProto value) {
  *internal::ResetAttribute(node, name, onnx::AttributeProto::TENSOR)
       .mutable_t() = std::move(value);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_ATTRIBUTES_H_

// Initializers: between onnx::TensorProto, which has a dozen ways to hold a
// tensor, and TensorView / Tensor, which have one.
//
// Every size is checked against the shape first: a model file is hostile until
// verified. Bytes outside the file (external data) are Model's business.
#ifndef ZEROPOINT_GRAPH_INITIALIZER_H_
#define ZEROPOINT_GRAPH_INITIALIZER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

static_assert(std::endian::native == std::endian::little,
              "zeropoint: ONNX stores little-endian bytes and this code reads "
              "them in place");

inline DataType ElementType(const onnx::TensorProto& tensor) {
  return static_cast<DataType>(tensor.data_type());
}

inline std::span<const std::int64_t> DimsOf(const onnx::TensorProto& tensor) {
  return {tensor.dims().data(), static_cast<std::size_t>(tensor.dims_size())};
}

inline bool IsExternal(const onnx::TensorProto& tensor) {
  return tensor.data_location() == onnx::TensorProto::EXTERNAL;
}

/// The type of a value that is this tensor.
inline onnx::TypeProto TypeOf(const onnx::TensorProto& tensor) {
  onnx::TypeProto type;
  type.mutable_tensor_type()->set_elem_type(tensor.data_type());
  auto& shape = *type.mutable_tensor_type()->mutable_shape();
  for (const std::int64_t dim : tensor.dims()) {
    shape.add_dim()->set_dim_value(dim);
  }
  return type;
}

/// Bytes of the tensor in packed form: ceil(elements * bits / 8).
/// Errors: kInvalidModel for a negative axis or a product that overflows;
/// kUnsupported for an element type of no fixed size, and for segments.
inline Result<std::size_t> PackedBytes(const onnx::TensorProto& tensor) {
  const auto count = ElementCount(DimsOf(tensor));
  if (!count) {
    return InvalidModel("tensor \"" + tensor.name() + "\" has shape " +
                        FormatDims(DimsOf(tensor)) +
                        ", which no memory can hold");
  }
  const DataType type = ElementType(tensor);
  if (BitsOf(type) == 0) {
    return Unsupported("tensor \"" + tensor.name() + "\" has element type " +
                       std::string(DataTypeName(type)) + " (" +
                       std::to_string(tensor.data_type()) +
                       "), which has no fixed size");
  }
  if (tensor.has_segment()) {
    return Unsupported("tensor \"" + tensor.name() +
                       "\" is stored in segments");
  }
  return BytesOf(type, *count);
}

namespace internal {

inline Status WrongCount(const onnx::TensorProto& tensor, std::size_t expected,
                         std::size_t found, std::string_view what) {
  return InvalidModel("tensor \"" + tensor.name() + "\" of shape " +
                      FormatDims(DimsOf(tensor)) + " and type " +
                      std::string(DataTypeName(ElementType(tensor))) +
                      " needs " + std::to_string(expected) + " " +
                      std::string(what) + " and has " + std::to_string(found));
}

// Copies a typed field whose C++ type is also the tensor's (float_data of a
// float tensor). Complex numbers are pairs in the same field.
template <class Field>
Status CopyField(const onnx::TensorProto& tensor, const Field& field,
                 Tensor& out) {
  const std::size_t stored = static_cast<std::size_t>(field.size()) *
                             sizeof(typename Field::value_type);
  if (stored != out.bytes()) {
    return WrongCount(tensor, out.bytes(), stored, "bytes of data");
  }
  if (stored > 0) std::memcpy(out.mutable_data(), field.data(), stored);
  return Status();
}

// Narrows a typed field to `Unit`, the type's container in the packed form.
template <class Unit, class Field>
Status NarrowField(const onnx::TensorProto& tensor, const Field& field,
                   Tensor& out) {
  const std::size_t units = out.bytes() / sizeof(Unit);
  if (static_cast<std::size_t>(field.size()) != units) {
    return WrongCount(tensor, units, static_cast<std::size_t>(field.size()),
                      "values");
  }
  auto* target = static_cast<Unit*>(out.mutable_data());
  for (std::size_t i = 0; i < units; ++i) {
    const auto value = field[static_cast<int>(i)];
    if (!std::in_range<Unit>(value)) {
      return InvalidModel("tensor \"" + tensor.name() + "\": element " +
                          std::to_string(i) + " is " + std::to_string(value) +
                          ", outside its type " +
                          std::string(DataTypeName(ElementType(tensor))));
    }
    target[i] = static_cast<Unit>(value);
  }
  return Status();
}

// The one typed field with an entry an element and a packed form without bytes
// of its own: a stream of six bits each, low bits first.
inline Status PackSixBits(const onnx::TensorProto& tensor, Tensor& out) {
  const auto& field = tensor.int32_data();
  if (static_cast<std::size_t>(field.size()) != out.size()) {
    return WrongCount(tensor, out.size(),
                      static_cast<std::size_t>(field.size()), "values");
  }
  auto* bytes = static_cast<std::uint8_t*>(out.mutable_data());
  std::size_t bit = 0;
  for (const std::int32_t value : field) {
    if (value < 0 || value > 63) {
      return InvalidModel("tensor \"" + tensor.name() + "\" holds " +
                          std::to_string(value) + ", outside its type " +
                          std::string(DataTypeName(ElementType(tensor))));
    }
    const auto shifted = static_cast<unsigned>(value) << (bit % 8);
    bytes[bit / 8] |= static_cast<std::uint8_t>(shifted & 0xff);
    if (shifted > 0xff) {
      bytes[bit / 8 + 1] |= static_cast<std::uint8_t>(shifted >> 8);
    }
    bit += 6;
  }
  return Status();
}

inline Status DecodeTypedField(const onnx::TensorProto& tensor, Tensor& out) {
  switch (ElementType(tensor)) {
    case DataType::kFloat:
    case DataType::kComplex64:
      return CopyField(tensor, tensor.float_data(), out);
    case DataType::kDouble:
    case DataType::kComplex128:
      return CopyField(tensor, tensor.double_data(), out);
    case DataType::kInt32:
      return CopyField(tensor, tensor.int32_data(), out);
    case DataType::kInt64:
      return CopyField(tensor, tensor.int64_data(), out);
    case DataType::kUint64:
      return CopyField(tensor, tensor.uint64_data(), out);
    case DataType::kUint32:
      return NarrowField<std::uint32_t>(tensor, tensor.uint64_data(), out);
    case DataType::kInt8:
      return NarrowField<std::int8_t>(tensor, tensor.int32_data(), out);
    case DataType::kInt16:
      return NarrowField<std::int16_t>(tensor, tensor.int32_data(), out);
    case DataType::kUint16:
    case DataType::kFloat16:
    case DataType::kBfloat16:
      return NarrowField<std::uint16_t>(tensor, tensor.int32_data(), out);
    case DataType::kFloat6E2M3:
    case DataType::kFloat6E3M2:
      return PackSixBits(tensor, out);
    // Everything else of fixed size fills whole bytes: uint8, bool, 8-bit
    // floats, and sub-byte types packed low bits first.
    default:
      return NarrowField<std::uint8_t>(tensor, tensor.int32_data(), out);
  }
}

}  // namespace internal

/// The value of `tensor`, from raw_data or from the typed field of its type;
/// sub-byte types stay packed.
/// Errors: PackedBytes's; kInvalidModel when the data does not fill the shape
/// or a value is outside its type; kUnsupported for external data (Model::Data
/// reads it) and for strings.
inline Result<Tensor> DecodeTensor(const onnx::TensorProto& tensor) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t bytes, PackedBytes(tensor));
  if (IsExternal(tensor)) {
    return Unsupported("tensor \"" + tensor.name() +
                       "\" has external data: read it through its model");
  }
  if (tensor.has_raw_data() && tensor.raw_data().size() != bytes) {
    return internal::WrongCount(tensor, bytes, tensor.raw_data().size(),
                                "bytes of raw_data");
  }
  // A shape alone must not make the reader reserve memory: a typed field takes
  // at least a byte for every eight that it decodes to.
  if (!tensor.has_raw_data() && bytes / 8 > tensor.ByteSizeLong()) {
    return internal::WrongCount(tensor, bytes, tensor.ByteSizeLong(),
                                "bytes of data");
  }
  const auto dims = DimsOf(tensor);
  Tensor out(ElementType(tensor), Dims(dims.begin(), dims.end()));
  if (tensor.has_raw_data()) {
    std::memcpy(out.mutable_data(), tensor.raw_data().data(), bytes);
    return out;
  }
  ZEROPOINT_RETURN_IF_ERROR(internal::DecodeTypedField(tensor, out));
  return out;
}

/// `view` as an initializer, stored in raw_data.
inline onnx::TensorProto EncodeTensor(std::string_view name,
                                      const TensorView& view) {
  onnx::TensorProto tensor;
  tensor.set_name(std::string(name));
  tensor.set_data_type(static_cast<std::int32_t>(view.type()));
  for (const std::int64_t dim : view.dims()) tensor.add_dims(dim);
  tensor.set_raw_data(view.data(), view.bytes());
  return tensor;
}

/// The same from values: EncodeValues<float>("scale", {}, {&scale, 1}).
template <class T>
onnx::TensorProto EncodeValues(std::string_view name,
                               std::span<const std::int64_t> dims,
                               std::span<const T> values) {
  const TensorView view(DataTypeOf<T>(), dims, values.data());
  ZEROPOINT_ASSERT(view.size() == values.size(),
                   "EncodeValues needs one value an element");
  return EncodeTensor(name, view);
}

/// A tensor of rank 0.
template <class T>
onnx::TensorProto EncodeScalar(std::string_view name, T value) {
  return EncodeValues<T>(name, {}, {&value, 1});
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_INITIALIZER_H_

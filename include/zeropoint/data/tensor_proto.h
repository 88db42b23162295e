// TensorProto <-> Tensor, for the .pb files of test data sets.
//
// Models keep their weights in the same message, but behind memory maps and
// views (graph/); a data file is small and is simply copied.
#ifndef ZEROPOINT_DATA_TENSOR_PROTO_H_
#define ZEROPOINT_DATA_TENSOR_PROTO_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"

namespace zeropoint {

namespace internal {

// The field of TensorProto that holds values of type T one by one.
template <class T>
const auto& TypedField(const onnx::TensorProto& proto) {
  if constexpr (std::is_same_v<T, float>) {
    return proto.float_data();
  } else if constexpr (std::is_same_v<T, double>) {
    return proto.double_data();
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return proto.int64_data();
  } else if constexpr (std::is_same_v<T, std::uint64_t> ||
                       std::is_same_v<T, std::uint32_t>) {
    return proto.uint64_data();
  } else {
    return proto.int32_data();
  }
}

// What is there is counted before memory is asked for what is claimed.
inline Status CheckAmount(std::size_t found, std::size_t needed,
                          std::string_view unit, const Dims& dims) {
  if (found == needed) return Status();
  return InvalidData("holds " + std::to_string(found) + " " +
                     std::string(unit) + ", its shape " + FormatDims(dims) +
                     " needs " + std::to_string(needed));
}

}  // namespace internal

/// A copy of the value of `proto`.
///
/// Errors: kInvalidData when the shape and the values do not fit each other or
/// a value its type; kUnsupported for text and for values kept in another
/// file. The message completes "'input_0.pb' ...".
inline Result<Tensor> DecodeDataTensor(const onnx::TensorProto& proto) {
  const auto type = static_cast<DataType>(proto.data_type());
  const Dims dims(proto.dims().begin(), proto.dims().end());
  const auto count = ElementCount(dims);
  if (!count) {
    return InvalidData("has the impossible shape " + FormatDims(dims));
  }
  if (BitsOf(type) == 0) return Unsupported("holds no tensor of numbers");
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    return Unsupported("keeps its values in another file; save them in it");
  }
  if (proto.has_raw_data()) {
    const std::string& raw = proto.raw_data();
    ZEROPOINT_RETURN_IF_ERROR(internal::CheckAmount(
        raw.size(), BytesOf(type, *count), "bytes", dims));
    Tensor tensor(type, dims);
    std::memcpy(tensor.mutable_data(), raw.data(), raw.size());
    return tensor;
  }
  Tensor tensor;
  const auto copy = [&]<class T>() -> Status {
    const auto& field = internal::TypedField<T>(proto);
    ZEROPOINT_RETURN_IF_ERROR(internal::CheckAmount(
        static_cast<std::size_t>(field.size()), *count, "values", dims));
    tensor = Tensor(type, dims);
    const std::span<T> to = tensor.MutableAs<T>();
    for (std::size_t i = 0; i < to.size(); ++i) {
      const auto value = field[static_cast<int>(i)];
      to[i] = static_cast<T>(value);
      if constexpr (std::is_integral_v<T>) {
        if (static_cast<decltype(value)>(to[i]) != value) {
          return InvalidData("holds " + std::to_string(value) +
                             ", which is no " +
                             std::string(DataTypeName(type)));
        }
      }
    }
    return Status();
  };
  ZEROPOINT_RETURN_IF_ERROR(VisitDataType(type, copy));
  return tensor;
}

/// The message that holds a copy of `tensor`.
inline onnx::TensorProto EncodeDataTensor(std::string_view name,
                                          const TensorView& tensor) {
  onnx::TensorProto proto;
  proto.set_name(std::string(name));
  proto.set_data_type(static_cast<std::int32_t>(tensor.type()));
  for (const std::int64_t dim : tensor.dims()) proto.add_dims(dim);
  proto.set_raw_data(tensor.data(), tensor.bytes());
  return proto;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_TENSOR_PROTO_H_

// Element types of tensors, numbered as ONNX numbers them, and the C++ types
// that hold them.
#ifndef ZEROPOINT_CORE_DATA_TYPE_H_
#define ZEROPOINT_CORE_DATA_TYPE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/core/status.h"

namespace zeropoint {

/// ONNX TensorProto.DataType; the numbers are the file format's.
enum class DataType : std::int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
  kFloat8E4M3Fn = 17,
  kFloat8E4M3Fnuz = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2Fnuz = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUint2 = 25,
  kInt2 = 26,
  kFloat6E2M3 = 27,
  kFloat6E3M2 = 28,
};

namespace internal {
struct DataTypeFacts {
  DataType type;
  std::string_view name;
  int bits;  // 0: no fixed size
};
inline constexpr std::array kDataTypeFacts = {
    DataTypeFacts{DataType::kUndefined, "undefined", 0},
    DataTypeFacts{DataType::kFloat, "float", 32},
    DataTypeFacts{DataType::kUint8, "uint8", 8},
    DataTypeFacts{DataType::kInt8, "int8", 8},
    DataTypeFacts{DataType::kUint16, "uint16", 16},
    DataTypeFacts{DataType::kInt16, "int16", 16},
    DataTypeFacts{DataType::kInt32, "int32", 32},
    DataTypeFacts{DataType::kInt64, "int64", 64},
    DataTypeFacts{DataType::kString, "string", 0},
    DataTypeFacts{DataType::kBool, "bool", 8},
    DataTypeFacts{DataType::kFloat16, "float16", 16},
    DataTypeFacts{DataType::kDouble, "double", 64},
    DataTypeFacts{DataType::kUint32, "uint32", 32},
    DataTypeFacts{DataType::kUint64, "uint64", 64},
    DataTypeFacts{DataType::kComplex64, "complex64", 64},
    DataTypeFacts{DataType::kComplex128, "complex128", 128},
    DataTypeFacts{DataType::kBfloat16, "bfloat16", 16},
    DataTypeFacts{DataType::kFloat8E4M3Fn, "float8e4m3fn", 8},
    DataTypeFacts{DataType::kFloat8E4M3Fnuz, "float8e4m3fnuz", 8},
    DataTypeFacts{DataType::kFloat8E5M2, "float8e5m2", 8},
    DataTypeFacts{DataType::kFloat8E5M2Fnuz, "float8e5m2fnuz", 8},
    DataTypeFacts{DataType::kUint4, "uint4", 4},
    DataTypeFacts{DataType::kInt4, "int4", 4},
    DataTypeFacts{DataType::kFloat4E2M1, "float4e2m1", 4},
    DataTypeFacts{DataType::kFloat8E8M0, "float8e8m0", 8},
    DataTypeFacts{DataType::kUint2, "uint2", 2},
    DataTypeFacts{DataType::kInt2, "int2", 2},
    DataTypeFacts{DataType::kFloat6E2M3, "float6e2m3", 6},
    DataTypeFacts{DataType::kFloat6E3M2, "float6e3m2", 6},
};
}  // namespace internal

/// The ONNX name in lower case ("float", "uint8"); "unknown" for a number
/// outside the enumeration.
constexpr std::string_view DataTypeName(DataType type) {
  for (const auto& facts : internal::kDataTypeFacts) {
    if (facts.type == type) return facts.name;
  }
  return "unknown";
}

/// Bits of one element; 0 for string, undefined and unknown types.
constexpr int BitsOf(DataType type) {
  for (const auto& facts : internal::kDataTypeFacts) {
    if (facts.type == type) return facts.bits;
  }
  return 0;
}

/// Bytes of `count` densely packed elements; sub-byte types round up once, at
/// the end (ONNX packs the flattened tensor).
constexpr std::size_t BytesOf(DataType type, std::size_t count) {
  return (count * static_cast<std::size_t>(BitsOf(type)) + 7) / 8;
}

/// The DataType that a C++ type holds: DataTypeOf<float>() == DataType::kFloat.
template <class T>
constexpr DataType DataTypeOf() = delete;
template <>
constexpr DataType DataTypeOf<float>() {
  return DataType::kFloat;
}
template <>
constexpr DataType DataTypeOf<double>() {
  return DataType::kDouble;
}
template <>
constexpr DataType DataTypeOf<std::uint8_t>() {
  return DataType::kUint8;
}
template <>
constexpr DataType DataTypeOf<std::int8_t>() {
  return DataType::kInt8;
}
template <>
constexpr DataType DataTypeOf<std::uint16_t>() {
  return DataType::kUint16;
}
template <>
constexpr DataType DataTypeOf<std::int16_t>() {
  return DataType::kInt16;
}
template <>
constexpr DataType DataTypeOf<std::int32_t>() {
  return DataType::kInt32;
}
template <>
constexpr DataType DataTypeOf<std::uint32_t>() {
  return DataType::kUint32;
}
template <>
constexpr DataType DataTypeOf<std::int64_t>() {
  return DataType::kInt64;
}
template <>
constexpr DataType DataTypeOf<std::uint64_t>() {
  return DataType::kUint64;
}
template <>
constexpr DataType DataTypeOf<bool>() {
  return DataType::kBool;
}

/// Calls `visit.template operator()<T>()` with the C++ type of a byte-sized
/// numeric or boolean `type`; every branch must return Status. Types without a
/// C++ counterpart here (string, sub-byte, 8- and 16-bit floats, complex) are
/// kUnsupported.
template <class Visitor>
Status VisitDataType(DataType type, Visitor&& visit) {
  switch (type) {
    case DataType::kFloat:
      return visit.template operator()<float>();
    case DataType::kDouble:
      return visit.template operator()<double>();
    case DataType::kUint8:
      return visit.template operator()<std::uint8_t>();
    case DataType::kInt8:
      return visit.template operator()<std::int8_t>();
    case DataType::kUint16:
      return visit.template operator()<std::uint16_t>();
    case DataType::kInt16:
      return visit.template operator()<std::int16_t>();
    case DataType::kInt32:
      return visit.template operator()<std::int32_t>();
    case DataType::kUint32:
      return visit.template operator()<std::uint32_t>();
    case DataType::kInt64:
      return visit.template operator()<std::int64_t>();
    case DataType::kUint64:
      return visit.template operator()<std::uint64_t>();
    case DataType::kBool:
      return visit.template operator()<bool>();
    default:
      return Unsupported("element type " + std::string(DataTypeName(type)) +
                         " has no kernel");
  }
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_DATA_TYPE_H_

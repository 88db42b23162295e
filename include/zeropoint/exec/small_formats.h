// Numbers of 2 to 8 bits: int2, int4, float4, float6, float8 and their like.
//
// They are stored packed, low bits first, and computed with as doubles, which
// hold each of them. Source: the ONNX specification of Cast and of the types.
#ifndef ZEROPOINT_EXEC_SMALL_FORMATS_H_
#define ZEROPOINT_EXEC_SMALL_FORMATS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/exec/convert_element.h"

namespace zeropoint {

/// A float of few bits: a sign, an exponent and a fraction.
struct SmallFloat {
  int exponent_bits;
  int fraction_bits;
  int bias;
  int greatest;      // code of the greatest finite number
  int infinity;      // code, or -1: there is none
  int not_a_number;  // code of what NaN becomes, its sign included
  bool has_negative_zero;
};

inline std::optional<SmallFloat> SmallFloatOf(DataType type) {
  switch (type) {
    case DataType::kFloat8E4M3Fn:
      return SmallFloat{4, 3, 7, 0x7e, -1, 0x7f, true};
    case DataType::kFloat8E4M3Fnuz:
      return SmallFloat{4, 3, 8, 0x7f, -1, 0x80, false};
    case DataType::kFloat8E5M2:
      return SmallFloat{5, 2, 15, 0x7b, 0x7c, 0x7e, true};
    case DataType::kFloat8E5M2Fnuz:
      return SmallFloat{5, 2, 16, 0x7f, -1, 0x80, false};
    case DataType::kFloat4E2M1:
      return SmallFloat{2, 1, 1, 0x7, -1, 0x8, true};
    case DataType::kFloat6E2M3:
      return SmallFloat{2, 3, 1, 0x1f, -1, 0x20, true};
    case DataType::kFloat6E3M2:
      return SmallFloat{3, 2, 3, 0x1f, -1, 0x20, true};
    default:
      return std::nullopt;
  }
}

inline bool IsSmallInteger(DataType type) {
  return type == DataType::kInt4 || type == DataType::kUint4 ||
         type == DataType::kInt2 || type == DataType::kUint2;
}
inline bool IsSigned(DataType type) {
  return type == DataType::kInt4 || type == DataType::kInt2;
}

/// Whether a type is one of this file's.
inline bool IsSmall(DataType type) {
  return IsSmallInteger(type) || type == DataType::kFloat8E8M0 ||
         SmallFloatOf(type).has_value();
}

/// Element i of a packed tensor, as its bits.
inline unsigned GetPacked(const void* data, int bits, std::size_t i) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  unsigned code = 0;
  for (int b = 0; b < bits; ++b) {
    const std::size_t at =
        i * static_cast<std::size_t>(bits) + static_cast<std::size_t>(b);
    code |= ((bytes[at / 8] >> (at % 8)) & 1u) << b;
  }
  return code;
}
/// Requires that the bits are 0 before.
inline void SetPacked(void* data, int bits, std::size_t i, unsigned code) {
  auto* bytes = static_cast<std::uint8_t*>(data);
  for (int b = 0; b < bits; ++b) {
    const std::size_t at =
        i * static_cast<std::size_t>(bits) + static_cast<std::size_t>(b);
    const unsigned bit = ((code >> b) & 1u) << (at % 8);
    bytes[at / 8] = static_cast<std::uint8_t>(bytes[at / 8] | bit);
  }
}

/// The number that a code stands for. Requires IsSmall(type).
inline double DecodeSmall(DataType type, unsigned code) {
  const int bits = BitsOf(type);
  if (type == DataType::kFloat8E8M0) {  // a power of two
    return code == 0xff ? std::numeric_limits<double>::quiet_NaN()
                        : std::ldexp(1.0, static_cast<int>(code) - 127);
  }
  const unsigned sign = 1u << (bits - 1);
  if (IsSmallInteger(type)) {
    const double value = code;
    return IsSigned(type) && (code & sign) != 0 ? value - std::ldexp(1.0, bits)
                                                : value;
  }
  const SmallFloat format = *SmallFloatOf(type);
  const auto magnitude = static_cast<int>(code & (sign - 1));
  const bool negative = (code & sign) != 0;
  if (!format.has_negative_zero && code == sign) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (magnitude > format.greatest) {
    if (magnitude != format.infinity) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    return negative ? -std::numeric_limits<double>::infinity()
                    : std::numeric_limits<double>::infinity();
  }
  const int fraction = magnitude & ((1 << format.fraction_bits) - 1);
  const int exponent = magnitude >> format.fraction_bits;
  const int whole = exponent == 0 ? 0 : 1 << format.fraction_bits;
  const double value =
      std::ldexp(whole + fraction,
                 std::max(exponent, 1) - format.bias - format.fraction_bits);
  return negative ? -value : value;
}

/// How a number becomes one of a small format.
struct SmallRounding {
  /// What is too large becomes the greatest number, else infinity or NaN.
  bool saturate = true;
  /// Of powers of two (float8e8m0): "up", "down" or "nearest".
  std::string_view powers = "up";
};

/// The nearest code, ties to even. Reals to integers are cut off and taken
/// modulo their bits, as the ONNX reference does. Requires IsSmall(type).
inline unsigned EncodeSmall(DataType type, double x,
                            SmallRounding rounding = {}) {
  const int bits = BitsOf(type);
  if (IsSmallInteger(type)) {
    return static_cast<unsigned>(ConvertElement<std::int64_t>(x)) &
           ((1u << bits) - 1);
  }
  if (type == DataType::kFloat8E8M0) {
    if (std::isnan(x) || x < 0) return 0xff;
    if (x == 0) return 0;
    if (std::isinf(x)) return rounding.saturate ? 0xfe : 0xff;
    int exponent = std::ilogb(x);
    const double rest = x / std::ldexp(1.0, exponent);  // in [1, 2)
    if (rounding.powers == "up" ? rest > 1
                                : rounding.powers == "nearest" && rest >= 1.5) {
      ++exponent;
    }
    if (exponent > 127) return rounding.saturate ? 0xfe : 0xff;
    return static_cast<unsigned>(std::max(exponent, -127) + 127);
  }
  const SmallFloat format = *SmallFloatOf(type);
  if (std::isnan(x)) return static_cast<unsigned>(format.not_a_number);
  const bool negative = std::signbit(x);
  const unsigned sign = negative ? 1u << (bits - 1) : 0;
  int code = 0;
  if (std::isinf(x)) {
    code = format.greatest + 1;
  } else if (x != 0) {
    const double magnitude = std::abs(x);
    // Far above the greatest number, where the exponent would not fit.
    const int exponent = std::clamp(std::ilogb(magnitude), 1 - format.bias, 64);
    const double steps =
        std::nearbyint(std::ldexp(magnitude, format.fraction_bits - exponent));
    const int whole = 1 << format.fraction_bits;
    const double wide =
        steps + static_cast<double>(exponent + format.bias - 1) * whole;
    code = static_cast<int>(
        std::min(wide, static_cast<double>(format.greatest + 1)));
  }
  if (code > format.greatest) {
    if (rounding.saturate) {
      code = format.greatest;
    } else if (format.infinity >= 0) {
      code = format.infinity;
    } else if (!format.has_negative_zero || bits < 8) {
      return static_cast<unsigned>(format.not_a_number);
    } else {
      code = format.not_a_number;
    }
  }
  if (code == 0 && !format.has_negative_zero) return 0;
  return static_cast<unsigned>(code) | sign;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_SMALL_FORMATS_H_

// Half precision: float16 and bfloat16 as their bits, and scales that are
// stored in them.
#ifndef ZEROPOINT_CORE_HALF_H_
#define ZEROPOINT_CORE_HALF_H_

#include <bit>
#include <cstdint>
#include <limits>

#include "zeropoint/core/data_type.h"

namespace zeropoint {

/// IEEE half precision, as its bits.
struct Float16 {
  std::uint16_t bits = 0;
};
/// The upper half of a float, as its bits.
struct Bfloat16 {
  std::uint16_t bits = 0;
};

/// Exact.
constexpr float ToFloat(Bfloat16 x) {
  return std::bit_cast<float>(std::uint32_t{x.bits} << 16);
}

/// Rounds to nearest, ties to even; NaN stays NaN.
constexpr Bfloat16 ToBfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (x != x) return {static_cast<std::uint16_t>((bits >> 16) | 0x40)};
  const std::uint32_t half = 0x7fff + ((bits >> 16) & 1);
  return {static_cast<std::uint16_t>((bits + half) >> 16)};
}

/// Exact.
constexpr float ToFloat(Float16 x) {
  const std::uint32_t sign = (x.bits & 0x8000u) << 16;
  const std::uint32_t exponent = (x.bits >> 10) & 0x1f;
  const std::uint32_t fraction = x.bits & 0x3ffu;
  if (exponent == 0) {  // 0 or subnormal: fraction * 2^-24
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 0x1f ? 0xff : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

/// Rounds to nearest, ties to even; too large becomes infinity.
constexpr Float16 ToFloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const auto with_sign = [sign](std::uint32_t rest) {
    return Float16{static_cast<std::uint16_t>(sign | rest)};
  };
  if (magnitude > 0x7f800000u) return with_sign(0x7e00);
  if (magnitude >= 0x47800000u) return with_sign(0x7c00);  // 2^16 and above
  if (magnitude < 0x38800000u) {  // below 2^-14: count steps of 2^-24
    // Adding 1/2 leaves exactly those steps, rounded, in the low bits.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return with_sign(std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u);
  }
  const std::uint32_t half = 0xfff + ((magnitude >> 13) & 1);
  return with_sign((magnitude - (std::uint32_t{127 - 15} << 23) + half) >> 13);
}

/// The two floats of 16 bits.
constexpr bool IsHalf(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kBfloat16;
}

/// The types whose values can be quantized, and that a scale can have.
constexpr bool IsReal(DataType type) {
  return type == DataType::kFloat || IsHalf(type);
}

/// `x` as a tensor of `type` stores it: to nearest, ties to even.
/// Requires IsReal(type).
constexpr float RoundTo(DataType type, float x) {
  if (type == DataType::kFloat16) return ToFloat(ToFloat16(x));
  if (type == DataType::kBfloat16) return ToFloat(ToBfloat16(x));
  return x;
}

/// The number of `type` nearest to `x`, ties to even, without a detour over the
/// nearest float, which may itself be a tie. Requires IsReal(type).
constexpr float NearestOf(DataType type, double x) {
  const auto nearest = static_cast<float>(x);
  if (!IsHalf(type) || static_cast<double>(nearest) == x ||
      nearest - nearest != 0.0f) {
    return RoundTo(type, nearest);
  }
  // Towards 0 with an odd last bit: on the side of a tie that x is on.
  const bool beyond = (nearest > 0.0f) == (static_cast<double>(nearest) > x);
  const auto bits = std::bit_cast<std::uint32_t>(nearest);
  return RoundTo(type, std::bit_cast<float>(
                           (beyond && bits % 2 == 0 ? bits - 1 : bits) | 1));
}

/// The least positive number of `type` that hardware does not flush to 0:
/// 2^-14 of float16, 2^-126 of the others. Requires IsReal(type).
constexpr float SmallestNormal(DataType type) {
  return type == DataType::kFloat16 ? 0x1p-14f
                                    : std::numeric_limits<float>::min();
}

/// The greatest finite number of `type`. Requires IsReal(type).
constexpr float Largest(DataType type) {
  if (type == DataType::kFloat16) return 65504.0f;
  if (type == DataType::kBfloat16) return 0x1.fep127f;
  return std::numeric_limits<float>::max();
}

/// A scale as it is stored in `type`: the nearest number there, but never
/// below the smallest normal one nor above the largest finite one. The first
/// makes the steps of a very narrow tensor coarser than its codes could say,
/// 6.1e-5 in float16; a smaller scale would be 0 where subnormal numbers are
/// flushed, and all reals with it.
///
/// Requires: scale > 0; IsReal(type).
constexpr float StoredScale(float scale, DataType type) {
  if (type == DataType::kFloat) return scale;
  if (scale < SmallestNormal(type)) return SmallestNormal(type);
  if (scale > Largest(type)) return Largest(type);
  return RoundTo(type, scale);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_HALF_H_

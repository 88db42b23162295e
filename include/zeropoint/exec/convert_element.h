// ConvertElement: one number to another type, defined for every value.
//
// A C++ cast of a real number that does not fit an integer is undefined, and
// ONNX leaves the result open; here it saturates and NaN becomes 0, on every
// machine.
#ifndef ZEROPOINT_EXEC_CONVERT_ELEMENT_H_
#define ZEROPOINT_EXEC_CONVERT_ELEMENT_H_

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>

namespace zeropoint {

/// Reals to integers truncate and saturate, NaN gives 0; integers to integers
/// wrap; anything to bool is "not 0".
template <class To, class From>
constexpr To ConvertElement(From x) {
  if constexpr (std::same_as<To, bool>) {
    return x != From{0};
  } else if constexpr (std::floating_point<From> && std::integral<To>) {
    if (x != x) return To{0};
    // Both limits are powers of two (or 0), so they are exact in From.
    constexpr From kAbove =
        static_cast<From>(std::uint64_t{1}
                          << (std::numeric_limits<To>::digits - 1)) *
        From{2};
    constexpr From kLeast = std::signed_integral<To> ? -kAbove : From{0};
    if (x >= kAbove) return std::numeric_limits<To>::max();
    if (x <= kLeast) return std::numeric_limits<To>::min();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

/// IEEE half precision, as its bits.
struct Float16 {
  std::uint16_t bits = 0;
};
/// The upper half of a float, as its bits.
struct Bfloat16 {
  std::uint16_t bits = 0;
};

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

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_CONVERT_ELEMENT_H_

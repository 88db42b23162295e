// The one rounding rule: to nearest, ties to even.
#ifndef ZEROPOINT_CORE_ROUNDING_H_
#define ZEROPOINT_CORE_ROUNDING_H_

#include <concepts>
#include <cstdint>
#include <limits>

namespace zeropoint {

/// Rounds to the nearest integer, ties to the even one: 0.5 -> 0, 1.5 -> 2, 2.5
/// -> 2, -0.5 -> 0.
///
/// std::round, which takes ties away from zero, is the classic mistake here;
/// std::nearbyint depends on the rounding mode of the process and is not
/// constexpr.
///
/// Exact:   NaN, infinities and values without a fraction come back unchanged;
/// a zero may lose its sign, which no code keeps.
/// Source:  ONNX QuantizeLinear ("rounding to nearest ties to even"). Teaches:
/// docs/guide/affine.md
template <std::floating_point T>
constexpr T RoundHalfEven(T x) {
  // From here on every value is an integer (or NaN, which compares false).
  constexpr T kIntegral = T{1} / std::numeric_limits<T>::epsilon();
  if (!(x > -kIntegral && x < kIntegral)) return x;
  const auto truncated = static_cast<std::int64_t>(x);
  const T fraction = x - static_cast<T>(truncated);  // exact, in (-1, 1)
  const bool odd = truncated % 2 != 0;
  std::int64_t rounded = truncated;
  if (fraction > T{0.5} || (fraction == T{0.5} && odd)) ++rounded;
  if (fraction < T{-0.5} || (fraction == T{-0.5} && odd)) --rounded;
  return static_cast<T>(rounded);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_ROUNDING_H_

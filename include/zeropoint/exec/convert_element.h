// ConvertElement: one number to another type, defined for every value.
//
// A C++ cast of a real number that does not fit an integer is undefined, and
// ONNX leaves the result open; here it saturates and NaN becomes 0, on every
// machine.
#ifndef ZEROPOINT_EXEC_CONVERT_ELEMENT_H_
#define ZEROPOINT_EXEC_CONVERT_ELEMENT_H_

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

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_CONVERT_ELEMENT_H_

// The formulas of elementwise operators of two arguments, one pair at a time.
//
// Integers wrap on overflow, as in every runtime, and are computed so that C++
// defines them. kKernel names the vector kernel that runs float.
#ifndef ZEROPOINT_EXEC_OPERATORS_BINARY_FORMULAS_H_
#define ZEROPOINT_EXEC_OPERATORS_BINARY_FORMULAS_H_

#include <cmath>
#include <concepts>
#include <cstdint>

#include "zeropoint/exec/convert_element.h"
#include "zeropoint/kernels/layout.h"

namespace zeropoint::binary {

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;
template <class T>
concept Number = std::floating_point<T> || Integer<T>;

/// Applies `f` to integers as if they had no limits, modulo 2^64: unsigned
/// arithmetic wraps where signed arithmetic is undefined.
template <Integer T, class F>
constexpr T Wrapped(T a, T b, F f) {
  return static_cast<T>(
      f(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
}

struct Add {
  static constexpr auto kKernel = BinaryOp::kAdd;
  template <Number T>
  static T Apply(T a, T b) {
    if constexpr (Integer<T>) {
      return Wrapped(a, b, [](auto x, auto y) { return x + y; });
    } else {
      return a + b;
    }
  }
};
struct Sub {
  static constexpr auto kKernel = BinaryOp::kSub;
  template <Number T>
  static T Apply(T a, T b) {
    if constexpr (Integer<T>) {
      return Wrapped(a, b, [](auto x, auto y) { return x - y; });
    } else {
      return a - b;
    }
  }
};
struct Mul {
  static constexpr auto kKernel = BinaryOp::kMul;
  template <Number T>
  static T Apply(T a, T b) {
    if constexpr (Integer<T>) {
      return Wrapped(a, b, [](auto x, auto y) { return x * y; });
    } else {
      return a * b;
    }
  }
};
/// Integer quotients round toward zero; the executor refuses a divisor of 0.
struct Div {
  static constexpr auto kKernel = BinaryOp::kDiv;
  static constexpr bool kDivides = true;
  template <Number T>
  static T Apply(T a, T b) {
    if constexpr (std::signed_integral<T>) {
      // The one quotient that overflows.
      if (b == T{-1}) return Sub::Apply(T{0}, a);
    }
    return static_cast<T>(a / b);
  }
};
/// The remainder with the sign of the divisor (fmod = 0).
struct FloorMod {
  static constexpr bool kDivides = true;
  template <Number T>
  static T Apply(T a, T b) {
    T rest{0};
    if constexpr (std::floating_point<T>) {
      rest = std::fmod(a, b);
      if (rest == 0) return std::copysign(T{0}, b);
    } else {
      if constexpr (std::signed_integral<T>) {
        if (b == T{-1}) return T{0};
      }
      rest = static_cast<T>(a % b);
    }
    return static_cast<T>(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
  }
};
/// The remainder with the sign of the dividend (fmod = 1).
struct TruncatedMod {
  static constexpr bool kDivides = true;
  template <Number T>
  static T Apply(T a, T b) {
    if constexpr (std::floating_point<T>) {
      return std::fmod(a, b);
    } else {
      if constexpr (std::signed_integral<T>) {
        if (b == T{-1}) return T{0};
      }
      return static_cast<T>(a % b);
    }
  }
};
/// NaN wins, as the specification of Min and Max asks.
struct Min {
  static constexpr auto kKernel = BinaryOp::kMin;
  template <Number T>
  static T Apply(T a, T b) {
    return a < b || a != a ? a : b;
  }
};
struct Max {
  static constexpr auto kKernel = BinaryOp::kMax;
  template <Number T>
  static T Apply(T a, T b) {
    return a > b || a != a ? a : b;
  }
};
struct PRelu {
  template <Number T>
  static T Apply(T x, T slope) {
    return x < 0 ? Mul::Apply(x, slope) : x;
  }
};
struct Equal {
  template <class T>
  static bool Apply(T a, T b) {
    return a == b;
  }
};
struct Less {
  template <Number T>
  static bool Apply(T a, T b) {
    return a < b;
  }
};
struct LessOrEqual {
  template <Number T>
  static bool Apply(T a, T b) {
    return a <= b;
  }
};
struct Greater {
  template <Number T>
  static bool Apply(T a, T b) {
    return a > b;
  }
};
struct GreaterOrEqual {
  template <Number T>
  static bool Apply(T a, T b) {
    return a >= b;
  }
};
struct And {
  template <std::same_as<bool> T>
  static T Apply(T a, T b) {
    return a && b;
  }
};
struct Or {
  template <std::same_as<bool> T>
  static T Apply(T a, T b) {
    return a || b;
  }
};
struct Xor {
  template <std::same_as<bool> T>
  static T Apply(T a, T b) {
    return a != b;
  }
};

/// base ^ exponent by squaring; integers wrap.
template <Integer T>
T IntegerPower(T base, std::uint64_t exponent) {
  T power{1};
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) power = Mul::Apply(power, base);
    base = Mul::Apply(base, base);
  }
  return power;
}

/// base ^ exponent for a base of type T; an integer base with an exponent that
/// is a whole number stays exact.
template <Number T>
T Power(T base, double exponent) {
  constexpr double kWhole = 9007199254740992.0;  // 2^53
  if constexpr (Integer<T>) {
    if (exponent >= 0 && exponent < kWhole &&
        exponent == std::floor(exponent)) {
      return IntegerPower(base, static_cast<std::uint64_t>(exponent));
    }
  }
  return ConvertElement<T>(std::pow(static_cast<double>(base), exponent));
}

}  // namespace zeropoint::binary

#endif  // ZEROPOINT_EXEC_OPERATORS_BINARY_FORMULAS_H_

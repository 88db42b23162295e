// The formulas of elementwise operators of one argument, one element at a time.
//
// kKernel names the vector kernel that runs float; kDefaults are the values of
// the operator's attributes.
#ifndef ZEROPOINT_EXEC_OPERATORS_UNARY_FORMULAS_H_
#define ZEROPOINT_EXEC_OPERATORS_UNARY_FORMULAS_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <numbers>
#include <type_traits>

#include "zeropoint/core/rounding.h"
#include "zeropoint/kernels/layout.h"

namespace zeropoint::unary {

/// The two attributes that a formula may use, as `alpha` and `beta` (or
/// `gamma`) of the operator.
struct Constants {
  float a = 0.0f;
  float b = 0.0f;
};

template <class T>
concept Real = std::floating_point<T>;
template <class T>
concept Number =
    std::floating_point<T> || (std::integral<T> && !std::same_as<T, bool>);

template <class T>
T Sigmoid(T x) {
  return T{1} / (T{1} + std::exp(-x));
}

/// The integral of the normal distribution.
template <class T>
T Phi(T x) {
  return (T{1} + std::erf(x / std::numbers::sqrt2_v<T>)) / T{2};
}

struct Abs {
  static constexpr auto kKernel = UnaryOp::kAbs;
  template <Number T>
  static T Apply(T x, Constants) {
    if constexpr (std::is_unsigned_v<T>) {
      return x;
    } else {
      return x < 0 ? static_cast<T>(-x) : x;
    }
  }
};
struct Neg {
  static constexpr auto kKernel = UnaryOp::kNeg;
  template <Number T>
  static T Apply(T x, Constants) {
    // Through unsigned, where the least integer has a negation.
    if constexpr (std::integral<T>) {
      return static_cast<T>(0u - static_cast<std::make_unsigned_t<T>>(x));
    } else {
      return -x;
    }
  }
};
struct Relu {
  static constexpr auto kKernel = UnaryOp::kRelu;
  template <Number T>
  static T Apply(T x, Constants) {
    return x < 0 ? T{0} : x;
  }
};
struct Sign {
  template <Number T>
  static T Apply(T x, Constants) {
    if constexpr (std::is_unsigned_v<T>) {
      return x > 0 ? T{1} : T{0};
    } else {
      return static_cast<T>((x > 0) - (x < 0));
    }
  }
};
struct Erf {
  static constexpr auto kKernel = UnaryOp::kErf;
  template <Real T>
  static T Apply(T x, Constants) {
    return std::erf(x);
  }
};
struct Exp {
  static constexpr auto kKernel = UnaryOp::kExp;
  template <Real T>
  static T Apply(T x, Constants) {
    return std::exp(x);
  }
};
struct Log {
  template <Real T>
  static T Apply(T x, Constants) {
    return std::log(x);
  }
};
struct Sqrt {
  static constexpr auto kKernel = UnaryOp::kSqrt;
  template <Real T>
  static T Apply(T x, Constants) {
    return std::sqrt(x);
  }
};
struct Reciprocal {
  static constexpr auto kKernel = UnaryOp::kReciprocal;
  template <Real T>
  static T Apply(T x, Constants) {
    return T{1} / x;
  }
};
struct SigmoidOp {
  static constexpr auto kKernel = UnaryOp::kSigmoid;
  template <Real T>
  static T Apply(T x, Constants) {
    return Sigmoid(x);
  }
};
struct Tanh {
  static constexpr auto kKernel = UnaryOp::kTanh;
  template <Real T>
  static T Apply(T x, Constants) {
    return std::tanh(x);
  }
};
struct Ceil {
  template <Real T>
  static T Apply(T x, Constants) {
    return std::ceil(x);
  }
};
struct Floor {
  template <Real T>
  static T Apply(T x, Constants) {
    return std::floor(x);
  }
};
struct Round {
  template <Real T>
  static T Apply(T x, Constants) {
    return std::copysign(RoundHalfEven(x), x);
  }
};
struct Softplus {
  template <Real T>
  static T Apply(T x, Constants) {
    return std::max(x, T{0}) + std::log1p(std::exp(-std::abs(x)));
  }
};
struct Softsign {
  template <Real T>
  static T Apply(T x, Constants) {
    return x / (T{1} + std::abs(x));
  }
};
struct Mish {
  template <Real T>
  static T Apply(T x, Constants constants) {
    return x * std::tanh(Softplus::Apply(x, constants));
  }
};
struct HardSigmoid {
  static constexpr auto kKernel = UnaryOp::kHardSigmoid;
  static constexpr Constants kDefaults{0.2f, 0.5f};
  template <Real T>
  static T Apply(T x, Constants c) {
    return std::clamp(static_cast<T>(c.a) * x + static_cast<T>(c.b), T{0},
                      T{1});
  }
};
struct HardSwish {
  static constexpr auto kKernel = UnaryOp::kHardSwish;
  template <Real T>
  static T Apply(T x, Constants) {
    return x * std::clamp(x / T{6} + T{0.5}, T{0}, T{1});
  }
};
struct Swish {
  static constexpr Constants kDefaults{1.0f, 0.0f};
  template <Real T>
  static T Apply(T x, Constants c) {
    return x * Sigmoid(static_cast<T>(c.a) * x);
  }
};
struct LeakyRelu {
  static constexpr Constants kDefaults{0.01f, 0.0f};
  template <Real T>
  static T Apply(T x, Constants c) {
    return x < 0 ? static_cast<T>(c.a) * x : x;
  }
};
struct ThresholdedRelu {
  static constexpr Constants kDefaults{1.0f, 0.0f};
  template <Real T>
  static T Apply(T x, Constants c) {
    return x > static_cast<T>(c.a) ? x : T{0};
  }
};
struct Elu {
  static constexpr Constants kDefaults{1.0f, 0.0f};
  template <Real T>
  static T Apply(T x, Constants c) {
    return x < 0 ? static_cast<T>(c.a) * std::expm1(x) : x;
  }
};
struct Celu {
  static constexpr Constants kDefaults{1.0f, 0.0f};
  template <Real T>
  static T Apply(T x, Constants c) {
    const auto a = static_cast<T>(c.a);
    return std::max(x, T{0}) + std::min(a * std::expm1(x / a), T{0});
  }
};
struct Selu {
  static constexpr Constants kDefaults{1.67326319217681884765625f,
                                       1.05070102214813232421875f};
  template <Real T>
  static T Apply(T x, Constants c) {
    const auto gamma = static_cast<T>(c.b);
    return x > 0 ? gamma * x : gamma * static_cast<T>(c.a) * std::expm1(x);
  }
};
struct GeluErf {
  static constexpr auto kKernel = UnaryOp::kGelu;
  template <Real T>
  static T Apply(T x, Constants) {
    return x * Phi(x);
  }
};
struct GeluTanh {
  template <Real T>
  static T Apply(T x, Constants) {
    const T inner = std::sqrt(T{2} * std::numbers::inv_pi_v<T>) *
                    (x + T(0.044715) * x * x * x);
    return T{0.5} * x * (T{1} + std::tanh(inner));
  }
};

}  // namespace zeropoint::unary

#endif  // ZEROPOINT_EXEC_OPERATORS_UNARY_FORMULAS_H_

// Sine, cosine, tangent, their hyperbolic forms and inverses.
#ifndef ZEROPOINT_EXEC_OPERATORS_TRIGONOMETRY_H_
#define ZEROPOINT_EXEC_OPERATORS_TRIGONOMETRY_H_

#include <cmath>

#include "zeropoint/exec/operators/unary.h"

namespace zeropoint {
namespace unary {

/// y = kFunction(x), in double: these are rare, and one loop serves all types.
template <double (*kFunction)(double)>
struct OfDouble {
  template <Real T>
  static T Apply(T x, Constants) {
    return static_cast<T>(kFunction(static_cast<double>(x)));
  }
};

}  // namespace unary

inline void AddTrigonometricOperators(OperatorRegistry& registry) {
  const auto add = [&registry]<double (*kFunction)(double)>(
                       unary::OfDouble<kFunction>, const char* name) {
    registry.Add("", name, {}, unary::MakeUnary<unary::OfDouble<kFunction>>);
  };
  add(unary::OfDouble<std::acos>(), "Acos");
  add(unary::OfDouble<std::acosh>(), "Acosh");
  add(unary::OfDouble<std::asin>(), "Asin");
  add(unary::OfDouble<std::asinh>(), "Asinh");
  add(unary::OfDouble<std::atan>(), "Atan");
  add(unary::OfDouble<std::atanh>(), "Atanh");
  add(unary::OfDouble<std::cos>(), "Cos");
  add(unary::OfDouble<std::cosh>(), "Cosh");
  add(unary::OfDouble<std::sin>(), "Sin");
  add(unary::OfDouble<std::sinh>(), "Sinh");
  add(unary::OfDouble<std::tan>(), "Tan");
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_TRIGONOMETRY_H_

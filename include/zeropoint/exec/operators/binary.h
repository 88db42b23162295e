// Elementwise operators of two or more arguments, with broadcasting: Add, Mul,
// Pow, comparisons, logic, Min, Max, Sum, Mean.
//
// The formulas are in binary_formulas.h.
#ifndef ZEROPOINT_EXEC_OPERATORS_BINARY_H_
#define ZEROPOINT_EXEC_OPERATORS_BINARY_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "zeropoint/exec/elementwise_loops.h"
#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/binary_formulas.h"
#include "zeropoint/exec/operators/legacy_broadcast.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace binary {

/// y[i] = formula(a[i * a_step], b[i * b_step]) for `count` elements. One such
/// loop is compiled for a formula and type; all that surrounds it is compiled
/// once.
using Loop = void (*)(const void* a, std::ptrdiff_t a_step, const void* b,
                      std::ptrdiff_t b_step, std::size_t count, void* y);

template <class Function, class T>
void RunLoop(const void* a, std::ptrdiff_t a_step, const void* b,
             std::ptrdiff_t b_step, std::size_t count, void* y) {
  const T* x0 = static_cast<const T*>(a);
  const T* x1 = static_cast<const T*>(b);
  auto* out = static_cast<decltype(Function::Apply(T{}, T{}))*>(y);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = Function::Apply(*x0, *x1);
    x0 += a_step;
    x1 += b_step;
  }
}

/// What is compiled of a formula.
struct Formula {
  std::optional<BinaryOp> kernel;  // runs float
  bool divides = false;            // integers: refuse a divisor of 0
  bool compares = false;           // the result is boolean
  Loop (*loop)(DataType type);     // nullptr for types without a rule
};

template <class Function>
constexpr Formula FormulaOf() {
  Formula formula{};
  if constexpr (requires { Function::kKernel; }) {
    formula.kernel = Function::kKernel;
  }
  formula.divides = requires { Function::kDivides; };
  formula.compares = std::same_as<Function, Equal> || requires(float x) {
    { Function::Apply(x, x) } -> std::same_as<bool>;
  };
  formula.loop = [](DataType type) {
    Loop loop = nullptr;
    // An unknown type leaves it null, which says the same.
    (void)VisitDataType(type, [&loop]<class T>() {
      if constexpr (requires(T x) { Function::Apply(x, x); }) {
        loop = RunLoop<Function, T>;
      }
      return Status();
    });
    return loop;
  };
  return formula;
}

/// y = formula(a, b), of shape `dims`; y may have the memory of an operand that
/// has the same shape.
inline Status RunFormula(OpContext& context, const Formula& formula,
                         const TensorView& a, const TensorView& b,
                         std::span<const std::int64_t> dims, void* y) {
  const Loop loop = formula.loop(a.type());
  const ElementwiseLoops<2> loops(dims, {a.dims(), b.dims()});
  const auto [a_step, b_step] = loops.steps();
  const std::size_t width = BytesOf(a.type(), 1);
  const std::size_t out_width = formula.compares ? sizeof(bool) : width;
  // Calling a kernel costs more than a few elements do.
  constexpr std::size_t kFew = 4;
  const bool vectors =
      formula.kernel && a.type() == DataType::kFloat && loops.row_size() > kFew;
  loops.Run(context.pool(), [&](std::size_t at, const auto& offsets,
                                std::size_t count) {
    const auto bytes = static_cast<std::ptrdiff_t>(width);
    const auto* x0 =
        static_cast<const std::byte*>(a.data()) + offsets[0] * bytes;
    const auto* x1 =
        static_cast<const std::byte*>(b.data()) + offsets[1] * bytes;
    std::byte* out = static_cast<std::byte*>(y) + at * out_width;
    if (vectors) {
      context.kernels().binary_f32(
          *formula.kernel, reinterpret_cast<const float*>(x0),
          static_cast<std::size_t>(a_step), reinterpret_cast<const float*>(x1),
          static_cast<std::size_t>(b_step), count,
          reinterpret_cast<float*>(out));
    } else {
      loop(x0, a_step, x1, b_step, count, out);
    }
  });
  return Status();
}

/// Whether the formula has a rule for the inputs, all of one type.
inline Status CheckTypes(const OpContext& context, const Formula& formula) {
  const DataType type = context.input(0).type();
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    if (context.input(i).type() != type) {
      return InvalidModel(
          "inputs of different types: " + std::string(DataTypeName(type)) +
          " and " + std::string(DataTypeName(context.input(i).type())));
    }
  }
  if (formula.loop(type) == nullptr) {
    return Unsupported("no rule for elements of type " +
                       std::string(DataTypeName(type)));
  }
  return Status();
}

inline bool HasZero(const TensorView& x) {
  bool has_zero = false;
  (void)VisitDataType(x.type(), [&]<class T>() {
    if constexpr (Integer<T>) {
      const std::span<const T> values = x.As<T>();
      has_zero = std::find(values.begin(), values.end(), T{0}) != values.end();
    }
    return Status();
  });
  return has_zero;
}

/// y = formula(a, b), multidirectional broadcasting.
inline Status RunPair(OpContext& context, const Formula& formula) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
  ZEROPOINT_RETURN_IF_ERROR(CheckTypes(context, formula));
  const TensorView& a = context.input(0);
  const TensorView& b = context.input(1);
  if (formula.divides && HasZero(b)) {
    return InvalidData("integer division by zero");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(Dims dims, BroadcastDims(a.dims(), b.dims()));
  const DataType type = formula.compares ? DataType::kBool : a.type();
  void* y = nullptr;
  if (!formula.compares && std::ranges::equal(dims, a.dims())) {
    ZEROPOINT_ASSIGN_OR_RETURN(y, context.OutputOver(0, 0, type, dims));
  } else if (!formula.compares && std::ranges::equal(dims, b.dims())) {
    ZEROPOINT_ASSIGN_OR_RETURN(y, context.OutputOver(0, 1, type, dims));
  } else {
    ZEROPOINT_ASSIGN_OR_RETURN(y, context.Output(0, type, dims));
  }
  return RunFormula(context, formula, a, b, dims, y);
}

template <class Function>
Status RunBinary(OpContext& context) {
  return RunPair(context, FormulaOf<Function>());
}

/// y = formula over all inputs, folded from the first to the last.
inline Status RunAll(OpContext& context, const Formula& formula) {
  ZEROPOINT_RETURN_IF_ERROR(
      context.RequireInputs(std::max<std::size_t>(1, context.input_count())));
  if (context.input_count() == 2) return RunPair(context, formula);
  ZEROPOINT_RETURN_IF_ERROR(CheckTypes(context, formula));
  const TensorView& first = context.input(0);
  Dims dims = ToDims(first.dims());
  if (context.input_count() == 1) return context.Forward(0, 0, dims);
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    ZEROPOINT_ASSIGN_OR_RETURN(dims,
                               BroadcastDims(dims, context.input(i).dims()));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(0, first.type(), dims));
  const TensorView result(first.type(), dims, y);
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    ZEROPOINT_RETURN_IF_ERROR(RunFormula(
        context, formula, i == 1 ? first : result, context.input(i), dims, y));
  }
  return Status();
}

template <class Function>
Status RunVariadic(OpContext& context) {
  return RunAll(context, FormulaOf<Function>());
}

/// y = base ^ exponent; the exponent may be of another type and the result has
/// the base's. A square, which decomposed normalizations are made of, is a
/// product.
inline Status RunPow(OpContext& context) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
  const TensorView& base = context.input(0);
  const TensorView& exponent = context.input(1);
  ZEROPOINT_ASSIGN_OR_RETURN(Dims dims,
                             BroadcastDims(base.dims(), exponent.dims()));
  ZEROPOINT_ASSIGN_OR_RETURN(double* e,
                             context.Scratch<double>(exponent.size()));
  ZEROPOINT_RETURN_IF_ERROR(
      VisitDataType(exponent.type(), [&]<class E>() -> Status {
        std::ranges::copy(exponent.As<E>(), e);
        return Status();
      }));
  if (base.type() == DataType::kFloat && exponent.size() == 1 && e[0] == 2.0 &&
      std::ranges::equal(dims, base.dims())) {
    ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.OutputOver<float>(0, 0, dims));
    return RunFormula(context, FormulaOf<Mul>(), base, base, dims, y);
  }
  const ElementwiseLoops<2> loops(dims, {base.dims(), exponent.dims()});
  const auto [x_step, e_step] = loops.steps();
  return VisitDataType(base.type(), [&]<class T>() -> Status {
    if constexpr (!Number<T>) {
      return Unsupported("the power of a boolean is not defined");
    } else {
      ZEROPOINT_ASSIGN_OR_RETURN(T * y, context.Output<T>(0, dims));
      const T* x = base.As<T>().data();
      loops.Run(context.pool(),
                [&](std::size_t at, const auto& offsets, std::size_t count) {
                  for (std::size_t i = 0; i < count; ++i) {
                    const auto k = static_cast<std::ptrdiff_t>(i);
                    y[at + i] = Power(x[offsets[0] + k * x_step],
                                      e[offsets[1] + k * e_step]);
                  }
                });
      return Status();
    }
  });
}

inline Result<std::unique_ptr<Operator>> MakeMod(const OperatorInit& init) {
  return GetInt(init.node, "fmod", 0) != 0
             ? Stateless<RunBinary<TruncatedMod>>(init)
             : Stateless<RunBinary<FloorMod>>(init);
}

}  // namespace binary

inline void AddBinaryOperators(OperatorRegistry& registry) {
  using namespace binary;  // NOLINT(google-build-using-namespace)
  const auto add = [&registry](const char* name, OperatorFactory factory) {
    registry.Add("", name, {}, factory);
  };
  add("Add", Stateless<RunBinary<Add>>);
  add("And", Stateless<RunBinary<And>>);
  add("Div", Stateless<RunBinary<Div>>);
  add("Equal", Stateless<RunBinary<Equal>>);
  add("Greater", Stateless<RunBinary<Greater>>);
  add("GreaterOrEqual", Stateless<RunBinary<GreaterOrEqual>>);
  add("Less", Stateless<RunBinary<Less>>);
  add("LessOrEqual", Stateless<RunBinary<LessOrEqual>>);
  add("Max", Stateless<RunVariadic<Max>>);
  add("Min", Stateless<RunVariadic<Min>>);
  add("Mod", MakeMod);
  add("Mul", Stateless<RunBinary<Mul>>);
  add("Or", Stateless<RunBinary<Or>>);
  add("PRelu", Stateless<RunBinary<PRelu>>);
  add("Pow", Stateless<RunPow>);
  add("Sub", Stateless<RunBinary<Sub>>);
  add("Sum", Stateless<RunVariadic<Add>>);
  add("Xor", Stateless<RunBinary<Xor>>);
  constexpr OpsetRange kLegacy{.last = 6};
  registry.Add("", "Add", kLegacy, MakeLegacy<Stateless<RunBinary<Add>>>);
  registry.Add("", "And", kLegacy, MakeLegacy<Stateless<RunBinary<And>>>);
  registry.Add("", "Div", kLegacy, MakeLegacy<Stateless<RunBinary<Div>>>);
  registry.Add("", "Equal", kLegacy, MakeLegacy<Stateless<RunBinary<Equal>>>);
  registry.Add("", "Greater", kLegacy,
               MakeLegacy<Stateless<RunBinary<Greater>>>);
  registry.Add("", "Less", kLegacy, MakeLegacy<Stateless<RunBinary<Less>>>);
  registry.Add("", "Mul", kLegacy, MakeLegacy<Stateless<RunBinary<Mul>>>);
  registry.Add("", "Or", kLegacy, MakeLegacy<Stateless<RunBinary<Or>>>);
  registry.Add("", "PRelu", kLegacy, MakeLegacy<Stateless<RunBinary<PRelu>>>);
  registry.Add("", "Pow", kLegacy, MakeLegacy<Stateless<RunPow>>);
  registry.Add("", "Sub", kLegacy, MakeLegacy<Stateless<RunBinary<Sub>>>);
  registry.Add("", "Xor", kLegacy, MakeLegacy<Stateless<RunBinary<Xor>>>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_BINARY_H_

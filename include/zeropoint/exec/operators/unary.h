// Elementwise operators of one argument: Relu, Sigmoid, Sqrt, Erf and their
// like.
//
// The formulas are in unary_formulas.h. Where one names a vector kernel, float
// runs there; every other type runs the formula.
#ifndef ZEROPOINT_EXEC_OPERATORS_UNARY_H_
#define ZEROPOINT_EXEC_OPERATORS_UNARY_H_

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/unary_formulas.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace unary {

/// Applies a formula to `count` elements. One such loop is compiled for a
/// formula and type; all that surrounds it is compiled once.
using Loop = void (*)(const void* x, std::size_t count, Constants constants,
                      void* y);

template <class Function, class T>
void RunLoop(const void* x, std::size_t count, Constants constants, void* y) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(y);
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = Function::Apply(from[i], constants);
  }
}

/// What is compiled of a formula.
struct Formula {
  std::optional<UnaryOp> kernel;  // runs float
  Loop (*loop)(DataType type);    // nullptr for types without a rule
};

template <class Function>
constexpr Formula FormulaOf() {
  Formula formula{};
  if constexpr (requires { Function::kKernel; }) {
    formula.kernel = Function::kKernel;
  }
  formula.loop = [](DataType type) {
    Loop loop = nullptr;
    // An unknown type leaves it null, which says the same.
    (void)VisitDataType(type, [&loop]<class T>() {
      if constexpr (requires(T x) { Function::Apply(x, Constants{}); }) {
        loop = RunLoop<Function, T>;
      }
      return Status();
    });
    return loop;
  };
  return formula;
}

/// y[i] = formula(x[i])
///
/// Shapes: y has x's.   Errors: an element type without a rule.
class UnaryOperator final : public Operator {
 public:
  UnaryOperator(Formula formula, Constants constants)
      : formula_(formula), constants_(constants) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    const bool vectors = formula_.kernel && x.type() == DataType::kFloat;
    const Loop loop = formula_.loop(x.type());
    if (loop == nullptr) {
      return Unsupported("no rule for elements of type " +
                         std::string(DataTypeName(x.type())));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        void* y, context.OutputOver(0, 0, x.type(), ToDims(x.dims())));
    constexpr std::size_t kGrain = 8192;
    context.pool().ParallelRanges(
        x.size(), kGrain, [&](std::size_t begin, std::size_t end) {
          const std::size_t offset = BytesOf(x.type(), begin);
          const auto* from = static_cast<const std::byte*>(x.data()) + offset;
          auto* to = static_cast<std::byte*>(y) + offset;
          if (vectors) {
            context.kernels().unary_f32(*formula_.kernel,
                                        reinterpret_cast<const float*>(from),
                                        end - begin, constants_.a, constants_.b,
                                        reinterpret_cast<float*>(to));
          } else {
            loop(from, end - begin, constants_, to);
          }
        });
    return Status();
  }

  std::optional<Clamp> AsClamp(
      std::span<const RunValue* const> /*constants*/) const override {
    if (formula_.kernel == UnaryOp::kRelu) return Clamp{.lo = 0.0f};
    return std::nullopt;
  }

 private:
  Formula formula_;
  Constants constants_;
};

template <class Function>
Result<std::unique_ptr<Operator>> MakeUnary(const OperatorInit& init) {
  Constants constants;
  if constexpr (requires { Function::kDefaults; }) {
    const char* second = std::same_as<Function, Selu> ? "gamma" : "beta";
    constants.a = GetFloat(init.node, "alpha", Function::kDefaults.a);
    constants.b = GetFloat(init.node, second, Function::kDefaults.b);
  }
  return std::unique_ptr<Operator>(
      std::make_unique<UnaryOperator>(FormulaOf<Function>(), constants));
}

inline Result<std::unique_ptr<Operator>> MakeGelu(const OperatorInit& init) {
  if (GetString(init.node, "approximate", "none") == "tanh") {
    return MakeUnary<GeluTanh>(init);
  }
  return MakeUnary<GeluErf>(init);
}

}  // namespace unary

inline void AddUnaryOperators(OperatorRegistry& registry) {
  const auto add = [&registry]<class Function>(Function, const char* name) {
    registry.Add("", name, {}, unary::MakeUnary<Function>);
  };
  add(unary::Abs(), "Abs");
  add(unary::Ceil(), "Ceil");
  add(unary::Celu(), "Celu");
  add(unary::Elu(), "Elu");
  add(unary::Erf(), "Erf");
  add(unary::Exp(), "Exp");
  add(unary::Floor(), "Floor");
  add(unary::HardSigmoid(), "HardSigmoid");
  add(unary::HardSwish(), "HardSwish");
  add(unary::LeakyRelu(), "LeakyRelu");
  add(unary::Log(), "Log");
  add(unary::Mish(), "Mish");
  add(unary::Neg(), "Neg");
  add(unary::Reciprocal(), "Reciprocal");
  add(unary::Relu(), "Relu");
  add(unary::Round(), "Round");
  add(unary::Selu(), "Selu");
  add(unary::SigmoidOp(), "Sigmoid");
  add(unary::Sign(), "Sign");
  add(unary::Softplus(), "Softplus");
  add(unary::Softsign(), "Softsign");
  add(unary::Sqrt(), "Sqrt");
  add(unary::Swish(), "Swish");
  add(unary::Tanh(), "Tanh");
  add(unary::ThresholdedRelu(), "ThresholdedRelu");
  registry.Add("", "Gelu", {}, unary::MakeGelu);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_UNARY_H_

// Cast, CastLike, Clip, Not, Where, IsNaN, IsInf: operators that choose or
// change the type of elements one by one.
#ifndef ZEROPOINT_EXEC_OPERATORS_CAST_H_
#define ZEROPOINT_EXEC_OPERATORS_CAST_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include "zeropoint/core/half.h"
#include "zeropoint/exec/convert_element.h"
#include "zeropoint/exec/elementwise_loops.h"
#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace cast {

/// Calls visit.template operator()<T>() as VisitDataType does, with Float16 and
/// Bfloat16 besides.
template <class Visitor>
Status VisitCastType(DataType type, Visitor&& visit) {
  if (type == DataType::kFloat16) return visit.template operator()<Float16>();
  if (type == DataType::kBfloat16) return visit.template operator()<Bfloat16>();
  return VisitDataType(type, visit);
}

template <class T>
concept Half = std::same_as<T, Float16> || std::same_as<T, Bfloat16>;

/// One element; 16-bit floats go through float, which holds each of them.
template <class To, class From>
To CastElement(From x) {
  if constexpr (std::same_as<To, From>) {
    return x;
  } else if constexpr (Half<From>) {
    return CastElement<To>(ToFloat(x));
  } else if constexpr (std::same_as<To, Float16>) {
    return ToFloat16(static_cast<float>(x));
  } else if constexpr (std::same_as<To, Bfloat16>) {
    return ToBfloat16(static_cast<float>(x));
  } else {
    return ConvertElement<To>(x);
  }
}

using CastLoop = void (*)(const void* x, std::size_t count, void* y);

template <class To, class From>
void RunCastLoop(const void* x, std::size_t count, void* y) {
  const From* from = static_cast<const From*>(x);
  To* to = static_cast<To*>(y);
  for (std::size_t i = 0; i < count; ++i) to[i] = CastElement<To>(from[i]);
}

inline Status RunCast(OpContext& context, DataType to,
                      SmallRounding rounding = {}) {
  const TensorView& x = context.input(0);
  if (x.type() == to) return context.Forward(0, 0, ToDims(x.dims()));
  if (IsSmall(x.type()) || IsSmall(to)) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto values, ReadReals(context, 0));
    return WriteReals(context, 0, to, ToDims(x.dims()), values, rounding);
  }
  CastLoop loop = nullptr;
  ZEROPOINT_RETURN_IF_ERROR(VisitCastType(x.type(), [&]<class From>() {
    return VisitCastType(to, [&loop]<class To>() {
      loop = RunCastLoop<To, From>;
      return Status();
    });
  }));
  ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(0, to, ToDims(x.dims())));
  constexpr std::size_t kGrain = 16384;
  context.pool().ParallelRanges(
      x.size(), kGrain, [&](std::size_t begin, std::size_t end) {
        loop(static_cast<const std::byte*>(x.data()) + BytesOf(x.type(), begin),
             end - begin, static_cast<std::byte*>(y) + BytesOf(to, begin));
      });
  return Status();
}

/// y = x as another element type (convert_element.h says how).
class CastOperator final : public Operator {
 public:
  explicit CastOperator(const OperatorInit& init)
      : to_(static_cast<DataType>(GetInt(init.node, "to", 0))),
        saturate_(GetInt(init.node, "saturate", 1) != 0),
        powers_(GetString(init.node, "round_mode", "up")) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    return RunCast(context, to_, {saturate_, powers_});
  }

 private:
  DataType to_;
  bool saturate_;
  std::string powers_;
};

/// As Cast, to the type of input 1.
class CastLikeOperator final : public Operator {
 public:
  explicit CastLikeOperator(const OperatorInit& init)
      : saturate_(GetInt(init.node, "saturate", 1) != 0),
        powers_(GetString(init.node, "round_mode", "up")) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    return RunCast(context, context.input(1).type(), {saturate_, powers_});
  }

 private:
  bool saturate_;
  std::string powers_;
};

/// y = min(max(x, lo), hi); lo and hi are attributes before opset 11 and
/// optional inputs from then on.
class ClipOperator final : public Operator {
 public:
  explicit ClipOperator(const OperatorInit& init)
      : by_input_(init.opset >= 11),
        attributes_{GetFloat(init.node, "min", Clamp().lo),
                    GetFloat(init.node, "max", Clamp().hi)} {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    return VisitDataType(context.input(0).type(), [&]<class T>() -> Status {
      if constexpr (std::same_as<T, bool>) {
        return Unsupported("Clip of booleans is not defined");
      } else {
        return RunTyped<T>(context);
      }
    });
  }

  std::optional<Clamp> AsClamp(
      std::span<const RunValue* const> constants) const override {
    if (!by_input_) return attributes_;
    Clamp clamp;
    for (std::size_t i = 1; i < std::min<std::size_t>(3, constants.size());
         ++i) {
      const RunValue* limit = constants[i];
      if (limit == nullptr) return std::nullopt;
      const TensorView view = limit->view();
      if (view.type() == DataType::kUndefined) continue;  // omitted
      if (view.type() != DataType::kFloat || view.size() != 1) {
        return std::nullopt;
      }
      (i == 1 ? clamp.lo : clamp.hi) = view.As<float>()[0];
    }
    return clamp;
  }

 private:
  template <class T>
  Status RunTyped(OpContext& context) const {
    T lo = std::numeric_limits<T>::lowest();
    T hi = std::numeric_limits<T>::max();
    if constexpr (std::floating_point<T>) {
      lo = -std::numeric_limits<T>::infinity();
      hi = std::numeric_limits<T>::infinity();
      if (!by_input_) {
        lo = static_cast<T>(attributes_.lo);
        hi = static_cast<T>(attributes_.hi);
      }
    }
    for (std::size_t i = 1; by_input_ && i < 3; ++i) {
      if (!context.has_input(i)) continue;
      ZEROPOINT_ASSIGN_OR_RETURN(const auto limit, context.Input<T>(i));
      if (limit.size() != 1) {
        return InvalidModel("input " + std::to_string(i) +
                            " must be one number");
      }
      (i == 1 ? lo : hi) = limit[0];
    }
    const std::span<const T> x = context.input(0).As<T>();
    ZEROPOINT_ASSIGN_OR_RETURN(
        T * y, context.OutputOver<T>(0, 0, ToDims(context.input(0).dims())));
    context.pool().ParallelRanges(
        x.size(), 16384, [&](std::size_t begin, std::size_t end) {
          if constexpr (std::same_as<T, float>) {
            context.kernels().clamp_f32(x.data() + begin, end - begin,
                                        {.lo = lo, .hi = hi}, y + begin);
          } else {
            for (std::size_t i = begin; i < end; ++i) {
              const T above = x[i] < lo ? lo : x[i];
              y[i] = hi < above ? hi : above;
            }
          }
        });
    return Status();
  }

  bool by_input_;
  Clamp attributes_;
};

/// y = condition ? a : b, broadcasting all three; any element type.
inline Status RunWhere(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto condition, context.Input<bool>(0));
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(3));
  const TensorView& a = context.input(1);
  const TensorView& b = context.input(2);
  if (a.type() != b.type()) {
    return InvalidModel("inputs 1 and 2 have different types");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(Dims dims, BroadcastDims(a.dims(), b.dims()));
  ZEROPOINT_ASSIGN_OR_RETURN(dims,
                             BroadcastDims(dims, context.input(0).dims()));
  ZEROPOINT_ASSIGN_OR_RETURN(void* out, context.Output(0, a.type(), dims));
  const ElementwiseLoops<3> loops(
      dims, {context.input(0).dims(), a.dims(), b.dims()});
  const auto [c_step, a_step, b_step] = loops.steps();
  return VisitDataType(a.type(), [&]<class T>() -> Status {
    const T* x0 = a.As<T>().data();
    const T* x1 = b.As<T>().data();
    T* y = static_cast<T*>(out);
    loops.Run(context.pool(),
              [&](std::size_t at, const auto& offsets, std::size_t count) {
                const bool* choose = condition.data() + offsets[0];
                for (std::size_t i = 0; i < count; ++i) {
                  const auto k = static_cast<std::ptrdiff_t>(i);
                  y[at + i] = choose[k * c_step] ? x0[offsets[1] + k * a_step]
                                                 : x1[offsets[2] + k * b_step];
                }
              });
    return Status();
  });
}

inline Status RunNot(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<bool>(0));
  ZEROPOINT_ASSIGN_OR_RETURN(
      bool* y, context.OutputOver<bool>(0, 0, ToDims(context.input(0).dims())));
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = !x[i];
  return Status();
}

inline Status RunIsNan(OpContext& context) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
  const TensorView& x = context.input(0);
  ZEROPOINT_ASSIGN_OR_RETURN(bool* y,
                             context.Output<bool>(0, ToDims(x.dims())));
  return VisitCastType(x.type(), [&]<class T>() {
    const T* values = static_cast<const T*>(x.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] = std::isnan(CastElement<float>(values[i]));
    }
    return Status();
  });
}

}  // namespace cast

inline void AddCastOperators(OperatorRegistry& registry) {
  registry.Add("", "Cast", {}, Construct<cast::CastOperator>);
  registry.Add("", "CastLike", {}, Construct<cast::CastLikeOperator>);
  registry.Add("", "Clip", {}, Construct<cast::ClipOperator>);
  registry.Add("", "IsNaN", {}, Stateless<cast::RunIsNan>);
  registry.Add("", "Not", {}, Stateless<cast::RunNot>);
  registry.Add("", "Where", {}, Stateless<cast::RunWhere>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_CAST_H_

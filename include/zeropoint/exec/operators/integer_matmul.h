// MatMulInteger and QLinearMatMul, and what products of codes share.
//
// Written to be read and to be exact, not to be fast: codes lose their zero
// points, products are summed in integers, and the QLinear forms requantize by
// core/reference.h. A sum that leaves 32 bits wraps, as in every runtime.
#ifndef ZEROPOINT_EXEC_OPERATORS_INTEGER_MATMUL_H_
#define ZEROPOINT_EXEC_OPERATORS_INTEGER_MATMUL_H_

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/exec/convert_element.h"
#include "zeropoint/exec/operators/matmul.h"
#include "zeropoint/exec/operators/quantize.h"

namespace zeropoint {
namespace integer {

/// A per-tensor number, or one for each index of an axis.
template <class T>
struct PerIndex {
  std::vector<T> values;
  const T& operator[](std::size_t i) const {
    return values[values.size() == 1 ? 0 : i];
  }
};

template <class T>
Status CheckCount(const PerIndex<T>& list, std::size_t input,
                  std::size_t size) {
  if (list.values.size() == 1 || list.values.size() == size) return Status();
  return InvalidModel("input " + std::to_string(input) + " has " +
                      std::to_string(list.values.size()) +
                      " values; expected 1 or " + std::to_string(size));
}

/// The 8-bit codes of input `i`.
inline Result<std::vector<std::int32_t>> Codes(const OpContext& context,
                                               std::size_t i) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(i + 1));
  const TensorView& view = context.input(i);
  std::vector<std::int32_t> codes(view.size());
  if (view.type() == DataType::kUint8) {
    std::ranges::copy(view.As<std::uint8_t>(), codes.begin());
  } else if (view.type() == DataType::kInt8) {
    std::ranges::copy(view.As<std::int8_t>(), codes.begin());
  } else {
    return Unsupported("codes of type " +
                       std::string(DataTypeName(view.type())));
  }
  return codes;
}

/// Accumulators for an output of shape `dims`, in the context's scratch.
inline Result<std::span<std::int32_t>> Zeros(OpContext& context,
                                             const Dims& dims) {
  const auto count = ElementCount(dims);
  if (!count) {
    return InvalidData("shape " + FormatDims(dims) + " is not possible");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * zeros,
                             context.Scratch<std::int32_t>(*count));
  std::fill_n(zeros, *count, 0);
  return std::span(zeros, *count);
}

/// Zero points in input `i`; 0 when it is left out.
inline Result<PerIndex<std::int32_t>> ZeroPointsOf(const OpContext& context,
                                                   std::size_t i,
                                                   std::size_t size) {
  PerIndex<std::int32_t> zero_points{{0}};
  if (context.has_input(i)) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        zero_points.values,
        quantize::ZeroPoints(context, i, context.input(i).size()));
  }
  ZEROPOINT_RETURN_IF_ERROR(CheckCount(zero_points, i, size));
  return zero_points;
}

/// Scales in input `i`, float or float16.
inline Result<PerIndex<float>> ScalesOf(const OpContext& context, std::size_t i,
                                        std::size_t size) {
  PerIndex<float> scales;
  if (context.has_input(i) && context.input(i).type() == DataType::kFloat16) {
    const auto* halves = static_cast<const Float16*>(context.input(i).data());
    for (std::size_t k = 0; k < context.input(i).size(); ++k) {
      scales.values.push_back(ToFloat(halves[k]));
    }
  } else {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto values, context.Input<float>(i));
    scales.values.assign(values.begin(), values.end());
  }
  ZEROPOINT_RETURN_IF_ERROR(CheckCount(scales, i, size));
  for (const float scale : scales.values) {
    if (!(scale > 0.0f) || !std::isfinite(scale)) {
      return InvalidModel("scale " + std::to_string(scale) +
                          " is not a finite number above 0");
    }
  }
  return scales;
}

/// Writes requantized accumulators in the type of `y_zero_point`'s tensor.
template <class Multiplier>
Status Requantize(OpContext& context, std::span<const std::int32_t> sums,
                  const Dims& dims, std::size_t y_zero_point_input,
                  Multiplier multiplier_at) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto zero_point,
                             ZeroPointsOf(context, y_zero_point_input, 1));
  return VisitDataType(
      context.input(y_zero_point_input).type(), [&]<class T>() -> Status {
        if constexpr (std::integral<T> && sizeof(T) == 1 &&
                      !std::same_as<T, bool>) {
          constexpr CodeRange kCodes{std::numeric_limits<T>::min(),
                                     std::numeric_limits<T>::max()};
          ZEROPOINT_ASSIGN_OR_RETURN(T * y, context.Output<T>(0, dims));
          for (std::size_t i = 0; i < sums.size(); ++i) {
            y[i] = static_cast<T>(reference::Requantize(
                sums[i], multiplier_at(i), zero_point[0], kCodes));
          }
          return Status();
        } else {
          return Unsupported("an output that is not 8 bits wide");
        }
      });
}

/// sum over k of (a[i, k] - za) * (b[k, j] - zb), za for each row or for all,
/// zb for each column or for all.
struct MatrixArguments {
  std::size_t a = 0;  // numbers of the inputs
  std::size_t a_zero_point = 0;
  std::size_t b = 0;
  std::size_t b_zero_point = 0;
};
inline Result<std::span<std::int32_t>> MultiplyCodes(
    OpContext& context, const MatrixArguments& inputs,
    const matmul::ProductShape& shape) {
  ZEROPOINT_ASSIGN_OR_RETURN(auto a, Codes(context, inputs.a));
  ZEROPOINT_ASSIGN_OR_RETURN(auto b, Codes(context, inputs.b));
  ZEROPOINT_ASSIGN_OR_RETURN(
      const auto a_zero_point,
      ZeroPointsOf(context, inputs.a_zero_point, shape.m));
  ZEROPOINT_ASSIGN_OR_RETURN(
      const auto b_zero_point,
      ZeroPointsOf(context, inputs.b_zero_point, shape.n));
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] -= a_zero_point[i / shape.k % shape.m];
  }
  for (std::size_t i = 0; i < b.size(); ++i) {
    b[i] -= b_zero_point[i % shape.n];
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const auto sums, Zeros(context, shape.out));
  matmul::MultiplyAll(shape, a.data(), b.data(), sums.data());
  return sums;
}

inline Status RunMatMulInteger(OpContext& context) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
  ZEROPOINT_ASSIGN_OR_RETURN(const auto shape,
                             matmul::ProductShape::Of(context.input(0).dims(),
                                                      context.input(1).dims()));
  ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * y,
                             context.Output<std::int32_t>(0, shape.out));
  ZEROPOINT_ASSIGN_OR_RETURN(
      const auto sums,
      MultiplyCodes(context,
                    {.a = 0, .a_zero_point = 2, .b = 1, .b_zero_point = 3},
                    shape));
  std::ranges::copy(sums, y);
  return Status();
}

/// Inputs: a, its scale and zero point, b, its scale and zero point, the
/// output's scale and zero point.
inline Status RunQLinearMatMul(OpContext& context) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(8));
  ZEROPOINT_ASSIGN_OR_RETURN(const auto shape,
                             matmul::ProductShape::Of(context.input(0).dims(),
                                                      context.input(3).dims()));
  ZEROPOINT_ASSIGN_OR_RETURN(const auto a_scale, ScalesOf(context, 1, shape.m));
  ZEROPOINT_ASSIGN_OR_RETURN(const auto b_scale, ScalesOf(context, 4, shape.n));
  ZEROPOINT_ASSIGN_OR_RETURN(const auto y_scale, ScalesOf(context, 6, 1));
  ZEROPOINT_ASSIGN_OR_RETURN(
      const auto sums,
      MultiplyCodes(context,
                    {.a = 0, .a_zero_point = 2, .b = 3, .b_zero_point = 5},
                    shape));
  return Requantize(context, sums, shape.out, 7, [&](std::size_t i) {
    return reference::RequantizeMultiplier(a_scale[i / shape.n % shape.m],
                                           b_scale[i % shape.n], y_scale[0]);
  });
}

}  // namespace integer

inline void AddIntegerMatMulOperators(OperatorRegistry& registry) {
  using namespace integer;  // NOLINT(google-build-using-namespace)
  constexpr OpsetRange kSince{.first = 10};
  registry.Add("", "MatMulInteger", kSince, Stateless<RunMatMulInteger>);
  registry.Add("", "QLinearMatMul", kSince, Stateless<RunQLinearMatMul>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_INTEGER_MATMUL_H_

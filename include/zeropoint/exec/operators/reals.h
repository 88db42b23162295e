// ReadReals and WriteReals: numbers of any type by way of double.
//
// Operators that few networks have are written once, over doubles, instead of
// once a type: double holds every element of all types but the 64-bit integers,
// and a result is rounded once.
#ifndef ZEROPOINT_EXEC_OPERATORS_REALS_H_
#define ZEROPOINT_EXEC_OPERATORS_REALS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/exec/convert_element.h"
#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operators/computed_in_float.h"
#include "zeropoint/exec/small_formats.h"

namespace zeropoint {

/// The elements of input i. Errors: missing; strings and complex numbers.
inline Result<std::vector<double>> ReadReals(const OpContext& context,
                                             std::size_t i) {
  if (!context.has_input(i)) {
    return InvalidModel("input " + std::to_string(i) + " is missing");
  }
  const TensorView& x = context.input(i);
  std::vector<double> values(x.size());
  if (IsHalf(x.type())) {
    std::vector<float> wide(x.size());
    WidenHalf(x, wide.data());
    values.assign(wide.begin(), wide.end());
    return values;
  }
  if (IsSmall(x.type())) {
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] =
          DecodeSmall(x.type(), GetPacked(x.data(), BitsOf(x.type()), k));
    }
    return values;
  }
  ZEROPOINT_RETURN_IF_ERROR(VisitDataType(x.type(), [&]<class T>() -> Status {
    const auto elements = x.As<T>();
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = static_cast<double>(elements[k]);
    }
    return Status();
  }));
  return values;
}

/// Makes output i of `values`, rounded to `type` as ConvertElement and
/// EncodeSmall do.
/// Requires as many values as the shape has elements.
inline Status WriteReals(OpContext& context, std::size_t i, DataType type,
                         Dims dims, std::span<const double> values,
                         SmallRounding rounding = {}) {
  ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(i, type, std::move(dims)));
  if (IsHalf(type)) {
    const std::vector<float> wide(values.begin(), values.end());
    NarrowToHalf(wide, type, y);
    return Status();
  }
  if (IsSmall(type)) {
    std::memset(y, 0, BytesOf(type, values.size()));
    for (std::size_t k = 0; k < values.size(); ++k) {
      SetPacked(y, BitsOf(type), k, EncodeSmall(type, values[k], rounding));
    }
    return Status();
  }
  return VisitDataType(type, [&]<class T>() {
    T* elements = static_cast<T*>(y);
    for (std::size_t k = 0; k < values.size(); ++k) {
      elements[k] = ConvertElement<T>(values[k]);
    }
    return Status();
  });
}

/// `count` zeros to compute an output in. Errors: a shape that overflows or is
/// larger than the executor gives.
inline Result<std::vector<double>> ZeroReals(
    std::span<const std::int64_t> dims) {
  const auto count = ElementCount(dims);
  constexpr std::size_t kMost = std::size_t{1} << 28;
  if (!count || *count > kMost) {
    return InvalidData("shape " + FormatDims(dims) + " is too large");
  }
  return std::vector<double>(*count);
}

/// Integers of input i (int32 or int64).
inline Result<std::vector<std::int64_t>> ReadIntegers(const OpContext& context,
                                                      std::size_t i) {
  if (context.has_input(i) && context.input(i).type() == DataType::kInt32) {
    const auto values = context.input(i).As<std::int32_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const auto values, context.Input<std::int64_t>(i));
  return std::vector<std::int64_t>(values.begin(), values.end());
}

/// The one number that input i holds.
inline Result<double> ReadReal(const OpContext& context, std::size_t i) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto values, ReadReals(context, i));
  if (values.size() != 1) {
    return InvalidData("input " + std::to_string(i) + " must be one number");
  }
  return values[0];
}

/// Steps `index` to the next element of a row-major tensor; back to all zeros
/// behind the last one.
inline void NextIndex(std::span<const std::int64_t> dims,
                      std::vector<std::int64_t>& index) {
  for (std::size_t axis = dims.size(); axis-- > 0;) {
    if (++index[axis] < dims[axis]) return;
    index[axis] = 0;
  }
}

/// A tensor as [outer, size, inner] around one of its axes.
struct AroundAxis {
  std::size_t outer;
  std::size_t size;
  std::size_t inner;

  AroundAxis(std::span<const std::int64_t> dims, std::size_t axis)
      : outer(CountOf(dims.first(axis))),
        size(static_cast<std::size_t>(dims[axis])),
        inner(CountOf(dims.subspan(axis + 1))) {}
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_REALS_H_

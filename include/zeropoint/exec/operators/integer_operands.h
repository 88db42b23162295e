// What operators on 8-bit codes read and write: codes, zero points, scales, and
// sums that become codes again.
#ifndef ZEROPOINT_EXEC_OPERATORS_INTEGER_OPERANDS_H_
#define ZEROPOINT_EXEC_OPERATORS_INTEGER_OPERANDS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/exec/convert_element.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operators/quantize.h"

namespace zeropoint::integer {

/// A per-tensor number, or one for each index of an axis.
template <class T>
struct PerIndex {
  std::vector<T> values;
  bool is_one() const { return values.size() == 1; }
  const T& operator[](std::size_t i) const { return values[is_one() ? 0 : i]; }
};

template <class T>
Status CheckCount(const PerIndex<T>& list, std::size_t input,
                  std::size_t size) {
  if (list.is_one() || list.values.size() == size) return Status();
  return InvalidModel("input " + std::to_string(input) + " has " +
                      std::to_string(list.values.size()) +
                      " values; expected 1 or " + std::to_string(size));
}

/// As the kernels take them; `list` must outlive the result.
inline ZeroPointList ListOf(const PerIndex<std::int32_t>& list) {
  return {list.values.data(), list.is_one() ? 0u : 1u};
}

/// 8-bit codes as they lie in memory.
struct Codes {
  const std::uint8_t* data = nullptr;
  bool is_signed = false;
};
inline Result<Codes> CodesOf(const OpContext& context, std::size_t i) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(i + 1));
  const TensorView& view = context.input(i);
  if (view.type() != DataType::kUint8 && view.type() != DataType::kInt8) {
    return Unsupported("codes of type " +
                       std::string(DataTypeName(view.type())));
  }
  return Codes{static_cast<const std::uint8_t*>(view.data()),
               view.type() == DataType::kInt8};
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
    scales.values.resize(context.input(i).size());
    WidenHalf(context.input(i), scales.values.data());
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

/// Output 0 of codes, made from sums.
class RequantizedOutput {
 public:
  /// The output has the type of the zero point in input `zero_point`.
  static Result<RequantizedOutput> Make(OpContext& context, const Dims& dims,
                                        std::size_t zero_point) {
    RequantizedOutput output(context.kernels());
    ZEROPOINT_ASSIGN_OR_RETURN(const auto zero_points,
                               ZeroPointsOf(context, zero_point, 1));
    output.zero_point_ = zero_points[0];
    const DataType type = context.input(zero_point).type();
    if (type != DataType::kUint8 && type != DataType::kInt8) {
      return Unsupported("an output that is not 8 bits wide");
    }
    output.is_signed_ = type == DataType::kInt8;
    ZEROPOINT_ASSIGN_OR_RETURN(output.codes_, context.Output(0, type, dims));
    return output;
  }

  /// Writes `count` codes from element `at` on.
  void Write(const std::int32_t* sums, std::size_t count, float multiplier,
             std::size_t at) const {
    if (is_signed_) {
      kernels_.requantize_i8(sums, count, multiplier, zero_point_, {-128, 127},
                             static_cast<std::int8_t*>(codes_) + at);
    } else {
      kernels_.requantize_u8(sums, count, multiplier, zero_point_, {0, 255},
                             static_cast<std::uint8_t*>(codes_) + at);
    }
  }
  /// The same with a multiplier for each value.
  void Write(const std::int32_t* sums, std::size_t count,
             const float* multipliers, std::size_t at) const {
    if (is_signed_) {
      kernels_.requantize_each_i8(sums, count, multipliers, zero_point_,
                                  {-128, 127},
                                  static_cast<std::int8_t*>(codes_) + at);
    } else {
      kernels_.requantize_each_u8(sums, count, multipliers, zero_point_,
                                  {0, 255},
                                  static_cast<std::uint8_t*>(codes_) + at);
    }
  }

 private:
  explicit RequantizedOutput(const KernelTable& kernels) : kernels_(kernels) {}

  const KernelTable& kernels_;
  void* codes_ = nullptr;
  bool is_signed_ = false;
  std::int32_t zero_point_ = 0;
};

}  // namespace zeropoint::integer

#endif  // ZEROPOINT_EXEC_OPERATORS_INTEGER_OPERANDS_H_

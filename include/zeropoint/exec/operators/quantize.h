// QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear: between real and
// quantized tensors, per tensor, per channel or per block.
//
// Long runs of one scale go to the kernels, which equal core/reference.h; the
// rest calls it.
#ifndef ZEROPOINT_EXEC_OPERATORS_QUANTIZE_H_
#define ZEROPOINT_EXEC_OPERATORS_QUANTIZE_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/quantize_grid.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace quantize {

/// Runs shorter than this cost less without the call of a kernel.
inline constexpr std::size_t kShortRun = 8;

/// The kernel for a storage type; no conversion picks another one.
inline auto QuantizeKernel(const KernelTable& kernels,
                           std::type_identity<std::uint8_t>) {
  return kernels.quantize_u8;
}
inline auto QuantizeKernel(const KernelTable& kernels,
                           std::type_identity<std::int8_t>) {
  return kernels.quantize_i8;
}
inline auto QuantizeKernel(const KernelTable& kernels,
                           std::type_identity<std::uint16_t>) {
  return kernels.quantize_u16;
}
inline auto QuantizeKernel(const KernelTable& kernels,
                           std::type_identity<std::int16_t>) {
  return kernels.quantize_i16;
}
inline auto DequantizeKernel(const KernelTable& kernels,
                             std::type_identity<std::uint8_t>) {
  return kernels.dequantize_u8;
}
inline auto DequantizeKernel(const KernelTable& kernels,
                             std::type_identity<std::int8_t>) {
  return kernels.dequantize_i8;
}
inline auto DequantizeKernel(const KernelTable& kernels,
                             std::type_identity<std::uint16_t>) {
  return kernels.dequantize_u16;
}
inline auto DequantizeKernel(const KernelTable& kernels,
                             std::type_identity<std::int16_t>) {
  return kernels.dequantize_i16;
}
inline auto DequantizeKernel(const KernelTable& kernels,
                             std::type_identity<std::int32_t>) {
  return kernels.dequantize_i32;
}

template <class T>
concept Storage = requires(const KernelTable& kernels) {
  QuantizeKernel(kernels, std::type_identity<T>());
};
template <class T>
concept Dequantizable = requires(const KernelTable& kernels) {
  DequantizeKernel(kernels, std::type_identity<T>());
};

/// y = saturate(round_half_even(x / scale) + zero_point)
///
/// Shapes: x float or int32; y of the zero point's type, of output_dtype, or
/// uint8.
class QuantizeLinear final : public Operator {
 public:
  explicit QuantizeLinear(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 1)),
        block_size_(GetInt(init.node, "block_size", 0)),
        output_type_(
            static_cast<DataType>(GetInt(init.node, "output_dtype", 0))),
        saturate_(GetInt(init.node, "saturate", 1) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    ZEROPOINT_ASSIGN_OR_RETURN(const Grid grid,
                               GridOf(context, axis_, block_size_));
    for (const QParams& params : grid.params) {
      if (!(params.scale > 0.0f) || !std::isfinite(params.scale)) {
        return InvalidModel("scale " + std::to_string(params.scale) +
                            " is not a finite number above 0");
      }
    }
    const float* x = nullptr;
    if (context.input(0).type() == DataType::kInt32) {
      const auto integers = context.input(0).As<std::int32_t>();
      ZEROPOINT_ASSIGN_OR_RETURN(float* reals,
                                 context.Scratch<float>(integers.size()));
      std::ranges::transform(integers, reals, [](std::int32_t value) {
        return static_cast<float>(value);
      });
      x = reals;
    } else {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto reals, context.Input<float>(0));
      x = reals.data();
    }
    DataType type = DataType::kUint8;
    if (context.has_input(2)) {
      type = context.input(2).type();
    } else if (output_type_ != DataType::kUndefined) {
      type = output_type_;
    }
    if (IsSmall(type)) return RunSmall(context, grid, x, type);
    return VisitDataType(type, [&]<class T>() -> Status {
      if constexpr (Storage<T>) {
        return RunTyped<T>(context, grid, x);
      } else {
        return Unsupported("quantizing to " + std::string(DataTypeName(type)));
      }
    });
  }

 private:
  // Integers of 2 and 4 bits as those of 8; small floats have no zero point and
  // round to a number of their format.
  Status RunSmall(OpContext& context, const Grid& grid, const float* x,
                  DataType type) const {
    const int bits = BitsOf(type);
    const bool integer = IsSmallInteger(type);
    const std::int32_t half = 1 << (bits - 1);
    const CodeRange codes = IsSigned(type) ? CodeRange{-half, half - 1}
                                           : CodeRange{0, 2 * half - 1};
    std::vector<double> values(context.input(0).size());
    ForEachRun(
        context, grid,
        [&](std::size_t begin, std::size_t count, const QParams& params) {
          for (std::size_t i = begin; i < begin + count; ++i) {
            values[i] = integer ? reference::Quantize(x[i], params, codes)
                                // The sum with a zero point of 0 has no -0.
                                : static_cast<double>(x[i] / params.scale) + 0;
          }
        });
    return WriteReals(context, 0, type, ToDims(context.input(0).dims()), values,
                      {.saturate = saturate_});
  }

  template <class T>
  static Status RunTyped(OpContext& context, const Grid& grid, const float* x) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        T * y, context.Output<T>(0, ToDims(context.input(0).dims())));
    constexpr CodeRange kCodes{std::numeric_limits<T>::min(),
                               std::numeric_limits<T>::max()};
    const auto kernel =
        QuantizeKernel(context.kernels(), std::type_identity<T>());
    ForEachRun(
        context, grid,
        [&](std::size_t begin, std::size_t count, const QParams& params) {
          if (count >= kShortRun) {
            kernel(x + begin, count, params, kCodes, y + begin);
            return;
          }
          for (std::size_t i = begin; i < begin + count; ++i) {
            y[i] = static_cast<T>(reference::Quantize(x[i], params, kCodes));
          }
        });
    return Status();
  }

  std::int64_t axis_;
  std::int64_t block_size_;
  DataType output_type_;
  bool saturate_;
};

/// y = scale * (x - zero_point)
class DequantizeLinear final : public Operator {
 public:
  explicit DequantizeLinear(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 1)),
        block_size_(GetInt(init.node, "block_size", 0)),
        output_type_(
            static_cast<DataType>(GetInt(init.node, "output_dtype", 0))) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    const TensorView& x = context.input(0);
    if (context.has_input(2) && context.input(2).type() != x.type()) {
      return InvalidModel("input and zero point have different types");
    }
    const DataType type = output_type_ != DataType::kUndefined
                              ? output_type_
                              : context.input(1).type();
    if (IsSmall(x.type()) || type != DataType::kFloat) {
      return RunReals(context, type);
    }
    return VisitDataType(x.type(), [&]<class T>() -> Status {
      if constexpr (Dequantizable<T>) {
        return RunTyped<T>(context);
      } else {
        return Unsupported("dequantizing " +
                           std::string(DataTypeName(x.type())));
      }
    });
  }

 private:
  // Small codes, and results that are not float.
  Status RunReals(OpContext& context, DataType type) const {
    ZEROPOINT_ASSIGN_OR_RETURN(const Grid grid,
                               GridOf(context, axis_, block_size_));
    ZEROPOINT_ASSIGN_OR_RETURN(auto x, ReadReals(context, 0));
    ForEachRun(
        context, grid,
        [&](std::size_t begin, std::size_t count, const QParams& params) {
          for (std::size_t i = begin; i < begin + count; ++i) {
            x[i] = static_cast<double>(
                static_cast<float>(x[i] - params.zero_point) * params.scale);
          }
        });
    return WriteReals(context, 0, type, ToDims(context.input(0).dims()), x);
  }

  template <class T>
  Status RunTyped(OpContext& context) const {
    const T* x = context.input(0).As<T>().data();
    ZEROPOINT_ASSIGN_OR_RETURN(const Grid grid,
                               GridOf(context, axis_, block_size_));
    for (const QParams& params : grid.params) {
      // An accumulator has none, and the difference could overflow.
      if (std::same_as<T, std::int32_t> && params.zero_point != 0) {
        return InvalidModel("an int32 input with a zero point other than 0");
      }
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        float* y, context.Output<float>(0, ToDims(context.input(0).dims())));
    const auto kernel =
        DequantizeKernel(context.kernels(), std::type_identity<T>());
    ForEachRun(
        context, grid,
        [&](std::size_t begin, std::size_t count, const QParams& params) {
          if (count >= kShortRun) {
            kernel(x + begin, count, params, y + begin);
            return;
          }
          for (std::size_t i = begin; i < begin + count; ++i) {
            y[i] = reference::Dequantize(x[i], params);
          }
        });
    return Status();
  }

  std::int64_t axis_;
  std::int64_t block_size_;
  DataType output_type_;
};

/// uint8 codes of x with the scale and zero point that its own range gives:
///
///   scale = (max(0, max x) - min(0, min x)) / 255, 1 for an input of zeros
///   zero_point = saturate(round_half_even(-min(0, min x) / scale))
///
/// Source: ONNX DynamicQuantizeLinear, which leaves the input of zeros open.
inline Status RunDynamicQuantizeLinear(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<float>(0));
  ZEROPOINT_ASSIGN_OR_RETURN(
      std::uint8_t * y,
      context.Output<std::uint8_t>(0, ToDims(context.input(0).dims())));
  ZEROPOINT_ASSIGN_OR_RETURN(float* scale, context.Output<float>(1, {}));
  ZEROPOINT_ASSIGN_OR_RETURN(std::uint8_t * zero_point,
                             context.Output<std::uint8_t>(2, {}));
  MinMaxState state;
  context.kernels().min_max(x.data(), x.size(), &state);
  const float lo = std::min(0.0f, state.lo);
  const float hi = std::max(0.0f, state.hi);
  *scale = (hi - lo) / 255.0f;
  if (!(*scale > 0.0f) || !std::isfinite(*scale)) *scale = 1.0f;
  constexpr CodeRange kCodes{0, 255};
  const QParams params{*scale,
                       reference::Quantize(-lo, {.scale = *scale}, kCodes)};
  *zero_point = static_cast<std::uint8_t>(params.zero_point);
  context.kernels().quantize_u8(x.data(), x.size(), params, kCodes, y);
  return Status();
}

}  // namespace quantize

inline void AddQuantizeOperators(OperatorRegistry& registry) {
  registry.Add("", "DequantizeLinear", {.first = 10},
               Construct<quantize::DequantizeLinear>);
  registry.Add("", "DynamicQuantizeLinear", {.first = 11},
               Stateless<quantize::RunDynamicQuantizeLinear>);
  registry.Add("", "QuantizeLinear", {.first = 10},
               Construct<quantize::QuantizeLinear>);
  registry.Add("com.microsoft", "DequantizeLinear", {},
               Construct<quantize::DequantizeLinear>);
  registry.Add("com.microsoft", "QuantizeLinear", {},
               Construct<quantize::QuantizeLinear>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_QUANTIZE_H_

// Real tensors of any precision: widened to float to compute with, narrowed to
// store.
#ifndef ZEROPOINT_CORE_REAL_TENSOR_H_
#define ZEROPOINT_CORE_REAL_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// 16-bit floats to float, exactly. Requires IsHalf(x.type()).
inline void WidenHalf(const TensorView& x, float* y) {
  const auto* bits = static_cast<const std::uint16_t*>(x.data());
  const bool brain = x.type() == DataType::kBfloat16;
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = brain ? ToFloat(Bfloat16{bits[i]}) : ToFloat(Float16{bits[i]});
  }
}

/// Rounds to nearest, ties to even. Requires IsHalf(type).
inline void NarrowToHalf(std::span<const float> x, DataType type, void* y) {
  auto* bits = static_cast<std::uint16_t*>(y);
  const bool brain = type == DataType::kBfloat16;
  for (std::size_t i = 0; i < x.size(); ++i) {
    bits[i] = brain ? ToBfloat16(x[i]).bits : ToFloat16(x[i]).bits;
  }
}

/// `x` in float: the view itself, or of 16-bit floats a view of `scratch`,
/// which gets their values.
/// Errors: kUnsupported unless IsReal(x.type()).
inline Result<TensorView> AsFloat(const TensorView& x, Tensor& scratch) {
  if (x.type() == DataType::kFloat) return x;
  if (!IsHalf(x.type())) {
    return Unsupported("it is " + std::string(DataTypeName(x.type())) +
                       ", not float, float16 or bfloat16");
  }
  scratch = Tensor(DataType::kFloat, Dims(x.dims().begin(), x.dims().end()));
  WidenHalf(x, scratch.MutableAs<float>().data());
  return scratch.view();
}

/// `x` as a tensor of `type`, each element rounded to nearest, ties to even.
/// Requires a float tensor and IsReal(type).
inline Tensor RoundedTo(DataType type, const TensorView& x) {
  if (type == DataType::kFloat) return Tensor::CopyOf(x);
  Tensor narrow(type, Dims(x.dims().begin(), x.dims().end()));
  NarrowToHalf(x.As<float>(), type, narrow.mutable_data());
  return narrow;
}

/// The same as a view: of `x` itself for float, else of `scratch`.
inline TensorView AsType(DataType type, const TensorView& x, Tensor& scratch) {
  if (type == DataType::kFloat) return x;
  scratch = RoundedTo(type, x);
  return scratch.view();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_REAL_TENSOR_H_

// The normative scalar reference: what quantize, dequantize, requantize and a
// sum of products of codes mean, one value at a time.
//
// Every kernel must equal these functions bit for bit on every CPU target. They
// are written to be read.
#ifndef ZEROPOINT_CORE_REFERENCE_H_
#define ZEROPOINT_CORE_REFERENCE_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/rounding.h"
#include "zeropoint/core/scheme_spec.h"

namespace zeropoint::reference {

namespace internal {
/// Rounds `steps` (a count of steps from real 0) to a code. Limits before it
/// rounds, which gives the same code as afterwards because both limits are
/// integers, and keeps infinities out of the integer conversion.
constexpr std::int32_t CodeOf(float steps, std::int32_t zero_point,
                              CodeRange codes) {
  const auto least = static_cast<float>(codes.qmin - zero_point);
  const auto greatest = static_cast<float>(codes.qmax - zero_point);
  const float limited = std::clamp(steps, least, greatest);
  return static_cast<std::int32_t>(RoundHalfEven(limited)) + zero_point;
}
}  // namespace internal

/// code = saturate(round_half_even(x / scale) + zero_point)
///
/// The division is a division: multiplying by 1 / scale gives other codes near
/// ties. Rounding comes before the zero point is added: with an odd zero point
/// the other order changes ties. The specification leaves NaN open; here it
/// becomes the zero point (real 0). Infinities saturate.
///
/// Requires: scale finite and > 0; zero_point within the code range.
/// Source:  ONNX QuantizeLinear.   Teaches: docs/guide/affine.md
constexpr std::int32_t Quantize(float x, const QParams& params,
                                CodeRange codes) {
  if (x != x) return std::clamp(params.zero_point, codes.qmin, codes.qmax);
  return internal::CodeOf(x / params.scale, params.zero_point, codes);
}

/// real = scale * (code - zero_point); the difference is taken in int32, where
/// that of 8- and 16-bit codes cannot wrap.
///
/// Requires: zero_point 0 for int32 codes (a bias), as the specification says.
/// Source:  ONNX DequantizeLinear.
constexpr float Dequantize(std::int32_t code, const QParams& params) {
  return static_cast<float>(code - params.zero_point) * params.scale;
}

/// Turns an int32 accumulator into the next tensor's code:
///
///   code = saturate(round_half_even(accumulator * multiplier) + zero_point)
///   multiplier = input_scale * weight_scale / output_scale, in float
///
/// Fixed here where the specification is silent: the accumulator is converted
/// to float (rounding to nearest even above 2^24) and the product is a float
/// product.
///
/// Requires: multiplier finite and > 0; zero_point within the code range.
/// Source:  ONNX QLinearConv, QLinearMatMul.
constexpr std::int32_t Requantize(std::int32_t accumulator, float multiplier,
                                  std::int32_t zero_point, CodeRange codes) {
  return internal::CodeOf(static_cast<float>(accumulator) * multiplier,
                          zero_point, codes);
}

/// The codes that are left to a weight whose partner has the code `other`, when
/// the magnitudes of two codes of one sign may add up to `pair_limit`: two
/// products of that size and 255 fit into 16 bits. Real 0 is always left.
///
/// Teaches: docs/design/0003-placement.md
constexpr CodeRange RangeBeside(std::int32_t other, CodeRange codes,
                                std::int32_t pair_limit,
                                std::int32_t zero_point) {
  if (other > 0) codes.qmax = std::min(codes.qmax, pair_limit - other);
  if (other < 0) codes.qmin = std::max(codes.qmin, -pair_limit - other);
  return {std::min(codes.qmin, zero_point), std::max(codes.qmax, zero_point)};
}

/// What rounding x to codes costs: the sum of importance[i] * e[i]^2, e[i] =
/// dequantize(quantize(x[i])) - x[i]. `importance` null: 1. With a `pair_limit`
/// elements 2 i and 2 i + 1 are partners; the first one has its nearest code.
///
/// Requires: x finite; what Quantize requires.
constexpr double QuantizationError(const float* x, const float* importance,
                                   std::size_t count, const QParams& params,
                                   CodeRange codes, std::int32_t pair_limit) {
  double sum = 0.0;
  std::int32_t first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool second = pair_limit != 0 && i % 2 == 1;
    const std::int32_t code = Quantize(
        x[i], params,
        second ? RangeBeside(first, codes, pair_limit, params.zero_point)
               : codes);
    first = code;
    const double error = static_cast<double>(Dequantize(code, params)) -
                         static_cast<double>(x[i]);
    sum += error * error *
           (importance == nullptr ? 1.0 : static_cast<double>(importance[i]));
  }
  return sum;
}

/// The multiplier of Requantize, in the order of operations that it is defined
/// with.
constexpr float RequantizeMultiplier(float input_scale, float weight_scale,
                                     float output_scale) {
  return input_scale * weight_scale / output_scale;
}

/// What every product of codes is a sum of:
///
///   start + sum over i < count of
///       (a[i * a_step] - a_zero_point) * (b[i * b_step] - b_zero_point)
///
/// in int32, where whatever overflows wraps.
///
/// Source:  ONNX MatMulInteger, ConvInteger ("may overflow if and only if in
///          32 bits").
template <class A, class B>
constexpr std::int32_t DotProduct(std::size_t count, const A* a,
                                  std::size_t a_step, std::int32_t a_zero_point,
                                  const B* b, std::size_t b_step,
                                  std::int32_t b_zero_point,
                                  std::int32_t start = 0) {
  // Unsigned arithmetic is what wraps.
  auto sum = static_cast<std::uint32_t>(start);
  for (std::size_t i = 0; i < count; ++i) {
    sum += (static_cast<std::uint32_t>(a[i * a_step]) -
            static_cast<std::uint32_t>(a_zero_point)) *
           (static_cast<std::uint32_t>(b[i * b_step]) -
            static_cast<std::uint32_t>(b_zero_point));
  }
  return static_cast<std::int32_t>(sum);
}

/// 2^exponent. Requires: -126 <= exponent <= 127.
constexpr float PowerOfTwo(int exponent) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

/// The histogram bin of x where bins are w = 2^exponent wide and zero is an
/// edge:
///
///   x >= 0:  trunc(x / w)         bin b covers [b w, (b + 1) w)
///   x < 0:   -1 - trunc(-x / w)   the mirror image
///
/// Bin b of width w lies in bin floor(b / 2) = b >> 1 of width 2 w, so a
/// histogram becomes coarser by adding neighbours and nothing is ever split.
/// -0 is 0.
///
/// Requires: x finite; -127 <= exponent <= 126 and |x| / w < 2^31.
constexpr std::int32_t HistogramBin(float x, int exponent) {
  const float magnitude = x < 0.0f ? -x : x;
  const auto widths =
      static_cast<std::int32_t>(magnitude * PowerOfTwo(-exponent));
  return x < 0.0f ? -1 - widths : widths;
}

}  // namespace zeropoint::reference

#endif  // ZEROPOINT_CORE_REFERENCE_H_

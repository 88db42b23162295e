// Whole rows: sum, softmax, layer normalization.
#ifndef ZEROPOINT_KERNELS_ROWS_INL_H_
#define ZEROPOINT_KERNELS_ROWS_INL_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "zeropoint/kernels/baseline.h"

#endif  // ZEROPOINT_KERNELS_ROWS_INL_H_

#if defined(ZEROPOINT_KERNELS_ROWS_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_ROWS_TOGGLE
#undef ZEROPOINT_KERNELS_ROWS_TOGGLE
#else
#define ZEROPOINT_KERNELS_ROWS_TOGGLE
#endif

#include "hwy/highway.h"
#include "zeropoint/kernels/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Sum of f(x[i]) in four vectors of partial sums, in an order fixed by
/// `count` alone. f(0) need not be 0: lanes past the end are left out.
template <class F>
HWY_INLINE float SumOf(const float* x, std::size_t count, F f) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    s0 = hn::Add(s0, f(d, hn::LoadU(d, x + i)));
    s1 = hn::Add(s1, f(d, hn::LoadU(d, x + i + lanes)));
    s2 = hn::Add(s2, f(d, hn::LoadU(d, x + i + 2 * lanes)));
    s3 = hn::Add(s3, f(d, hn::LoadU(d, x + i + 3 * lanes)));
  }
  for (; i < count; i += lanes) {
    const std::size_t left = HWY_MIN(lanes, count - i);
    const V v = f(d, hn::LoadN(d, x + i, left));
    s0 = hn::Add(s0, hn::IfThenElseZero(hn::FirstN(d, left), v));
  }
  return hn::ReduceSum(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
}

inline float Sum(const float* x, std::size_t count) {
  return SumOf(x, count, [](auto, auto v) HWY_ATTR { return v; });
}

inline float Greatest(const float* x, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  if (count < lanes) return *std::max_element(x, x + count);
  auto greatest = hn::LoadU(d, x);
  for (std::size_t i = lanes; i + lanes <= count; i += lanes) {
    greatest = hn::Max(greatest, hn::LoadU(d, x + i));
  }
  // The last vector overlaps; seeing a value twice changes nothing.
  greatest = hn::Max(greatest, hn::LoadU(d, x + count - lanes));
  return hn::ReduceMax(d, greatest);
}

/// e^(x - max) / sum of the same
inline void Softmax(const float* x, std::size_t count, float* y) {
  if (count == 0) return;
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto greatest = hn::Set(d, Greatest(x, count));
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = HWY_MIN(lanes, count - i);
    const auto v = hn::LoadN(d, x + i, left);
    hn::StoreN(Exp(d, hn::Sub(v, greatest)), d, y + i, left);
  }
  const auto factor = hn::Set(d, 1.0f / Sum(y, count));
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = HWY_MIN(lanes, count - i);
    hn::StoreN(hn::Mul(hn::LoadN(d, y + i, left), factor), d, y + i, left);
  }
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias. Two passes: the
/// variance is of differences from the mean, so nothing cancels.
inline void LayerNorm(const float* x, std::size_t count, const float* scale,
                      const float* bias, float epsilon, float* y) {
  if (count == 0) return;
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto n = static_cast<float>(count);
  const float mean = Sum(x, count) / n;
  const float variance = SumOf(x, count,
                               [&](auto tag, auto v) HWY_ATTR {
                                 const auto difference =
                                     hn::Sub(v, hn::Set(tag, mean));
                                 return hn::Mul(difference, difference);
                               }) /
                         n;
  const auto center = hn::Set(d, mean);
  const auto factor = hn::Set(d, 1.0f / std::sqrt(variance + epsilon));
  for (std::size_t i = 0; i < count; i += lanes) {
    const std::size_t left = HWY_MIN(lanes, count - i);
    const auto v = hn::Mul(hn::Sub(hn::LoadN(d, x + i, left), center), factor);
    const auto s = hn::LoadN(d, scale + i, left);
    const auto b = bias == nullptr ? hn::Zero(d) : hn::LoadN(d, bias + i, left);
    hn::StoreN(hn::MulAdd(v, s, b), d, y + i, left);
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_ROWS_TOGGLE

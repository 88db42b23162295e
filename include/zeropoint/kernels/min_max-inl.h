// Min-max: the one statistic that is exact in any order and grouping.
#ifndef ZEROPOINT_KERNELS_MIN_MAX_INL_H_
#define ZEROPOINT_KERNELS_MIN_MAX_INL_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_MIN_MAX_INL_H_

#if defined(ZEROPOINT_KERNELS_MIN_MAX_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_MIN_MAX_TOGGLE
#undef ZEROPOINT_KERNELS_MIN_MAX_TOGGLE
#else
#define ZEROPOINT_KERNELS_MIN_MAX_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Any values, NaN and infinities included; the slow path of MinMax.
inline void MinMaxScalar(const float* x, std::size_t count,
                         MinMaxState& state) {
  for (std::size_t i = 0; i < count; ++i) {
    if (std::isnan(x[i])) {
      ++state.nan;
    } else if (std::isinf(x[i])) {
      ++state.infinite;
    } else {
      ++state.finite;
      state.lo = std::min(state.lo, x[i]);
      state.hi = std::max(state.hi, x[i]);
    }
  }
}

/// Blocks without NaN and infinity take two instructions a vector; the others
/// are seen again, one value at a time.
inline void MinMax(const float* x, std::size_t count, MinMaxState* state) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t block = 64 * lanes;
  const V zero = hn::Zero(d);

  std::size_t begin = 0;
  for (; begin + block <= count; begin += block) {
    V lo0 = hn::LoadU(d, x + begin), hi0 = lo0, bad0 = zero;
    V lo1 = lo0, hi1 = lo0, bad1 = zero;
    for (std::size_t i = begin; i < begin + block; i += 2 * lanes) {
      const V v0 = hn::LoadU(d, x + i);
      const V v1 = hn::LoadU(d, x + i + lanes);
      lo0 = hn::Min(lo0, v0);
      hi0 = hn::Max(hi0, v0);
      bad0 = hn::MulAdd(v0, zero, bad0);  // 0, or NaN from then on
      lo1 = hn::Min(lo1, v1);
      hi1 = hn::Max(hi1, v1);
      bad1 = hn::MulAdd(v1, zero, bad1);
    }
    if (hn::AllTrue(d, hn::Eq(hn::Add(bad0, bad1), zero))) {
      state->lo = std::min(state->lo, hn::ReduceMin(d, hn::Min(lo0, lo1)));
      state->hi = std::max(state->hi, hn::ReduceMax(d, hn::Max(hi0, hi1)));
      state->finite += block;
    } else {
      MinMaxScalar(x + begin, block, *state);
    }
  }
  MinMaxScalar(x + begin, count - begin, *state);
  // -0 and 0 compare equal, so which of them min and max keep depends on the
  // order; x + 0 is 0 for both.
  state->lo += 0.0f;
  state->hi += 0.0f;
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_MIN_MAX_TOGGLE

// Exact sums: a block of floats becomes two or three doubles whose sum is that
// of the block, with no rounding anywhere.
#ifndef ZEROPOINT_KERNELS_EXACT_SUM_INL_H_
#define ZEROPOINT_KERNELS_EXACT_SUM_INL_H_

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_EXACT_SUM_INL_H_

#if defined(ZEROPOINT_KERNELS_EXACT_SUM_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_EXACT_SUM_TOGGLE
#undef ZEROPOINT_KERNELS_EXACT_SUM_TOGGLE
#else
#define ZEROPOINT_KERNELS_EXACT_SUM_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// The greatest |x|, or NaN when a value is not finite.
inline float GreatestMagnitude(const float* x, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto zero = hn::Zero(d);
  auto greatest = zero;
  auto bad = zero;  // 0, or NaN from then on
  for (std::size_t i = 0; i < count; i += lanes) {
    const auto v = hn::LoadN(d, x + i, HWY_MIN(lanes, count - i));
    greatest = hn::Max(greatest, hn::Abs(v));
    bad = hn::MulAdd(v, zero, bad);
  }
  return hn::ReduceMax(d, greatest) + hn::ReduceSum(d, bad);
}

/// Splits each term f(x) into slices of 41 bits below the block's greatest: a
/// slice is what adding and subtracting a large constant leaves of a number,
/// rounded to a multiple of 2^q. Up to 2^12 slices of 41 bits sum in the 53
/// bits of a double without rounding.
///
/// Source: J. Demmel, H. D. Nguyen, "Fast Reproducible Floating-Point
/// Summation" (2013), with bounds taken from the block.
template <int kParts, bool kSquares>
HWY_INLINE bool SumParts(const float* x, std::size_t count, double* parts) {
  static_assert(kSumBlock == std::size_t{1} << 12);
  for (int i = 0; i < kParts; ++i) parts[i] = 0.0;
  const float greatest = GreatestMagnitude(x, count);
  if (!(greatest <= 3.4028235e38f)) return false;
  if (greatest == 0.0f) return true;
  // |x| < 2^(exponent + 1), denormals included
  const int exponent =
      static_cast<int>(std::bit_cast<std::uint32_t>(greatest) >> 23) - 127;
  const int top = kSquares ? 2 * exponent + 2 : exponent + 1;
  // The last slice is not rounded, so all must be multiples of its unit. A
  // float is one of 2^(its exponent - 23), its square of the square of that.
  const int unit = top - 42 * kParts + 1;
  const int least = kSquares ? (unit + 47) >> 1 : unit + 23;
  const float tiny = std::ldexp(1.0f, least);

  const hn::ScalableTag<float> d;
  const hn::Repartition<double, decltype(d)> dd;
  using W = hn::Vec<decltype(dd)>;
  W magic[kParts];
  W sums[kParts];
  for (int i = 0; i < kParts; ++i) {
    magic[i] = hn::Set(dd, std::ldexp(1.5, top - 42 * i - 41 + 52));
    sums[i] = hn::Zero(dd);
  }
  const auto add = [&](W term) HWY_ATTR {
    if constexpr (kSquares) term = hn::Mul(term, term);
    for (int i = 0; i + 1 < kParts; ++i) {
      const W slice = hn::Sub(hn::Add(term, magic[i]), magic[i]);
      sums[i] = hn::Add(sums[i], slice);
      term = hn::Sub(term, slice);
    }
    sums[kParts - 1] = hn::Add(sums[kParts - 1], term);
  };
  const std::size_t lanes = hn::Lanes(d);
  const auto zero = hn::Zero(d);
  const auto limit = hn::Set(d, tiny);
  auto too_small = hn::Lt(zero, zero);
  for (std::size_t i = 0; i < count; i += lanes) {
    const auto v = hn::LoadN(d, x + i, HWY_MIN(lanes, count - i));
    too_small =
        hn::Or(too_small, hn::And(hn::Lt(hn::Abs(v), limit), hn::Ne(v, zero)));
    add(hn::PromoteLowerTo(dd, v));
    add(hn::PromoteUpperTo(dd, v));
  }
  if (!hn::AllFalse(d, too_small)) return false;
  for (int i = 0; i < kParts; ++i) parts[i] = hn::ReduceSum(dd, sums[i]);
  return true;
}

inline bool ExactSumParts(const float* x, std::size_t count, double* parts) {
  return SumParts<2, false>(x, count, parts);
}
inline bool ExactSquareSumParts(const float* x, std::size_t count,
                                double* parts) {
  return SumParts<3, true>(x, count, parts);
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_EXACT_SUM_TOGGLE

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

/// Splits each term f(x) into slices of 41 bits below the block's greatest: a
/// slice is what adding and subtracting a large constant leaves of a number,
/// rounded to a multiple of 2^q. Up to 2^12 slices of 41 bits sum in the 53
/// bits of a double without rounding.
///
/// Source: J. Demmel, H. D. Nguyen, "Fast Reproducible Floating-Point
/// Summation" (2013), with bounds taken from the block.
template <int kParts>
struct SliceSums {
  using D = hn::ScalableTag<double>;
  using V = hn::Vec<D>;

  /// Slices of terms below 2^top.
  HWY_INLINE explicit SliceSums(int top)
      : magic(hn::Set(D(), std::ldexp(1.5, top - 41 + 52))),
        sum(hn::Zero(D())),
        rest(top - 42) {}
  HWY_INLINE void Add(V term) {
    const V slice = hn::Sub(hn::Add(term, magic), magic);
    sum = hn::Add(sum, slice);
    rest.Add(hn::Sub(term, slice));
  }
  HWY_INLINE void Store(const SliceSums& other, double* parts) const {
    *parts = hn::ReduceSum(D(), hn::Add(sum, other.sum));
    rest.Store(other.rest, parts + 1);
  }

  V magic;
  V sum;
  SliceSums<kParts - 1> rest;
};
/// The last slice is what is left.
template <>
struct SliceSums<1> {
  using D = hn::ScalableTag<double>;
  using V = hn::Vec<D>;

  HWY_INLINE explicit SliceSums(int) : sum(hn::Zero(D())) {}
  HWY_INLINE void Add(V term) { sum = hn::Add(sum, term); }
  HWY_INLINE void Store(const SliceSums& other, double* parts) const {
    *parts = hn::ReduceSum(D(), hn::Add(sum, other.sum));
  }

  V sum;
};

template <int kParts, bool kSquares>
HWY_INLINE bool SumParts(const float* x, std::size_t count, float greatest,
                         double* parts) {
  static_assert(kSumBlock == std::size_t{1} << 12);
  for (int i = 0; i < kParts; ++i) parts[i] = 0.0;
  if (greatest == 0.0f) return true;
  // |x| < 2^(exponent + 1), denormals included
  const int exponent =
      static_cast<int>(std::bit_cast<std::uint32_t>(greatest) >> 23) - 127;
  const int top = kSquares ? 2 * exponent + 2 : exponent + 1;
  // The last slice is not rounded, so all must be multiples of its unit. A
  // float is one of 2^(its exponent - 23), its square of the square of that.
  const int unit = top - 42 * kParts + 1;
  const int least = kSquares ? (unit + 47) >> 1 : unit + 23;

  const hn::ScalableTag<float> d;
  const hn::Repartition<double, decltype(d)> dd;
  // Two chains of additions, so that neither waits for the other's.
  SliceSums<kParts> lower(top);
  SliceSums<kParts> upper(top);
  const auto zero = hn::Zero(d);
  const auto limit = hn::Set(d, std::ldexp(1.0f, least));
  auto too_small = hn::Lt(zero, zero);
  const auto add = [&](hn::Vec<decltype(d)> v) HWY_ATTR {
    too_small =
        hn::Or(too_small, hn::And(hn::Lt(hn::Abs(v), limit), hn::Ne(v, zero)));
    auto low = hn::PromoteLowerTo(dd, v);
    auto high = hn::PromoteUpperTo(dd, v);
    if constexpr (kSquares) {
      low = hn::Mul(low, low);
      high = hn::Mul(high, high);
    }
    lower.Add(low);
    upper.Add(high);
  };
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) add(hn::LoadU(d, x + i));
  if (i < count) add(hn::LoadN(d, x + i, count - i));
  if (!hn::AllFalse(d, too_small)) return false;
  lower.Store(upper, parts);
  return true;
}

inline bool ExactSumParts(const float* x, std::size_t count, float greatest,
                          double* parts) {
  return SumParts<2, false>(x, count, greatest, parts);
}
inline bool ExactSquareSumParts(const float* x, std::size_t count,
                                float greatest, double* parts) {
  return SumParts<3, true>(x, count, greatest, parts);
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_EXACT_SUM_TOGGLE

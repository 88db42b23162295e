// Quantization error: what a scale would cost, without writing a code.
#ifndef ZEROPOINT_KERNELS_QUANTIZATION_ERROR_INL_H_
#define ZEROPOINT_KERNELS_QUANTIZATION_ERROR_INL_H_

#include <cstddef>
#include <cstdint>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/kernels/baseline.h"

#endif  // ZEROPOINT_KERNELS_QUANTIZATION_ERROR_INL_H_

#if defined(ZEROPOINT_KERNELS_QUANTIZATION_ERROR_TOGGLE) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_QUANTIZATION_ERROR_TOGGLE
#undef ZEROPOINT_KERNELS_QUANTIZATION_ERROR_TOGGLE
#else
#define ZEROPOINT_KERNELS_QUANTIZATION_ERROR_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Steps are found by multiplication: next to a tie that may take the other
/// neighbour, which is as far away.
///
/// Pairs are walked as two streams, one of first and one of second elements.
template <class D>
class ErrorSum {
 public:
  using V = hn::Vec<D>;

  ErrorSum(D d, QParams params, CodeRange codes, std::int32_t pair_limit)
      : d_(d),
        scale_(hn::Set(d, params.scale)),
        reciprocal_(hn::Set(d, 1.0f / params.scale)),
        zero_(hn::Set(d, static_cast<float>(params.zero_point))),
        least_(hn::Set(d, static_cast<float>(codes.qmin))),
        greatest_(hn::Set(d, static_cast<float>(codes.qmax))),
        limit_(hn::Set(d, static_cast<float>(pair_limit))) {}

  HWY_INLINE V Codes(V x, V least, V greatest) const {
    const V steps = hn::Add(hn::Mul(x, reciprocal_), zero_);
    return hn::Round(hn::Min(hn::Max(steps, least), greatest));
  }

  HWY_INLINE V Free(V x) const { return Codes(x, least_, greatest_); }

  /// Codes of second elements, beside the codes `first`.
  HWY_INLINE V Beside(V first, V x) const {
    const V none = hn::Zero(d_);
    const V greatest = hn::IfThenElse(
        hn::Gt(first, none),
        hn::Max(hn::Min(greatest_, hn::Sub(limit_, first)), zero_), greatest_);
    const V least = hn::IfThenElse(
        hn::Lt(first, none),
        hn::Min(hn::Max(least_, hn::Sub(hn::Neg(limit_), first)), zero_),
        least_);
    return Codes(x, least, greatest);
  }

  HWY_INLINE void Add(V x, V codes, V importance) {
    const V error = hn::NegMulAdd(hn::Sub(codes, zero_), scale_, x);
    sum_ = hn::MulAdd(hn::Mul(error, error), importance, sum_);
  }

  /// The sum so far, which begins anew: float holds a block of it, not all.
  HWY_INLINE double Take() {
    const float sum = hn::ReduceSum(d_, sum_);
    sum_ = hn::Zero(d_);
    return static_cast<double>(sum);
  }

 private:
  D d_;
  V scale_, reciprocal_, zero_, least_, greatest_, limit_;
  V sum_ = hn::Zero(d_);
};

inline double QuantizationError(const float* x, const float* importance,
                                std::size_t count, QParams params,
                                CodeRange codes, std::int32_t pair_limit) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t step = 2 * hn::Lanes(d);
  const std::size_t whole = count - count % step;
  constexpr std::size_t kBlock = 1024;
  const V one = hn::Set(d, 1.0f);
  ErrorSum<decltype(d)> sum(d, params, codes, pair_limit);
  double total = 0.0;
  for (std::size_t begin = 0; begin < whole; begin += kBlock) {
    const std::size_t end = HWY_MIN(whole, begin + kBlock);
    for (std::size_t i = begin; i < end; i += step) {
      V x0, x1;
      V i0 = one, i1 = one;
      if (pair_limit == 0) {
        x0 = hn::LoadU(d, x + i);
        x1 = hn::LoadU(d, x + i + step / 2);
        if (importance != nullptr) {
          i0 = hn::LoadU(d, importance + i);
          i1 = hn::LoadU(d, importance + i + step / 2);
        }
      } else {
        hn::LoadInterleaved2(d, x + i, x0, x1);
        if (importance != nullptr) {
          hn::LoadInterleaved2(d, importance + i, i0, i1);
        }
      }
      const V first = sum.Free(x0);
      sum.Add(x0, first, i0);
      sum.Add(x1, pair_limit == 0 ? sum.Free(x1) : sum.Beside(first, x1), i1);
    }
    total += sum.Take();
  }
  return total + reference::QuantizationError(
                     x + whole,
                     importance == nullptr ? nullptr : importance + whole,
                     count - whole, params, codes, pair_limit);
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_QUANTIZATION_ERROR_TOGGLE

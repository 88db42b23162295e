// Quantize and requantize: real steps to codes, bit-equal to core/reference.h.
#ifndef ZEROPOINT_KERNELS_QUANTIZE_INL_H_
#define ZEROPOINT_KERNELS_QUANTIZE_INL_H_

#include <cstddef>
#include <cstdint>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/kernels/baseline.h"

#endif  // ZEROPOINT_KERNELS_QUANTIZE_INL_H_

#if defined(ZEROPOINT_KERNELS_QUANTIZE_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_QUANTIZE_TOGGLE
#undef ZEROPOINT_KERNELS_QUANTIZE_TOGGLE
#else
#define ZEROPOINT_KERNELS_QUANTIZE_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// The numbers that turn steps (a count of steps from real 0) into codes.
struct CodeLimits {
  CodeLimits(CodeRange codes, std::int32_t zero)
      : least(static_cast<float>(codes.qmin - zero)),
        greatest(static_cast<float>(codes.qmax - zero)),
        zero_point(zero) {}

  float least;
  float greatest;
  std::int32_t zero_point;
};

/// Limits before it rounds, as the reference does: infinities never reach the
/// integer conversion.
template <class DF, class VF = hn::Vec<DF>>
HWY_INLINE hn::Vec<hn::RebindToSigned<DF>> CodesOf(DF df, VF steps,
                                                   const CodeLimits& limits) {
  const hn::RebindToSigned<DF> di;
  const VF limited = hn::Min(hn::Max(steps, hn::Set(df, limits.least)),
                             hn::Set(df, limits.greatest));
  return hn::Add(hn::NearestInt(limited), hn::Set(di, limits.zero_point));
}

/// Stores the lanes of four code vectors, in order.
template <class T, class VI>
HWY_INLINE void StoreCodes(VI c0, VI c1, VI c2, VI c3, T* q) {
  const hn::DFromV<VI> di;
  const hn::Rebind<T, decltype(di)> dt;
  const std::size_t lanes = hn::Lanes(di);
  hn::StoreU(hn::DemoteTo(dt, c0), dt, q);
  hn::StoreU(hn::DemoteTo(dt, c1), dt, q + lanes);
  hn::StoreU(hn::DemoteTo(dt, c2), dt, q + 2 * lanes);
  hn::StoreU(hn::DemoteTo(dt, c3), dt, q + 3 * lanes);
}

/// q[i] = reference::Quantize(x[i], params, codes)
template <class T>
void Quantize(const float* x, std::size_t count, QParams params,
              CodeRange codes, T* q) {
  const hn::ScalableTag<float> df;
  const hn::Rebind<T, decltype(df)> dt;
  using VF = hn::Vec<decltype(df)>;
  const std::size_t lanes = hn::Lanes(df);
  const CodeLimits limits(codes, params.zero_point);
  const VF scale = hn::Set(df, params.scale);

  const auto quantize = [&](VF v) HWY_ATTR {
    const VF steps = hn::IfThenElseZero(hn::Eq(v, v), hn::Div(v, scale));
    return CodesOf(df, steps, limits);
  };
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    StoreCodes(quantize(hn::LoadU(df, x + i)),
               quantize(hn::LoadU(df, x + i + lanes)),
               quantize(hn::LoadU(df, x + i + 2 * lanes)),
               quantize(hn::LoadU(df, x + i + 3 * lanes)), q + i);
  }
  for (; i < count; i += lanes) {
    const std::size_t left = HWY_MIN(lanes, count - i);
    hn::StoreN(hn::DemoteTo(dt, quantize(hn::LoadN(df, x + i, left))), dt,
               q + i, left);
  }
}

/// q[i] = reference::Requantize(acc[i], multiplier, zero_point, codes)
template <class T>
void Requantize(const std::int32_t* acc, std::size_t count, float multiplier,
                std::int32_t zero_point, CodeRange codes, T* q) {
  const hn::ScalableTag<float> df;
  const hn::RebindToSigned<decltype(df)> di;
  const hn::Rebind<T, decltype(df)> dt;
  using VI = hn::Vec<decltype(di)>;
  const std::size_t lanes = hn::Lanes(df);
  const CodeLimits limits(codes, zero_point);

  const auto requantize = [&](VI v) HWY_ATTR {
    return CodesOf(df, hn::Mul(hn::ConvertTo(df, v), hn::Set(df, multiplier)),
                   limits);
  };
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    StoreCodes(requantize(hn::LoadU(di, acc + i)),
               requantize(hn::LoadU(di, acc + i + lanes)),
               requantize(hn::LoadU(di, acc + i + 2 * lanes)),
               requantize(hn::LoadU(di, acc + i + 3 * lanes)), q + i);
  }
  for (; i < count; i += lanes) {
    const std::size_t left = HWY_MIN(lanes, count - i);
    hn::StoreN(hn::DemoteTo(dt, requantize(hn::LoadN(di, acc + i, left))), dt,
               q + i, left);
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_QUANTIZE_TOGGLE

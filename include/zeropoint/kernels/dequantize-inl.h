// Dequantize: codes to reals, bit-equal to core/reference.h.
#ifndef ZEROPOINT_KERNELS_DEQUANTIZE_INL_H_
#define ZEROPOINT_KERNELS_DEQUANTIZE_INL_H_

#include <cstddef>
#include <cstdint>

#include "zeropoint/core/qparams.h"
#include "zeropoint/kernels/baseline.h"

#endif  // ZEROPOINT_KERNELS_DEQUANTIZE_INL_H_

#if defined(ZEROPOINT_KERNELS_DEQUANTIZE_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_DEQUANTIZE_TOGGLE
#undef ZEROPOINT_KERNELS_DEQUANTIZE_TOGGLE
#else
#define ZEROPOINT_KERNELS_DEQUANTIZE_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// x[i] = reference::Dequantize(q[i], params)
template <class T>
void Dequantize(const T* q, std::size_t count, QParams params, float* x) {
  const hn::ScalableTag<float> df;
  const hn::RebindToSigned<decltype(df)> di;
  const hn::Rebind<T, decltype(df)> dt;
  using VT = hn::Vec<decltype(dt)>;
  const std::size_t lanes = hn::Lanes(df);
  const auto zero_point = hn::Set(di, params.zero_point);
  const auto scale = hn::Set(df, params.scale);

  const auto dequantize = [&](VT codes) HWY_ATTR {
    const auto wide = [&]() HWY_ATTR {
      if constexpr (sizeof(T) == sizeof(std::int32_t)) {
        return codes;
      } else {
        return hn::PromoteTo(di, codes);
      }
    }();
    return hn::Mul(hn::ConvertTo(df, hn::Sub(wide, zero_point)), scale);
  };
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(dequantize(hn::LoadU(dt, q + i)), df, x + i);
  }
  if (i < count) {
    hn::StoreN(dequantize(hn::LoadN(dt, q + i, count - i)), df, x + i,
               count - i);
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_DEQUANTIZE_TOGGLE

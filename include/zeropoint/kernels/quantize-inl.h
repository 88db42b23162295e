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

#include "hwy/cache_control.h"
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

/// Quantize by division, for any values and parameters.
template <class T>
void QuantizeByDivision(const float* x, std::size_t count, float scale,
                        const CodeLimits& limits, T* q) {
  const hn::ScalableTag<float> df;
  const hn::Rebind<T, decltype(df)> dt;
  using VF = hn::Vec<decltype(df)>;
  const std::size_t lanes = hn::Lanes(df);
  const VF divisor = hn::Set(df, scale);

  const auto quantize = [&](VF v) HWY_ATTR {
    const VF steps = hn::IfThenElseZero(hn::Eq(v, v), hn::Div(v, divisor));
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

#if HWY_TARGET != HWY_SCALAR

/// Division decides the code, but multiplication is several times as fast and
/// gives another code only next to a tie. With u = 2^-24, the unit roundoff:
///
///   d = x / scale, rounded once, and t = x * (1 / scale), rounded twice,
///   differ by at most 4 u |t|; so if t is further than that from every tie
///   (k + 1/2), both round to the same integer.
///
/// Beyond the codes' limits every t saturates, so |t| <= reach there. Blocks in
/// which a value is too near to a tie, is NaN or leaves int32 are done again by
/// division.
template <class T>
class QuantizerByMultiplication {
 public:
  /// False where the argument above does not hold: 16-bit codes reach so far
  /// that ties are everywhere, and the reciprocal must be a normal number.
  static bool Applies(float scale, const CodeLimits& limits) {
    return sizeof(T) == 1 && Reach(limits) <= 1024.0f && scale > 1e-30f &&
           scale < 1e30f;
  }

  QuantizerByMultiplication(float scale, CodeRange codes,
                            const CodeLimits& limits)
      : scale_(scale), codes_(codes), limits_(limits) {}

  /// Elements done: as many whole blocks as there are.
  std::size_t Run(const float* x, std::size_t count, T* q) const {
    const std::size_t block = hn::Lanes(hn::ScalableTag<T>());
    const std::size_t whole = count - count % block;
    if (whole < kStreamedFrom) {
      RunBlocks</*kStream=*/false>(x, whole, q);
      return whole;
    }
    // What does not fit into the caches anyway does not push out what does.
    const std::size_t misaligned =
        reinterpret_cast<std::uintptr_t>(q) % (block * sizeof(T));
    const std::size_t head =
        misaligned == 0 ? 0 : block - misaligned / sizeof(T);
    QuantizeByDivision(x, head, scale_, limits_, q);
    const std::size_t body = (count - head) - (count - head) % block;
    RunBlocks</*kStream=*/true>(x + head, body, q + head);
    hwy::FlushStream();
    return head + body;
  }

 private:
  static constexpr std::size_t kStreamedFrom = std::size_t{1} << 24;

  static float Reach(const CodeLimits& limits) {
    return HWY_MAX(-limits.least, limits.greatest) + 1.0f;
  }

  /// The nearest integers; leaves `safe` true where `steps` are no further from
  /// them than `far`.
  template <class VF, class M, class DF = hn::DFromV<VF>>
  static HWY_INLINE hn::Vec<hn::RebindToSigned<DF>> Round(VF steps, VF far,
                                                          M& safe) {
    const DF df;
    const hn::RebindToSigned<DF> di;
    const auto rounded = hn::NearestIntInRange(di, steps);
    const VF off = hn::Abs(hn::Sub(steps, hn::ConvertTo(df, rounded)));
    safe = hn::And(safe, hn::Le(off, far));
    return rounded;
  }

  template <bool kStream>
  void RunBlocks(const float* x, std::size_t count, T* q) const {
    const hn::ScalableTag<float> df;
    const hn::RebindToSigned<decltype(df)> di;
    const hn::Repartition<std::int16_t, decltype(df)> dw;
    const hn::Repartition<T, decltype(df)> dt;
    using VF = hn::Vec<decltype(df)>;
    using VI = hn::Vec<decltype(di)>;
    const std::size_t lanes = hn::Lanes(df);
    const VF reciprocal = hn::Set(df, 1.0f / scale_);
    constexpr float kRoundoff = 1.0f / (1 << 24);
    const VF far = hn::Set(df, 0.5f - 4.0f * kRoundoff * Reach(limits_));
    const auto zero =
        hn::Set(dw, static_cast<std::int16_t>(limits_.zero_point));
    const auto least = hn::Set(dt, static_cast<T>(codes_.qmin));
    const auto greatest = hn::Set(dt, static_cast<T>(codes_.qmax));

    for (std::size_t i = 0; i < count; i += 4 * lanes) {
      auto safe = hn::FirstN(df, lanes);
      const VI c0 = Round(hn::Mul(hn::LoadU(df, x + i), reciprocal), far, safe);
      const VI c1 =
          Round(hn::Mul(hn::LoadU(df, x + i + lanes), reciprocal), far, safe);
      const VI c2 = Round(hn::Mul(hn::LoadU(df, x + i + 2 * lanes), reciprocal),
                          far, safe);
      const VI c3 = Round(hn::Mul(hn::LoadU(df, x + i + 3 * lanes), reciprocal),
                          far, safe);
      if (HWY_UNLIKELY(!hn::AllTrue(df, safe))) {
        QuantizeByDivision(x + i, 4 * lanes, scale_, limits_, q + i);
        continue;
      }
      const auto codes = hn::OrderedDemote2To(
          dt, hn::SaturatedAdd(hn::OrderedDemote2To(dw, c0, c1), zero),
          hn::SaturatedAdd(hn::OrderedDemote2To(dw, c2, c3), zero));
      const auto limited = hn::Min(hn::Max(codes, least), greatest);
      if constexpr (kStream) {
        hn::Stream(limited, dt, q + i);
      } else {
        hn::StoreU(limited, dt, q + i);
      }
    }
  }

  float scale_;
  CodeRange codes_;
  const CodeLimits& limits_;
};

#endif  // HWY_TARGET != HWY_SCALAR

/// q[i] = reference::Quantize(x[i], params, codes)
template <class T>
void Quantize(const float* x, std::size_t count, QParams params,
              CodeRange codes, T* q) {
  const CodeLimits limits(codes, params.zero_point);
  std::size_t done = 0;
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(T) == 1) {
    using Quantizer = QuantizerByMultiplication<T>;
    if (Quantizer::Applies(params.scale, limits)) {
      done = Quantizer(params.scale, codes, limits).Run(x, count, q);
    }
  }
#endif
  QuantizeByDivision(x + done, count - done, params.scale, limits, q + done);
}

/// q[i] = reference::Requantize(acc[i], multipliers[i * step], zero_point,
/// codes), where step is 1 if kEach and otherwise 0.
template <bool kEach, class T>
void RequantizeBy(const std::int32_t* acc, std::size_t count,
                  const float* multipliers, std::int32_t zero_point,
                  CodeRange codes, T* q) {
  const hn::ScalableTag<float> df;
  const hn::RebindToSigned<decltype(df)> di;
  const hn::Rebind<T, decltype(df)> dt;
  using VF = hn::Vec<decltype(df)>;
  using VI = hn::Vec<decltype(di)>;
  const std::size_t lanes = hn::Lanes(df);
  const CodeLimits limits(codes, zero_point);

  const auto requantize = [&](VI v, VF multiplier) HWY_ATTR {
    return CodesOf(df, hn::Mul(hn::ConvertTo(df, v), multiplier), limits);
  };
  const auto whole = [&](std::size_t i) HWY_ATTR {
    return requantize(
        hn::LoadU(di, acc + i),
        kEach ? hn::LoadU(df, multipliers + i) : hn::Set(df, multipliers[0]));
  };
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    StoreCodes(whole(i), whole(i + lanes), whole(i + 2 * lanes),
               whole(i + 3 * lanes), q + i);
  }
  for (; i < count; i += lanes) {
    const std::size_t left = HWY_MIN(lanes, count - i);
    const VF multiplier = kEach ? hn::LoadN(df, multipliers + i, left)
                                : hn::Set(df, multipliers[0]);
    hn::StoreN(
        hn::DemoteTo(dt, requantize(hn::LoadN(di, acc + i, left), multiplier)),
        dt, q + i, left);
  }
}

template <class T>
void Requantize(const std::int32_t* acc, std::size_t count, float multiplier,
                std::int32_t zero_point, CodeRange codes, T* q) {
  RequantizeBy</*kEach=*/false>(acc, count, &multiplier, zero_point, codes, q);
}

template <class T>
void RequantizeEach(const std::int32_t* acc, std::size_t count,
                    const float* multipliers, std::int32_t zero_point,
                    CodeRange codes, T* q) {
  RequantizeBy</*kEach=*/true>(acc, count, multipliers, zero_point, codes, q);
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_QUANTIZE_TOGGLE

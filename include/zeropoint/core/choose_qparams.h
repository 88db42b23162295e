// From a real range to a scale and a zero point.
#ifndef ZEROPOINT_CORE_CHOOSE_QPARAMS_H_
#define ZEROPOINT_CORE_CHOOSE_QPARAMS_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "zeropoint/core/assert.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/rounding.h"
#include "zeropoint/core/scheme_spec.h"

namespace zeropoint {

/// The zero point of a symmetric scheme: 0 for signed codes, the middle code
/// for unsigned (128 of 0..255).
constexpr std::int32_t SymmetricZeroPoint(const SchemeSpec& spec) {
  if (spec.qmin < 0) return 0;
  return static_cast<std::int32_t>(
      RoundHalfEven((static_cast<double>(spec.qmin) + spec.qmax) / 2));
}

/// The range that a scheme really covers: real 0 is always inside, and a
/// symmetric scheme reaches as far to both sides.
constexpr RealRange WidenRange(const RealRange& range, const SchemeSpec& spec) {
  const RealRange widened{std::min(range.lo, 0.0f), std::max(range.hi, 0.0f)};
  if (!spec.symmetric) return widened;
  const float absmax = std::max(-widened.lo, widened.hi);
  return {-absmax, absmax};
}

/// Scale and zero point for real values in `range`.
///
///   asymmetric:  lo = min(lo, 0), hi = max(hi, 0)
///                scale = (hi - lo) / (qmax - qmin)
///                zero_point = clip(round_half_even(qmin - lo / scale))
///   symmetric:   scale = 2 * absmax / (qmax - qmin), zero_point fixed
///
/// The symmetric rule has two readings, and the scheme's code range decides:
/// over the full range of int8 it is 2 * absmax / 255 (the largest value then
/// saturates by half a step), over the narrow one absmax / 127. Real 0 is
/// always exactly representable: zero padding depends on it. A range of only 0,
/// or one whose scale would fall below the smallest normal float, gets scale 1.
///
/// The scale is divided in double and stored as float, or as spec.scale_type
/// says (StoredScale); the zero point follows from the stored scale, in float
/// as DynamicQuantizeLinear defines it.
///
/// Requires: IsValidRange(range).   Errors: none.
/// Source:  ONNX QuantizeLinear, DynamicQuantizeLinear.   Teaches:
/// docs/guide/affine.md
constexpr QParams ChooseQParams(const RealRange& range,
                                const SchemeSpec& spec) {
  ZEROPOINT_ASSERT(IsValidRange(range),
                   "ChooseQParams needs a finite range with lo <= hi");
  const RealRange covered = WidenRange(range, spec);
  const double steps = static_cast<double>(spec.qmax) - spec.qmin;
  const double width =
      static_cast<double>(covered.hi) - static_cast<double>(covered.lo);
  QParams params;
  params.scale = static_cast<float>(width / steps);
  if (params.scale < std::numeric_limits<float>::min()) params.scale = 1.0f;
  params.scale = StoredScale(params.scale, spec.scale_type);
  if (spec.symmetric) {
    params.zero_point = SymmetricZeroPoint(spec);
    return params;
  }
  const float nudged =
      RoundHalfEven(static_cast<float>(spec.qmin) - covered.lo / params.scale);
  params.zero_point = static_cast<std::int32_t>(std::clamp(
      nudged, static_cast<float>(spec.qmin), static_cast<float>(spec.qmax)));
  return params;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_CHOOSE_QPARAMS_H_

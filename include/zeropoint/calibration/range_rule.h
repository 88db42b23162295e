// RangeRule: from what was observed to the range that is quantized.
#ifndef ZEROPOINT_CALIBRATION_RANGE_RULE_H_
#define ZEROPOINT_CALIBRATION_RANGE_RULE_H_

#include <concepts>

#include "zeropoint/calibration/min_max_observer.h"
#include "zeropoint/calibration/observer.h"
#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

/// A pure function of an observer's state and a scheme.
/// Errors: kInvalidData when the state cannot give a range (nothing finite was
/// seen).
template <class R, class O>
concept RangeRule = Observer<O> && requires(const R& rule, const O& observer,
                                            const SchemeSpec& scheme) {
  { rule.Choose(observer, scheme) } -> std::same_as<Result<RealRange>>;
};

/// Everything that was seen, from the least to the greatest value.
struct AbsoluteRange {
  Result<RealRange> Choose(const MinMaxObserver& observer,
                           const SchemeSpec& scheme) const {
    if (observer.count() == 0) {
      return InvalidData("no finite value was observed");
    }
    return WidenRange(observer.range(), scheme);
  }
};

static_assert(RangeRule<AbsoluteRange, MinMaxObserver>);

/// An observer type with the rule that reads it: a calibration method.
///
///   using MinMax = Calibration<MinMaxObserver, AbsoluteRange>;
template <Observer O, class R>
  requires RangeRule<R, O>
struct Calibration {
  using ObserverType = O;
  R rule{};
};

using MinMaxCalibration = Calibration<MinMaxObserver, AbsoluteRange>;

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_RANGE_RULE_H_

// MomentsRange: so many standard deviations around the mean.
#ifndef ZEROPOINT_CALIBRATION_MOMENTS_RANGE_H_
#define ZEROPOINT_CALIBRATION_MOMENTS_RANGE_H_

#include <algorithm>
#include <cmath>

#include "zeropoint/calibration/moments_observer.h"
#include "zeropoint/calibration/range_rule.h"

namespace zeropoint {

/// [mean - k sigma, mean + k sigma], within what was seen.
struct MomentsRange {
  double k = 4.0;

  Result<RealRange> Choose(const MomentsObserver& observer,
                           const SchemeSpec& scheme) const {
    if (!(k > 0.0 && std::isfinite(k))) {
      return InvalidArgument("the number of standard deviations must be > 0");
    }
    if (observer.count() == 0) {
      return InvalidData("no finite value was observed");
    }
    const double reach = k * std::sqrt(observer.variance());
    const RealRange seen = observer.range();
    const auto limit = [&](double end) {
      return static_cast<float>(std::clamp(end, static_cast<double>(seen.lo),
                                           static_cast<double>(seen.hi)));
    };
    return WidenRange(
        {limit(observer.mean() - reach), limit(observer.mean() + reach)},
        scheme);
  }
};

static_assert(RangeRule<MomentsRange, MomentsObserver>);

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_MOMENTS_RANGE_H_

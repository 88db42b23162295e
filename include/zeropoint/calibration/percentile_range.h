// PercentileRange: leaves out the rarest values.
#ifndef ZEROPOINT_CALIBRATION_PERCENTILE_RANGE_H_
#define ZEROPOINT_CALIBRATION_PERCENTILE_RANGE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/calibration/folded_counts.h"
#include "zeropoint/calibration/histogram_observer.h"
#include "zeropoint/calibration/range_rule.h"

namespace zeropoint {

/// Symmetric schemes: the least T such that `percentile` percent of the values
/// have |x| <= T. Asymmetric ones: as much is left out below as above,
/// (100 - percentile) / 2 percent each. Within a bin values are taken to be
/// spread evenly. 100 is min-max.
struct PercentileRange {
  double percentile = 99.99;

  Result<RealRange> Choose(const HistogramObserver& observer,
                           const SchemeSpec& scheme) const {
    if (!(percentile > 0.0 && percentile <= 100.0)) {
      return InvalidArgument("a percentile lies above 0 and at most at 100");
    }
    if (observer.count() == 0) {
      return InvalidData("no finite value was observed");
    }
    const Histogram histogram = observer.ToHistogram();
    const RealRange& seen = histogram.seen;
    const double share = percentile / 100.0;
    if (scheme.symmetric) {
      const float reach = std::max(-seen.lo, seen.hi);
      const float threshold = std::min(
          reach, static_cast<float>(Quantile(FoldedCounts(histogram), share) *
                                    histogram.width));
      return WidenRange(
          {std::max(seen.lo, -threshold), std::min(seen.hi, threshold)},
          scheme);
    }
    const double tail = (1.0 - share) / 2.0;
    const std::vector<std::uint64_t> backward(histogram.counts.rbegin(),
                                              histogram.counts.rend());
    const double last =
        histogram.first + static_cast<double>(histogram.counts.size());
    const double hi = histogram.first + Quantile(histogram.counts, 1.0 - tail);
    const double lo = last - Quantile(backward, 1.0 - tail);
    const auto clamp = [&](double bins) {
      return std::clamp(static_cast<float>(bins * histogram.width), seen.lo,
                        seen.hi);
    };
    return WidenRange({std::min(clamp(lo), clamp(hi)), clamp(hi)}, scheme);
  }

 private:
  /// How many bins from the left hold `share` of the counts.
  static double Quantile(std::span<const std::uint64_t> counts, double share) {
    std::uint64_t total = 0;
    for (const std::uint64_t count : counts) total += count;
    const double wanted = share * static_cast<double>(total);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto with = static_cast<double>(below + counts[i]);
      if (counts[i] > 0 && with >= wanted) {
        return static_cast<double>(i) + (wanted - static_cast<double>(below)) /
                                            static_cast<double>(counts[i]);
      }
      below += counts[i];
    }
    return static_cast<double>(counts.size());
  }
};

static_assert(RangeRule<PercentileRange, HistogramObserver>);

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_PERCENTILE_RANGE_H_

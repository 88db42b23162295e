// A range rule of one's own on the library's histogram: the narrowest range
// whose clipped values carry at most a given share of the energy.
// docs/guide/calibration.md explains it.
#include <cstddef>
#include <cstdio>
#include <span>
#include <vector>

#include "zeropoint/calibration/histogram_observer.h"
#include "zeropoint/calibration/range_rule.h"
#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zp = zeropoint;

// #region rule
/// Takes bins off the end that is farther from zero, as long as the energy
/// beyond both ends stays below `share` of all energy.
struct EnergyRange {
  double share = 0.03;

  zp::Result<zp::RealRange> Choose(const zp::HistogramObserver& observer,
                                   const zp::SchemeSpec& scheme) const {
    if (observer.count() == 0) {
      return zp::InvalidData("no finite value was observed");
    }
    const zp::Histogram histogram = observer.ToHistogram();
    const auto edge = [&](std::size_t bin) {
      return (histogram.first + static_cast<double>(bin)) * histogram.width;
    };
    const auto energy = [&](std::size_t bin) {
      const double middle = 0.5 * (edge(bin) + edge(bin + 1));
      return static_cast<double>(histogram.counts[bin]) * middle * middle;
    };
    double all = 0.0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) all += energy(i);
    std::size_t begin = 0;
    std::size_t end = histogram.counts.size();
    double clipped = 0.0;
    while (end - begin > 1) {
      const bool at_begin = -edge(begin) > edge(end);
      const double next = energy(at_begin ? begin : end - 1);
      if (clipped + next > share * all) break;
      clipped += next;
      at_begin ? ++begin : --end;
    }
    return zp::WidenRange(
        {static_cast<float>(edge(begin)), static_cast<float>(edge(end))},
        scheme);
  }
};
static_assert(zp::RangeRule<EnergyRange, zp::HistogramObserver>);
// #endregion

int main() {
  // Many values from -1 to 1, and a few up to 8.
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(static_cast<float>(i % 257) / 128.0f - 1.0f);
  }
  for (int i = 0; i < 10; ++i) values.push_back(0.8f * static_cast<float>(i));

  // #region use
  const zp::Calibration<zp::HistogramObserver, EnergyRange> calibration;
  zp::HistogramObserver observer;
  observer.Observe(values, zp::DispatchedKernels());
  // #endregion
  for (const char* name : {"u8:asym", "i8:sym"}) {
    const auto scheme = zp::ParseScheme(name);
    if (!scheme.ok()) return 1;
    const auto all = EnergyRange{0.0}.Choose(observer, *scheme);
    const auto range = calibration.rule.Choose(observer, *scheme);
    if (!all.ok() || !range.ok()) return 1;
    std::printf("%-8s all [%.3f, %.3f]   by energy [%.3f, %.3f]\n", name,
                all->lo, all->hi, range->lo, range->hi);
  }
  return 0;
}

// Observes values in two places, joins what was seen, and lets each rule choose
// a range from it. docs/guide/calibration.md explains it.
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/calibration/histogram_observer.h"
#include "zeropoint/calibration/tensor_statistics.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zp = zeropoint;

// Forty thousand values shaped like a bell, and five that are far away.
std::vector<float> MakeValues() {
  std::vector<float> values;
  unsigned state = 1;
  for (int i = 0; i < 40000; ++i) {
    float sum = 0.0f;
    for (int k = 0; k < 4; ++k) {
      state = state * 1664525u + 1013904223u;
      sum += static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
    }
    values.push_back(sum);
  }
  for (const float far : {4.0f, 5.0f, -6.0f, 7.5f, 12.0f}) {
    values.push_back(far);
  }
  return values;
}

// #region split
bool SplitIsExact(std::span<const float> values,
                  const zp::KernelTable& kernels) {
  zp::HistogramObserver whole;
  whole.Observe(values, kernels);
  zp::HistogramObserver here;
  here.Observe(values.first(10000), kernels);
  zp::HistogramObserver there;
  there.Observe(values.subspan(10000), kernels);
  here.Merge(there);
  return here == whole;  // bit for bit, whichever way values are split
}
// #endregion

// #region choose
zp::Status PrintRanges(const zp::TensorStatistics& statistics) {
  for (const std::string rule :
       {"minmax", "percentile:99.9", "entropy", "mse", "moments:4"}) {
    ZEROPOINT_ASSIGN_OR_RETURN(const zp::CalibrationSpec spec,
                               zp::ParseCalibration(rule));
    std::printf("%-16s", rule.c_str());
    for (const std::string scheme : {"u8:asym", "i8:sym"}) {
      ZEROPOINT_ASSIGN_OR_RETURN(const zp::SchemeSpec for_scheme,
                                 zp::ParseScheme(scheme));
      ZEROPOINT_ASSIGN_OR_RETURN(const zp::RealRange range,
                                 statistics.Choose(spec, for_scheme));
      std::printf("   %s [%6.2f, %5.2f]", scheme.c_str(), range.lo, range.hi);
    }
    std::printf("\n");
  }
  return zp::Status();
}
// #endregion

int main() {
  const zp::KernelTable& kernels = zp::DispatchedKernels();
  const std::vector<float> values = MakeValues();
  std::printf("two halves merged equal the whole: %s\n",
              SplitIsExact(values, kernels) ? "yes" : "no");
  // #region observe
  zp::TensorStatistics statistics(zp::CollectedStatistics::All());
  statistics.Observe(values, kernels);
  const zp::Histogram histogram = statistics.histogram()->ToHistogram();
  std::printf("%zu bins of %g, the first at %g\n", histogram.counts.size(),
              histogram.width, histogram.first * histogram.width);
  // #endregion
  const zp::Status status = PrintRanges(statistics);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}

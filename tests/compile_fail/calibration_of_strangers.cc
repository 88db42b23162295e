// expect-error: rule.Choose(observer, scheme)
#include "zeropoint/calibration/range_rule.h"

// Reads a histogram, which a MinMaxObserver does not keep.
struct Histogram {};
struct PercentileRange {
  zeropoint::Result<zeropoint::RealRange> Choose(
      const Histogram& histogram, const zeropoint::SchemeSpec& scheme) const;
};

zeropoint::Calibration<zeropoint::MinMaxObserver, PercentileRange> calibration;

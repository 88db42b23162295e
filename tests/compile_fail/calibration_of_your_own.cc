// expect-success
#include "zeropoint/calibration/range_rule.h"

struct HalfRange {
  zeropoint::Result<zeropoint::RealRange> Choose(
      const zeropoint::MinMaxObserver& observer,
      const zeropoint::SchemeSpec& /*scheme*/) const {
    return zeropoint::RealRange{observer.range().lo / 2,
                                observer.range().hi / 2};
  }
};

zeropoint::Calibration<zeropoint::MinMaxObserver, HalfRange> calibration;

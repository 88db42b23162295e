// expect-error: observer.Merge(other)
#include "zeropoint/calibration/range_rule.h"

struct LastValue {
  void Observe(std::span<const float> x, const zeropoint::KernelTable&) {
    value = x.back();
    seen += x.size();
  }
  std::uint64_t count() const { return seen; }

  float value = 0;
  std::uint64_t seen = 0;
};
struct LastRange {
  zeropoint::Result<zeropoint::RealRange> Choose(
      const LastValue& observer, const zeropoint::SchemeSpec& scheme) const;
};

zeropoint::Calibration<LastValue, LastRange> calibration;

// MovingAverageObserver: a range that follows the samples.
#ifndef ZEROPOINT_CALIBRATION_MOVING_AVERAGE_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_MOVING_AVERAGE_OBSERVER_H_

#include <cstdint>
#include <span>

#include "zeropoint/calibration/min_max_observer.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

/// The moving average of the least and the greatest value of each sample:
///
///   lo <- lo + weight * (least of the sample - lo), hi likewise
///
/// The first sample with a finite value starts it. The result depends on the
/// order of the samples, so there is no Merge, this is no Observer, and sharded
/// or resumed runs refuse it: kOrderDependent says so.
class MovingAverageObserver {
 public:
  static constexpr bool kOrderDependent = true;

  /// Requires: 0 < weight <= 1.
  explicit MovingAverageObserver(double weight = 0.01) : weight_(weight) {}

  /// One call is one sample.
  void Observe(std::span<const float> x, const KernelTable& kernels) {
    MinMaxObserver sample;
    sample.Observe(x, kernels);
    Observe(sample);
  }
  /// The same of a sample whose range is known.
  void Observe(const MinMaxObserver& sample) {
    if (sample.count() > 0) {
      const auto lo = static_cast<double>(sample.range().lo);
      const auto hi = static_cast<double>(sample.range().hi);
      const double weight = seen_.count() == 0 ? 1.0 : weight_;
      lo_ += weight * (lo - lo_);
      hi_ += weight * (hi - hi_);
    }
    seen_.Merge(sample);
  }

  std::uint64_t count() const { return seen_.count(); }
  std::uint64_t nan_count() const { return seen_.nan_count(); }
  std::uint64_t infinite_count() const { return seen_.infinite_count(); }
  /// Requires count() > 0.
  RealRange range() const {
    return {static_cast<float>(lo_), static_cast<float>(hi_)};
  }

 private:
  double weight_;
  double lo_ = 0.0;
  double hi_ = 0.0;
  MinMaxObserver seen_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_MOVING_AVERAGE_OBSERVER_H_

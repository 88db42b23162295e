// MinMaxObserver: the least and the greatest value.
#ifndef ZEROPOINT_CALIBRATION_MIN_MAX_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_MIN_MAX_OBSERVER_H_

#include <algorithm>
#include <cstdint>
#include <span>

#include "zeropoint/calibration/observer.h"
#include "zeropoint/core/qparams.h"

namespace zeropoint {

/// Exact, order-independent, 40 bytes. NaN and infinities are counted and kept
/// out of the range.
class MinMaxObserver {
 public:
  void Observe(std::span<const float> x, const KernelTable& kernels) {
    kernels.min_max(x.data(), x.size(), &state_);
  }

  void Merge(const MinMaxObserver& other) {
    state_.lo = std::min(state_.lo, other.state_.lo);
    state_.hi = std::max(state_.hi, other.state_.hi);
    state_.finite += other.state_.finite;
    state_.nan += other.state_.nan;
    state_.infinite += other.state_.infinite;
  }

  /// Finite values seen.
  std::uint64_t count() const { return state_.finite; }
  std::uint64_t nan_count() const { return state_.nan; }
  std::uint64_t infinite_count() const { return state_.infinite; }

  /// Requires count() > 0.
  RealRange range() const { return {state_.lo, state_.hi}; }

 private:
  MinMaxState state_;
};

static_assert(Observer<MinMaxObserver>);

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_MIN_MAX_OBSERVER_H_

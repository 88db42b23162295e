// MomentsObserver: count, mean and variance, exactly.
#ifndef ZEROPOINT_CALIBRATION_MOMENTS_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_MOMENTS_OBSERVER_H_

#include <cmath>
#include <cstdint>
#include <span>

#include "zeropoint/calibration/min_max_observer.h"
#include "zeropoint/calibration/observer.h"
#include "zeropoint/calibration/sum_exactly.h"
#include "zeropoint/core/exact_sum.h"

namespace zeropoint {

/// The exact sums of the values and of their squares; 168 bytes. Welford's and
/// Chan's formulas merge too, but round, so their result depends on the split.
/// NaN and infinities are counted and kept out.
class MomentsObserver {
 public:
  MomentsObserver() = default;
  MomentsObserver(const MinMaxState& seen, const ExactFloatSum& sum,
                  const ExactSquareSum& squares)
      : seen_(seen), sum_(sum), squares_(squares) {}

  void Observe(std::span<const float> x, const KernelTable& kernels) {
    MinMaxState seen;
    kernels.min_max(x.data(), x.size(), &seen);
    Observe(x, seen, kernels);
  }
  /// The same of values whose range is known.
  void Observe(std::span<const float> x, const MinMaxState& seen,
               const KernelTable& kernels) {
    seen_.Merge(MinMaxObserver(seen));
    AddExactly(x, seen, kernels, sum_);
    AddSquaresExactly(x, seen, kernels, squares_);
  }

  void Merge(const MomentsObserver& other) {
    seen_.Merge(other.seen_);
    sum_.Merge(other.sum_);
    squares_.Merge(other.squares_);
  }

  std::uint64_t count() const { return seen_.count(); }
  std::uint64_t nan_count() const { return seen_.nan_count(); }
  std::uint64_t infinite_count() const { return seen_.infinite_count(); }
  /// Requires count() > 0.
  RealRange range() const { return seen_.range(); }

  /// Requires count() > 0.
  double mean() const { return sum_.value() / static_cast<double>(count()); }

  /// Population variance, E[x^2] - E[x]^2 with twice the digits of double, so
  /// that little is lost where the mean is far from zero. Requires count() > 0.
  double variance() const {
    const auto n = static_cast<double>(count());
    const Pair mean = Divide({sum_.value(), sum_.remainder()}, n);
    const Pair square = Divide({squares_.value(), squares_.remainder()}, n);
    const double product = mean.high * mean.high;
    const double lost =
        std::fma(mean.high, mean.high, -product) + 2.0 * mean.high * mean.low;
    const double variance = (square.high - product) + (square.low - lost);
    return variance > 0.0 ? variance : 0.0;
  }

  const MinMaxState& seen() const { return seen_.state(); }
  const ExactFloatSum& sum() const { return sum_; }
  const ExactSquareSum& squares() const { return squares_; }
  friend bool operator==(const MomentsObserver&,
                         const MomentsObserver&) = default;

 private:
  struct Pair {
    double high;
    double low;
  };
  static Pair Divide(const Pair& a, double n) {
    const double quotient = a.high / n;
    return {quotient, (std::fma(-quotient, n, a.high) + a.low) / n};
  }

  MinMaxObserver seen_;
  ExactFloatSum sum_;
  ExactSquareSum squares_;
};

static_assert(Observer<MomentsObserver>);

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_MOMENTS_OBSERVER_H_

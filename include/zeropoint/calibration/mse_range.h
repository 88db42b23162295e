// MseRange: the range with the least expected squared error.
#ifndef ZEROPOINT_CALIBRATION_MSE_RANGE_H_
#define ZEROPOINT_CALIBRATION_MSE_RANGE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "zeropoint/calibration/histogram_observer.h"
#include "zeropoint/calibration/range_rule.h"
#include "zeropoint/core/choose_qparams.h"

namespace zeropoint {

namespace internal {

/// The first three moments of a histogram up to a point, values spread evenly
/// within each bin. Distances are in bins from bin 0's left edge.
class CumulativeMoments {
 public:
  struct Moments {
    double count = 0.0;
    double sum = 0.0;
    double squares = 0.0;
  };

  CumulativeMoments(double first, const std::vector<std::uint64_t>& counts)
      : first_(first), counts_(counts.begin(), counts.end()) {
    up_to_.resize(counts.size() + 1);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      up_to_[i + 1] = up_to_[i];
      AddPart(first + static_cast<double>(i), 1.0, counts_[i], up_to_[i + 1]);
    }
  }

  double begin() const { return first_; }
  double end() const { return first_ + static_cast<double>(counts_.size()); }

  Moments UpTo(double x) const {
    const double from_first = x - first_;
    if (from_first <= 0.0) return {};
    const auto bin = static_cast<std::size_t>(
        std::min(from_first, static_cast<double>(counts_.size())));
    Moments moments = up_to_[bin];
    if (bin < counts_.size()) {
      const double part = from_first - static_cast<double>(bin);
      AddPart(first_ + static_cast<double>(bin), part, counts_[bin], moments);
    }
    return moments;
  }

  /// The sum of (x - code)^2 over values between two points.
  static double SquaredError(const Moments& from, const Moments& to,
                             double code) {
    return (to.squares - from.squares) - 2.0 * code * (to.sum - from.sum) +
           code * code * (to.count - from.count);
  }

 private:
  /// The left `part` of a bin one wide that begins at x.
  static void AddPart(double x, double part, double count, Moments& moments) {
    const double mass = count * part;
    moments.count += mass;
    moments.sum += mass * (x + part / 2.0);
    moments.squares += mass * (x * (x + part) + part * part / 3.0);
  }

  double first_;
  std::vector<double> counts_;
  std::vector<Moments> up_to_;
};

}  // namespace internal

/// Searches lo and hi (symmetric schemes: their common magnitude) for the least
/// expected squared difference between values and their codes' values, those
/// clipped included:
///
///   E = sum over codes q of the integral of (x - s (q - z))^2 over the values
///       that round to q
///
/// The integral is that of the histogram with values spread evenly in each bin.
/// With more than 1024 codes a step is far below the bins' width, and the error
/// within the range is s^2 / 12 a value. The search takes turns between both
/// ends: first 64 steps of each, then finer around the best.
struct MseRange {
  Result<RealRange> Choose(const HistogramObserver& observer,
                           const SchemeSpec& scheme) const {
    if (observer.count() == 0) {
      return InvalidData("no finite value was observed");
    }
    const Histogram histogram = observer.ToHistogram();
    const RealRange& seen = histogram.seen;
    const double steps = static_cast<double>(scheme.qmax) - scheme.qmin;
    const double bins_lo = std::min(0.0, seen.lo / histogram.width);
    const double bins_hi = std::max(0.0, seen.hi / histogram.width);
    const internal::CumulativeMoments moments(histogram.first,
                                              histogram.counts);
    if (scheme.symmetric) {
      const double first =
          static_cast<double>(scheme.qmin) - SymmetricZeroPoint(scheme);
      const double reach = Search(std::max(-bins_lo, bins_hi), [&](double end) {
        return Error(moments, 2.0 * end / steps, first, first + steps);
      });
      const auto threshold = static_cast<float>(reach * histogram.width);
      return WidenRange(
          {std::max(seen.lo, -threshold), std::min(seen.hi, threshold)},
          scheme);
    }
    const auto error = [&](double from, double to) {
      const double step = (to - from) / steps;
      const double first = step > 0.0 ? std::round(from / step) : 0.0;
      return Error(moments, step, first, first + steps);
    };
    double lo = bins_lo;
    double hi = bins_hi;
    constexpr int kTurns = 4;
    for (int turn = 0; turn < kTurns; ++turn) {
      const double before_lo = lo;
      const double before_hi = hi;
      if (bins_hi > 0.0) {
        hi = Search(bins_hi, [&](double end) { return error(lo, end); });
      }
      if (bins_lo < 0.0) {
        lo = -Search(-bins_lo, [&](double end) { return error(-end, hi); });
      }
      if (lo == before_lo && hi == before_hi) break;
    }
    return WidenRange(
        {std::max(seen.lo, static_cast<float>(lo * histogram.width)),
         std::min(seen.hi, static_cast<float>(hi * histogram.width))},
        scheme);
  }

  /// The expected squared error, times the number of values and in squared bin
  /// widths, of codes `first` to `last` that are `step` apart, zero among them.
  static double Error(const internal::CumulativeMoments& moments, double step,
                      double first, double last) {
    using M = internal::CumulativeMoments;
    const M::Moments all = moments.UpTo(moments.end());
    if (!(step > 0.0)) return M::SquaredError({}, all, 0.0);
    constexpr double kMostSteps = 1024.0;
    if (last - first > kMostSteps) {
      const M::Moments below = moments.UpTo(first * step);
      const M::Moments above = moments.UpTo(last * step);
      return M::SquaredError({}, below, first * step) +
             M::SquaredError(above, all, last * step) +
             (above.count - below.count) * step * step / 12.0;
    }
    double error = 0.0;
    M::Moments from;
    const auto steps = static_cast<std::int64_t>(last - first);
    for (std::int64_t i = 0; i <= steps; ++i) {
      const double code = first + static_cast<double>(i);
      const M::Moments to =
          code == last ? all : moments.UpTo((code + 0.5) * step);
      error += M::SquaredError(from, to, code * step);
      from = to;
    }
    return error;
  }

 private:
  /// The end in (0, full] with the least error; the greater of equals.
  template <class F>
  static double Search(double full, F error_at) {
    constexpr int kCoarse = 64;
    constexpr int kFine = 8;
    double best = full;
    double least = error_at(full);
    const auto look = [&](double end) {
      const double error = error_at(end);
      if (error < least) {
        least = error;
        best = end;
      }
    };
    for (int i = kCoarse - 1; i > 0; --i) look(full * i / kCoarse);
    const double around = best;
    for (int i = kFine; i >= -kFine; --i) {
      const double end = around + full * i / (kCoarse * kFine);
      if (i != 0 && end > 0.0 && end < full) look(end);
    }
    return best;
  }
};

static_assert(RangeRule<MseRange, HistogramObserver>);

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_MSE_RANGE_H_

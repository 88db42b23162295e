// HistogramObserver: how values are distributed, in one pass and constant
// memory, with no range known beforehand.
#ifndef ZEROPOINT_CALIBRATION_HISTOGRAM_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_HISTOGRAM_OBSERVER_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "zeropoint/calibration/min_max_observer.h"
#include "zeropoint/calibration/observer.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/reference.h"

namespace zeropoint {

/// A histogram as range rules read it: counts[i] values lie in bin first + i,
/// which covers [first + i, first + i + 1) * width. Bin 0 begins at real 0.
struct Histogram {
  double width = 0.0;
  std::int32_t first = 0;  // <= 0
  std::vector<std::uint64_t> counts;
  /// The least and the greatest value.
  RealRange seen;
  std::uint64_t total = 0;
};

/// 2048 bins whose width is a power of two, zero on an edge, as narrow as the
/// values seen allow. When a value falls outside, the width doubles and
/// neighbouring bins merge: counts are added, never divided, so the state is a
/// function of the values alone, whatever their order and grouping.
///
/// At least 1024 bins lie between the value farthest from zero and zero, or,
/// when both signs occur, 512. NaN and infinities are counted and kept out.
class HistogramObserver {
 public:
  static constexpr int kMinExponent = -126;
  static constexpr int kMaxExponent = 118;

  HistogramObserver() = default;
  /// From a stored state; `counts` as ring() returns them. Requires what
  /// IsValidState checks.
  HistogramObserver(MinMaxState seen, int exponent,
                    std::vector<std::uint64_t> counts)
      : seen_(seen), exponent_(exponent), counts_(std::move(counts)) {}

  /// Whether these can be the state of an observer: the right number of counts,
  /// none outside the range, the width that the range asks for, and as many
  /// values as `seen` has.
  static bool IsValidState(const MinMaxState& seen, int exponent,
                           std::span<const std::uint64_t> counts) {
    if (seen.finite == 0) return counts.empty() && exponent == kMinExponent;
    if (!IsValidRange({seen.lo, seen.hi}) || counts.size() != kHistogramBins ||
        exponent != ExponentOf(seen)) {
      return false;
    }
    std::uint64_t total = 0;
    const auto [first, last] = Window(seen, exponent);
    for (std::int32_t bin = first; bin <= last; ++bin) {
      total += counts[SlotOf(bin)];
    }
    for (const std::uint64_t count : counts) total -= count;
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts) all += count;
    return total == 0 && all == seen.finite;
  }

  void Observe(std::span<const float> x, const KernelTable& kernels) {
    ForEachChunk(x, kernels,
                 [&](std::span<const float> chunk, const MinMaxState& seen) {
                   Observe(chunk, seen, kernels);
                 });
  }
  /// The same of values whose range is known.
  void Observe(std::span<const float> x, const MinMaxState& seen,
               const KernelTable& kernels) {
    Widen(seen);
    if (seen.finite == x.size()) {
      kernels.histogram(x.data(), x.size(), exponent_, counts_.data());
      return;
    }
    for (const float value : x) {
      if (!std::isfinite(value)) continue;
      ++counts_[SlotOf(reference::HistogramBin(value, exponent_))];
    }
  }

  void Merge(const HistogramObserver& other) {
    Widen(other.seen_);
    if (other.seen_.finite == 0) return;
    const auto [first, last] = Window(other.seen_, other.exponent_);
    const int shift = std::min(exponent_ - other.exponent_, 31);
    for (std::int32_t bin = first; bin <= last; ++bin) {
      counts_[SlotOf(bin >> shift)] += other.counts_[SlotOf(bin)];
    }
  }

  std::uint64_t count() const { return seen_.finite; }
  std::uint64_t nan_count() const { return seen_.nan; }
  std::uint64_t infinite_count() const { return seen_.infinite; }
  /// Requires count() > 0.
  RealRange range() const { return {seen_.lo, seen_.hi}; }

  /// Bins are 2^exponent() wide.
  int exponent() const { return exponent_; }
  const MinMaxState& seen() const { return seen_; }
  /// The count of bin b is at b & (kHistogramBins - 1); empty when nothing
  /// finite was seen.
  std::span<const std::uint64_t> ring() const { return counts_; }

  /// The bins from the least value's, or zero's, to the greatest's, or zero's.
  Histogram ToHistogram() const {
    Histogram histogram;
    if (count() == 0) return histogram;
    const auto [first, last] = Window(seen_, exponent_);
    histogram.width = std::ldexp(1.0, exponent_);
    histogram.first = first;
    histogram.seen = range();
    histogram.total = count();
    for (std::int32_t bin = first; bin <= last; ++bin) {
      histogram.counts.push_back(counts_[SlotOf(bin)]);
    }
    return histogram;
  }

  friend bool operator==(const HistogramObserver& a,
                         const HistogramObserver& b) {
    return a.exponent_ == b.exponent_ && a.counts_ == b.counts_ &&
           MinMaxObserver(a.seen_) == MinMaxObserver(b.seen_);
  }

 private:
  static std::size_t SlotOf(std::int32_t bin) {
    return static_cast<std::size_t>(bin) & (kHistogramBins - 1);
  }
  static std::pair<std::int32_t, std::int32_t> Window(const MinMaxState& seen,
                                                      int exponent) {
    return {reference::HistogramBin(std::min(seen.lo, 0.0f), exponent),
            reference::HistogramBin(std::max(seen.hi, 0.0f), exponent)};
  }

  /// The least exponent whose bins, 0 among them, hold the range.
  static int ExponentOf(const MinMaxState& seen) {
    const float magnitude = std::max(-seen.lo, seen.hi);
    if (!(magnitude > 0.0f)) return kMinExponent;
    constexpr int kLogBins = 11;
    static_assert(kHistogramBins == std::size_t{1} << kLogBins);
    // From 1024 to 2047 widths on the longer side
    const int exponent =
        std::max(kMinExponent, std::ilogb(magnitude) - (kLogBins - 1));
    const auto [first, last] = Window(seen, exponent);
    const bool fits = last - first < static_cast<std::int32_t>(kHistogramBins);
    return fits ? exponent : exponent + 1;
  }

  /// Takes over what `seen` saw, except for the counts.
  void Widen(const MinMaxState& seen) {
    const MinMaxState before = seen_;
    seen_ = MinMaxObserver::Merged(seen_, seen);
    if (seen_.finite == 0) return;
    if (counts_.empty()) counts_.assign(kHistogramBins, 0);
    const int exponent = ExponentOf(seen_);
    if (exponent != exponent_ && before.finite > 0) {
      const int shift = std::min(exponent - exponent_, 31);
      std::vector<std::uint64_t> coarser(kHistogramBins, 0);
      const auto [first, last] = Window(before, exponent_);
      for (std::int32_t bin = first; bin <= last; ++bin) {
        coarser[SlotOf(bin >> shift)] += counts_[SlotOf(bin)];
      }
      counts_ = std::move(coarser);
    }
    exponent_ = exponent;
  }

  MinMaxState seen_;
  int exponent_ = kMinExponent;
  std::vector<std::uint64_t> counts_;
};

static_assert(Observer<HistogramObserver>);

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_HISTOGRAM_OBSERVER_H_

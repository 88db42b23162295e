// EntropyRange: the threshold that loses least information.
#ifndef ZEROPOINT_CALIBRATION_ENTROPY_RANGE_H_
#define ZEROPOINT_CALIBRATION_ENTROPY_RANGE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "zeropoint/calibration/folded_counts.h"
#include "zeropoint/calibration/histogram_observer.h"
#include "zeropoint/calibration/range_rule.h"

namespace zeropoint {

namespace internal {

/// The part of a histogram on one side of zero, bins counted outward, and the
/// sums over groups of bins that the entropy search asks for.
///
/// Groups of m bins begin at zero, so with the same m they are the same for
/// every threshold but for the last one, which takes what is left over. Their
/// share of the divergence is therefore summed once for each m, and a threshold
/// costs one look-up and one last group instead of all its bins.
class EntropySide {
 public:
  explicit EntropySide(std::vector<double> counts)
      : count_(counts.size() + 1, 0.0),
        used_(counts.size() + 1, 0.0),
        own_(counts.size() + 1, 0.0),
        by_group_size_(counts.size() + 1) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const double c = counts[i];
      count_[i + 1] = count_[i] + c;
      used_[i + 1] = used_[i] + (c > 0.0 ? 1.0 : 0.0);
      own_[i + 1] = own_[i] + (c > 0.0 ? c * std::log(c) : 0.0);
    }
  }

  std::size_t bins() const { return count_.size() - 1; }
  double total() const { return count_.back(); }
  double CountBelow(std::size_t end) const { return count_[end]; }

  /// The sum over bins j < end of P_j log(P_j / Q_j): P has what lies beyond
  /// `end` in its last bin; Q spreads each of `levels` groups evenly over those
  /// of its bins that P uses. Requires: end > 0, levels > 0.
  double Divergence(std::size_t end, std::size_t levels) {
    const double last = count_[end] - count_[end - 1];
    const double beyond = total() - count_[end];
    const double clipped = last + beyond;
    double p_log_p = own_[end - 1];
    if (clipped > 0.0) p_log_p += clipped * std::log(clipped);
    const std::size_t size = std::max<std::size_t>(end / levels, 1);
    const std::size_t whole = std::min(levels - 1, (end - 1) / size);
    const std::size_t begin = whole * size;
    // The last group, clipped values included in P and not in Q.
    const double p = total() - count_[begin];
    double used = used_[end] - used_[begin];
    if (last == 0.0 && beyond > 0.0) used += 1.0;
    const double q = std::max(count_[end] - count_[begin], kSmoothed);
    const double last_group = p > 0.0 ? p * std::log(q / used) : 0.0;
    return p_log_p - GroupsBelow(whole, size) - last_group;
  }

 private:
  /// What a group counts as that holds nothing but clipped values.
  static constexpr double kSmoothed = 1e-4;

  /// The sum over the first `groups` groups of S log(S / used bins).
  double GroupsBelow(std::size_t groups, std::size_t size) {
    std::vector<double>& sums = by_group_size_[size];
    if (sums.empty()) sums.push_back(0.0);
    while (sums.size() <= groups) {
      const std::size_t begin = (sums.size() - 1) * size;
      const double sum = count_[begin + size] - count_[begin];
      const double used = used_[begin + size] - used_[begin];
      sums.push_back(sums.back() +
                     (sum > 0.0 ? sum * std::log(sum / used) : 0.0));
    }
    return sums[groups];
  }

  std::vector<double> count_;  // prefix sums: of counts,
  std::vector<double> used_;   // of bins that hold something,
  std::vector<double> own_;    // of c log c
  std::vector<std::vector<double>> by_group_size_;
};

}  // namespace internal

/// TensorRT's published search: of all thresholds T on a bin's edge, that for
/// which the Kullback-Leibler divergence D(P || Q) is least.
///
///   P   the histogram within the threshold, what lies beyond counted in the
///       outermost bin
///   Q   the histogram within the threshold, without what lies beyond, merged
///       into as many groups as there are codes and spread again, evenly, over
///       the bins of each group that P uses
///
/// Symmetric schemes search the histogram of |x| with half the codes.
/// Asymmetric ones clip both signs at T, or at the least and greatest value
/// where that is nearer, and the two sides share the codes in proportion. Group
/// sizes are whole bins; the outermost group takes the rest. As in NVIDIA's
/// implementation, the bin at zero counts as much as its neighbour: zero has a
/// code of its own, and after a Relu it would outweigh everything.
///
/// Counts spread in floating point, groups that hold nothing but clipped values
/// count as 1e-4, and the full range is a candidate. On a tie the wider range
/// wins.
///
/// Source: S. Migacz, "8-bit Inference with TensorRT" (GTC 2017).
struct EntropyRange {
  Result<RealRange> Choose(const HistogramObserver& observer,
                           const SchemeSpec& scheme) const {
    if (observer.count() == 0) {
      return InvalidData("no finite value was observed");
    }
    const Histogram histogram = observer.ToHistogram();
    const double codes = static_cast<double>(scheme.qmax) - scheme.qmin + 1.0;
    const auto levels = static_cast<std::size_t>(
        scheme.symmetric ? (codes + 1.0) / 2.0 : codes);
    const std::size_t threshold = scheme.symmetric
                                      ? SearchFolded(histogram, levels)
                                      : SearchBothSides(histogram, levels);
    const auto reach =
        static_cast<float>(static_cast<double>(threshold) * histogram.width);
    return WidenRange({std::max(histogram.seen.lo, -reach),
                       std::min(histogram.seen.hi, reach)},
                      scheme);
  }

 private:
  static std::vector<double> WithoutZeroSpike(
      std::span<const std::uint64_t> counts) {
    std::vector<double> result(counts.begin(), counts.end());
    if (result.size() > 1) result[0] = std::min(result[0], result[1]);
    return result;
  }

  /// Divides the sums of P log(P / Q) by the number of values: D(P || Q).
  static double Normalized(double sum, double p_total, double q_total) {
    if (p_total <= 0.0) return 0.0;
    if (q_total <= 0.0) return std::numeric_limits<double>::infinity();
    return sum / p_total + std::log(q_total / p_total);
  }

  static std::size_t SearchFolded(const Histogram& histogram,
                                  std::size_t levels) {
    internal::EntropySide side(WithoutZeroSpike(FoldedCounts(histogram)));
    std::size_t best = side.bins();
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t end = side.bins(); end >= std::min(levels, side.bins());
         --end) {
      const double divergence = Normalized(side.Divergence(end, levels),
                                           side.total(), side.CountBelow(end));
      if (divergence < least) {
        least = divergence;
        best = end;
      }
      if (end == 1) break;
    }
    return best;
  }

  static std::size_t SearchBothSides(const Histogram& histogram,
                                     std::size_t levels) {
    const auto split = static_cast<std::size_t>(-histogram.first);
    const std::span<const std::uint64_t> counts = histogram.counts;
    std::vector<std::uint64_t> outward(counts.begin(),
                                       counts.begin() + -histogram.first);
    std::reverse(outward.begin(), outward.end());
    internal::EntropySide below(
        std::vector<double>(outward.begin(), outward.end()));
    internal::EntropySide above(WithoutZeroSpike(counts.subspan(split)));
    const std::size_t full = std::max(below.bins(), above.bins());
    const double total = below.total() + above.total();
    std::size_t best = full;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t end = full; end > 0; --end) {
      const std::size_t left = std::min(end, below.bins());
      const std::size_t right = std::min(end, above.bins());
      if (end < full && left + right < levels) break;
      std::size_t left_levels = 0;
      double sum = 0.0;
      if (left > 0) {
        left_levels = std::clamp<std::size_t>(
            (levels * left + (left + right) / 2) / (left + right), 1,
            levels - 1);
        sum += below.Divergence(left, left_levels);
      }
      sum += above.Divergence(right, levels - left_levels);
      const double divergence = Normalized(
          sum, total, below.CountBelow(left) + above.CountBelow(right));
      if (divergence < least) {
        least = divergence;
        best = end;
      }
    }
    return best;
  }
};

static_assert(RangeRule<EntropyRange, HistogramObserver>);

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_ENTROPY_RANGE_H_

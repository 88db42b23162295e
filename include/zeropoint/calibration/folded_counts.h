// FoldedCounts: the histogram of absolute values.
#ifndef ZEROPOINT_CALIBRATION_FOLDED_COUNTS_H_
#define ZEROPOINT_CALIBRATION_FOLDED_COUNTS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "zeropoint/calibration/histogram_observer.h"

namespace zeropoint {

/// Counts of |x| in [i, i + 1) * width: bin i and its mirror image, -1 - i,
/// together. Exact, because zero is an edge.
inline std::vector<std::uint64_t> FoldedCounts(const Histogram& histogram) {
  const auto negative = static_cast<std::size_t>(-histogram.first);
  const std::size_t positive = histogram.counts.size() - negative;
  std::vector<std::uint64_t> folded(std::max(negative, positive), 0);
  for (std::size_t i = 0; i < positive; ++i) {
    folded[i] += histogram.counts[negative + i];
  }
  for (std::size_t i = 0; i < negative; ++i) {
    folded[i] += histogram.counts[negative - 1 - i];
  }
  return folded;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_FOLDED_COUNTS_H_

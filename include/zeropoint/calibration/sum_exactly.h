// AddExactly: many floats into an exact sum, by blocks where that is possible.
#ifndef ZEROPOINT_CALIBRATION_SUM_EXACTLY_H_
#define ZEROPOINT_CALIBRATION_SUM_EXACTLY_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "zeropoint/core/exact_sum.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

/// Adds the finite values of x to `sum`. Returns whether all of them are
/// finite.
inline bool AddExactly(std::span<const float> x, const KernelTable& kernels,
                       ExactFloatSum& sum) {
  bool finite = true;
  while (!x.empty()) {
    const std::span<const float> block = x.first(std::min(kSumBlock, x.size()));
    x = x.subspan(block.size());
    double parts[2];
    // A few values are added sooner than a block is prepared.
    if (block.size() > 4 &&
        kernels.exact_sum_f32(block.data(), block.size(), parts)) {
      for (const double part : parts) sum.Add(part);
      continue;
    }
    for (const float value : block) {
      if (std::isfinite(value)) {
        sum.Add(static_cast<double>(value));
      } else {
        finite = false;
      }
    }
  }
  return finite;
}

/// Adds the squares of the finite values of x to `sum`.
inline void AddSquaresExactly(std::span<const float> x,
                              const KernelTable& kernels, ExactSquareSum& sum) {
  while (!x.empty()) {
    const std::span<const float> block = x.first(std::min(kSumBlock, x.size()));
    x = x.subspan(block.size());
    double parts[3];
    if (kernels.exact_square_sum_f32(block.data(), block.size(), parts)) {
      for (const double part : parts) sum.Add(part);
      continue;
    }
    for (const float value : block) {
      const auto wide = static_cast<double>(value);
      if (std::isfinite(value)) sum.Add(wide * wide);
    }
  }
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_SUM_EXACTLY_H_

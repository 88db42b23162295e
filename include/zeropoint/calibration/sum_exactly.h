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

namespace internal {

/// Calls sum(block, parts) and adds the parts, or, where it declines, calls
/// one(value) for each finite value.
template <std::size_t kParts, class Sum, class One, class Exact>
void AddByBlocks(std::span<const float> x, const MinMaxState& seen,
                 std::size_t least_block, Sum&& sum, One&& one, Exact& exact) {
  const bool finite = seen.nan + seen.infinite == 0;
  while (!x.empty()) {
    const std::span<const float> block = x.first(std::min(kSumBlock, x.size()));
    x = x.subspan(block.size());
    double parts[kParts];
    if (finite && block.size() >= least_block && sum(block, parts)) {
      for (const double part : parts) exact.Add(part);
      continue;
    }
    for (const float value : block) {
      if (std::isfinite(value)) exact.Add(one(static_cast<double>(value)));
    }
  }
}

/// No finite value that was seen lies farther from zero.
inline float GreatestMagnitude(const MinMaxState& seen) {
  return seen.finite == 0 ? 0.0f : std::max(-seen.lo, seen.hi);
}

}  // namespace internal

/// Adds the finite values of x to `sum`. `seen` is the range of x, or of more
/// than x.
inline void AddExactly(std::span<const float> x, const MinMaxState& seen,
                       const KernelTable& kernels, ExactFloatSum& sum) {
  // A few values are added sooner than a block is prepared.
  constexpr std::size_t kLeastBlock = 5;
  internal::AddByBlocks<2>(
      x, seen, kLeastBlock,
      [&, greatest = internal::GreatestMagnitude(seen)](
          std::span<const float> block, double* parts) {
        return kernels.exact_sum_f32(block.data(), block.size(), greatest,
                                     parts);
      },
      [](double value) { return value; }, sum);
}

/// The same of squares.
inline void AddSquaresExactly(std::span<const float> x, const MinMaxState& seen,
                              const KernelTable& kernels, ExactSquareSum& sum) {
  internal::AddByBlocks<3>(
      x, seen, 1,
      [&, greatest = internal::GreatestMagnitude(seen)](
          std::span<const float> block, double* parts) {
        return kernels.exact_square_sum_f32(block.data(), block.size(),
                                            greatest, parts);
      },
      [](double value) { return value * value; }, sum);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_SUM_EXACTLY_H_

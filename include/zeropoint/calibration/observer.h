// Observer: what is kept of the values that were seen.
#ifndef ZEROPOINT_CALIBRATION_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_OBSERVER_H_

#include <concepts>
#include <cstdint>
#include <span>

#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

/// A state of constant size that values are folded into.
///
/// Law: a observes x, b observes y, a.Merge(b) leaves the same state as one
/// observer that saw x and then y; so data may be split over batches, threads
/// and machines in any way.
template <class O>
concept Observer = std::semiregular<O> && requires(O observer, const O& other,
                                                   std::span<const float> x,
                                                   const KernelTable& kernels) {
  { observer.Observe(x, kernels) } -> std::same_as<void>;
  { observer.Merge(other) } -> std::same_as<void>;
  { other.count() } -> std::convertible_to<std::uint64_t>;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_OBSERVER_H_

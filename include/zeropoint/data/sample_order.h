// SampleOrder: which samples of a data set are taken, and in which order.
//
// An order is a list of sample numbers; it is made before a sample is read, so
// it does not depend on how the data are stored.
#ifndef ZEROPOINT_DATA_SAMPLE_ORDER_H_
#define ZEROPOINT_DATA_SAMPLE_ORDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/split_mix.h"

namespace zeropoint {

/// The numbers of samples in the order in which they are fed.
using SampleOrder = std::vector<std::size_t>;

/// What is taken of a data set: every `stride`-th sample from `start` on, these
/// shuffled if there is a seed, then `skip` left out and at most `limit` taken.
struct SampleSelection {
  std::size_t start = 0;
  std::size_t stride = 1;
  std::optional<std::uint64_t> shuffle_seed = {};
  std::size_t skip = 0;
  std::optional<std::size_t> limit = {};

  /// Whether the samples are a run of the data set's, in its order.
  bool contiguous() const { return stride == 1 && !shuffle_seed; }
};

/// Shuffles `order` by Fisher and Yates: for i from the last place down to 1,
/// the place j <= i that changes with i is
///
///   j = r mod (i + 1),   r the next of SplitMix64(base + 0, 1, 2, ...),
///   base = SplitMix64(seed); an r below 2^64 mod (i + 1) is passed over,
///   so that every j is as likely.
///
/// The same on every machine, unlike std::shuffle.
inline void ShuffleSamples(std::uint64_t seed, SampleOrder& order) {
  const std::uint64_t base = SplitMix64(seed);
  std::uint64_t drawn = 0;
  for (std::size_t i = order.size(); i-- > 1;) {
    const std::uint64_t choices = i + 1;
    const std::uint64_t uneven = (0 - choices) % choices;  // 2^64 mod choices
    std::uint64_t bits = SplitMix64(base + drawn++);
    while (bits < uneven) bits = SplitMix64(base + drawn++);
    std::swap(order[i], order[static_cast<std::size_t>(bits % choices)]);
  }
}

/// The numbers of the samples that `selection` takes of `total`.
///
/// Errors: kInvalidData when `total` is 0; kInvalidArgument for a stride of 0
/// and when none is left. The messages complete "'a.npz': ...".
inline Result<SampleOrder> OrderSamples(std::size_t total,
                                        const SampleSelection& selection) {
  if (selection.stride == 0) return InvalidArgument("a stride is at least 1");
  SampleOrder order;
  for (std::size_t i = selection.start; i < total;) {
    order.push_back(i);
    if (selection.stride >= total - i) break;
    i += selection.stride;
  }
  if (order.empty() && total > 0) {
    return InvalidArgument("holds " + std::to_string(total) +
                           " samples, of which the start index leaves none");
  }
  if (selection.shuffle_seed) ShuffleSamples(*selection.shuffle_seed, order);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const SampleRange range,
      SelectSamples(order.size(), selection.skip, selection.limit));
  const auto first = order.begin() + static_cast<std::ptrdiff_t>(range.first);
  return SampleOrder(first, first + static_cast<std::ptrdiff_t>(range.count));
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_SAMPLE_ORDER_H_

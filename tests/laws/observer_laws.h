// The laws of an Observer, for any type that claims to be one.
//
// Calibration splits its data over batches, threads and machines and promises
// the same bytes whatever the split. That holds when these laws do. They are
// checked on data that finds fault: NaN, infinities, both zeros, denormals,
// values of every magnitude, and lengths around those of vectors.
#ifndef ZEROPOINT_TESTS_LAWS_OBSERVER_LAWS_H_
#define ZEROPOINT_TESTS_LAWS_OBSERVER_LAWS_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/calibration/observer.h"
#include "zeropoint/core/status.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint::laws {

namespace internal {

inline std::vector<float> AwkwardValues(std::size_t count,
                                        std::mt19937& random) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kSpecial[] = {0.0f,
                                -0.0f,
                                kInfinity,
                                -kInfinity,
                                std::numeric_limits<float>::quiet_NaN(),
                                std::numeric_limits<float>::denorm_min(),
                                std::numeric_limits<float>::max(),
                                std::numeric_limits<float>::lowest()};
  std::uniform_int_distribution<std::size_t> special(0, 8 * 20 - 1);
  std::uniform_int_distribution<std::uint32_t> bits;
  std::normal_distribution<float> normal(0.5f, 2.0f);
  std::vector<float> values(count);
  for (float& value : values) {
    const std::size_t choice = special(random);
    value = choice < 8    ? kSpecial[choice]
            : choice < 24 ? std::bit_cast<float>(bits(random))
                          : normal(random);
  }
  return values;
}

template <Observer O>
O Observed(std::span<const float> x, const KernelTable& kernels) {
  O observer{};
  observer.Observe(x, kernels);
  return observer;
}

/// Cuts x at random, observes each piece on its own and merges neighbours in
/// random pairs until one is left.
template <Observer O>
O ObservedInPieces(std::span<const float> x, const KernelTable& kernels,
                   std::mt19937& random) {
  std::vector<O> pieces;
  std::uniform_int_distribution<std::size_t> length(0, x.size() / 3 + 1);
  while (!x.empty()) {
    const std::size_t take = std::min(length(random), x.size());
    pieces.push_back(Observed<O>(x.first(take), kernels));
    x = x.subspan(take);
  }
  if (pieces.empty()) pieces.push_back(O{});
  while (pieces.size() > 1) {
    std::uniform_int_distribution<std::size_t> at(0, pieces.size() - 2);
    const std::size_t i = at(random);
    pieces[i].Merge(pieces[i + 1]);
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  return pieces.front();
}

}  // namespace internal

/// Whether O keeps the laws:
///
///   nothing     observing no values, or merging one that saw none, on either
///               side, changes nothing
///   grouping    observing x in any pieces is observing x at once
///   merging     so is observing the pieces apart and merging them in any tree
///   order       a permutation of the values, or of the two sides of a merge,
///               changes nothing
///   copying     a copy goes on alone
///   counting    count() of a merge is the sum of both counts
///
/// `state_of(observer)` returns what must be equal under ==. Return bits, not
/// floats (std::bit_cast): the promise is the same bytes, and a float's ==
/// takes -0 for 0 and NaN for nothing.
///
/// Errors: kInvalidArgument naming the first law that is broken, and the seed
/// and length that show it.
template <Observer O, class StateOf>
Status CheckObserverLaws(const KernelTable& kernels, StateOf state_of,
                         unsigned seed = 1) {
  constexpr std::size_t kCounts[] = {0,  1,  2,   7,    8,    9,    63,
                                     64, 65, 513, 1024, 5000, 20011};
  for (const std::size_t count : kCounts) {
    std::mt19937 random(seed + static_cast<unsigned>(count));
    const std::vector<float> x = internal::AwkwardValues(count, random);
    const O whole = internal::Observed<O>(x, kernels);
    const auto expected = state_of(whole);
    const auto broken = [&](std::string_view law) {
      return InvalidArgument("the observer breaks the law of " +
                             std::string(law) + " (" + std::to_string(count) +
                             " values, seed " + std::to_string(seed) + ")");
    };

    O nothing = whole;
    nothing.Observe({}, kernels);
    nothing.Merge(O{});
    O from_nothing{};
    from_nothing.Merge(whole);
    if (state_of(nothing) != expected || state_of(from_nothing) != expected) {
      return broken("nothing");
    }

    O in_turn{};
    std::uniform_int_distribution<std::size_t> length(0, 100);
    for (std::span<const float> rest = x; !rest.empty();) {
      const std::size_t take = std::min(length(random), rest.size());
      in_turn.Observe(rest.first(take), kernels);
      rest = rest.subspan(take);
    }
    if (state_of(in_turn) != expected) return broken("grouping");

    for (int repeat = 0; repeat < 5; ++repeat) {
      const O merged = internal::ObservedInPieces<O>(x, kernels, random);
      if (state_of(merged) != expected) return broken("merging");
    }

    std::vector<float> shuffled = x;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    const std::size_t half = count / 2;
    const std::span<const float> values = x;
    const O first = internal::Observed<O>(values.first(half), kernels);
    O second = internal::Observed<O>(values.subspan(half), kernels);
    const auto counts = first.count() + second.count();
    const O second_alone = second;
    const auto second_state = state_of(second);
    second.Merge(first);
    if (state_of(internal::Observed<O>(shuffled, kernels)) != expected ||
        state_of(second) != expected) {
      return broken("order");
    }
    if (state_of(second_alone) != second_state) return broken("copying");
    if (second.count() != counts) return broken("counting");
  }
  return Status();
}

}  // namespace zeropoint::laws

#endif  // ZEROPOINT_TESTS_LAWS_OBSERVER_LAWS_H_

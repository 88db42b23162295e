// MinMaxObserver: the least and the greatest value.
#ifndef ZEROPOINT_CALIBRATION_MIN_MAX_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_MIN_MAX_OBSERVER_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "zeropoint/calibration/observer.h"
#include "zeropoint/core/qparams.h"

namespace zeropoint {

/// Exact, order-independent, 40 bytes. NaN and infinities are counted and kept
/// out of the range.
class MinMaxObserver {
 public:
  MinMaxObserver() = default;
  explicit MinMaxObserver(const MinMaxState& state) : state_(state) {}

  void Observe(std::span<const float> x, const KernelTable& kernels) {
    kernels.min_max(x.data(), x.size(), &state_);
  }

  void Merge(const MinMaxObserver& other) {
    state_ = Merged(state_, other.state_);
  }

  static MinMaxState Merged(MinMaxState a, const MinMaxState& b) {
    a.lo = std::min(a.lo, b.lo);
    a.hi = std::max(a.hi, b.hi);
    a.finite += b.finite;
    a.nan += b.nan;
    a.infinite += b.infinite;
    return a;
  }

  /// Finite values seen.
  std::uint64_t count() const { return state_.finite; }
  std::uint64_t nan_count() const { return state_.nan; }
  std::uint64_t infinite_count() const { return state_.infinite; }

  /// Requires count() > 0.
  RealRange range() const { return {state_.lo, state_.hi}; }

  const MinMaxState& state() const { return state_; }

  /// Bit for bit.
  friend bool operator==(const MinMaxObserver& a, const MinMaxObserver& b) {
    const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
    return bits(a.state_.lo) == bits(b.state_.lo) &&
           bits(a.state_.hi) == bits(b.state_.hi) &&
           a.state_.finite == b.state_.finite && a.state_.nan == b.state_.nan &&
           a.state_.infinite == b.state_.infinite;
  }

 private:
  MinMaxState state_;
};

static_assert(Observer<MinMaxObserver>);

/// Calls f(chunk, seen) for consecutive chunks of x with the range of each. A
/// chunk is still in the cache when f reads it again.
template <class F>
void ForEachChunk(std::span<const float> x, const KernelTable& kernels, F&& f) {
  constexpr std::size_t kChunk = std::size_t{1} << 16;
  while (!x.empty()) {
    const std::span<const float> chunk = x.first(std::min(kChunk, x.size()));
    x = x.subspan(chunk.size());
    MinMaxState seen;
    kernels.min_max(chunk.data(), chunk.size(), &seen);
    f(chunk, seen);
  }
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_MIN_MAX_OBSERVER_H_

// An observer of one's own: the few greatest magnitudes, so that a range can
// leave out one or two values that occur once in a million. It merges exactly,
// which is the law of observers. docs/guide/calibration.md explains it.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <vector>

#include "zeropoint/calibration/observer.h"
#include "zeropoint/calibration/range_rule.h"
#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zp = zeropoint;

// #region observer
/// The four greatest magnitudes, the greatest first; NaN and infinities are
/// left out.
class GreatestMagnitudes {
 public:
  void Observe(std::span<const float> x, const zp::KernelTable&) {
    for (const float value : x) {
      if (std::isfinite(value)) Insert(std::abs(value));
    }
  }
  void Merge(const GreatestMagnitudes& other) {
    const std::uint64_t count = count_ + other.count_;
    for (const float magnitude : other.magnitudes_) Insert(magnitude);
    count_ = count;
  }
  std::uint64_t count() const { return count_; }
  /// 0 beyond count().
  float operator[](std::size_t place) const { return magnitudes_[place]; }

  friend bool operator==(const GreatestMagnitudes&,
                         const GreatestMagnitudes&) = default;

 private:
  void Insert(float magnitude) {
    ++count_;
    const auto at = std::upper_bound(magnitudes_.begin(), magnitudes_.end(),
                                     magnitude, std::greater<>());
    if (at == magnitudes_.end()) return;
    std::copy_backward(at, magnitudes_.end() - 1, magnitudes_.end());
    *at = magnitude;
  }

  std::array<float, 4> magnitudes_{};
  std::uint64_t count_ = 0;
};
static_assert(zp::Observer<GreatestMagnitudes>);
// #endregion

// #region rule
/// Up to the greatest magnitude but `left_out`.
struct AllButGreatest {
  std::size_t left_out = 1;

  zp::Result<zp::RealRange> Choose(const GreatestMagnitudes& observer,
                                   const zp::SchemeSpec& scheme) const {
    if (observer.count() == 0) {
      return zp::InvalidData("no finite value was observed");
    }
    const float end = observer[left_out];
    return zp::WidenRange({-end, end}, scheme);
  }
};
static_assert(zp::RangeRule<AllButGreatest, GreatestMagnitudes>);
// #endregion

int main() {
  const zp::KernelTable& kernels = zp::DispatchedKernels();
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(std::sin(0.1f * static_cast<float>(i)));
  }
  values[500] = 40.0f;
  values[900] = -25.0f;
  const std::span<const float> all = values;

  GreatestMagnitudes whole;
  whole.Observe(all, kernels);
  GreatestMagnitudes here;
  here.Observe(all.first(600), kernels);
  GreatestMagnitudes there;
  there.Observe(all.subspan(600), kernels);
  there.Merge(here);
  std::printf("merged in the other order: %s\n",
              there == whole ? "equal" : "different");

  const auto scheme = zp::ParseScheme("i8:sym");
  if (!scheme.ok()) return 1;
  for (std::size_t left_out = 0; left_out < 3; ++left_out) {
    const auto range = AllButGreatest{left_out}.Choose(whole, *scheme);
    if (!range.ok()) return 1;
    std::printf("%zu left out: [%.2f, %.2f]\n", left_out, range->lo, range->hi);
  }
  return 0;
}

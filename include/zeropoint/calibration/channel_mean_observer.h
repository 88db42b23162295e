// ChannelMeanObserver: the mean of each channel, which bias correction needs.
#ifndef ZEROPOINT_CALIBRATION_CHANNEL_MEAN_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_CHANNEL_MEAN_OBSERVER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "zeropoint/calibration/sum_exactly.h"
#include "zeropoint/core/exact_sum.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

/// Exact sums and counts along one axis, so that the state does not depend on
/// the order of the samples nor on how they were split. Samples that hold a NaN
/// or an infinity are left out of the mean. A tensor whose channel count
/// changes from sample to sample has no means.
class ChannelMeanObserver {
 public:
  ChannelMeanObserver() = default;
  /// From a stored state.
  ChannelMeanObserver(std::vector<ExactFloatSum> sums, std::uint64_t count,
                      bool mixed)
      : sums_(std::move(sums)), count_(count), mixed_(mixed) {}

  /// Folds a float tensor [outer..., channels, inner...] in, its channels along
  /// `axis`: one whole sample.
  void Observe(const TensorView& tensor, std::size_t axis,
               const KernelTable& kernels) {
    MinMaxState seen;
    const std::span<const float> x = tensor.As<float>();
    kernels.min_max(x.data(), x.size(), &seen);
    Observe(tensor, axis, seen, kernels);
  }
  /// The same of a tensor whose range is known.
  void Observe(const TensorView& tensor, std::size_t axis,
               const MinMaxState& seen, const KernelTable& kernels) {
    if (axis >= tensor.rank() || tensor.size() == 0 || mixed_) return;
    const auto channels = static_cast<std::size_t>(tensor.dims()[axis]);
    if (!sums_.empty() && sums_.size() != channels) {
      SetMixed();
      return;
    }
    std::size_t inner = 1;
    for (std::size_t i = axis + 1; i < tensor.rank(); ++i) {
      inner *= static_cast<std::size_t>(tensor.dims()[i]);
    }
    if (sums_.empty()) sums_.resize(channels);
    if (seen.nan + seen.infinite > 0) return;
    const std::span<const float> x = tensor.As<float>();
    for (std::size_t at = 0, row = 0; at < x.size(); at += inner, ++row) {
      AddExactly(x.subspan(at, inner), seen, kernels, sums_[row % channels]);
    }
    count_ += tensor.size() / channels;
  }

  void Merge(const ChannelMeanObserver& other) {
    if (other.mixed_ || (!sums_.empty() && !other.sums_.empty() &&
                         sums_.size() != other.sums_.size())) {
      SetMixed();
    }
    if (mixed_ || other.sums_.empty()) return;
    if (sums_.empty()) sums_.resize(other.sums_.size());
    for (std::size_t c = 0; c < sums_.size(); ++c) {
      sums_[c].Merge(other.sums_[c]);
    }
    count_ += other.count_;
  }

  /// Values that went into each channel's mean.
  std::uint64_t count() const { return count_; }
  /// Whether samples had different numbers of channels.
  bool mixed() const { return mixed_; }
  std::span<const ExactFloatSum> sums() const { return sums_; }

  /// One mean a channel; empty when nothing was observed.
  std::vector<double> means() const {
    std::vector<double> means;
    if (count_ == 0) return means;
    means.reserve(sums_.size());
    for (const ExactFloatSum& sum : sums_) {
      means.push_back(sum.value() / static_cast<double>(count_));
    }
    return means;
  }

  friend bool operator==(const ChannelMeanObserver&,
                         const ChannelMeanObserver&) = default;

 private:
  void SetMixed() {
    sums_.clear();
    count_ = 0;
    mixed_ = true;
  }

  std::vector<ExactFloatSum> sums_;
  std::uint64_t count_ = 0;
  bool mixed_ = false;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_CHANNEL_MEAN_OBSERVER_H_

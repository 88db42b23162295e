// ChannelMeanObserver: the mean of each channel, which bias correction needs.
#ifndef ZEROPOINT_CALIBRATION_CHANNEL_MEAN_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_CHANNEL_MEAN_OBSERVER_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/core/tensor_view.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

/// Sums and counts along one axis. Samples whose channel count differs from the
/// first one's, or that hold a NaN or an infinity, are left out of the mean.
class ChannelMeanObserver {
 public:
  /// Folds a float tensor [outer..., channels, inner...] in, its channels along
  /// `axis`.
  void Observe(const TensorView& tensor, std::size_t axis,
               const KernelTable& kernels) {
    if (axis >= tensor.rank() || tensor.size() == 0) return;
    const auto channels = static_cast<std::size_t>(tensor.dims()[axis]);
    if (sums_.empty()) sums_.assign(channels, 0.0);
    if (sums_.size() != channels) return;
    std::size_t inner = 1;
    for (std::size_t i = axis + 1; i < tensor.rank(); ++i) {
      inner *= static_cast<std::size_t>(tensor.dims()[i]);
    }
    std::vector<double> sums(channels, 0.0);
    Accumulate(tensor.As<float>(), inner, kernels, sums);
    for (const double sum : sums) {
      if (!std::isfinite(sum)) return;
    }
    for (std::size_t c = 0; c < channels; ++c) sums_[c] += sums[c];
    count_ += tensor.size() / channels;
  }

  /// Values that went into each channel's mean.
  std::uint64_t count() const { return count_; }

  /// One mean a channel; empty when nothing was observed.
  std::vector<double> means() const {
    std::vector<double> means;
    if (count_ == 0) return means;
    means.reserve(sums_.size());
    for (const double sum : sums_) {
      means.push_back(sum / static_cast<double>(count_));
    }
    return means;
  }

 private:
  static void Accumulate(std::span<const float> x, std::size_t inner,
                         const KernelTable& kernels,
                         std::vector<double>& sums) {
    const std::size_t channels = sums.size();
    if (inner == 1) {  // channels last: add whole rows
      for (std::size_t at = 0; at < x.size(); at += channels) {
        for (std::size_t c = 0; c < channels; ++c) {
          sums[c] += static_cast<double>(x[at + c]);
        }
      }
      return;
    }
    for (std::size_t at = 0, row = 0; at < x.size(); at += inner, ++row) {
      sums[row % channels] +=
          static_cast<double>(kernels.sum_f32(x.data() + at, inner));
    }
  }

  std::vector<double> sums_;
  std::uint64_t count_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_CHANNEL_MEAN_OBSERVER_H_

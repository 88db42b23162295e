// PerChannelObserver: one observer for each index along an axis.
#ifndef ZEROPOINT_CALIBRATION_PER_CHANNEL_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_PER_CHANNEL_OBSERVER_H_

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "zeropoint/calibration/observer.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// Observes each channel on its own. As exact and order-independent as O is. A
/// tensor whose channel count changes from sample to sample has no channels.
template <Observer O>
class PerChannelObserver {
 public:
  /// Folds a float tensor [outer..., channels, inner...] in, its channels along
  /// `axis`. Tensors without that axis or without elements say nothing.
  void Observe(const TensorView& tensor, std::size_t axis,
               const KernelTable& kernels) {
    if (axis >= tensor.rank() || tensor.size() == 0 || mixed_) return;
    const auto channels = static_cast<std::size_t>(tensor.dims()[axis]);
    if (!Fits(channels)) return;
    std::size_t inner = 1;
    for (std::size_t i = axis + 1; i < tensor.rank(); ++i) {
      inner *= static_cast<std::size_t>(tensor.dims()[i]);
    }
    const std::span<const float> x = tensor.As<float>();
    if (inner > 1 || channels == 1) {
      for (std::size_t at = 0, row = 0; at < x.size(); at += inner, ++row) {
        channels_[row % channels].Observe(x.subspan(at, inner), kernels);
      }
      return;
    }
    // Channels last: a column is gathered before it is observed.
    constexpr std::size_t kRows = 256;
    const std::size_t rows = x.size() / channels;
    std::vector<float> column(std::min(kRows, rows));
    for (std::size_t first = 0; first < rows; first += kRows) {
      const std::size_t count = std::min(kRows, rows - first);
      for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t r = 0; r < count; ++r) {
          column[r] = x[(first + r) * channels + c];
        }
        channels_[c].Observe(std::span(column).first(count), kernels);
      }
    }
  }

  void Merge(const PerChannelObserver& other) {
    if (other.mixed_) {
      channels_.clear();
      mixed_ = true;
    }
    if (mixed_ || other.channels_.empty() || !Fits(other.channels_.size())) {
      return;
    }
    for (std::size_t c = 0; c < channels_.size(); ++c) {
      channels_[c].Merge(other.channels_[c]);
    }
  }

  /// Empty when nothing was observed or the channel count changed.
  std::span<const O> channels() const { return channels_; }
  bool mixed() const { return mixed_; }

 private:
  bool Fits(std::size_t channels) {
    if (channels_.empty()) channels_.resize(channels);
    if (channels_.size() == channels) return true;
    channels_.clear();
    mixed_ = true;
    return false;
  }

  std::vector<O> channels_;
  bool mixed_ = false;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_PER_CHANNEL_OBSERVER_H_

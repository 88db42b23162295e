// SecondMomentObserver: which inputs of a linear operator are large, and which
// move together. What an error in a weight costs depends on nothing else.
#ifndef ZEROPOINT_CALIBRATION_SECOND_MOMENT_OBSERVER_H_
#define ZEROPOINT_CALIBRATION_SECOND_MOMENT_OBSERVER_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "zeropoint/calibration/min_max_observer.h"
#include "zeropoint/calibration/patches.h"
#include "zeropoint/calibration/per_channel_observer.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

/// Of the patches that were taken: how many, their sum, and the sum of x x^T,
/// for each group of channels by itself. Of all values: the range of each
/// channel.
struct SecondMoments {
  std::size_t groups = 0;
  std::size_t columns = 0;  // channels of a group * taps
  std::uint64_t count = 0;
  std::vector<double> sums;     // [groups, columns]
  std::vector<float> products;  // [groups, columns, columns]
  PerChannelObserver<MinMaxObserver> ranges;

  bool empty() const { return count == 0; }
};

/// Sums over at most `patches` patches a sample (patches.h chooses them), and
/// at most two a column, but 32: a small matrix is known from few.
///
/// Samples must come, and states be merged, in one order for the same bytes:
/// sums are float and double. Another order gives sums that differ by their
/// rounding. A patch that holds a NaN or an infinity is left out.
class SecondMomentObserver {
 public:
  explicit SecondMomentObserver(std::size_t groups = 1,
                                std::size_t patches = 256)
      : patches_(patches) {
    moments_.groups = groups;
  }

  /// Bytes that the state of such an operator takes.
  static double StateBytes(std::size_t groups, std::size_t columns) {
    return 4.0 * static_cast<double>(groups) * static_cast<double>(columns) *
           static_cast<double>(columns);
  }

  /// Takes patches of x [batch, channels, axes...]; `sample` numbers the
  /// samples of the whole calibration. What differs from the first sample in
  /// its channels is left out, and so is what the groups do not divide.
  void Observe(std::span<const float> x, const PatchShape& shape,
               std::uint64_t sample, const KernelTable& kernels,
               const ParallelFor& parallel = SerialFor) {
    const std::size_t rows = shape.channels * shape.taps();
    const std::size_t groups = moments_.groups;
    if (x.empty() || shape.positions() == 0 || groups == 0 || rows == 0 ||
        shape.channels % groups != 0 ||
        x.size() != shape.batch * shape.channels * shape.inputs()) {
      return;
    }
    const std::size_t columns = rows / groups;
    if (moments_.columns == 0) {
      moments_.columns = columns;
      moments_.sums.assign(rows, 0.0);
      moments_.products.assign(rows * columns, 0.0f);
    }
    if (moments_.columns != columns) return;
    const Dims dims{static_cast<std::int64_t>(shape.batch),
                    static_cast<std::int64_t>(shape.channels),
                    static_cast<std::int64_t>(shape.inputs())};
    moments_.ranges.Observe(TensorView(DataType::kFloat, dims, x.data()), 1,
                            kernels);
    const std::vector<std::size_t> positions = ChoosePositions(
        shape.positions(),
        std::min(patches_, std::max(columns * 2, kLeastPatches)), sample);
    const std::size_t count = positions.size();
    std::vector<float> patches(rows * count);
    ExtractPatches(x, shape, positions, patches);
    moments_.count += count - ClearNonFinite(patches, rows, count);
    for (std::size_t row = 0; row < rows; ++row) {
      const float* values = patches.data() + row * count;
      for (std::size_t i = 0; i < count; ++i) {
        moments_.sums[row] += static_cast<double>(values[i]);
      }
    }
    if (groups == 1) {
      AddProducts(0, patches, count, kernels, parallel);
      return;
    }
    parallel(groups, [&](std::size_t group) {
      const std::size_t size = columns * count;
      AddProducts(group, std::span(patches).subspan(group * size, size), count,
                  kernels, SerialFor);
    });
  }

  /// Adds what another observer of the same operator saw.
  void Merge(const SecondMomentObserver& other) {
    if (other.moments_.columns == 0) return;
    if (moments_.columns == 0) {
      *this = other;
      return;
    }
    if (moments_.groups != other.moments_.groups ||
        moments_.columns != other.moments_.columns) {
      return;
    }
    moments_.count += other.moments_.count;
    moments_.ranges.Merge(other.moments_.ranges);
    for (std::size_t i = 0; i < moments_.sums.size(); ++i) {
      moments_.sums[i] += other.moments_.sums[i];
    }
    for (std::size_t i = 0; i < moments_.products.size(); ++i) {
      moments_.products[i] += other.moments_.products[i];
    }
  }

  std::uint64_t count() const { return moments_.count; }
  const SecondMoments& moments() const { return moments_; }
  /// Without a copy; the observer is left as new.
  SecondMoments TakeMoments() {
    SecondMoments fresh;
    fresh.groups = moments_.groups;
    return std::exchange(moments_, std::move(fresh));
  }

 private:
  static constexpr std::size_t kLeastPatches = 32;
  static constexpr std::size_t kRowsATask = 64;

  static std::size_t ClearNonFinite(std::vector<float>& patches,
                                    std::size_t rows, std::size_t count) {
    std::vector<bool> bad(count, false);
    bool any = false;
    for (std::size_t at = 0; at < patches.size(); ++at) {
      if (std::isfinite(patches[at])) continue;
      bad[at % count] = true;
      any = true;
    }
    if (!any) return 0;
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < count; ++i) {
        if (bad[i]) patches[row * count + i] = 0.0f;
      }
    }
    return static_cast<std::size_t>(std::count(bad.begin(), bad.end(), true));
  }

  // x [columns, count], one row after another.
  void AddProducts(std::size_t group, std::span<const float> x,
                   std::size_t count, const KernelTable& kernels,
                   const ParallelFor& parallel) {
    const std::size_t n = moments_.columns;
    const GemmShape shape{n, n, count};
    std::vector<float> packed(kernels.packed_b_count_f32(shape));
    kernels.pack_b_f32(shape, x.data(), 1, count, packed.data());
    std::vector<float> product(n * n);
    float* products = moments_.products.data() + group * n * n;
    parallel((n + kRowsATask - 1) / kRowsATask, [&](std::size_t task) {
      const std::size_t begin = task * kRowsATask;
      const std::size_t end = std::min(n, begin + kRowsATask);
      kernels.gemm_f32(shape, x.data(), count, packed.data(), nullptr, Clamp(),
                       product.data(), n, begin, end);
      for (std::size_t i = begin * n; i < end * n; ++i) {
        products[i] += product[i];
      }
    });
  }

  std::size_t patches_;
  SecondMoments moments_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_SECOND_MOMENT_OBSERVER_H_

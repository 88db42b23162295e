// SearchWeightRanges: the range of each channel of a weight that costs least.
#ifndef ZEROPOINT_PASSES_SEARCH_WEIGHT_RANGES_H_
#define ZEROPOINT_PASSES_SEARCH_WEIGHT_RANGES_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "zeropoint/calibration/second_order_rounding.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/weight_rounding.h"

namespace zeropoint::internal {

using GroupOrders = std::vector<std::optional<RoundingOrder>>;

/// The parameters of each channel of `rounding` whose nearest codes have the
/// least squared error, each weighted by how large its input is (`orders`).
/// Tried are `ranges` times 2^(-4/8) to 1; and to 2 where pairs are limited,
/// since a larger scale makes smaller codes. Where the columns of a row have
/// parameters of their own, those of `ranges` are kept.
inline std::vector<QParams> SearchWeightRanges(
    const WeightRounding& rounding, std::span<const RealRange> ranges,
    const GroupOrders& orders, const KernelTable& kernels,
    const ParallelFor& parallel) {
  // In eighths of an octave; 0 first, so that it wins ties.
  constexpr std::array<int, 13> kEighths = {0, -1, -2, -3, -4, 1, 2,
                                            3, 4,  5,  6,  7,  8};
  constexpr std::size_t kRows = 8;
  const std::size_t tried = rounding.pair_limit() > 0 ? kEighths.size() : 5;
  const std::size_t n = rounding.matrix().columns();
  const std::size_t group_rows = rounding.matrix().rows;
  const std::size_t rows = rounding.matrix().groups * group_rows;
  std::vector<std::vector<QParams>> params;
  params.push_back(rounding.Params(ranges, 1.0));
  if (!rounding.RowsHaveParams()) return std::move(params.front());
  for (std::size_t i = 1; i < tried; ++i) {
    params.push_back(rounding.Params(ranges, std::exp2(kEighths[i] / 8.0)));
  }
  std::vector<double> losses(rows * tried);
  parallel((rows + kRows - 1) / kRows, [&](std::size_t task) {
    const std::size_t begin = task * kRows;
    const std::size_t count = std::min(kRows, rows - begin);
    std::vector<float> weights(count * n);
    rounding.GatherRows(begin, count, weights.data());
    std::vector<float> importance(n);
    for (std::size_t row = begin; row < begin + count; ++row) {
      const std::optional<RoundingOrder>& order = orders[row / group_rows];
      if (order && (row == begin || row % group_rows == 0)) {
        for (std::size_t at = 0; at < n; ++at) {
          importance[at] =
              static_cast<float>(order->diagonal[rounding.ColumnAt(at)]);
        }
      }
      for (std::size_t i = 0; i < tried; ++i) {
        losses[row * tried + i] = kernels.quantization_error_f32(
            weights.data() + (row - begin) * n,
            order ? importance.data() : nullptr, n,
            params[i][rounding.ParamsOfRow(row)], rounding.codes(),
            rounding.pair_limit());
      }
    }
  });
  std::vector<double> of_channel(params.front().size() * tried, 0.0);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < tried; ++i) {
      of_channel[rounding.ParamsOfRow(row) * tried + i] +=
          losses[row * tried + i];
    }
  }
  std::vector<QParams> chosen = params.front();
  for (std::size_t channel = 0; channel < chosen.size(); ++channel) {
    const auto least = std::min_element(
        of_channel.begin() + static_cast<std::ptrdiff_t>(channel * tried),
        of_channel.begin() +
            static_cast<std::ptrdiff_t>((channel + 1) * tried));
    const auto i = static_cast<std::size_t>(least - of_channel.begin()) % tried;
    chosen[channel] = params[i][channel];
  }
  return chosen;
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_SEARCH_WEIGHT_RANGES_H_

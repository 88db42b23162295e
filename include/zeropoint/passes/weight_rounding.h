// WeightRounding: one weight as rounding sees it: rows, parameters, partners.
#ifndef ZEROPOINT_PASSES_WEIGHT_ROUNDING_H_
#define ZEROPOINT_PASSES_WEIGHT_ROUNDING_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/calibration/second_order_rounding.h"
#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/passes/weight_matrix.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint::internal {

/// The weight whose codes are being chosen.
class WeightRounding {
 public:
  WeightRounding(const WeightToRound& weight, const SchemeSpec& scheme,
                 int axis, WeightMatrix matrix, std::int32_t pair_limit)
      : real_(weight.real.As<float>()),
        scheme_(scheme),
        layout_(weight.real.dims(), axis),
        matrix_(matrix),
        pair_limit_(pair_limit) {
    const std::size_t n = matrix.columns();
    for (std::size_t column = 0; column < n; ++column) {
      column_params_.push_back(Index(matrix.Offset(0, 0, column)));
    }
    partners_.resize(n);
    for (std::size_t position = 0; position < n; ++position) {
      const std::size_t other = position ^ 1;
      partners_[ColumnAt(position)] =
          static_cast<std::uint32_t>(ColumnAt(other < n ? other : position));
    }
  }

  const WeightMatrix& matrix() const { return matrix_; }

  /// Calls use(problem) for one group with `params`. The weight is gathered
  /// into rows unless it lies so.
  template <class Use>
  void WithProblem(std::size_t group, std::span<const QParams> params,
                   Use&& use) const {
    const std::size_t n = matrix_.columns();
    std::vector<float> weights(matrix_.rows * n);
    std::vector<std::uint32_t> row_params;
    for (std::size_t row = 0; row < matrix_.rows; ++row) {
      row_params.push_back(Index(matrix_.Offset(group, row, 0)));
      for (std::size_t column = 0; column < n; ++column) {
        weights[row * n + column] = real_[matrix_.Offset(group, row, column)];
      }
    }
    RoundingProblem problem;
    problem.rows = matrix_.rows;
    problem.columns = n;
    problem.weights = weights;
    problem.params = params;
    problem.row_params = row_params;
    problem.column_params = column_params_;
    problem.codes = codes();
    problem.pair_limit = pair_limit();
    problem.partners = partners_;
    use(problem);
  }

  /// The range of each channel. Errors: kInvalidModel for NaN or infinite
  /// values.
  Result<std::vector<RealRange>> Ranges() const {
    std::vector<RealRange> ranges(layout_.channels);
    bool finite = true;
    layout_.ForEach([&](std::size_t channel, std::size_t i) {
      ranges[channel].lo = std::min(ranges[channel].lo, real_[i]);
      ranges[channel].hi = std::max(ranges[channel].hi, real_[i]);
      finite = finite && std::isfinite(real_[i]);
    });
    if (!finite) return InvalidModel("it holds NaN or infinite values");
    return ranges;
  }

  /// The parameters for the range of each channel times `factor`.
  std::vector<QParams> Params(std::span<const RealRange> ranges,
                              double factor) const {
    std::vector<QParams> params;
    params.reserve(ranges.size());
    for (const RealRange& range : ranges) {
      const RealRange scaled{
          static_cast<float>(static_cast<double>(range.lo) * factor),
          static_cast<float>(static_cast<double>(range.hi) * factor)};
      params.push_back(
          ChooseQParams(IsValidRange(scaled) ? scaled : range, scheme_));
    }
    return params;
  }

  /// Rows [begin, begin + count) of all groups' rows, columns in the order in
  /// which partners follow one another.
  void GatherRows(std::size_t begin, std::size_t count, float* rows) const {
    const std::size_t n = matrix_.columns();
    for (std::size_t at = 0; at < n; ++at) {
      const std::size_t column = ColumnAt(at);
      for (std::size_t r = 0; r < count; ++r) {
        const std::size_t row = begin + r;
        rows[r * n + at] = real_[matrix_.Offset(row / matrix_.rows,
                                                row % matrix_.rows, column)];
      }
    }
  }

  /// The column at a position of that order: the kernels walk a window tap by
  /// tap, the channels of one tap side by side, and add two neighbours at a
  /// time.
  std::size_t ColumnAt(std::size_t position) const {
    return position % matrix_.inputs * matrix_.taps + position / matrix_.inputs;
  }

  /// Whether all columns of a row have the same parameters.
  bool RowsHaveParams() const {
    return std::ranges::all_of(column_params_,
                               [](std::uint32_t index) { return index == 0; });
  }

  /// Index of the parameters of one of all groups' rows.
  std::size_t ParamsOfRow(std::size_t row) const {
    return Index(matrix_.Offset(row / matrix_.rows, row % matrix_.rows, 0));
  }

  CodeRange codes() const { return {scheme_.qmin, scheme_.qmax}; }
  std::int32_t pair_limit() const {
    return matrix_.columns() > 1 ? pair_limit_ : 0;
  }

 private:
  /// Index of the parameters of an element. The axis is one of groups and rows,
  /// or one of the columns, so the indices of a row and of a column add up.
  std::uint32_t Index(std::size_t offset) const {
    return static_cast<std::uint32_t>(offset / layout_.inner_count %
                                      layout_.channels);
  }

  std::span<const float> real_;
  const SchemeSpec& scheme_;
  ChannelLayout layout_;
  WeightMatrix matrix_;
  std::int32_t pair_limit_;
  std::vector<std::uint32_t> column_params_;
  std::vector<std::uint32_t> partners_;
};

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_WEIGHT_ROUNDING_H_

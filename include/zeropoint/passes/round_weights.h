// SecondOrderRounder: weights rounded by the second moments of their inputs.
#ifndef ZEROPOINT_PASSES_ROUND_WEIGHTS_H_
#define ZEROPOINT_PASSES_ROUND_WEIGHTS_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/second_order_rounding.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/passes/weight_matrix.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

/// The moments of the input of each linear node, by the names of that input and
/// of the weights. Nodes that read the same patches share them.
using SecondMomentTable = std::map<std::pair<std::string, std::string>,
                                   std::shared_ptr<const SecondMoments>>;

namespace internal {

/// The weight whose codes are being chosen.
class WeightRounding {
 public:
  WeightRounding(const WeightToRound& weight, const SchemeSpec& scheme,
                 int axis, WeightMatrix matrix, std::int32_t pair_limit)
      : real_(weight.real.As<float>()),
        scheme_(scheme),
        axis_(axis),
        layout_(weight.real.dims(), axis),
        matrix_(matrix),
        pair_limit_(pair_limit) {
    const std::size_t n = matrix.columns();
    for (std::size_t column = 0; column < n; ++column) {
      column_params_.push_back(Index(matrix.Offset(0, 0, column)));
    }
    // The kernels walk a window tap by tap, the channels of one tap side by
    // side, and add two neighbours at a time.
    partners_.resize(n);
    for (std::size_t column = 0; column < n; ++column) {
      const std::size_t at =
          column % matrix.taps * matrix.inputs + column / matrix.taps;
      const std::size_t other = at ^ 1;
      partners_[column] = static_cast<std::uint32_t>(
          other < n
              ? other % matrix.inputs * matrix.taps + other / matrix.inputs
              : column);
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
    problem.codes = {scheme_.qmin, scheme_.qmax};
    problem.pair_limit = n > 1 ? pair_limit_ : 0;
    problem.partners = partners_;
    use(problem);
  }

  /// The parameters for the range of each channel times `factor`.
  /// Errors: kInvalidModel for NaN or infinite values.
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

  /// The loss of the nearest codes, for each channel of the parameters: squared
  /// errors weighted by how large each input is.
  std::vector<double> NearestLosses(
      std::span<const QParams> params,
      std::span<const std::optional<RoundingOrder>> orders,
      const KernelTable& kernels) const {
    std::vector<double> losses(params.size(), 0.0);
    for (std::size_t group = 0; group < matrix_.groups; ++group) {
      WithProblem(group, params, [&](const RoundingProblem& problem) {
        const std::vector<std::int32_t> codes =
            RoundSecondOrder(problem, nullptr, kernels);
        for (std::size_t row = 0; row < problem.rows; ++row) {
          for (std::size_t column = 0; column < problem.columns; ++column) {
            const std::size_t at = row * problem.columns + column;
            const std::size_t channel =
                problem.row_params[row] + problem.column_params[column];
            const double error = static_cast<double>(reference::Dequantize(
                                     codes[at], params[channel])) -
                                 static_cast<double>(problem.weights[at]);
            losses[channel] +=
                error * error *
                (orders[group] ? orders[group]->diagonal[column] : 1.0);
          }
        }
      });
    }
    return losses;
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
  int axis_;
  ChannelLayout layout_;
  WeightMatrix matrix_;
  std::int32_t pair_limit_;
  std::vector<std::uint32_t> column_params_;
  std::vector<std::uint32_t> partners_;
};

}  // namespace internal

struct WeightRoundingOptions {
  /// Look for the range of each channel that costs least, from 0.7 times its
  /// largest weight to that weight itself; and beyond it, to twice that, where
  /// the target limits pairs.
  bool search_ranges = true;
  /// TargetSpec::weight_pair_limit.
  std::int32_t pair_limit = 0;
};

/// Rounds weights by RoundSecondOrder where `moments` knows their inputs, to
/// the nearest code elsewhere. Any operator, granularity and integer storage.
///
/// The result depends on the arguments alone, not on the threads.
class SecondOrderRounder final : public WeightRounder {
 public:
  /// `moments` and `kernels` must outlive the rounder.
  SecondOrderRounder(const SecondMomentTable& moments,
                     const KernelTable& kernels,
                     WeightRoundingOptions options = {},
                     ParallelFor parallel = SerialFor)
      : moments_(moments),
        kernels_(kernels),
        options_(options),
        parallel_(std::move(parallel)) {}

  Result<QuantizedTensor> Round(const WeightToRound& weight,
                                const SchemeSpec& scheme,
                                int axis) const override {
    const auto matrix = WeightMatrix::Of(weight.operands, weight.real.dims());
    if (!matrix || weight.real.size() == 0 || scheme.block > 0) {
      return QuantizeConstant(weight.real, scheme, axis);
    }
    // Depthwise kernels multiply each product out in 32 bits.
    const bool pairs = scheme.storage == DataType::kInt8 &&
                       (matrix->groups == 1 || matrix->inputs > 1);
    const internal::WeightRounding rounding(weight, scheme, axis, *matrix,
                                            pairs ? options_.pair_limit : 0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<RealRange> ranges,
                               rounding.Ranges());
    const auto orders = Orders(weight, *matrix);
    QuantizedTensor quantized;
    quantized.codes =
        Tensor(UnpackedType(scheme.storage),
               Dims(weight.real.dims().begin(), weight.real.dims().end()));
    quantized.params.axis = axis;
    quantized.params.channels =
        options_.search_ranges ? SearchParams(rounding, ranges, orders,
                                              pairs && options_.pair_limit > 0)
                               : rounding.Params(ranges, 1.0);
    ZEROPOINT_RETURN_IF_ERROR(
        VisitDataType(quantized.codes.type(), [&]<class Storage>() -> Status {
          if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
            const auto codes = quantized.codes.template MutableAs<Storage>();
            FillCodes(rounding, quantized.params.channels, orders, codes);
            return Status();
          } else {
            return Unsupported("codes are 8- or 16-bit integers");
          }
        }));
    return quantized;
  }

 private:
  using GroupOrders = std::vector<std::optional<RoundingOrder>>;

  GroupOrders Orders(const WeightToRound& weight,
                     const WeightMatrix& matrix) const {
    GroupOrders orders(matrix.groups);
    const auto known =
        moments_.find({std::string(weight.input), std::string(weight.weights)});
    if (known == moments_.end()) return orders;
    const SecondMoments& moments = *known->second;
    if (moments.groups != matrix.groups ||
        moments.columns != matrix.columns()) {
      return orders;
    }
    const auto make = [&](std::size_t group, const ParallelFor& parallel) {
      orders[group] = OrderForRounding(moments, group, weight.bias_is_corrected,
                                       kernels_, parallel);
    };
    if (matrix.groups == 1) {
      make(0, parallel_);
    } else {
      parallel_(matrix.groups,
                [&](std::size_t group) { make(group, SerialFor); });
    }
    return orders;
  }

  std::vector<QParams> SearchParams(const internal::WeightRounding& rounding,
                                    std::span<const RealRange> ranges,
                                    const GroupOrders& orders,
                                    bool also_wider) const {
    // Steps of an eighth of an octave; 1 first, so that it wins ties.
    constexpr std::array<int, 13> kEighths = {0, -1, -2, -3, -4, 1, 2,
                                              3, 4,  5,  6,  7,  8};
    const std::size_t tried = also_wider ? kEighths.size() : 5;
    std::vector<std::vector<QParams>> params(tried);
    std::vector<std::vector<double>> losses(tried);
    parallel_(tried, [&](std::size_t i) {
      params[i] = rounding.Params(ranges, std::exp2(kEighths[i] / 8.0));
      losses[i] = rounding.NearestLosses(params[i], orders, kernels_);
    });
    std::vector<QParams> chosen = params[0];
    for (std::size_t channel = 0; channel < chosen.size(); ++channel) {
      double least = losses[0][channel];
      for (std::size_t i = 1; i < tried; ++i) {
        if (!(losses[i][channel] < least)) continue;
        least = losses[i][channel];
        chosen[channel] = params[i][channel];
      }
    }
    return chosen;
  }

  template <class Storage>
  void FillCodes(const internal::WeightRounding& rounding,
                 std::span<const QParams> params, const GroupOrders& orders,
                 std::span<Storage> codes) const {
    const WeightMatrix& matrix = rounding.matrix();
    const auto fill = [&](std::size_t group, const ParallelFor& parallel) {
      rounding.WithProblem(group, params, [&](const RoundingProblem& problem) {
        const std::vector<std::int32_t> chosen =
            RoundSecondOrder(problem, orders[group] ? &*orders[group] : nullptr,
                             kernels_, parallel);
        for (std::size_t row = 0; row < problem.rows; ++row) {
          for (std::size_t column = 0; column < problem.columns; ++column) {
            codes[matrix.Offset(group, row, column)] =
                static_cast<Storage>(chosen[row * problem.columns + column]);
          }
        }
      });
    };
    if (matrix.groups == 1) {
      fill(0, parallel_);
    } else {
      parallel_(matrix.groups,
                [&](std::size_t group) { fill(group, SerialFor); });
    }
  }

  const SecondMomentTable& moments_;
  const KernelTable& kernels_;
  WeightRoundingOptions options_;
  ParallelFor parallel_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_ROUND_WEIGHTS_H_

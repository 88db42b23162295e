// SecondOrderRounder: weights rounded by the second moments of their inputs.
#ifndef ZEROPOINT_PASSES_ROUND_WEIGHTS_H_
#define ZEROPOINT_PASSES_ROUND_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/second_moment_table.h"
#include "zeropoint/calibration/second_order_rounding.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/passes/search_weight_ranges.h"
#include "zeropoint/passes/weight_matrix.h"
#include "zeropoint/passes/weight_rounder.h"
#include "zeropoint/passes/weight_rounding.h"

namespace zeropoint {

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
        options_.search_ranges
            ? internal::SearchWeightRanges(rounding, ranges, orders, kernels_,
                                           parallel_)
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
  using GroupOrders = internal::GroupOrders;

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

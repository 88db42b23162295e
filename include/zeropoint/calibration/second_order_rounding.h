// RoundSecondOrder: codes for a matrix of weights, chosen so that what the
// matrix computes changes little, not the weights themselves.
#ifndef ZEROPOINT_CALIBRATION_SECOND_ORDER_ROUNDING_H_
#define ZEROPOINT_CALIBRATION_SECOND_ORDER_ROUNDING_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "zeropoint/calibration/second_moment_observer.h"
#include "zeropoint/calibration/triangular_factor.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

/// The inputs of one group as rounding sees them.
struct RoundingOrder {
  /// Columns, the one with the largest second moment first.
  std::vector<std::uint32_t> columns;
  UpperFactor factor;  // of H in that order
  /// The diagonal of H, by column.
  std::vector<double> diagonal;
};

/// H of one group: E[x x^T], or with `centered` the covariance, plus `damping`
/// times the mean of its diagonal. Nothing when the moments are not finite, or
/// nothing but zeros was seen.
///
/// Centered belongs with bias correction, which removes what the errors do to
/// the mean.
inline std::optional<RoundingOrder> OrderForRounding(
    const SecondMoments& moments, std::size_t group, bool centered,
    const KernelTable& kernels, const ParallelFor& parallel = SerialFor,
    double damping = 0.01) {
  const std::size_t n = moments.columns;
  if (moments.count == 0 || group >= moments.groups) return std::nullopt;
  const float* products = moments.products.data() + group * n * n;
  const double* sums = moments.sums.data() + group * n;
  const auto count = static_cast<double>(moments.count);
  const auto moment = [&](std::size_t a, std::size_t b) {
    const double square = static_cast<double>(products[a * n + b]) / count;
    return centered ? square - sums[a] / count * (sums[b] / count) : square;
  };
  RoundingOrder order;
  double trace = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    order.diagonal.push_back(std::max(moment(i, i), 0.0));
    trace += order.diagonal.back();
  }
  const double added = damping * trace / static_cast<double>(n);
  if (!std::isfinite(trace) ||
      added < static_cast<double>(std::numeric_limits<float>::min())) {
    return std::nullopt;
  }
  order.columns.resize(n);
  std::iota(order.columns.begin(), order.columns.end(), 0u);
  std::stable_sort(order.columns.begin(), order.columns.end(),
                   [&](std::uint32_t a, std::uint32_t b) {
                     return order.diagonal[a] > order.diagonal[b];
                   });
  std::vector<double> h(n * n);
  bool finite = true;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      const double value = moment(order.columns[i], order.columns[j]);
      finite = finite && std::isfinite(value);
      h[i * n + j] = value;
    }
    h[i * n + i] = order.diagonal[order.columns[i]] + added;
  }
  if (!finite) return std::nullopt;
  order.factor = FactorUpper(h, n, added, kernels, parallel);
  return order;
}

/// A matrix of weights and what its codes may be.
struct RoundingProblem {
  std::size_t rows = 0;            // outputs
  std::size_t columns = 0;         // inputs
  std::span<const float> weights;  // [rows, columns]
  /// The parameters of element (row, column) are
  /// params[row_params[row] + column_params[column]].
  std::span<const QParams> params;
  std::span<const std::uint32_t> row_params;
  std::span<const std::uint32_t> column_params;
  CodeRange codes{-127, 127};
  /// Where not 0: two codes of one sign in columns that `partners` joins have
  /// magnitudes of at most this sum (TargetSpec::weight_pair_limit).
  std::int32_t pair_limit = 0;
  /// By column; itself where a column has none.
  std::span<const std::uint32_t> partners;
};

namespace internal {

/// Rounds the rows of one block, column after column.
class BlockRounder {
 public:
  BlockRounder(const RoundingProblem& problem, const RoundingOrder* order,
               const KernelTable& kernels,
               std::span<const std::vector<float>> packed)
      : problem_(problem),
        order_(order),
        kernels_(kernels),
        packed_(packed),
        errors_(kRows * problem.columns),
        moved_(kRows * problem.columns),
        product_(order == nullptr ? 0 : kRows * problem.columns) {}

  static constexpr std::size_t kRows = 32;
  static constexpr std::size_t kColumns = 64;

  /// Codes of rows [begin, begin + count) and what each costs. With `feedback`
  /// each weight makes up for the errors before it; without, each goes to its
  /// nearest code.
  void Round(std::size_t begin, std::size_t count, bool feedback,
             std::span<std::int32_t> codes, std::span<double> losses) {
    const std::size_t n = problem_.columns;
    std::fill(moved_.begin(), moved_.end(), 0.0f);
    std::fill(losses.begin(), losses.end(), 0.0);
    std::fill(codes.begin(), codes.end(), kUndecided);
    for (std::size_t first = 0; first < n; first += kColumns) {
      const std::size_t last = std::min(n, first + kColumns);
      for (std::size_t r = 0; r < count; ++r) {
        losses[r] += RoundStretch(begin + r, r, first, last, feedback,
                                  codes.subspan(r * n, n));
      }
      if (order_ != nullptr && last < n) SpreadErrors(first, last, count);
    }
  }

 private:
  static constexpr std::int32_t kUndecided =
      std::numeric_limits<std::int32_t>::min();

  double RoundStretch(std::size_t row, std::size_t r, std::size_t first,
                      std::size_t last, bool feedback,
                      std::span<std::int32_t> codes) {
    const std::size_t n = problem_.columns;
    const float* weights = problem_.weights.data() + row * n;
    float* errors = errors_.data() + r * n;
    float* moved = moved_.data() + r * n;
    double loss = 0.0;
    for (std::size_t j = first; j < last; ++j) {
      const std::size_t column = order_ == nullptr ? j : order_->columns[j];
      const QParams& params = problem_.params[problem_.row_params[row] +
                                              problem_.column_params[column]];
      const float target =
          feedback ? weights[column] - moved[j] : weights[column];
      const CodeRange range = RangeBeside(column, params, codes);
      codes[column] = reference::Quantize(target, params, range);
      const float error =
          reference::Dequantize(codes[column], params) - weights[column];
      errors[j] = error;
      const double rest =
          static_cast<double>(error) + static_cast<double>(moved[j]);
      if (order_ == nullptr) {
        loss += rest * rest;
        continue;
      }
      loss += order_->factor.pivots[j] * rest * rest;
      const float* upper = order_->factor.upper.data() + j * n;
      for (std::size_t k = j + 1; k < last; ++k) moved[k] += upper[k] * error;
    }
    return loss;
  }

  /// The codes that are left to a column once its partner has one.
  CodeRange RangeBeside(std::size_t column, const QParams& params,
                        std::span<const std::int32_t> codes) const {
    CodeRange range = problem_.codes;
    if (problem_.pair_limit == 0) return range;
    const std::size_t partner = problem_.partners[column];
    if (partner == column || codes[partner] == kUndecided) return range;
    // Raw codes are what the kernel multiplies, zero point or not.
    return reference::RangeBeside(codes[partner], range, problem_.pair_limit,
                                  params.zero_point);
  }

  void SpreadErrors(std::size_t first, std::size_t last, std::size_t count) {
    const std::size_t n = problem_.columns;
    const GemmShape shape{count, n - last, last - first};
    kernels_.gemm_f32(shape, errors_.data() + first, n,
                      packed_[first / kColumns].data(), nullptr, Clamp(),
                      product_.data(), n, 0, count);
    for (std::size_t r = 0; r < count; ++r) {
      float* moved = moved_.data() + r * n + last;
      const float* product = product_.data() + r * n;
      for (std::size_t k = 0; k < n - last; ++k) moved[k] += product[k];
    }
  }

  const RoundingProblem& problem_;
  const RoundingOrder* order_;
  const KernelTable& kernels_;
  std::span<const std::vector<float>> packed_;
  std::vector<float> errors_;   // [kRows, columns], in the order
  std::vector<float> moved_;    // what the errors so far ask of each column
  std::vector<float> product_;  // scratch
};

/// The rows of U that pass the errors of each stretch on, packed.
inline std::vector<std::vector<float>> PackStretches(
    const RoundingOrder& order, const KernelTable& kernels) {
  const std::size_t n = order.factor.size;
  std::vector<std::vector<float>> packed;
  for (std::size_t first = 0; first + BlockRounder::kColumns < n;
       first += BlockRounder::kColumns) {
    const std::size_t last = first + BlockRounder::kColumns;
    const GemmShape shape{BlockRounder::kRows, n - last, last - first};
    std::vector<float>& panel = packed.emplace_back();
    panel.resize(kernels.packed_b_count_f32(shape));
    kernels.pack_b_f32(shape, order.factor.upper.data() + first * n + last, n,
                       1, panel.data());
  }
  return packed;
}

}  // namespace internal

/// Rounds `problem` to codes [rows, columns]. With `order`, weights are taken
/// in its order, and each is moved by what makes up best for the errors of
/// those before it:
///
///   e_i = dequantize(q_i) - w_i
///   q_j = quantize(w_j - sum over i < j of e_i * U[i, j])
///
/// which are the codes of GPTQ: with H = U D U^T the loss e^T H e of a row is
/// the sum of D_j (e_j + sum over i < j of e_i U[i, j])^2, and each step makes
/// its own term as small as it can. That is greedy, so a row for which the
/// nearest codes have the smaller loss keeps those. Without `order` every code
/// is the nearest.
///
/// Requires: every index within its span.   Cost: rows * columns^2.
/// Source:   Frantar et al., "GPTQ: Accurate Post-Training Quantization for
///           Generative Pre-trained Transformers" (2022); its equivalence to
///           Babai's nearest-plane algorithm is why no inverse is needed.
inline std::vector<std::int32_t> RoundSecondOrder(
    const RoundingProblem& problem, const RoundingOrder* order,
    const KernelTable& kernels, const ParallelFor& parallel = SerialFor) {
  using internal::BlockRounder;
  const std::size_t n = problem.columns;
  std::vector<std::int32_t> codes(problem.rows * n);
  std::vector<std::vector<float>> packed;
  if (order != nullptr) packed = internal::PackStretches(*order, kernels);
  const std::size_t tasks =
      (problem.rows + BlockRounder::kRows - 1) / BlockRounder::kRows;
  parallel(tasks, [&](std::size_t task) {
    const std::size_t begin = task * BlockRounder::kRows;
    const std::size_t count =
        std::min(problem.rows - begin, BlockRounder::kRows);
    BlockRounder rounder(problem, order, kernels, packed);
    const std::span<std::int32_t> chosen =
        std::span(codes).subspan(begin * n, count * n);
    std::vector<double> losses(count);
    rounder.Round(begin, count, order != nullptr, chosen, losses);
    if (order == nullptr) return;
    std::vector<std::int32_t> nearest(count * n);
    std::vector<double> nearest_losses(count);
    rounder.Round(begin, count, false, nearest, nearest_losses);
    for (std::size_t r = 0; r < count; ++r) {
      if (nearest_losses[r] >= losses[r]) continue;
      std::copy_n(nearest.begin() + static_cast<std::ptrdiff_t>(r * n), n,
                  chosen.begin() + static_cast<std::ptrdiff_t>(r * n));
    }
  });
  return codes;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_SECOND_ORDER_ROUNDING_H_

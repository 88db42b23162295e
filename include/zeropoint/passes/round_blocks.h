// RoundBlocks: a matrix of weights as codes, with a scale for each block of a
// row.
//
// Three roundings, each at least as good as the one before in what it measures:
// nearest takes the range of the block as it is; mse looks for the range whose
// nearest codes have the least squared error; second-order weighs that error by
// what is multiplied, and lets each weight make up for the errors of those
// before it.
#ifndef ZEROPOINT_PASSES_ROUND_BLOCKS_H_
#define ZEROPOINT_PASSES_ROUND_BLOCKS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "zeropoint/calibration/second_order_rounding.h"
#include "zeropoint/core/assert.h"
#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/quantize_tensor.h"

namespace zeropoint {

enum class BlockRounding : std::uint8_t { kNearest, kMse, kSecondOrder };

namespace internal {

/// Looks for the parameters of one block with the least squared error.
class BlockRangeSearch {
 public:
  /// `importance`, of each value, may be null: 1.
  BlockRangeSearch(std::span<const float> block, const float* importance,
                   const SchemeSpec& scheme, const KernelTable& kernels)
      : block_(block),
        importance_(importance),
        scheme_(scheme),
        kernels_(kernels) {}

  /// Tried are `range` itself, so that nothing is worse than that, and what is
  /// left of it down to a half; of an asymmetric scheme also of each end alone.
  /// A symmetric one may reach further by a half step on either side: then its
  /// largest code is the largest value, not a half step less.
  QParams From(RealRange range) {
    Try(range);
    const RealRange whole = range;
    if (scheme_.symmetric) {
      const double steps = static_cast<double>(scheme_.qmax) - scheme_.qmin;
      const double largest = scheme_.qmax - SymmetricZeroPoint(scheme_);
      Try(Times(whole, steps / (2 * largest), steps / (2 * largest)));
    }
    for (int i = 1; i <= kTried; ++i) Try(Times(whole, Part(i), Part(i)));
    if (scheme_.symmetric) return best_;
    const RealRange both = best_range_;
    for (int i = 1; i <= kTried; ++i) Try(Times(both, Part(i), 1.0));
    const RealRange low = best_range_;
    for (int i = 1; i <= kTried; ++i) Try(Times(low, 1.0, Part(i)));
    return best_;
  }

 private:
  static constexpr int kTried = 20;

  /// Dense near 1, where 8-bit codes have their least error.
  static double Part(int i) { return 1.0 - 0.5 * i * i / (kTried * kTried); }
  static RealRange Times(const RealRange& range, double low, double high) {
    return {static_cast<float>(static_cast<double>(range.lo) * low),
            static_cast<float>(static_cast<double>(range.hi) * high)};
  }

  void Try(const RealRange& range) {
    if (!IsValidRange(range)) return;
    const QParams params = ChooseQParams(range, scheme_);
    const double loss = kernels_.quantization_error_f32(
        block_.data(), importance_, block_.size(), params,
        {scheme_.qmin, scheme_.qmax}, 0);
    if (tried_ && loss >= least_) return;
    tried_ = true;
    least_ = loss;
    best_ = params;
    best_range_ = range;
  }

  std::span<const float> block_;
  const float* importance_;
  const SchemeSpec& scheme_;
  const KernelTable& kernels_;
  bool tried_ = false;
  double least_ = 0.0;
  QParams best_;
  RealRange best_range_;
};

/// Rows of one matrix. Each is computed by itself.
class RowRounder {
 public:
  RowRounder(const TensorView& real, const SchemeSpec& scheme,
             BlockRounding rounding, const RoundingOrder* order,
             const KernelTable& kernels)
      : weights_(real.As<float>()),
        columns_(static_cast<std::size_t>(real.dims()[1])),
        block_(scheme.block > 0 ? static_cast<std::size_t>(scheme.block)
                                : columns_),
        scheme_(scheme),
        rounding_(rounding),
        kernels_(kernels) {
    if (order == nullptr) return;
    for (const double moment : order->diagonal) {
      importance_.push_back(static_cast<float>(moment));
    }
  }

  std::size_t columns() const { return columns_; }
  std::size_t blocks() const { return (columns_ + block_ - 1) / block_; }

  /// The parameters of the row's blocks. False when a weight is not finite.
  bool ChooseParams(std::size_t row, QParams* params) const {
    for (std::size_t b = 0; b < blocks(); ++b) {
      const auto values = BlockOf(row, b);
      RealRange range;
      bool finite = true;
      for (const float value : values) {
        range.lo = std::min(range.lo, value);
        range.hi = std::max(range.hi, value);
        finite = finite && value - value == 0.0f;
      }
      if (!finite) return false;
      if (rounding_ == BlockRounding::kNearest) {
        params[b] = ChooseQParams(range, scheme_);
        continue;
      }
      const float* importance =
          importance_.empty() ? nullptr : importance_.data() + b * block_;
      params[b] =
          BlockRangeSearch(values, importance, scheme_, kernels_).From(range);
    }
    return true;
  }

  void RoundToNearest(std::size_t row, const QParams* params,
                      std::uint8_t* codes) const {
    const CodeRange range{scheme_.qmin, scheme_.qmax};
    for (std::size_t c = 0; c < columns_; ++c) {
      codes[c] = static_cast<std::uint8_t>(reference::Quantize(
          weights_[row * columns_ + c], params[c / block_], range));
    }
  }

  /// Rows [begin, begin + count) by the moments of their inputs.
  void RoundByOrder(std::size_t begin, std::size_t count,
                    std::span<const QParams> params, const RoundingOrder& order,
                    const ParallelFor& parallel, std::uint8_t* codes) const {
    std::vector<std::uint32_t> row_params;
    std::vector<std::uint32_t> column_params;
    for (std::size_t r = 0; r < count; ++r) {
      row_params.push_back(static_cast<std::uint32_t>(r * blocks()));
    }
    for (std::size_t c = 0; c < columns_; ++c) {
      column_params.push_back(static_cast<std::uint32_t>(c / block_));
    }
    RoundingProblem problem;
    problem.rows = count;
    problem.columns = columns_;
    problem.weights = weights_.subspan(begin * columns_, count * columns_);
    problem.params = params;
    problem.row_params = row_params;
    problem.column_params = column_params;
    problem.codes = {scheme_.qmin, scheme_.qmax};
    const auto chosen = RoundSecondOrder(problem, &order, kernels_, parallel);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      codes[i] = static_cast<std::uint8_t>(chosen[i]);
    }
  }

 private:
  std::span<const float> BlockOf(std::size_t row, std::size_t b) const {
    const std::size_t begin = b * block_;
    return weights_.subspan(row * columns_ + begin,
                            std::min(block_, columns_ - begin));
  }

  std::span<const float> weights_;
  std::size_t columns_;
  std::size_t block_;
  const SchemeSpec& scheme_;
  BlockRounding rounding_;
  const KernelTable& kernels_;
  std::vector<float> importance_;
};

}  // namespace internal

/// Codes of `real`, a row an output, with parameters for each run of
/// scheme.block weights of a row (the last may be short), or for each row where
/// scheme.block is 0. `order` is what kSecondOrder knows of the inputs; where
/// it is null, kSecondOrder is kMse.
///
/// The result depends on the arguments alone, not on the threads.
///
/// Shapes:   real [rows, columns] float, neither 0; order of `columns`.
/// Requires: codes of at most 8 bits.
/// Errors:   kInvalidModel for NaN or infinite weights.
/// Cost:     rows * columns, times some forty for mse; second-order also
///           rows * columns^2.
/// Source:   kSecondOrder: Frantar et al., "GPTQ: Accurate Post-Training
///           Quantization for Generative Pre-trained Transformers" (2022), with
///           the parameters of all blocks chosen beforehand, so that columns
///           may be taken in any order. kMse: the search for a clipped range of
///           Banner et al., "Post training 4-bit quantization of convolutional
///           networks for rapid-deployment" (2019), over the weights themselves
///           in place of a distribution.
inline Result<QuantizedTensor> RoundBlocks(
    const TensorView& real, const SchemeSpec& scheme, BlockRounding rounding,
    const RoundingOrder* order, const KernelTable& kernels,
    const ParallelFor& parallel = SerialFor) {
  ZEROPOINT_ASSERT(real.rank() == 2 && BitsOf(scheme.storage) <= 8,
                   "RoundBlocks takes a matrix, and codes of at most 8 bits");
  if (rounding != BlockRounding::kSecondOrder) order = nullptr;
  const internal::RowRounder rounder(real, scheme, rounding, order, kernels);
  const auto rows = static_cast<std::size_t>(real.dims()[0]);
  const std::size_t columns = rounder.columns();
  const std::size_t blocks = rounder.blocks();
  QuantizedTensor quantized;
  quantized.codes =
      Tensor(UnpackedType(scheme.storage), {real.dims()[0], real.dims()[1]});
  auto* codes = static_cast<std::uint8_t*>(quantized.codes.mutable_data());
  TensorQParams& params = quantized.params;
  params.axis = scheme.block > 0 ? 1 : 0;
  params.block = scheme.block;
  if (scheme.block > 0) {
    params.block_dims = {real.dims()[0], static_cast<std::int64_t>(blocks)};
  }
  params.channels.resize(rows * blocks);
  std::vector<std::uint8_t> finite(rows);
  constexpr std::size_t kRows = 8;
  parallel((rows + kRows - 1) / kRows, [&](std::size_t task) {
    const std::size_t end = std::min(rows, (task + 1) * kRows);
    for (std::size_t row = task * kRows; row < end; ++row) {
      QParams* of_row = params.channels.data() + row * blocks;
      finite[row] = rounder.ChooseParams(row, of_row) ? 1 : 0;
      if (finite[row] == 0 || order != nullptr) continue;
      rounder.RoundToNearest(row, of_row, codes + row * columns);
    }
  });
  if (std::ranges::find(finite, 0) != finite.end()) {
    return InvalidModel("it holds NaN or infinite values");
  }
  // Bounds the memory of the codes in 32 bits.
  constexpr std::size_t kRowsAtOnce = 2048;
  for (std::size_t row = 0; order != nullptr && row < rows;
       row += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, rows - row);
    rounder.RoundByOrder(
        row, count,
        std::span(params.channels).subspan(row * blocks, count * blocks),
        *order, parallel, codes + row * columns);
  }
  return quantized;
}

/// The same matrix with rows and columns exchanged.
inline QuantizedTensor TransposedBlocks(const QuantizedTensor& matrix) {
  const auto rows = static_cast<std::size_t>(matrix.codes.dims()[0]);
  const auto columns = static_cast<std::size_t>(matrix.codes.dims()[1]);
  QuantizedTensor transposed;
  transposed.codes = Tensor(matrix.codes.type(),
                            {matrix.codes.dims()[1], matrix.codes.dims()[0]});
  const auto* from = static_cast<const std::uint8_t*>(matrix.codes.data());
  auto* to = static_cast<std::uint8_t*>(transposed.codes.mutable_data());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      to[c * rows + r] = from[r * columns + c];
    }
  }
  transposed.params = matrix.params;
  transposed.params.axis = 1 - matrix.params.axis;
  if (matrix.params.block == 0) return transposed;
  std::swap(transposed.params.block_dims[0], transposed.params.block_dims[1]);
  const std::size_t blocks = matrix.params.channels.size() / rows;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t b = 0; b < blocks; ++b) {
      transposed.params.channels[b * rows + r] =
          matrix.params.channels[r * blocks + b];
    }
  }
  return transposed;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_ROUND_BLOCKS_H_

// FactorUpper: H = U D U^T, U upper triangular with ones on its diagonal.
//
// The order of the columns is the order in which second-order rounding decides;
// row i of U says how far an error in column i moves the best place of the
// columns after it. GPTQ takes the same numbers from the Cholesky factor of
// H^-1; factoring H from its last column backwards needs no inverse.
#ifndef ZEROPOINT_CALIBRATION_TRIANGULAR_FACTOR_H_
#define ZEROPOINT_CALIBRATION_TRIANGULAR_FACTOR_H_

#include <algorithm>
#include <cstddef>
#include <vector>

#include "zeropoint/core/parallel_for.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

/// U, row by row, and D.
struct UpperFactor {
  std::size_t size = 0;
  /// [size, size]; zero below the diagonal.
  std::vector<float> upper;
  std::vector<double> pivots;  // D
};

/// Factors a symmetric matrix of which only the upper triangle is read.
///
/// A pivot below `least` becomes `least`: H plus a multiple of one unit matrix
/// entry is factored instead, so rounding in H does no harm.
///
/// Shapes:   h [size, size], overwritten.
/// Requires: least > 0; every value finite.
/// Cost:     size^3 / 3, in blocks by the float matrix product of `kernels`
///           (differences are taken in double).
inline UpperFactor FactorUpper(std::vector<double>& h, std::size_t size,
                               double least, const KernelTable& kernels,
                               const ParallelFor& parallel = SerialFor) {
  constexpr std::size_t kBlock = 64;
  UpperFactor factor;
  factor.size = size;
  factor.upper.assign(size * size, 0.0f);
  factor.pivots.assign(size, 0.0);
  std::vector<float> scaled;   // [rows above, block]: U * D
  std::vector<float> packed;   // U of the block, transposed
  std::vector<float> product;  // [rows above, rows above]
  for (std::size_t end = size; end > 0;) {
    const std::size_t begin = end - std::min(kBlock, end);
    // Columns [begin, end), the last one first; what is above them waits.
    for (std::size_t j = end; j-- > begin;) {
      const double pivot = std::max(h[j * size + j], least);
      factor.pivots[j] = pivot;
      factor.upper[j * size + j] = 1.0f;
      for (std::size_t i = 0; i < j; ++i) {
        const double u = h[i * size + j] / pivot;
        factor.upper[i * size + j] = static_cast<float>(u);
        double* row = h.data() + i * size;
        const std::size_t first = std::max(i, begin);
        for (std::size_t k = first; k < j; ++k) row[k] -= u * h[k * size + j];
      }
    }
    const std::size_t width = end - begin;
    if (begin > 0) {
      scaled.resize(begin * width);
      for (std::size_t i = 0; i < begin; ++i) {
        for (std::size_t k = 0; k < width; ++k) {
          scaled[i * width + k] = static_cast<float>(
              static_cast<double>(factor.upper[i * size + begin + k]) *
              factor.pivots[begin + k]);
        }
      }
      const GemmShape shape{begin, begin, width};
      packed.resize(kernels.packed_b_count_f32(shape));
      kernels.pack_b_f32(shape, factor.upper.data() + begin, 1, size,
                         packed.data());
      product.resize(begin * begin);
      parallel((begin + kBlock - 1) / kBlock, [&](std::size_t task) {
        const std::size_t from = task * kBlock;
        const std::size_t to = std::min(begin, from + kBlock);
        kernels.gemm_f32(shape, scaled.data(), width, packed.data(), nullptr,
                         Clamp(), product.data(), begin, from, to);
        for (std::size_t i = from; i < to; ++i) {
          for (std::size_t k = i; k < begin; ++k) {
            h[i * size + k] -= static_cast<double>(product[i * begin + k]);
          }
        }
      });
    }
    end = begin;
  }
  return factor;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_TRIANGULAR_FACTOR_H_

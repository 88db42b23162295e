// WeightMatrix: the weight of a linear operator as one matrix a group, whatever
// order the operator stores it in.
#ifndef ZEROPOINT_PASSES_WEIGHT_MATRIX_H_
#define ZEROPOINT_PASSES_WEIGHT_MATRIX_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "zeropoint/passes/operands.h"

namespace zeropoint {

/// Rows are outputs of a group; columns are its input channels times the taps
/// of the window, tap fastest, as patches.h has them.
struct WeightMatrix {
  std::size_t groups = 1;
  std::size_t rows = 0;
  std::size_t inputs = 0;
  std::size_t taps = 1;
  /// Conv and transposed Gemm store outputs first; ConvTranspose, Gemm and
  /// MatMul inputs.
  bool outputs_first = true;

  /// Of the weight [M, C/group, k...], [C, M/group, k...], [K, N] or [N, K].
  /// Nothing for a stack of matrices (MatMul of rank above 2).
  static std::optional<WeightMatrix> Of(const Operands& operands,
                                        std::span<const std::int64_t> dims) {
    const bool stack = operands.channel_axis < 0 && dims.size() != 2;
    if (dims.size() < 2 || stack || operands.group < 1 ||
        dims[0] % operands.group != 0) {
      return std::nullopt;
    }
    WeightMatrix matrix;
    matrix.groups = static_cast<std::size_t>(operands.group);
    matrix.outputs_first = operands.weight_axis == 0;
    const auto first = static_cast<std::size_t>(dims[0]) / matrix.groups;
    const auto second = static_cast<std::size_t>(dims[1]);
    matrix.rows = matrix.outputs_first ? first : second;
    matrix.inputs = matrix.outputs_first ? second : first;
    for (std::size_t i = 2; i < dims.size(); ++i) {
      matrix.taps *= static_cast<std::size_t>(dims[i]);
    }
    return matrix;
  }

  std::size_t columns() const { return inputs * taps; }

  /// Where the element lies in the weight.
  std::size_t Offset(std::size_t group, std::size_t row,
                     std::size_t column) const {
    const std::size_t input = column / taps;
    const std::size_t pair = outputs_first
                                 ? (group * rows + row) * inputs + input
                                 : (group * inputs + input) * rows + row;
    return pair * taps + column % taps;
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_WEIGHT_MATRIX_H_

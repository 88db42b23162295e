// What a recurrent operator on codes reads and rounds: DynamicQuantizeLSTM.
#ifndef ZEROPOINT_EXEC_OPERATORS_RECURRENT_CODES_H_
#define ZEROPOINT_EXEC_OPERATORS_RECURRENT_CODES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/exec/operators/reals.h"

namespace zeropoint::recurrent {

/// Rounds x as DynamicQuantizeLinear and DequantizeLinear in a row do.
inline void RoundDynamically(std::span<double> x) {
  RealRange range;
  for (const double value : x) {
    range.lo = std::min(range.lo, static_cast<float>(value));
    range.hi = std::max(range.hi, static_cast<float>(value));
  }
  if (!IsValidRange(range)) return;
  constexpr SchemeSpec kScheme;  // uint8, asymmetric
  constexpr CodeRange kCodes{kScheme.qmin, kScheme.qmax};
  const QParams params = ChooseQParams(range, kScheme);
  for (double& value : x) {
    const std::int32_t code =
        reference::Quantize(static_cast<float>(value), params, kCodes);
    value = static_cast<double>(reference::Dequantize(code, params));
  }
}

/// Weights that are stored as codes [directions, columns, rows], for a product
/// with rows * columns weights: [directions, rows, columns]. Input i + 1 has
/// their zero points, input i their scales: one a direction, or one a row of
/// each.
/// Errors: missing; another number of scales or zero points.
inline Result<std::vector<double>> ReadCodes(const OpContext& context,
                                             std::size_t weights,
                                             std::size_t i) {
  const auto dims = context.input(weights).dims();
  const auto directions = static_cast<std::size_t>(dims[0]);
  const auto columns = static_cast<std::size_t>(dims[1]);
  const auto rows = static_cast<std::size_t>(dims[2]);
  ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<double> codes,
                             ReadReals(context, weights));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<double> scales,
                             ReadReals(context, i));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<double> zeros,
                             ReadReals(context, i + 1));
  const bool per_row = scales.size() == directions * rows;
  if ((!per_row && scales.size() != directions) ||
      zeros.size() != scales.size()) {
    return InvalidData("input " + std::to_string(i) + " has " +
                       std::to_string(scales.size()) + " scales and " +
                       std::to_string(zeros.size()) + " zero points for " +
                       std::to_string(directions) + " directions of " +
                       std::to_string(rows) + " rows");
  }
  std::vector<double> reals(codes.size());
  for (std::size_t d = 0; d < directions; ++d) {
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t at = per_row ? d * rows + row : d;
      for (std::size_t column = 0; column < columns; ++column) {
        reals[(d * rows + row) * columns + column] =
            (codes[(d * columns + column) * rows + row] - zeros[at]) *
            scales[at];
      }
    }
  }
  return reals;
}

}  // namespace zeropoint::recurrent

#endif  // ZEROPOINT_EXEC_OPERATORS_RECURRENT_CODES_H_

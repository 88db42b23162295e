// Bias correction: what rounding the weights shifts on average is taken back in
// the bias.
#ifndef ZEROPOINT_PASSES_CORRECT_BIAS_H_
#define ZEROPOINT_PASSES_CORRECT_BIAS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "zeropoint/core/tensor_view.h"
#include "zeropoint/passes/operands.h"

namespace zeropoint {

/// The mean shift of each output channel that rounded weights cause, with
/// opposite sign: what to add to the bias.
///
///   correction[o] = sum over input channels c and taps t of (W - Wq)[o, c, t]
///   * mean[c]
///
/// Each layer is corrected for its own rounding alone, with the means of the
/// float model's inputs; so layers may be corrected in any order, and none
/// takes back what another has already.
///
/// Shapes:   real, rounded: the weight of Conv [M, C/group, k...],
/// ConvTranspose [C, M/group, k...] or Gemm ([K, N], or
///           [N, K] transposed), float; means: one for each channel of the
///           input.
/// Returns:  one value for each output channel; empty when the means do not fit
/// the weight. Source:   Nagel et al., "Data-Free Quantization Through Weight
/// Equalization and Bias Correction" (2019), section 4.2;
///           here with calibrated means.
inline std::vector<double> BiasCorrection(const TensorView& real,
                                          const TensorView& rounded,
                                          const Operands& operands,
                                          std::span<const double> means) {
  const auto dim = [&real](std::size_t i) {
    return static_cast<std::size_t>(real.dims()[i]);
  };
  const auto group = static_cast<std::size_t>(operands.group);
  const bool outputs_first = operands.weight_axis == 0;
  std::size_t taps = 1;
  for (std::size_t i = 2; i < real.rank(); ++i) taps *= dim(i);
  // Of one group.
  const std::size_t outputs = outputs_first ? dim(0) / group : dim(1);
  const std::size_t inputs = outputs_first ? dim(1) : dim(0) / group;
  if (means.size() != inputs * group) return {};
  const std::span<const float> w = real.As<float>();
  const std::span<const float> q = rounded.As<float>();
  std::vector<double> correction(outputs * group, 0.0);
  for (std::size_t g = 0; g < group; ++g) {
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t i = 0; i < inputs; ++i) {
        const std::size_t row = outputs_first ? (g * outputs + o) * inputs + i
                                              : (g * inputs + i) * outputs + o;
        double error = 0.0;
        for (std::size_t t = row * taps; t < (row + 1) * taps; ++t) {
          error += static_cast<double>(w[t]) - static_cast<double>(q[t]);
        }
        correction[g * outputs + o] += error * means[g * inputs + i];
      }
    }
  }
  return correction;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_CORRECT_BIAS_H_

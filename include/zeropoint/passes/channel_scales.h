// ChannelScales: by how much each channel of an activation is divided before it
// is quantized, so that one scale serves them all.
#ifndef ZEROPOINT_PASSES_CHANNEL_SCALES_H_
#define ZEROPOINT_PASSES_CHANNEL_SCALES_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "zeropoint/core/qparams.h"

namespace zeropoint {

/// What an activation x [channels] is multiplied by: one linear node.
struct ChannelReader {
  std::size_t rows = 0;
  /// The greatest magnitude among the weights of each [row, channel].
  std::vector<float> greatest;
  /// Of the weights of each channel: the sum of squares.
  std::vector<double> weight_squares;
  /// Of each channel: the mean of x^2, times its weights in one row.
  std::vector<double> input_squares;
};

/// One activation with its readers.
struct ChannelProblem {
  std::vector<RealRange> ranges;  // of each channel
  std::vector<ChannelReader> readers;
  /// Steps from the least code to the greatest, and from 0 to the greatest.
  double activation_steps = 255.0;
  double weight_steps = 127.0;
};

namespace internal {

inline double Quantile(std::vector<double> values, double quantile) {
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(
                           quantile * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace internal

/// The noise that rounding leaves in the outputs of the readers when channel c
/// is divided by scales[c] and its weights are multiplied by it:
///
///   d^2 / 12 * sum_c s_c^2 |W_c|^2  +  sum_i d_i^2 / 12 * sum_c E[x_c^2] /
///   s_c^2
///
/// with the step d of the activation and d_i of row i of the weights, both from
/// the ranges that the scales leave; no scales: all 1.
inline double ChannelNoise(const ChannelProblem& problem,
                           std::span<const double> scales = {}) {
  const auto scale = [&](std::size_t c) {
    return scales.empty() ? 1.0 : scales[c];
  };
  const std::size_t channels = problem.ranges.size();
  double lo = 0.0;
  double hi = 0.0;
  for (std::size_t c = 0; c < channels; ++c) {
    lo = std::min(lo, static_cast<double>(problem.ranges[c].lo) / scale(c));
    hi = std::max(hi, static_cast<double>(problem.ranges[c].hi) / scale(c));
  }
  const double step = (hi - lo) / problem.activation_steps;
  double noise = 0.0;
  for (const ChannelReader& reader : problem.readers) {
    double inputs = 0.0;
    double weights = 0.0;
    for (std::size_t c = 0; c < channels; ++c) {
      weights += scale(c) * scale(c) * reader.weight_squares[c];
      inputs += reader.input_squares[c] / (scale(c) * scale(c));
    }
    double row_steps = 0.0;
    for (std::size_t row = 0; row < reader.rows; ++row) {
      double greatest = 0.0;
      for (std::size_t c = 0; c < channels; ++c) {
        const float weight = reader.greatest[row * channels + c];
        greatest = std::max(greatest, static_cast<double>(weight) * scale(c));
      }
      const double row_step = greatest / problem.weight_steps;
      row_steps += row_step * row_step;
    }
    noise += (step * step * weights + row_steps * inputs) / 12.0;
  }
  return noise;
}

/// The scales of least ChannelNoise among max(1, s_c / median(s)) with
///
///   s_c = a_c^alpha / w_c^(1 - alpha)      with alpha from 0.2 to 1
///   s_c = max(1, a_c / t)                  with t a quantile of the a_c
///
/// where a_c is the greatest magnitude in channel c and w_c that of its
/// weights; channels that are always 0, or whose weights are, keep 1. Nothing
/// when 1 is best for all. A narrow channel is not widened: what was small in a
/// few samples may be larger in others, and would be cut off.
///
/// Source: the first G. Xiao et al., "SmoothQuant" (2022), where alpha is
/// fixed; with alpha = 1/2 it is M. Nagel et al., "Data-Free Quantization
/// Through Weight Equalization and Bias Correction" (2019). The second touches
/// nothing but the channels that stand out. Cost: candidates * weights.
inline std::vector<double> ChooseChannelScales(const ChannelProblem& problem) {
  const std::size_t channels = problem.ranges.size();
  std::vector<double> inputs(channels);
  std::vector<double> weights(channels, 0.0);
  for (std::size_t c = 0; c < channels; ++c) {
    inputs[c] = static_cast<double>(
        std::max(-problem.ranges[c].lo, problem.ranges[c].hi));
    for (const ChannelReader& reader : problem.readers) {
      for (std::size_t row = 0; row < reader.rows; ++row) {
        weights[c] =
            std::max(weights[c],
                     static_cast<double>(reader.greatest[row * channels + c]));
      }
    }
  }
  std::vector<double> best;
  double least = ChannelNoise(problem);
  const auto consider = [&](auto scale_of) {
    std::vector<double> scales(channels, 1.0);
    std::vector<double> used;
    for (std::size_t c = 0; c < channels; ++c) {
      if (!(inputs[c] > 0.0 && weights[c] > 0.0)) continue;
      used.push_back(scale_of(c));
    }
    if (used.empty()) return;
    const double median = internal::Quantile(used, 0.5);
    if (!(median > 0.0) || !std::isfinite(median)) return;
    for (std::size_t c = 0, at = 0; c < channels; ++c) {
      if (!(inputs[c] > 0.0 && weights[c] > 0.0)) continue;
      scales[c] = std::max(1.0, used[at++] / median);
      if (!(scales[c] < 1e6)) return;
    }
    const double noise = ChannelNoise(problem, scales);
    if (noise < least) {
      least = noise;
      best = std::move(scales);
    }
  };
  for (const double alpha : {0.2, 0.35, 0.5, 0.65, 0.8, 1.0}) {
    consider([&](std::size_t c) {
      return std::pow(inputs[c], alpha) / std::pow(weights[c], 1.0 - alpha);
    });
  }
  for (const double quantile : {0.5, 0.75, 0.9, 0.97}) {
    const double threshold = internal::Quantile(inputs, quantile);
    if (threshold <= 0.0) continue;
    consider(
        [&](std::size_t c) { return std::max(1.0, inputs[c] / threshold); });
  }
  return best;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_CHANNEL_SCALES_H_

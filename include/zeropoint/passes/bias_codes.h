// BiasCodes: the bias of a quantized operator in the unit of its accumulator.
#ifndef ZEROPOINT_PASSES_BIAS_CODES_H_
#define ZEROPOINT_PASSES_BIAS_CODES_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/core/rounding.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/passes/quantized_values.h"

namespace zeropoint::internal {

/// The reals that a constant holds, or that constant codes stand for, as float.
inline std::optional<Tensor> ConstantReals(const GraphView& graph,
                                           ValueId value) {
  if (graph.IsConstant(value)) {
    Result<Tensor> tensor = RealConstant(graph, value);
    if (!tensor.ok()) return std::nullopt;
    return std::move(*tensor);
  }
  const auto quantized = DequantizedFrom(graph, value);
  if (!quantized || !graph.IsConstant(quantized->codes)) return std::nullopt;
  Result<Tensor> codes = graph.Constant(quantized->codes);
  if (!codes.ok() ||
      (codes->type() != DataType::kInt32 && !FullCodeRange(codes->type()))) {
    return std::nullopt;
  }
  return DequantizeConstant({std::move(*codes), quantized->params});
}

/// An int32 bias: a value that is there already, or new codes.
struct BiasCodes {
  ValueId present = kNoValue;
  std::vector<std::int32_t> codes;
  /// Why there is none.
  std::string reason;
};

/// The bias `value` in steps of `scales`, one for each of `channels` or for
/// all, times `factor`:
///
///   codes[c] = round_half_even(factor * bias[c] / scales[c])
///
/// Codes that have these scales already are taken as they are.
inline BiasCodes BiasInSteps(const GraphView& graph, ValueId value,
                             const std::vector<float>& scales, double factor,
                             std::size_t channels) {
  constexpr double kMost = std::numeric_limits<std::int32_t>::max();
  BiasCodes bias;
  const auto reals = ConstantReals(graph, value);
  if (!reals || reals->size() != channels) {
    bias.reason = "its bias is not a constant with one value a channel";
    return bias;
  }
  const auto step = [&](std::size_t c) {
    return scales[scales.size() == 1 ? 0 : c];
  };
  if (const auto quantized = DequantizedFrom(graph, value);
      quantized && quantized->storage == DataType::kInt32 && factor == 1.0 &&
      graph.shape(quantized->codes) ==
          Dims{static_cast<std::int64_t>(channels)}) {
    const std::vector<QParams>& params = quantized->params.channels;
    bool equal = true;
    for (std::size_t c = 0; c < channels; ++c) {
      equal =
          equal && params[params.size() == 1 ? 0 : c] == QParams{step(c), 0};
    }
    if (equal) {
      bias.present = quantized->codes;
      return bias;
    }
  }
  for (const float scale : scales) {
    if (!(scale >= std::numeric_limits<float>::min())) {
      bias.reason = "the product of its scales is not a normal number";
      return bias;
    }
  }
  const auto values = reals->As<float>();
  for (std::size_t c = 0; c < channels; ++c) {
    const double steps =
        factor * static_cast<double>(values[c]) / static_cast<double>(step(c));
    if (!(std::abs(steps) <= kMost)) {
      bias.reason =
          "its bias exceeds int32 in steps of input scale * weight "
          "scale";
      return bias;
    }
    bias.codes.push_back(static_cast<std::int32_t>(RoundHalfEven(steps)));
  }
  return bias;
}

/// The scales of products of codes of `a` and `b`, one for each channel of b or
/// one for all: alpha * a.scale * b.scale[c], float products from left to
/// right. Requires a.per_tensor().
inline std::vector<float> ProductScales(float alpha, const QuantizedValue& a,
                                        const QuantizedValue& b) {
  std::vector<float> scales;
  for (const QParams& each : b.params.channels) {
    scales.push_back(alpha * a.tensor_params().scale * each.scale);
  }
  return scales;
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_BIAS_CODES_H_

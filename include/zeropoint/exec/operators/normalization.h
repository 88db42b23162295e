// LayerNormalization, BatchNormalization, InstanceNormalization.
#ifndef ZEROPOINT_EXEC_OPERATORS_NORMALIZATION_H_
#define ZEROPOINT_EXEC_OPERATORS_NORMALIZATION_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace normalization {

// Elements that are worth a task of their own.
inline constexpr std::size_t kGrain = 4096;

/// y = (x - mean) / sqrt(variance + epsilon) * scale + bias, mean and variance
/// over the axes from `axis` on.
///
/// Shapes: scale and bias broadcast to x's; outputs 1 and 2, the mean and
/// 1 / sqrt(variance + epsilon), have x's shape with the normalized axes of
/// size 1.
class LayerNormalization final : public Operator {
 public:
  explicit LayerNormalization(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", -1)),
        epsilon_(GetFloat(init.node, "epsilon", 1e-5f)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<float>(0));
    const auto dims = context.input(0).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, dims.size()));
    const auto row_dims = dims.subspan(axis);
    const std::size_t row = CountOf(row_dims);
    ZEROPOINT_ASSIGN_OR_RETURN(const float* scale, RowOf(context, 1, row_dims));
    const float* bias = nullptr;
    if (context.has_input(2)) {
      ZEROPOINT_ASSIGN_OR_RETURN(bias, RowOf(context, 2, row_dims));
    }
    if (x.empty()) {
      ZEROPOINT_RETURN_IF_ERROR(
          context.Output<float>(0, ToDims(dims)).status());
      return Status();
    }
    ZEROPOINT_RETURN_IF_ERROR(SaveStatistics(context, axis, row));
    ZEROPOINT_ASSIGN_OR_RETURN(float* y,
                               context.OutputOver<float>(0, 0, ToDims(dims)));
    context.pool().ParallelRanges(x.size() / row, kGrain / row + 1,
                                  [&](std::size_t begin, std::size_t end) {
                                    for (std::size_t i = begin; i < end; ++i) {
                                      context.kernels().layer_norm_f32(
                                          x.data() + i * row, row, scale, bias,
                                          epsilon_, y + i * row);
                                    }
                                  });
    return Status();
  }

 private:
  // Input i as one value for each element of a row.
  static Result<const float*> RowOf(OpContext& context, std::size_t i,
                                    std::span<const std::int64_t> row_dims) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto values, context.Input<float>(i));
    auto dims = context.input(i).dims();
    while (dims.size() > row_dims.size() && dims[0] == 1) {
      dims = dims.subspan(1);
    }
    if (std::ranges::equal(dims, row_dims)) return values.data();
    ZEROPOINT_ASSIGN_OR_RETURN(const Dims both, BroadcastDims(dims, row_dims));
    if (!std::ranges::equal(both, row_dims)) {
      return InvalidData("input " + std::to_string(i) + " of shape " +
                         FormatDims(dims) + " does not fit rows of shape " +
                         FormatDims(row_dims));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(float* row,
                               context.Scratch<float>(CountOf(row_dims)));
    data_movement::CopyBox(row_dims, BroadcastStrides(dims, row_dims),
                           reinterpret_cast<const std::byte*>(values.data()),
                           RowMajorStrides(row_dims),
                           reinterpret_cast<std::byte*>(row), sizeof(float),
                           context.pool());
    return static_cast<const float*>(row);
  }

  // The optional outputs of training, from rows of x.
  Status SaveStatistics(OpContext& context, std::size_t axis,
                        std::size_t row) const {
    if (!context.wants_output(1) && !context.wants_output(2)) return Status();
    const auto x = context.input(0).As<float>();
    Dims dims = ToDims(context.input(0).dims());
    std::fill(dims.begin() + static_cast<std::ptrdiff_t>(axis), dims.end(), 1);
    std::vector<float> statistics[2];
    for (std::size_t at = 0; at < x.size(); at += row) {
      double mean = 0.0;
      for (const float value : x.subspan(at, row)) mean += value;
      mean /= static_cast<double>(row);
      double variance = 0.0;
      for (const float value : x.subspan(at, row)) {
        variance += (value - mean) * (value - mean);
      }
      variance /= static_cast<double>(row);
      statistics[0].push_back(static_cast<float>(mean));
      statistics[1].push_back(
          static_cast<float>(1.0 / std::sqrt(variance + epsilon_)));
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if (!context.wants_output(i + 1)) continue;
      ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.Output<float>(i + 1, dims));
      std::ranges::copy(statistics[i], y);
    }
    return Status();
  }

  std::int64_t axis_;
  float epsilon_;
};

/// y = x * factor[c] + shift[c] over an input of shape [N, C, ...].
inline Status ScaleChannels(OpContext& context, std::span<const float> factor,
                            std::span<const float> shift) {
  const auto x = context.input(0).As<float>();
  const auto dims = context.input(0).dims();
  ZEROPOINT_ASSIGN_OR_RETURN(float* y,
                             context.OutputOver<float>(0, 0, ToDims(dims)));
  if (x.empty()) return Status();
  const std::size_t image = CountOf(dims.subspan(2));
  context.pool().ParallelRanges(x.size() / image, kGrain / image + 1,
                                [&](std::size_t begin, std::size_t end) {
                                  for (std::size_t i = begin; i < end; ++i) {
                                    const float a = factor[i % factor.size()];
                                    const float b = shift[i % factor.size()];
                                    for (std::size_t k = i * image;
                                         k < (i + 1) * image; ++k) {
                                      y[k] = x[k] * a + b;
                                    }
                                  }
                                });
  return Status();
}

/// Inputs [first, first + count), each with one number a channel.
inline Result<std::vector<std::span<const float>>> PerChannel(
    const OpContext& context, std::size_t first, std::size_t count) {
  const auto dims = context.input(0).dims();
  if (dims.size() < 2) {
    return InvalidData("shape " + FormatDims(dims) +
                       " has no channels; expected [N, C, ...]");
  }
  std::vector<std::span<const float>> inputs;
  for (std::size_t i = first; i < first + count; ++i) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto values, context.Input<float>(i));
    if (static_cast<std::int64_t>(values.size()) != dims[1]) {
      return InvalidData("input " + std::to_string(i) + " has " +
                         std::to_string(values.size()) + " values for " +
                         std::to_string(dims[1]) + " channels");
    }
    inputs.push_back(values);
  }
  return inputs;
}

/// y = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c], with
/// the statistics that training left as inputs 3 and 4.
class BatchNormalization final : public Operator {
 public:
  explicit BatchNormalization(const OperatorInit& init)
      : epsilon_(GetFloat(init.node, "epsilon", 1e-5f)) {}

  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    if (GetInt(init.node, "training_mode", 0) != 0) {
      return Unsupported("BatchNormalization in training mode");
    }
    return Construct<BatchNormalization>(init);
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.Input<float>(0).status());
    ZEROPOINT_ASSIGN_OR_RETURN(const auto inputs, PerChannel(context, 1, 4));
    std::vector<float> factor(inputs[0].size());
    std::vector<float> shift(factor.size());
    for (std::size_t c = 0; c < factor.size(); ++c) {
      factor[c] = inputs[0][c] / std::sqrt(inputs[3][c] + epsilon_);
      shift[c] = inputs[1][c] - inputs[2][c] * factor[c];
    }
    return ScaleChannels(context, factor, shift);
  }

 private:
  float epsilon_;
};

/// As BatchNormalization, with the statistics of each image's channel.
class InstanceNormalization final : public Operator {
 public:
  explicit InstanceNormalization(const OperatorInit& init)
      : epsilon_(GetFloat(init.node, "epsilon", 1e-5f)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<float>(0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto inputs, PerChannel(context, 1, 2));
    const auto dims = context.input(0).dims();
    const std::size_t image = CountOf(dims.subspan(2));
    const std::size_t channels = inputs[0].size();
    std::vector<float> factor(CountOf(dims.first(2)));
    std::vector<float> shift(factor.size());
    for (std::size_t i = 0; i < factor.size(); ++i) {
      const auto plane = x.subspan(i * image, image);
      double mean = 0.0;
      for (const float value : plane) mean += value;
      mean /= static_cast<double>(image);
      double variance = 0.0;
      for (const float value : plane) {
        variance += (value - mean) * (value - mean);
      }
      variance /= static_cast<double>(image);
      const double inverse = 1.0 / std::sqrt(variance + epsilon_);
      factor[i] = static_cast<float>(inputs[0][i % channels] * inverse);
      shift[i] = static_cast<float>(inputs[1][i % channels] -
                                    mean * inverse * inputs[0][i % channels]);
    }
    return ScaleChannels(context, factor, shift);
  }

 private:
  float epsilon_;
};

}  // namespace normalization

inline void AddNormalizationOperators(OperatorRegistry& registry) {
  using namespace normalization;  // NOLINT(google-build-using-namespace)
  registry.Add("", "BatchNormalization", {}, BatchNormalization::Make);
  registry.Add("", "InstanceNormalization", {.first = 6},
               Construct<InstanceNormalization>);
  registry.Add("", "LayerNormalization", {.first = 17},
               Construct<LayerNormalization>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_NORMALIZATION_H_

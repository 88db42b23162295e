// An affine map per output channel, folded into the weights and bias of the
// linear node in front of it:
//
//   a_c * (W_c . x + b_c) + t_c  =  (a_c * W_c) . x + (a_c * b_c + t_c)
//
// Computed in double and rounded once, so that each new weight is the number of
// its type (float, float16, bfloat16) that is nearest to the exact product.
#ifndef ZEROPOINT_PASSES_LINEAR_WEIGHTS_H_
#define ZEROPOINT_PASSES_LINEAR_WEIGHTS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"

namespace zeropoint::internal {

/// y_c = scale[c] * x_c + shift[c]; both have one entry a channel.
struct ChannelAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// A Conv, ConvTranspose or Gemm with constant weights of reals and a constant
/// bias of their type or none. Its output has its channels on axis 1.
struct LinearNode {
  NodeId node = kNoNode;
  std::size_t channels = 0;
  std::size_t output_rank = 0;
  /// The weights as [groups, inputs of a group, channels of a group, rest].
  std::size_t groups = 1;
  std::size_t group_inputs = 1;
  std::size_t rest = 1;
  /// Of weights and bias as stored: float, float16 or bfloat16.
  DataType type = DataType::kFloat;
};

/// Weights and bias after the fold, in float but each a number of the type that
/// StoreFolded stores.
struct FoldedLinear {
  std::optional<Tensor> weights;  // nothing: as they were
  Tensor bias;
};

inline std::optional<LinearNode> AsLinear(const GraphView& graph, NodeId node) {
  constexpr std::string_view kLinear[] = {"Conv", "ConvTranspose", "Gemm"};
  if (!IsOneOf(graph, node, kLinear)) return std::nullopt;
  const onnx::NodeProto& proto = graph.node(node);
  const ValueId weights = graph.input(node, 1);
  const ValueId bias = graph.input(node, 2);
  const auto dims = ConstantShape(graph, weights);
  if (!dims || !IsReal(graph.element_type(weights)) ||
      ElementCount(*dims).value_or(0) == 0) {
    return std::nullopt;
  }
  LinearNode linear{.node = node, .type = graph.element_type(weights)};
  const auto dim = [&dims](std::size_t axis) {
    return static_cast<std::size_t>((*dims)[axis]);
  };
  linear.output_rank = dims->size();
  if (proto.op_type() == "Gemm") {
    if (dims->size() != 2 || GetFloat(proto, "alpha", 1) != 1.0F ||
        GetFloat(proto, "beta", 1) != 1.0F) {
      return std::nullopt;
    }
    const bool transposed = GetInt(proto, "transB", 0) != 0;
    linear.channels = dim(transposed ? 0 : 1);
    (transposed ? linear.rest : linear.group_inputs) = dim(transposed ? 1 : 0);
  } else {
    if (dims->size() < 3) return std::nullopt;
    for (std::size_t axis = 2; axis < dims->size(); ++axis) {
      linear.rest *= dim(axis);
    }
    if (proto.op_type() == "Conv") {
      linear.channels = dim(0);
      linear.rest *= dim(1);
    } else {
      const std::int64_t groups = GetInt(proto, "group", 1);
      if (groups < 1 || (*dims)[0] % groups != 0) return std::nullopt;
      linear.groups = static_cast<std::size_t>(groups);
      linear.group_inputs = dim(0) / linear.groups;
      linear.channels = dim(1) * linear.groups;
    }
  }
  if (bias != kNoValue) {
    const auto bias_dims = ConstantShape(graph, bias);
    if (!bias_dims || graph.element_type(bias) != linear.type ||
        *bias_dims != Dims{static_cast<std::int64_t>(linear.channels)}) {
      return std::nullopt;
    }
  }
  return linear;
}

/// weights[.., c, ..] = round(weights[.., c, ..] * scale[c])
template <class Round>
void ScaleChannels(const LinearNode& linear, std::span<const double> scale,
                   const Round& round, Tensor& weights) {
  const std::size_t group_channels = linear.channels / linear.groups;
  float* weight = weights.MutableAs<float>().data();
  for (std::size_t row = 0; row < linear.groups * linear.group_inputs; ++row) {
    const std::size_t first = row / linear.group_inputs * group_channels;
    for (std::size_t c = first; c < first + group_channels; ++c) {
      for (std::size_t i = 0; i < linear.rest; ++i, ++weight) {
        *weight = round(static_cast<double>(*weight) * scale[c]);
      }
    }
  }
}

/// Computes the fold; nothing when a result is outside the weights' type.
/// Requires one scale and one shift a channel.
/// Cost: one pass over the weights.
inline std::optional<FoldedLinear> Fold(const GraphView& graph,
                                        const LinearNode& linear,
                                        const ChannelAffine& affine) {
  FoldedLinear folded;
  bool finite = true;
  const auto round = [&finite, &linear](double value) {
    const float rounded = NearestOf(linear.type, value);
    finite = finite && std::isfinite(rounded);
    return rounded;
  };
  if (std::any_of(affine.scale.begin(), affine.scale.end(),
                  [](double scale) { return scale != 1; })) {
    auto weights = RealConstant(graph, graph.input(linear.node, 1));
    if (!weights.ok()) return std::nullopt;
    ScaleChannels(linear, affine.scale, round, *weights);
    folded.weights = std::move(*weights);
  }

  folded.bias =
      Tensor(DataType::kFloat, {static_cast<std::int64_t>(linear.channels)});
  const std::span<float> shifted = folded.bias.MutableAs<float>();
  if (const ValueId old = graph.input(linear.node, 2); old != kNoValue) {
    const auto before = RealConstant(graph, old);
    if (!before.ok()) return std::nullopt;
    for (std::size_t c = 0; c < linear.channels; ++c) {
      shifted[c] = before->As<float>()[c];
    }
  }
  for (std::size_t c = 0; c < linear.channels; ++c) {
    shifted[c] = round(static_cast<double>(shifted[c]) * affine.scale[c] +
                       affine.shift[c]);
  }
  if (!finite) return std::nullopt;
  return folded;
}

/// Gives the linear node the folded weights and lets it produce `output`, which
/// must have no producer.
inline void StoreFolded(const GraphView& graph, const LinearNode& linear,
                        const FoldedLinear& folded, ValueId output,
                        Rewriter& rewriter) {
  const std::string bias_name =
      std::string(graph.name(graph.input(linear.node, 1))) + "_bias";
  Tensor stored;
  if (folded.weights) {
    ReplaceConstant(graph, rewriter, {linear.node, 1},
                    AsType(linear.type, folded.weights->view(), stored));
  }
  ReplaceConstant(graph, rewriter, {linear.node, 2},
                  AsType(linear.type, folded.bias.view(), stored), bias_name);
  rewriter.SetOutput(linear.node, 0, output);
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_LINEAR_WEIGHTS_H_

// FoldBatchNorm: a normalization whose statistics are constants is an affine
// map per channel, which the linear node in front can carry for nothing.
#ifndef ZEROPOINT_PASSES_FOLD_BATCH_NORM_H_
#define ZEROPOINT_PASSES_FOLD_BATCH_NORM_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/linear_weights.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

namespace internal {

/// What a BatchNormalization computes; nothing when its statistics are not
/// float constants with one value a channel.
inline std::optional<ChannelAffine> BatchNormAffine(const GraphView& graph,
                                                    NodeId batch_norm,
                                                    std::size_t channels) {
  std::array<Tensor, 4> parameters;  // scale, bias, mean, variance: [C]
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const ValueId value = graph.input(batch_norm, i + 1);
    const auto dims = ConstantShape(graph, value);
    if (dims != Dims{static_cast<std::int64_t>(channels)} ||
        !IsReal(graph.element_type(value))) {
      return std::nullopt;
    }
    auto tensor = RealConstant(graph, value);
    if (!tensor.ok()) return std::nullopt;
    parameters[i] = std::move(*tensor);
  }
  const auto& [scale, bias, mean, variance] = parameters;
  const double epsilon = GetFloat(graph.node(batch_norm), "epsilon", 1e-5F);
  ChannelAffine affine;
  for (std::size_t c = 0; c < channels; ++c) {
    const double deviation =
        std::sqrt(static_cast<double>(variance.As<float>()[c]) + epsilon);
    const double a = static_cast<double>(scale.As<float>()[c]) / deviation;
    affine.scale.push_back(a);
    affine.shift.push_back(static_cast<double>(bias.As<float>()[c]) -
                           static_cast<double>(mean.As<float>()[c]) * a);
  }
  return affine;
}

}  // namespace internal

/// Folds BatchNormalization into the Conv, ConvTranspose or Gemm before it:
///
///   a = scale / sqrt(var + epsilon)
///   W' = a * W,  b' = a * (b - mean) + bias          per output channel
///
/// Where it stays: the linear node's output has another reader or is a graph
/// output; weights or statistics are not float constants; training mode. One
/// that follows nothing linear is left alone without a word. Enters bodies.
/// Exact: new weights are the nearest numbers of their type to the exact
/// products.
/// Source: ONNX BatchNormalization-15.
class FoldBatchNorm {
 public:
  static constexpr std::string_view kName = "fold-batch-norm";
  static constexpr std::string_view kHelp =
      "Folds BatchNormalization into the Conv, ConvTranspose or Gemm before it";
  static constexpr std::string_view kSketch =
      "x -> Conv(W, b) -> BatchNormalization -> y\n"
      "x -> Conv(W', b') -> y";
  static constexpr std::array<std::string_view, 1> kRoots = {
      "BatchNormalization"};

  struct Found {
    NodeId batch_norm;
    internal::LinearNode linear;
    internal::FoldedLinear folded;
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    const ValueId input = graph.input(root, 0);
    const NodeId before = input == kNoValue ? kNoNode : graph.producer(input);
    constexpr std::string_view kLinear[] = {"Conv", "ConvTranspose", "Gemm"};
    if (!IsOneOf(graph, before, kLinear)) return std::nullopt;
    if (GetInt(graph.node(root), "training_mode", 0) != 0 ||
        !HasNoOutputFrom(graph, root, 1)) {
      return Decline{"it computes statistics for training"};
    }
    if (SoleReader(graph, input) != root) {
      return Decline{"the output of " + NodeLabel(graph.node(before)) +
                     " is also read elsewhere"};
    }
    const auto linear = internal::AsLinear(graph, before);
    if (!linear) {
      return Decline{NodeLabel(graph.node(before)) +
                     " has weights or a bias that are not float constants"};
    }
    const auto affine =
        internal::BatchNormAffine(graph, root, linear->channels);
    if (!affine) {
      return Decline{
          "its statistics are not float constants with one value a "
          "channel"};
    }
    auto folded = internal::Fold(graph, *linear, *affine);
    if (!folded) return Decline{"the folded weights would overflow float"};
    return Found{root, *linear, std::move(*folded)};
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    const ValueId output = graph.output(found.batch_norm, 0);
    rewriter.Erase(found.batch_norm);
    internal::StoreFolded(graph, found.linear, found.folded, output, rewriter);
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FOLD_BATCH_NORM_H_

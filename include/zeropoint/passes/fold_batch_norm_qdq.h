// fold-batch-norm-qdq: a normalization behind a layer with quantized weights.
#ifndef ZEROPOINT_PASSES_FOLD_BATCH_NORM_QDQ_H_
#define ZEROPOINT_PASSES_FOLD_BATCH_NORM_QDQ_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
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
#include "zeropoint/graph/opset_facts.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/fold_batch_norm.h"
#include "zeropoint/passes/pair_params.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/quantize_tensor.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Folds BatchNormalization into a Conv or ConvTranspose whose weights are
/// dequantized constants. The codes stay; the scales take the factor:
///
///   a = gamma / sqrt(var + epsilon)                  for each output channel
///   s_w' = |a| * s_w,  Wq' = sign(a) * Wq,  b' = a * (b - mean) + beta
///
/// A channel with a = 0 gets codes of 0. A scale for the whole tensor becomes
/// one a channel. A bias that is a dequantized int32 becomes float;
/// quantize-bias stores it again with the new scales.
///
/// Declines a negative a where the weights have a zero point, or a code whose
/// negative the type lacks; a ConvTranspose with groups; and what
/// fold-batch-norm declines. Enters bodies.
/// Exact: scales and biases are the nearest numbers of their type to the exact
/// products, so the weights are as they were trained, to the last bit of the
/// codes.
class FoldBatchNormQdq {
 public:
  static constexpr std::string_view kName = "fold-batch-norm-qdq";
  static constexpr std::string_view kHelp =
      "Folds BatchNormalization into the scales of quantized weights";
  static constexpr std::string_view kSketch =
      "x -> Conv(DQ(Wq, s), b) -> BatchNormalization -> y\n"
      "x -> Conv(DQ(Wq, a * s), b') -> y";
  static constexpr std::array<std::string_view, 1> kRoots = {
      "BatchNormalization"};

  struct Found {
    NodeId batch_norm;
    NodeId linear;
    NodeId dequantize;
    int axis = 0;
    DataType type = DataType::kFloat;  // of scales and bias
    Tensor codes;
    Tensor scales;
    Tensor bias;
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    const ValueId input = graph.input(root, 0);
    const NodeId linear = input == kNoValue ? kNoNode : graph.producer(input);
    constexpr std::array<std::string_view, 2> kLinear = {"Conv",
                                                         "ConvTranspose"};
    if (!IsOneOf(graph, linear, kLinear)) return std::nullopt;
    const NodeId dequantize =
        ProducerIfOp(graph, graph.input(linear, 1), "DequantizeLinear");
    if (dequantize == kNoNode) return std::nullopt;
    if (GetInt(graph.node(root), "training_mode", 0) != 0 ||
        !HasNoOutputFrom(graph, root, 1)) {
      return Decline{"it computes statistics for training"};
    }
    if (SoleReader(graph, input) != root) {
      return Decline{"the output of " + NodeLabel(graph.node(linear)) +
                     " is also read elsewhere"};
    }
    Found found{.batch_norm = root,
                .linear = linear,
                .dequantize = dequantize,
                .codes = {},
                .scales = {},
                .bias = {}};
    std::string reason = Fold(graph, found);
    if (!reason.empty()) return Decline{std::move(reason)};
    return found;
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    const ScopeId scope = graph.scope(found.linear);
    const ValueId old = graph.input(found.dequantize, 0);
    const std::string name(graph.name(old));
    const ValueId output = graph.output(found.batch_norm, 0);
    const ValueId before = graph.input(found.linear, 1);
    const auto add_reals = [&](const std::string& hint, const Tensor& reals) {
      return rewriter.AddInitializer(
          EncodeReals(hint, reals.view(), found.type), scope);
    };
    const auto add = [&](const std::string& hint, const Tensor& tensor) {
      return rewriter.AddInitializer(EncodeTensor(hint, tensor.view()), scope);
    };
    const Tensor zeros(found.codes.type(), found.scales.dims());
    const bool zero_point = graph.input(found.dequantize, 2) != kNoValue;
    std::vector<ValueId> inputs = {add(name, found.codes),
                                   add_reals(name + "_scale", found.scales)};
    if (zero_point) inputs.push_back(add(name + "_zero_point", zeros));
    const ValueId real = rewriter.NewValue(name + "_dequantized", scope);
    const NodeId added =
        rewriter.Add("DequantizeLinear", inputs, std::array{real}, scope);
    SetAttribute(rewriter.MutableNode(added), "axis", found.axis);
    rewriter.SetInput(found.linear, 1, real);
    rewriter.SetInput(found.linear, 2, add_reals(name + "_bias", found.bias));
    EraseIfUnused(graph, rewriter, before);
    rewriter.Erase(found.batch_norm);
    rewriter.SetOutput(found.linear, 0, output);
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }

 private:
  /// Fills in the codes, scales and bias; returns why that cannot be.
  static std::string Fold(const GraphView& graph, Found& found) {
    const ValueId codes_value = graph.input(found.dequantize, 0);
    const auto pair = internal::PairParamsOf(graph, found.dequantize);
    if (!pair || !graph.IsConstant(codes_value) ||
        !FullCodeRange(pair->storage)) {
      return "the weights before it are not constant 8- or 16-bit codes";
    }
    found.type = pair->scale_type;
    Result<Tensor> codes = graph.Constant(codes_value);
    if (!codes.ok()) return codes.status().message();
    found.codes = std::move(codes).value();
    const auto axis = OutputChannelAxis(graph.node(found.linear).op_type(),
                                        static_cast<int>(found.codes.rank()));
    if (!axis ||
        (*axis == 1 && GetInt(graph.node(found.linear), "group", 1) != 1)) {
      return "the weights before it are grouped, or of an unexpected shape";
    }
    found.axis = *axis;
    const auto rank = static_cast<int>(found.codes.rank());
    const auto channels = static_cast<std::size_t>(
        found.codes.dims()[static_cast<std::size_t>(*axis)]);
    const int scaled =
        pair->params.axis < 0 ? pair->params.axis + rank : pair->params.axis;
    if (!pair->per_tensor &&
        (scaled != *axis || pair->params.channels.size() != channels)) {
      return "the weights before it are not scaled by output channel";
    }
    for (const QParams& channel : pair->params.channels) {
      if (channel.zero_point != 0) {
        return "the weights before it have a zero point";
      }
    }
    const auto affine =
        internal::BatchNormAffine(graph, found.batch_norm, channels);
    if (!affine) {
      return "its statistics are not float constants with one value a channel";
    }
    std::string reason = FoldBias(graph, *affine, channels, found);
    if (!reason.empty()) return reason;
    const Dims dims = {static_cast<std::int64_t>(channels)};
    found.scales = Tensor(DataType::kFloat, dims);
    for (std::size_t c = 0; c < channels; ++c) {
      const auto scale = static_cast<double>(
          pair->params.channels[pair->per_tensor ? 0 : c].scale);
      const float folded =
          NearestOf(found.type, std::abs(affine->scale[c]) * scale);
      const bool is_scale =
          folded >= SmallestNormal(found.type) && std::isfinite(folded);
      if (!is_scale && affine->scale[c] != 0) {
        return "a folded scale would leave the range of its type";
      }
      found.scales.MutableAs<float>()[c] = is_scale ? folded : 1.0f;
    }
    return TurnCodes(*affine, found);
  }

  static std::string FoldBias(const GraphView& graph,
                              const internal::ChannelAffine& affine,
                              std::size_t channels, Found& found) {
    const Dims dims = {static_cast<std::int64_t>(channels)};
    found.bias = Tensor(DataType::kFloat, dims);
    const auto bias = found.bias.MutableAs<float>();
    std::vector<double> before(channels, 0.0);
    if (const ValueId value = graph.input(found.linear, 2); value != kNoValue) {
      const auto real = RealBias(graph, value);
      if (!real || real->size() != channels) {
        return "the bias before it is not constant";
      }
      before = *real;
    }
    for (std::size_t c = 0; c < channels; ++c) {
      bias[c] =
          NearestOf(found.type, affine.scale[c] * before[c] + affine.shift[c]);
      if (!std::isfinite(bias[c])) return "the folded bias overflows";
    }
    return "";
  }

  /// A float constant, or dequantized int32.
  static std::optional<std::vector<double>> RealBias(const GraphView& graph,
                                                     ValueId value) {
    std::vector<double> real;
    if (graph.IsConstant(value)) {
      const auto tensor = RealConstant(graph, value);
      if (!tensor.ok()) return std::nullopt;
      for (const float each : tensor->As<float>()) {
        real.push_back(static_cast<double>(each));
      }
      return real;
    }
    const auto pair = internal::DequantizedBy(graph, value);
    if (!pair || pair->storage != DataType::kInt32) return std::nullopt;
    const ValueId codes = graph.input(graph.producer(value), 0);
    if (!graph.IsConstant(codes)) return std::nullopt;
    const auto tensor = graph.Constant(codes);
    if (!tensor.ok() || tensor->type() != DataType::kInt32) return std::nullopt;
    const auto elements = tensor->As<std::int32_t>();
    if (!pair->per_tensor && pair->params.channels.size() != elements.size()) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const QParams& channel = pair->params.channels[pair->per_tensor ? 0 : i];
      real.push_back(static_cast<double>(elements[i]) *
                     static_cast<double>(channel.scale));
    }
    return real;
  }

  /// sign(a) * code.
  static std::string TurnCodes(const internal::ChannelAffine& affine,
                               Found& found) {
    bool fits = true;
    const ChannelLayout layout(found.codes.dims(), found.axis);
    const Status turned =
        VisitDataType(found.codes.type(), [&]<class Storage>() -> Status {
          if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
            const auto q = found.codes.template MutableAs<Storage>();
            layout.ForEach([&](std::size_t channel, std::size_t i) {
              const double a = affine.scale[channel];
              const std::int64_t code = a < 0    ? -std::int64_t{q[i]}
                                        : a == 0 ? 0
                                                 : std::int64_t{q[i]};
              fits = fits && code >= std::numeric_limits<Storage>::min() &&
                     code <= std::numeric_limits<Storage>::max();
              q[i] = static_cast<Storage>(code);
            });
          }
          return Status();
        });
    if (!turned.ok()) return turned.message();
    return fits ? "" : "it turns the sign of a code that has no negative";
  }
};

static_assert(Pass<FoldBatchNormQdq>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FOLD_BATCH_NORM_QDQ_H_

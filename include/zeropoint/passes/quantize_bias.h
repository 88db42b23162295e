// quantize-bias: the bias of a quantized convolution or Gemm as int32.
#ifndef ZEROPOINT_PASSES_QUANTIZE_BIAS_H_
#define ZEROPOINT_PASSES_QUANTIZE_BIAS_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/rounding.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/opset_facts.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/qdq_nodes.h"
#include "zeropoint/passes/quantize_tensor.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Conv(DQ(x), DQ(Wq), b) becomes Conv(DQ(x), DQ(Wq), DQ(bq)), and so for
/// ConvTranspose, Gemm and Instance-, Layer- and BatchNormalization:
///
///   scale[c] = scale_x * scale_w[c], zero point 0
///   bq[c] = round_half_even(b[c] / scale[c]) as int32
///
/// which is the accumulator's own unit, so that a runtime adds it without
/// conversion. Of a Gemm with beta != 1, beta * b is stored and beta set to 1.
/// Where a bias takes more than half of int32, the scale of that channel's
/// weights is enlarged until it does, and its codes follow: next to such a bias
/// the lost precision cannot be seen. Every node gets a bias of its own, also
/// where the model shares one: the scales differ.
///
/// Idempotent. Declines a bias that is not a constant float vector with one
/// value a channel, scales that are no positive numbers or whose product is
/// none, and a Gemm with alpha != 1. Of float16 or bfloat16 scales the product,
/// rounded, would be another unit than the accumulator's, and below 6e-8 in
/// float16 it would be 0: there the bias stays as it is.
/// Source:  ONNX QLinearConv (the bias has scale x_scale * w_scale and zero
/// point 0).
class QuantizeBias {
 public:
  static constexpr std::string_view kName = "quantize-bias";
  static constexpr std::string_view kHelp =
      "Stores the bias of quantized convolutions and Gemm as int32";
  static constexpr std::string_view kSketch =
      "Conv(DQ(x), DQ(Wq), b)\n"
      "Conv(DQ(x), DQ(Wq), DQ(bq)), bq int32 of scale "
      "scale_x * scale_w";

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    Rewriter rewriter(graph);
    PassReport report;
    for (const NodeId node : graph.nodes()) {
      if (!IsOneOf(graph, node, kRoots)) continue;
      ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<Bias> match,
                                 Match(graph, node, context));
      if (!match) continue;
      ZEROPOINT_RETURN_IF_ERROR(Rewrite(rewriter, graph, node, *match));
      ++report.rewrites;
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
    return report;
  }

 private:
  static constexpr std::array<std::string_view, 6> kRoots = {
      "Conv",
      "ConvTranspose",
      "Gemm",
      "InstanceNormalization",
      "LayerNormalization",
      "BatchNormalization"};
  static constexpr double kMaxCode = std::numeric_limits<std::int32_t>::max();
  // The sum of products goes on top of the bias: half of int32 is left to it.
  static constexpr double kMaxBias = 1 << 30;

  struct Bias {
    std::vector<double> values;  // real, beta included
    NodeId weights = kNoNode;    // the DequantizeLinear
    std::vector<float> weight_scales;
    /// weight_scales, enlarged where a bias would not fit.
    std::vector<float> fitting_scales;
    float input_scale = 1.0f;
  };

  /// A DequantizeLinear whose scale is constant.
  static NodeId Dequantize(const GraphView& graph, ValueId value) {
    if (value == kNoValue) return kNoNode;
    const NodeId node = graph.producer(value);
    if (node == kNoNode || graph.node(node).op_type() != "DequantizeLinear" ||
        !graph.IsConstant(graph.input(node, 1))) {
      return kNoNode;
    }
    return node;
  }

  static Result<std::optional<Bias>> Match(const GraphView& graph, NodeId node,
                                           PassContext& context) {
    std::optional<Bias> none;
    const NodeId input = Dequantize(graph, graph.input(node, 0));
    const NodeId weights = Dequantize(graph, graph.input(node, 1));
    const ValueId bias = graph.input(node, 2);
    if (input == kNoNode || weights == kNoNode || bias == kNoValue ||
        Dequantize(graph, bias) != kNoNode) {
      return none;
    }
    const auto decline = [&](const char* reason) {
      context.declined.push_back(internal::DeclinedNode(
          graph, node, std::string("its bias stays float: ") + reason));
      return none;
    };
    if (!graph.IsConstant(bias)) return decline("it is not constant");
    const bool gemm = graph.node(node).op_type() == "Gemm";
    if (gemm && GetFloat(graph.node(node), "alpha", 1.0f) != 1.0f) {
      return decline("alpha is not 1");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const Tensor values, graph.Constant(bias));
    ZEROPOINT_ASSIGN_OR_RETURN(const Tensor input_scale,
                               graph.Constant(graph.input(input, 1)));
    ZEROPOINT_ASSIGN_OR_RETURN(const Tensor weight_scales,
                               graph.Constant(graph.input(weights, 1)));
    if (IsHalf(input_scale.type()) || IsHalf(weight_scales.type())) {
      return decline(
          "half precision has no room for the product of its scales");
    }
    if (values.type() != DataType::kFloat || values.rank() != 1) {
      return decline("it is not a float vector");
    }
    if (input_scale.type() != DataType::kFloat || input_scale.size() != 1 ||
        weight_scales.type() != DataType::kFloat || weight_scales.size() == 0 ||
        values.size() % weight_scales.size() != 0) {
      return decline("the scales do not match its channels");
    }
    if (weight_scales.rank() > 1 ||
        !IsWeightAxis(graph, node, weights, weight_scales.size())) {
      return decline("the weights are not scaled by output channel");
    }
    Bias match;
    match.weights = weights;
    match.input_scale = input_scale.As<float>()[0];
    const auto scales = weight_scales.As<float>();
    match.weight_scales.assign(scales.begin(), scales.end());
    const double beta =
        gemm ? static_cast<double>(GetFloat(graph.node(node), "beta", 1.0f))
             : 1.0;
    for (const float value : values.As<float>()) {
      match.values.push_back(beta * static_cast<double>(value));
      if (!std::isfinite(value)) return decline("it is not finite");
    }
    match.fitting_scales = FittingScales(match);
    if (!AreScales(match)) {
      return decline("the scales or their products are no positive numbers");
    }
    if (match.fitting_scales != match.weight_scales &&
        !HasSymmetricCodes(graph, weights)) {
      return decline(
          "it exceeds int32, and the weights are not constant symmetric codes");
    }
    return std::optional<Bias>(std::move(match));
  }

  /// The weight scales that let every bias fit into int32.
  static std::vector<float> FittingScales(const Bias& match) {
    // A group of a ConvTranspose repeats the weights' channels.
    const std::size_t channels = match.weight_scales.size();
    std::vector<float> fitting = match.weight_scales;
    for (std::size_t i = 0; i < match.values.size(); ++i) {
      const double least = std::abs(match.values[i]) /
                           (static_cast<double>(match.input_scale) * kMaxBias);
      float& scale = fitting[i % channels];
      if (least > static_cast<double>(scale)) {
        // A little more, so that the float product does not round below.
        scale = static_cast<float>(least * 1.000001);
      }
    }
    return fitting;
  }

  /// Whether all scales and their products are positive, finite and normal.
  static bool AreScales(const Bias& match) {
    const auto is_scale = [](float scale) {
      return scale >= std::numeric_limits<float>::min() &&
             scale <= std::numeric_limits<float>::max();
    };
    bool all = is_scale(match.input_scale);
    for (std::size_t i = 0; i < match.weight_scales.size(); ++i) {
      all = all && is_scale(match.weight_scales[i]) &&
            is_scale(match.fitting_scales[i]) &&
            is_scale(match.input_scale * match.fitting_scales[i]);
    }
    return all;
  }

  /// Whether the weights can be given other scales: constant codes with zero
  /// points of 0.
  static bool HasSymmetricCodes(const GraphView& graph, NodeId dequantize) {
    const ValueId codes = graph.input(dequantize, 0);
    const DataType type = graph.element_type(codes);
    if (!graph.IsConstant(codes) || !FullCodeRange(type) || BitsOf(type) < 8) {
      return false;
    }
    const ValueId value = graph.input(dequantize, 2);
    if (value == kNoValue) return true;
    const Result<Tensor> zero = graph.Constant(value);
    if (!zero.ok()) return false;
    const auto* bytes = static_cast<const unsigned char*>(zero->data());
    return std::all_of(bytes, bytes + zero->bytes(),
                       [](unsigned char byte) { return byte == 0; });
  }

  static bool IsWeightAxis(const GraphView& graph, NodeId node, NodeId weights,
                           std::size_t scales) {
    if (scales == 1) return true;
    const std::string& op_type = graph.node(node).op_type();
    const std::int64_t axis = GetInt(graph.node(weights), "axis", 1);
    const auto shape = graph.shape(graph.input(weights, 0));
    if (!shape) return false;
    const auto rank = static_cast<std::int64_t>(shape->size());
    const auto expected =
        OutputChannelAxis(op_type, static_cast<int>(shape->size()),
                          GetInt(graph.node(node), "transB", 0) != 0);
    return expected && (axis < 0 ? axis + rank : axis) == *expected &&
           (*shape)[static_cast<std::size_t>(*expected)] ==
               static_cast<std::int64_t>(scales);
  }

  static Status Rewrite(Rewriter& rewriter, GraphView& graph, NodeId node,
                        const Bias& match) {
    const std::vector<float>& fitting = match.fitting_scales;
    const std::size_t channels = fitting.size();
    if (fitting != match.weight_scales) {
      ZEROPOINT_RETURN_IF_ERROR(
          EnlargeWeightScales(rewriter, graph, node, match, fitting));
    }
    TensorQParams params;
    params.axis = channels == 1 ? TensorQParams::kPerTensor : 0;
    const std::size_t count = channels == 1 ? 1 : match.values.size();
    for (std::size_t i = 0; i < count; ++i) {
      params.channels.push_back({match.input_scale * fitting[i % channels], 0});
    }
    std::vector<std::int32_t> codes;
    for (std::size_t i = 0; i < match.values.size(); ++i) {
      const auto scale =
          static_cast<double>(params.channels[channels == 1 ? 0 : i].scale);
      codes.push_back(static_cast<std::int32_t>(std::clamp(
          RoundHalfEven(match.values[i] / scale), -kMaxCode - 1.0, kMaxCode)));
    }
    const ScopeId scope = graph.scope(node);
    const std::string name(graph.name(graph.input(node, 2)));
    const std::int64_t dims[] = {static_cast<std::int64_t>(codes.size())};
    const ValueId quantized = rewriter.AddInitializer(
        EncodeValues<std::int32_t>(name + "_quantized", dims, codes), scope);
    const ValueId real = rewriter.NewValue(name + "_dequantized", scope);
    AddDequantize(rewriter, name, quantized,
                  AddParams(rewriter, name, params, DataType::kInt32, scope),
                  real, scope);
    rewriter.SetInput(node, 2, real);
    if (graph.node(node).op_type() == "Gemm") {
      SetAttribute(rewriter.MutableNode(node), "beta", 1.0f);
    }
    return Status();
  }

  /// Gives the node weights of its own with larger scales: the codes shrink by
  /// the same factor.
  static Status EnlargeWeightScales(Rewriter& rewriter, GraphView& graph,
                                    NodeId node, const Bias& match,
                                    std::span<const float> scales) {
    const ValueId codes_value = graph.input(match.weights, 0);
    const std::string name(graph.name(codes_value));
    ZEROPOINT_ASSIGN_OR_RETURN(Tensor codes, graph.Constant(codes_value));
    QuantizedTensor weights;
    weights.params.axis = TensorQParams::kPerTensor;
    if (scales.size() > 1) {
      const std::int64_t axis = GetInt(graph.node(match.weights), "axis", 1);
      weights.params.axis = static_cast<int>(
          axis < 0 ? axis + static_cast<std::int64_t>(codes.rank()) : axis);
    }
    const ChannelLayout layout(codes.dims(), weights.params.axis);
    ZEROPOINT_RETURN_IF_ERROR(
        VisitDataType(codes.type(), [&]<class Storage>() -> Status {
          if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
            const auto q = codes.template MutableAs<Storage>();
            std::vector<double> shrink;
            for (std::size_t c = 0; c < scales.size(); ++c) {
              shrink.push_back(static_cast<double>(match.weight_scales[c]) /
                               static_cast<double>(scales[c]));
              weights.params.channels.push_back({scales[c], 0});
            }
            layout.ForEach([&](std::size_t channel, std::size_t i) {
              q[i] = static_cast<Storage>(
                  RoundHalfEven(static_cast<double>(q[i]) * shrink[channel]));
            });
          }
          return Status();
        }));
    const ScopeId scope = graph.scope(node);
    const ValueId enlarged =
        rewriter.AddInitializer(EncodeTensor(name, codes.view()), scope);
    const ValueId real = rewriter.NewValue(name + "_dequantized", scope);
    AddDequantize(
        rewriter, name, enlarged,
        AddParams(rewriter, name, weights.params, codes.type(), scope), real,
        scope);
    rewriter.SetInput(node, 1, real);
    return Status();
  }
};

static_assert(Pass<QuantizeBias>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_QUANTIZE_BIAS_H_

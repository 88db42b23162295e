// LSTM, Attention, EmbedLayerNormalization and Gather with quantized weights.
//
// The first three become single operators of the com.microsoft domain, which
// quantize inside; Gather reads codes and dequantizes what it read.
#ifndef ZEROPOINT_PASSES_CONTRIBUTED_OPERATORS_H_
#define ZEROPOINT_PASSES_CONTRIBUTED_OPERATORS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/passes/dynamic_quantizer.h"
#include "zeropoint/passes/integer_constants.h"

namespace zeropoint {

namespace internal {

/// The shape of input `i`, when it is a float constant of this rank.
inline Result<Dims> FloatWeights(const GraphView& graph, NodeId node,
                                 std::size_t i, std::size_t rank) {
  const ValueId value = graph.input(node, i);
  const std::string what = "its input " + std::to_string(i);
  if (!graph.IsConstant(value)) return Unsupported(what + " is not constant");
  if (graph.element_type(value) != DataType::kFloat) {
    return Unsupported(what + " is " +
                       std::string(DataTypeName(graph.element_type(value))) +
                       "; its integer operator takes float");
  }
  const auto dims = graph.shape(value);
  if (!dims || dims->size() != rank || ElementCount(*dims).value_or(0) == 0) {
    return Unsupported(what + " has an unexpected shape");
  }
  return *dims;
}

inline bool HasInputFrom(const GraphView& graph, NodeId node, std::size_t i) {
  const auto inputs = graph.inputs(node);
  return std::any_of(
      inputs.begin() + static_cast<std::ptrdiff_t>(std::min(i, inputs.size())),
      inputs.end(), [](ValueId v) { return v != kNoValue; });
}

/// Replaces the node by one of com.microsoft with the same outputs and those of
/// its attributes that `kept` names.
inline void ReplaceByContributed(DynamicQuantizer& quantizer, NodeId node,
                                 std::string_view op_type,
                                 const std::vector<ValueId>& inputs,
                                 std::span<const std::string_view> kept) {
  const GraphView& graph = quantizer.graph();
  onnx::NodeProto original = graph.node(node);
  const std::string name(NodeSelection::Label(original));
  const ScopeId scope = graph.scope(node);
  const std::vector<ValueId> outputs(graph.outputs(node).begin(),
                                     graph.outputs(node).end());
  quantizer.rewriter().Erase(node);
  const NodeId added =
      quantizer.Add(op_type, name, inputs, outputs, scope, kMicrosoftDomain);
  onnx::NodeProto& proto = quantizer.rewriter().MutableNode(added);
  for (onnx::AttributeProto& attribute : *original.mutable_attribute()) {
    if (std::find(kept.begin(), kept.end(), attribute.name()) != kept.end()) {
      proto.add_attribute()->Swap(&attribute);
    }
  }
}

}  // namespace internal

/// LSTM -> DynamicQuantizeLSTM: W [D, 4H, I] and R [D, 4H, H] as codes
/// [D, I, 4H] and [D, H, 4H], with a scale for each direction and gate row
/// [D, 4H], or each direction [D].
///
/// Stays float: weights that are not float constants, layout 1, float16.
/// Errors: as QuantizeIntegerProduct's.
/// Source: com.microsoft DynamicQuantizeLSTM-1.
inline Status QuantizeLstm(DynamicQuantizer& quantizer, NodeId node,
                           const DynamicRule&) {
  const GraphView& graph = quantizer.graph();
  if (GetInt(graph.node(node), "layout", 0) != 0) {
    return Unsupported("its integer operator has no batchwise layout");
  }
  const SchemeSpec& scheme = quantizer.weights();
  if (scheme.per_channel && !scheme.symmetric) {
    return Unsupported(
        "its integer operator takes scales for each row with zero points of 0 "
        "alone; use a symmetric scheme");
  }
  std::array<Dims, 2> dims;
  for (const std::size_t i : {0u, 1u}) {
    ZEROPOINT_ASSIGN_OR_RETURN(dims[i],
                               internal::FloatWeights(graph, node, i + 1, 3));
  }
  std::vector<ValueId> inputs(graph.inputs(node).begin(),
                              graph.inputs(node).end());
  inputs.resize(8, kNoValue);
  for (const std::size_t i : {0u, 1u}) {
    const ValueId value = inputs[i + 1];
    const std::int64_t directions = dims[i][0];
    const std::int64_t rows = dims[i][1];
    const bool per_row = scheme.per_channel;
    const Dims seen = per_row ? Dims{directions * rows, dims[i][2]}
                              : Dims{directions, rows * dims[i][2]};
    SchemeSpec per_axis = scheme;
    per_axis.per_channel = true;
    ZEROPOINT_ASSIGN_OR_RETURN(
        const IntegerConstant weights,
        quantizer.constants().Quantize(
            value, per_axis,
            {.dims = seen, .axis = 0, .exchanged = true, .output_axis = 0}));
    const Dims params = per_row ? Dims{directions, rows} : Dims{directions};
    inputs[i + 1] = weights.codes;
    inputs.push_back(quantizer.constants().AddScales(value, weights, params));
    inputs.push_back(quantizer.constants().AddZeroPoints(
        value, weights, scheme.storage, params));
  }
  constexpr std::array<std::string_view, 7> kKept = {
      "activation_alpha", "activation_beta", "activations", "clip",
      "direction",        "hidden_size",     "input_forget"};
  internal::ReplaceByContributed(quantizer, node, "DynamicQuantizeLSTM", inputs,
                                 kKept);
  return Status();
}

/// Attention -> DynamicQuantizeLinear and QAttention, with a scale for each
/// column of the weights [I, 3H], or one for all.
///
/// Stays float: weights that are not float constants, sizes of its own for Q, K
/// and V, an attention bias, a shared past, rotary embedding of part of a head.
/// Errors: as QuantizeIntegerProduct's.
/// Source: com.microsoft Attention-1, QAttention-1.
inline Status QuantizeAttention(DynamicQuantizer& quantizer, NodeId node,
                                const DynamicRule&) {
  const GraphView& graph = quantizer.graph();
  const onnx::NodeProto& proto = graph.node(node);
  ZEROPOINT_ASSIGN_OR_RETURN(const Dims dims,
                             internal::FloatWeights(graph, node, 1, 2));
  if (HasAttribute(proto, "qkv_hidden_sizes")) {
    return Unsupported("its Q, K and V have sizes of their own");
  }
  if (internal::HasInputFrom(graph, node, 5)) {
    return Unsupported("its integer operator takes no attention bias");
  }
  if (GetInt(proto, "past_present_share_buffer", 0) != 0 ||
      GetInt(proto, "rotary_embedding_dim", 0) != 0) {
    return Unsupported(
        "it shares the buffer of its past, or rotates part of a head");
  }
  const ValueId x = graph.input(node, 0);
  const ValueId weights_value = graph.input(node, 1);
  ValueId bias = graph.input(node, 2);
  const ValueId mask = graph.input(node, 3);
  const ValueId past = graph.input(node, 4);
  const SchemeSpec& scheme = quantizer.weights();
  ZEROPOINT_ASSIGN_OR_RETURN(
      const IntegerConstant weights,
      quantizer.constants().Quantize(
          weights_value, scheme,
          {.dims = dims,
           .axis = scheme.per_channel ? 1 : TensorQParams::kPerTensor,
           .output_axis = 1}));
  Dims params;
  if (scheme.per_channel) params = {dims[1]};
  const ValueId scale =
      quantizer.constants().AddScales(weights_value, weights, params);
  const ValueId zero_point = quantizer.constants().AddZeroPoints(
      weights_value, weights, scheme.storage, params);
  if (bias == kNoValue) {
    const Tensor zeros(DataType::kFloat, {dims[1]});
    bias = quantizer.rewriter().AddInitializer(
        EncodeTensor(std::string(graph.name(weights_value)) + "_bias",
                     zeros.view()),
        graph.scope(weights_value));
  }
  const DynamicActivation quantized = quantizer.Activation(x, false);
  constexpr std::array<std::string_view, 5> kKept = {
      "do_rotary", "mask_filter_value", "num_heads", "scale", "unidirectional"};
  internal::ReplaceByContributed(
      quantizer, node, "QAttention",
      {quantized.codes, weights.codes, bias, quantized.scale, scale, mask,
       quantized.zero_point, zero_point, past},
      kKept);
  return Status();
}

/// EmbedLayerNormalization -> QEmbedLayerNormalization: the three tables, gamma
/// and beta as codes with one scale each.
///
/// Stays float: constants that are not float, position ids, the sum as an
/// output, another mask index.   Errors: as QuantizeIntegerProduct's.
/// Source: com.microsoft QEmbedLayerNormalization-1.
inline Status QuantizeEmbedding(DynamicQuantizer& quantizer, NodeId node,
                                const DynamicRule&) {
  constexpr std::size_t kWord = 2;
  constexpr std::size_t kSegment = 4;
  constexpr std::size_t kGamma = 5;
  constexpr std::size_t kBeta = 6;
  constexpr std::size_t kMask = 7;
  const GraphView& graph = quantizer.graph();
  const bool segments = graph.input(node, kSegment) != kNoValue;
  if (internal::HasInputFrom(graph, node, kMask + 1) ||
      graph.output(node, 2) != kNoValue ||
      GetInt(graph.node(node), "mask_index_type", 0) != 0) {
    return Unsupported(
        "its integer operator has no position ids, sum or type of mask index");
  }
  std::array<Dims, kBeta + 1> dims;
  for (std::size_t i = kWord; i <= kBeta; ++i) {
    if (i == kSegment && !segments) continue;
    ZEROPOINT_ASSIGN_OR_RETURN(
        dims[i], internal::FloatWeights(graph, node, i, i < kGamma ? 2 : 1));
  }
  std::vector<ValueId> inputs(graph.inputs(node).begin(),
                              graph.inputs(node).end());
  inputs.resize(kMask + 1, kNoValue);
  std::vector<ValueId> scales;
  std::vector<ValueId> zero_points;
  const SchemeSpec scheme = PerTensorScheme(quantizer.weights());
  for (std::size_t i = kWord; i <= kBeta; ++i) {
    const ValueId value = inputs[i];
    if (value == kNoValue) {
      scales.push_back(kNoValue);
      zero_points.push_back(kNoValue);
      continue;
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const IntegerConstant weights,
        quantizer.constants().Quantize(value, scheme, {.dims = dims[i]}));
    inputs[i] = weights.codes;
    scales.push_back(quantizer.constants().AddScales(value, weights, {}));
    zero_points.push_back(quantizer.constants().AddZeroPoints(
        value, weights, scheme.storage, {}));
  }
  inputs.insert(inputs.end(), scales.begin(), scales.end());
  inputs.insert(inputs.end(), zero_points.begin(), zero_points.end());
  constexpr std::array<std::string_view, 1> kKept = {"epsilon"};
  internal::ReplaceByContributed(quantizer, node, "QEmbedLayerNormalization",
                                 inputs, kKept);
  return Status();
}

/// Gather(table, i) -> DequantizeLinear(Gather(codes, i)): rows are read as
/// codes and only those that were read are dequantized, with a scale for each
/// index of the table's last axis, or one for all.
///
/// Stays float: a table that is no constant of reals, or has no rows; a Gather
/// along the last axis gets one scale.   Errors: as QuantizeIntegerProduct's.
inline Status QuantizeGather(DynamicQuantizer& quantizer, NodeId node,
                             const DynamicRule&) {
  const GraphView& graph = quantizer.graph();
  const ValueId table = graph.input(node, 0);
  if (!graph.IsConstant(table)) return Unsupported("its table is not constant");
  const DataType type = graph.element_type(table);
  if (!IsReal(type)) {
    return Unsupported("its table is " + std::string(DataTypeName(type)) +
                       ", not float");
  }
  const auto dims = graph.shape(table);
  if (!dims || dims->size() < 2 || ElementCount(*dims).value_or(0) == 0) {
    return Unsupported("its table has no rows");
  }
  const auto last = static_cast<std::int64_t>(dims->size()) - 1;
  std::int64_t axis = GetInt(graph.node(node), "axis", 0);
  if (axis < 0) axis += last + 1;
  const bool per_column = quantizer.weights().per_channel && axis != last;
  const SchemeSpec scheme =
      per_column ? quantizer.weights() : PerTensorScheme(quantizer.weights());
  ZEROPOINT_ASSIGN_OR_RETURN(
      const IntegerConstant rows,
      quantizer.constants().Quantize(
          table, scheme,
          {.dims = *dims,
           .axis = per_column ? static_cast<int>(last)
                              : TensorQParams::kPerTensor}));
  const std::string name(NodeSelection::Label(graph.node(node)));
  const ScopeId scope = graph.scope(node);
  const ValueId output = graph.output(node, 0);
  Rewriter& rewriter = quantizer.rewriter();
  rewriter.SetInput(node, 0, rows.codes);
  const ValueId codes = rewriter.NewValue(name + "_quantized", scope);
  rewriter.SetOutput(node, 0, codes);
  Dims params;
  if (per_column) params = {dims->back()};
  const bool half = IsHalf(type);
  const ValueId real =
      half ? rewriter.NewValue(name + "_float", scope) : output;
  const NodeId dequantize = quantizer.Add(
      "DequantizeLinear", name + "_DequantizeLinear",
      {codes, quantizer.constants().AddScales(table, rows, params),
       quantizer.constants().AddZeroPoints(table, rows, scheme.storage,
                                           params)},
      {real}, scope);
  if (per_column) {
    SetAttribute(rewriter.MutableNode(dequantize), "axis", -1);
  }
  if (half) quantizer.CastTo(name, real, type, output, scope);
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_CONTRIBUTED_OPERATORS_H_

// MatMul, Gemm and Conv on integers, with ranges found at run time:
//
//   y = alpha * x W + beta * c          becomes
//   q, s_x, z_x = DynamicQuantizeLinear(x)
//   y = Cast(MatMulInteger(q, Wq, z_x, z_w)) * (s_x * alpha s_w) + beta c
//
// The accumulator is exact, so all that is lost is the rounding of x and W.
#ifndef ZEROPOINT_PASSES_INTEGER_PRODUCT_H_
#define ZEROPOINT_PASSES_INTEGER_PRODUCT_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/opset_facts.h"
#include "zeropoint/passes/dynamic_quantizer.h"
#include "zeropoint/passes/integer_constants.h"

namespace zeropoint {

namespace internal {

/// What is known of a product before it is rewritten.
struct IntegerProduct {
  bool conv = false;
  ValueId x = kNoValue;
  ValueId weights = kNoValue;
  ValueId bias = kNoValue;
  ConstantLayout layout;
  std::size_t rank = 2;       // of the weights
  std::size_t columns = 1;    // output channels
  bool transposed_x = false;  // Gemm
  double alpha = 1.0;         // Gemm
  double beta = 1.0;          // Gemm
  DataType type = DataType::kFloat;
};

/// Errors: kUnsupported; the message is why the node stays float.
inline Result<IntegerProduct> MatchIntegerProduct(const GraphView& graph,
                                                  NodeId node,
                                                  const DynamicRule& rule,
                                                  const SchemeSpec& scheme) {
  const onnx::NodeProto& proto = graph.node(node);
  const bool gemm = proto.op_type() == "Gemm";
  IntegerProduct product;
  product.conv = proto.op_type() == "Conv";
  product.x = graph.input(node, 0);
  product.weights = graph.input(node, 1);
  if (product.x == kNoValue || product.weights == kNoValue ||
      graph.output(node, 0) == kNoValue) {
    return Unsupported("it lacks an operand");
  }
  if (!graph.IsConstant(product.weights)) {
    return Unsupported(graph.IsConstant(product.x)
                           ? "its first operand is the constant one"
                           : "its weights are not constant");
  }
  product.type = graph.element_type(product.weights);
  if (!IsReal(product.type)) {
    return Unsupported("its weights are " +
                       std::string(DataTypeName(product.type)) + ", not float");
  }
  const auto dims = graph.shape(product.weights);
  const bool transposed = gemm && GetInt(proto, "transB", 0) != 0;
  const auto axis =
      dims ? OutputChannelAxis(proto.op_type(), static_cast<int>(dims->size()),
                               transposed)
           : std::nullopt;
  if (!axis || ElementCount(*dims).value_or(0) == 0) {
    return Unsupported("its weights have an unexpected shape");
  }
  product.rank = dims->size();
  product.columns =
      static_cast<std::size_t>((*dims)[static_cast<std::size_t>(*axis)]);
  product.layout = {
      .dims = *dims,
      .axis = scheme.per_channel ? *axis : TensorQParams::kPerTensor,
      .exchanged = transposed,
      .output_axis = product.conv || transposed ? 0 : 1,
      .group = product.conv ? GetInt(proto, "group", 1) : 1};
  if (!product.conv && product.rank > 2) {
    // A stack of matrices with common columns is one tall matrix.
    product.layout.dims = {ProductOf(std::span(*dims).first(product.rank - 1)),
                           dims->back()};
    if (scheme.per_channel) product.layout.axis = 1;
  }
  if (gemm || product.conv) product.bias = graph.input(node, 2);
  if (gemm) {
    product.transposed_x = GetInt(proto, "transA", 0) != 0;
    product.alpha = static_cast<double>(GetFloat(proto, "alpha", 1.0f));
    product.beta = static_cast<double>(GetFloat(proto, "beta", 1.0f));
    if (!std::isfinite(product.alpha) || !std::isfinite(product.beta)) {
      return Unsupported("alpha or beta is not finite");
    }
  }
  if (scheme.per_channel && !scheme.symmetric && !rule.channel_zero_points) {
    return Unsupported(
        "its integer operator takes one zero point for all channels; use a "
        "symmetric scheme, or one scale a tensor");
  }
  return product;
}

/// beta * bias in the shape in which it is added, as float.
inline Result<ValueId> AddedBias(DynamicQuantizer& quantizer,
                                 const IntegerProduct& product,
                                 const std::string& name, ScopeId scope) {
  const GraphView& graph = quantizer.graph();
  Rewriter& rewriter = quantizer.rewriter();
  Dims column(product.rank - 1, 1);  // [C, 1, 1] of a convolution
  if (graph.IsConstant(product.bias)) {
    Tensor scratch;
    ZEROPOINT_ASSIGN_OR_RETURN(
        const TensorView real,
        quantizer.constants().Real(product.bias, scratch));
    if (!product.conv && product.beta == 1.0 &&
        product.type == DataType::kFloat) {
      return product.bias;
    }
    Tensor bias = Tensor::CopyOf(real);
    for (float& value : bias.MutableAs<float>()) {
      value = static_cast<float>(product.beta * static_cast<double>(value));
    }
    column[0] = static_cast<std::int64_t>(bias.size());
    const TensorView view(DataType::kFloat, product.conv ? column : bias.dims(),
                          bias.data());
    return rewriter.AddInitializer(
        EncodeTensor(std::string(graph.name(product.bias)) + "_added", view),
        graph.scope(product.bias));
  }
  ValueId bias = product.bias;
  if (IsHalf(product.type)) {
    bias = quantizer.Cast(name + "_bias", bias, DataType::kFloat, scope);
  }
  if (product.conv) {
    column[0] = -1;
    const std::int64_t rank[] = {static_cast<std::int64_t>(column.size())};
    const ValueId shape = rewriter.AddInitializer(
        EncodeValues<std::int64_t>(name + "_bias_shape", rank, column), scope);
    bias = quantizer.AddValue("Reshape", name + "_bias_Reshape", {bias, shape},
                              scope);
  } else if (product.beta != 1.0) {
    const ValueId beta = rewriter.AddInitializer(
        EncodeScalar<float>(name + "_beta", static_cast<float>(product.beta)),
        scope);
    bias = quantizer.AddValue("Mul", name + "_bias_Mul", {bias, beta}, scope);
  }
  return bias;
}

/// The integer operator: its codes in, int32 out.
inline ValueId AddIntegerOperator(DynamicQuantizer& quantizer,
                                  const IntegerProduct& product,
                                  const onnx::NodeProto& original,
                                  ValueId codes, ValueId zero_point,
                                  const IntegerConstant& weights,
                                  const std::string& name, ScopeId scope) {
  std::vector<ValueId> inputs = {codes, weights.codes, zero_point};
  if (weights.HasZeroPoints()) {
    // Equal ones are one: a vector is not taken everywhere.
    bool equal = true;
    for (const QParams& channel : weights.channels) {
      equal = equal && channel.zero_point == weights.channels[0].zero_point;
    }
    Dims dims;
    if (!equal) dims = {static_cast<std::int64_t>(weights.channels.size())};
    inputs.push_back(quantizer.constants().AddZeroPoints(
        product.weights, weights, quantizer.weights().storage, dims));
  }
  const ValueId sums =
      quantizer.rewriter().NewValue(name + "_accumulated", scope);
  const NodeId node =
      quantizer.Add(product.conv ? "ConvInteger" : "MatMulInteger", name,
                    inputs, {sums}, scope);
  if (product.conv) {
    *quantizer.rewriter().MutableNode(node).mutable_attribute() =
        original.attribute();
  }
  return sums;
}

}  // namespace internal

/// Rewrites a MatMul, Gemm or Conv whose weights are constant.
///
/// Weights have a scale for each output channel if the scheme says so; Gemm's
/// alpha goes into the scales, its beta into the constant bias, its transB into
/// the codes; transA becomes a Transpose of the codes. A float16 or bfloat16
/// node computes in float and its result is cast back.
/// Errors: kUnsupported, the reason why the node stays float and the graph is
/// as it was; kInvalidModel for weights that are not finite.
inline Status QuantizeIntegerProduct(DynamicQuantizer& quantizer, NodeId node,
                                     const DynamicRule& rule) {
  const GraphView& graph = quantizer.graph();
  Rewriter& rewriter = quantizer.rewriter();
  ZEROPOINT_ASSIGN_OR_RETURN(
      const internal::IntegerProduct product,
      internal::MatchIntegerProduct(graph, node, rule, quantizer.weights()));
  ZEROPOINT_ASSIGN_OR_RETURN(
      const IntegerConstant weights,
      quantizer.constants().Quantize(product.weights, quantizer.weights(),
                                     product.layout));
  const onnx::NodeProto original = graph.node(node);
  const std::string name(NodeSelection::Label(original));
  const ScopeId scope = graph.scope(node);
  const ValueId output = graph.output(node, 0);
  const bool half = IsHalf(product.type);
  ValueId bias = kNoValue;
  if (product.bias != kNoValue && product.beta != 0.0) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        bias, internal::AddedBias(quantizer, product, name, scope));
  }
  rewriter.Erase(node);
  const DynamicActivation x = quantizer.Activation(product.x, half);
  ValueId codes = x.codes;
  if (product.transposed_x) {
    codes =
        quantizer.AddValue("Transpose", name + "_Transpose", {codes}, scope);
    const NodeId transpose = graph.producer(codes);
    const std::int64_t perm[] = {1, 0};
    SetAttribute(rewriter.MutableNode(transpose), "perm",
                 std::span<const std::int64_t>(perm));
  }
  const ValueId sums = internal::AddIntegerOperator(
      quantizer, product, original, codes, x.zero_point, weights, name, scope);
  Dims scale_dims;
  if (weights.channels.size() > 1 ||
      product.layout.axis != TensorQParams::kPerTensor) {
    scale_dims.assign(product.conv ? product.rank - 1 : 1, 1);
    scale_dims[0] = static_cast<std::int64_t>(weights.channels.size());
  }
  const ValueId weight_scale = quantizer.constants().AddScales(
      product.weights, weights, scale_dims, product.alpha);
  const ValueId scale = quantizer.AddValue("Mul", name + "_scale_Mul",
                                           {x.scale, weight_scale}, scope);
  const ValueId real = quantizer.Cast(name, sums, DataType::kFloat, scope);
  // The last node of the chain makes the output, whose name may be public.
  const auto step = [&](const char* op_type, ValueId a, ValueId b, bool last) {
    const std::string step_name = name + "_" + op_type;
    if (!last) return quantizer.AddValue(op_type, step_name, {a, b}, scope);
    quantizer.Add(op_type, step_name, {a, b}, {output}, scope);
    return output;
  };
  ValueId result = step("Mul", real, scale, bias == kNoValue && !half);
  if (bias != kNoValue) result = step("Add", result, bias, !half);
  if (half) quantizer.CastTo(name, result, product.type, output, scope);
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_INTEGER_PRODUCT_H_

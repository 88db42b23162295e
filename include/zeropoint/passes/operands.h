// Operands: which inputs of a node are activations, which are weights, and what
// the weights' channels are.
#ifndef ZEROPOINT_PASSES_OPERANDS_H_
#define ZEROPOINT_PASSES_OPERANDS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"

namespace zeropoint {

/// The roles of a node's inputs in quantization.
struct Operands {
  static constexpr int kNone = -1;
  /// Inputs that are quantized at run time.
  std::vector<int> activations;
  /// Constant operands that are quantized like activations: one scale, the
  /// activations' scheme.
  std::vector<int> constants;
  int weight = kNone;
  /// Axis of the weight that counts output channels.
  int weight_axis = 0;
  int bias = kNone;
  /// Axis of activation 0 that is summed over: its channels.
  int channel_axis = 1;
  std::int64_t group = 1;
  /// Multiply-accumulates for one element of the output; 0 when the operator
  /// multiplies by no weights.
  std::int64_t macs_per_output = 0;
};

namespace internal {

/// a * b; the greatest count there is where that would overflow. Counts here
/// are compared with bounds, nothing more.
inline std::int64_t CountTimes(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product)
             ? std::numeric_limits<std::int64_t>::max()
             : product;
}

inline std::int64_t ProductOf(std::span<const std::int64_t> dims) {
  std::int64_t product = 1;
  for (const std::int64_t dim : dims) product = CountTimes(product, dim);
  return product;
}

inline Result<Dims> WeightDims(const GraphView& graph, ValueId weight,
                               std::size_t least_rank) {
  if (!graph.IsConstant(weight)) {
    return Unsupported("its weights are not constant");
  }
  if (graph.element_type(weight) != DataType::kFloat) {
    return Unsupported("its weights are " +
                       std::string(DataTypeName(graph.element_type(weight))) +
                       ", not float");
  }
  const auto dims = graph.shape(weight);
  if (!dims || dims->size() < least_rank ||
      ElementCount(*dims).value_or(0) == 0) {
    return Unsupported("its weights have an unexpected shape");
  }
  return *dims;
}

inline Result<Operands> ConvOperands(const GraphView& graph, NodeId node,
                                     bool transposed) {
  ZEROPOINT_ASSIGN_OR_RETURN(const Dims dims,
                             WeightDims(graph, graph.input(node, 1), 3));
  Operands operands;
  operands.activations = {0};
  operands.weight = 1;
  operands.weight_axis = transposed ? 1 : 0;
  operands.bias = 2;
  operands.group = GetInt(graph.node(node), "group", 1);
  if (operands.group < 1 || dims[0] % operands.group != 0) {
    return Unsupported("its weights do not divide into " +
                       std::to_string(operands.group) + " groups");
  }
  // Conv: [M, C/group, k...]: every output sums C/group * k. ConvTranspose: [C,
  // M/group, k...]: every input is spread over M/group * k outputs, which are k
  // strides apart.
  const std::int64_t taps = ProductOf(std::span(dims).subspan(2));
  if (!transposed) {
    operands.macs_per_output = CountTimes(dims[1], taps);
  } else {
    const std::int64_t strides =
        ProductOf(GetInts(graph.node(node), "strides"));
    operands.macs_per_output = CountTimes(dims[0] / operands.group, taps) /
                               std::max<std::int64_t>(strides, 1);
  }
  return operands;
}

inline Result<Operands> GemmOperands(const GraphView& graph, NodeId node) {
  ZEROPOINT_ASSIGN_OR_RETURN(const Dims dims,
                             WeightDims(graph, graph.input(node, 1), 2));
  if (GetInt(graph.node(node), "transA", 0) != 0) {
    return Unsupported("its first operand is transposed");
  }
  const bool transposed = GetInt(graph.node(node), "transB", 0) != 0;
  Operands operands;
  operands.activations = {0};
  operands.weight = 1;
  operands.weight_axis = transposed ? 0 : 1;
  operands.bias = 2;
  operands.macs_per_output = dims[transposed ? 1 : 0];
  return operands;
}

inline Result<Operands> MatMulOperands(const GraphView& graph, NodeId node,
                                       const OperatorRule& rule) {
  Operands operands;
  if (!graph.IsConstant(graph.input(node, 1))) {
    if (graph.IsConstant(graph.input(node, 0))) {
      return Unsupported("its first operand is the constant one");
    }
    if (!rule.activation_by_activation) {
      return Unsupported(
          "it multiplies two activations, which this target computes in float");
    }
    operands.activations = {0, 1};
    return operands;
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const Dims dims,
                             WeightDims(graph, graph.input(node, 1), 2));
  operands.activations = {0};
  operands.weight = 1;
  operands.weight_axis = static_cast<int>(dims.size()) - 1;
  operands.channel_axis = -1;
  operands.macs_per_output = dims[dims.size() - 2];
  return operands;
}

inline Result<Operands> CodeMovingOperands(const GraphView& graph,
                                           NodeId node) {
  const onnx::NodeProto& proto = graph.node(node);
  if (proto.op_type() == "MaxPool" && graph.outputs(node).size() > 1) {
    return Unsupported("its Indices output is used");
  }
  if (proto.op_type() == "Resize" &&
      GetString(proto, "mode", "nearest") == "cubic") {
    return Unsupported("cubic interpolation leaves the range of its input");
  }
  if (proto.op_type() == "Pad") {
    const ValueId fill = graph.input(node, 2);
    if (GetString(proto, "mode", "constant") == "constant" &&
        fill != kNoValue) {
      if (!graph.IsConstant(fill)) {
        return Unsupported("its padding value is not constant");
      }
      ZEROPOINT_ASSIGN_OR_RETURN(const Tensor value, graph.Constant(fill));
      if (value.type() != DataType::kFloat || value.size() != 1 ||
          value.As<float>()[0] != 0.0f) {
        return Unsupported("it pads with another value than 0");
      }
    }
  }
  Operands operands;
  operands.activations = {0};
  return operands;
}

/// A mask of minus infinity is a constant without a scale.
inline bool IsFiniteFloat(const GraphView& graph, ValueId constant) {
  if (graph.element_type(constant) != DataType::kFloat) return false;
  Tensor scratch;
  const Result<TensorView> view = graph.ConstantView(constant, scratch);
  if (!view.ok()) return false;
  const std::span<const float> values = view->As<float>();
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

inline Result<Operands> ElementwiseOperands(const GraphView& graph,
                                            NodeId node) {
  Operands operands;
  const auto inputs = graph.inputs(node);
  const bool one = graph.node(node).op_type() == "Clip";  // bounds stay float
  for (std::size_t i = 0; i < (one ? 1 : inputs.size()); ++i) {
    if (inputs[i] == kNoValue) continue;
    if (!graph.IsConstant(inputs[i])) {
      operands.activations.push_back(static_cast<int>(i));
    } else if (IsFiniteFloat(graph, inputs[i])) {
      operands.constants.push_back(static_cast<int>(i));
    } else {
      return Unsupported("its constant operand '" +
                         std::string(graph.name(inputs[i])) +
                         "' is not float or not finite");
    }
  }
  return operands;
}

}  // namespace internal

/// The operands of `node` as `rule` sees them.
/// Errors: kUnsupported; the message is the reason why the node stays float.
inline Result<Operands> OperandsOf(const GraphView& graph, NodeId node,
                                   const OperatorRule& rule) {
  const std::string& op_type = graph.node(node).op_type();
  Result<Operands> operands =
      op_type == "Conv" || op_type == "ConvTranspose"
          ? internal::ConvOperands(graph, node, op_type == "ConvTranspose")
      : op_type == "Gemm"   ? internal::GemmOperands(graph, node)
      : op_type == "MatMul" ? internal::MatMulOperands(graph, node, rule)
      : rule.output == OutputKind::kSharesInput
          ? internal::CodeMovingOperands(graph, node)
          : internal::ElementwiseOperands(graph, node);
  if (!operands.ok()) return operands;
  for (const int i : operands->activations) {
    const ValueId value = graph.input(node, static_cast<std::size_t>(i));
    if (value == kNoValue) return Unsupported("it has no input");
    if (graph.IsConstant(value)) {
      return Unsupported("its input '" + std::string(graph.name(value)) +
                         "' is constant");
    }
    const DataType type = graph.element_type(value);
    if (type != DataType::kFloat && type != DataType::kUndefined) {
      return Unsupported("its input '" + std::string(graph.name(value)) +
                         "' is " + std::string(DataTypeName(type)) +
                         ", not float");
    }
  }
  if (operands->activations.empty()) {
    return Unsupported("it computes on constants alone");
  }
  if (rule.output == OutputKind::kUnifiesInputs &&
      !operands->constants.empty()) {
    return Unsupported("one of its inputs is constant");
  }
  return operands;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_OPERANDS_H_

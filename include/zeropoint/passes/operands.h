// Operands: which inputs of a node are activations, which are weights, and what
// the weights' channels are.
#ifndef ZEROPOINT_PASSES_OPERANDS_H_
#define ZEROPOINT_PASSES_OPERANDS_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/opset_facts.h"
#include "zeropoint/graph/real_constants.h"

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
  /// Axis of the weight that counts output channels; kNone where it has none.
  int weight_axis = kNone;
  /// Axis of the weight that is summed over, along which blocks lie; kNone
  /// where none is.
  int reduction_axis = kNone;
  int bias = kNone;
  /// What the rule says of the output, for this node: a Resize that
  /// interpolates shares nothing.
  OutputKind output = OutputKind::kOwnRange;
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
  if (!IsReal(graph.element_type(weight))) {
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

/// The operands of an operator with a constant weight at input 1.
inline Result<Operands> WeightedOperands(const GraphView& graph, NodeId node,
                                         const Dims& dims) {
  const onnx::NodeProto& proto = graph.node(node);
  const auto rank = static_cast<int>(dims.size());
  const bool transposed = GetInt(proto, "transB", 0) != 0;
  Operands operands;
  operands.activations = {0};
  operands.weight = 1;
  // ONNX Runtime refuses scales for the columns of a stack of matrices, some of
  // its operators only when they run.
  const bool stack = proto.op_type() == "MatMul" && rank > 2;
  if (!stack) {
    operands.weight_axis = OutputChannelAxis(proto.op_type(), rank, transposed)
                               .value_or(Operands::kNone);
  }
  operands.reduction_axis = ReductionAxis(proto.op_type(), rank, transposed)
                                .value_or(Operands::kNone);
  operands.bias = 2;
  return operands;
}

inline Result<Operands> ConvOperands(const GraphView& graph, NodeId node) {
  const onnx::NodeProto& proto = graph.node(node);
  ZEROPOINT_ASSIGN_OR_RETURN(const Dims dims,
                             WeightDims(graph, graph.input(node, 1), 3));
  ZEROPOINT_ASSIGN_OR_RETURN(Operands operands,
                             WeightedOperands(graph, node, dims));
  operands.group = GetInt(proto, "group", 1);
  if (operands.group < 1 || dims[0] % operands.group != 0) {
    return Unsupported("its weights do not divide into " +
                       std::to_string(operands.group) + " groups");
  }
  // Conv: [M, C/group, k...]: every output sums C/group * k. ConvTranspose: [C,
  // M/group, k...]: every input is spread over M/group * k outputs, which are k
  // strides apart.
  const std::int64_t taps = ProductOf(std::span(dims).subspan(2));
  if (proto.op_type() == "Conv") {
    operands.macs_per_output = CountTimes(dims[1], taps);
  } else {
    const std::int64_t strides = ProductOf(GetInts(proto, "strides"));
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
  ZEROPOINT_ASSIGN_OR_RETURN(Operands operands,
                             WeightedOperands(graph, node, dims));
  operands.macs_per_output =
      dims[static_cast<std::size_t>(std::max(operands.reduction_axis, 0))];
  return operands;
}

/// A mask of minus infinity is a constant without a scale.
inline bool IsFiniteFloat(const GraphView& graph, ValueId constant) {
  if (!IsReal(graph.element_type(constant))) return false;
  Tensor stored;
  Tensor wide;
  const Result<TensorView> view =
      RealConstantView(graph, constant, stored, wide);
  if (!view.ok()) return false;
  const std::span<const float> values = view->As<float>();
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

/// Sorts the inputs among `inputs` into activations and constants.
inline Result<Operands> PlainOperands(const GraphView& graph, NodeId node,
                                      std::span<const int> inputs) {
  Operands operands;
  for (const int i : inputs) {
    const ValueId value = graph.input(node, static_cast<std::size_t>(i));
    if (value == kNoValue) continue;
    if (!graph.IsConstant(value)) {
      operands.activations.push_back(i);
    } else if (IsFiniteFloat(graph, value)) {
      operands.constants.push_back(i);
    } else {
      return Unsupported("its constant operand '" +
                         std::string(graph.name(value)) +
                         "' is not float or not finite");
    }
  }
  return operands;
}

inline Result<Operands> MatMulOperands(const GraphView& graph, NodeId node,
                                       const OperatorRule& rule) {
  if (!graph.IsConstant(graph.input(node, 1))) {
    const bool constant = graph.IsConstant(graph.input(node, 0));
    if (constant && !rule.activation_by_activation) {
      return Unsupported("its first operand is the constant one");
    }
    if (!rule.activation_by_activation) {
      return Unsupported(
          "it multiplies two activations, which this target computes in float");
    }
    return PlainOperands(graph, node, std::array{0, 1});
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const Dims dims,
                             WeightDims(graph, graph.input(node, 1), 2));
  ZEROPOINT_ASSIGN_OR_RETURN(Operands operands,
                             WeightedOperands(graph, node, dims));
  operands.bias = Operands::kNone;
  operands.channel_axis = -1;
  operands.macs_per_output = dims[dims.size() - 2];
  return operands;
}

/// Instance-, Batch-, Layer- and GroupNormalization: the scale is the weight.
inline Result<Operands> NormalizationOperands(const GraphView& graph,
                                              NodeId node) {
  if (GetInt(graph.node(node), "training_mode", 0) != 0) {
    return Unsupported("it computes its statistics while training");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const Dims dims,
                             WeightDims(graph, graph.input(node, 1), 0));
  return WeightedOperands(graph, node, dims);
}

/// Whether the output of a code-moving operator holds codes of its input and
/// nothing else; the message says what else it holds.
inline Status CheckMovesCodes(const GraphView& graph, NodeId node) {
  const onnx::NodeProto& proto = graph.node(node);
  if (proto.op_type() == "Resize" &&
      GetString(proto, "mode", "nearest") != "nearest") {
    return Unsupported("its interpolation computes values between the codes");
  }
  const ValueId fill = graph.input(node, 2);
  if (proto.op_type() != "Pad" || fill == kNoValue ||
      GetString(proto, "mode", "constant") != "constant") {
    return Status();
  }
  if (!graph.IsConstant(fill)) {
    return Unsupported("its padding value is not constant");
  }
  const Result<Tensor> value = RealConstant(graph, fill);
  if (!value.ok() || value->size() != 1 || value->As<float>()[0] != 0.0f) {
    return Unsupported("it pads with another value than 0");
  }
  return Status();
}

inline Result<Operands> CodeMovingOperands(const GraphView& graph, NodeId node,
                                           const OperatorRule& rule) {
  const onnx::NodeProto& proto = graph.node(node);
  if (proto.op_type() == "MaxPool" && graph.outputs(node).size() > 1) {
    return Unsupported("its Indices output is used");
  }
  Operands operands;
  operands.output = OutputKind::kSharesInput;
  const Status moves = CheckMovesCodes(graph, node);
  // An island is for codes that pass through; elsewhere the output gets a
  // range of its own, which the calibrated values of the output include.
  if (!moves.ok() && rule.placement == Placement::kIsland) return moves;
  if (!moves.ok() && proto.op_type() == "Pad" &&
      !IsFiniteFloat(graph, graph.input(node, 2))) {
    return moves;
  }
  const bool table = graph.IsConstant(graph.input(node, 0)) &&
                     proto.op_type().starts_with("Gather") &&
                     rule.placement != Placement::kIsland;
  if (table && IsFiniteFloat(graph, graph.input(node, 0))) {
    operands.constants = {0};
  } else {
    operands.activations = {0};
  }
  if (!moves.ok() || table) operands.output = OutputKind::kOwnRange;
  return operands;
}

/// Inputs of the other operators that are quantized: the first one alone, where
/// the others are axes, bounds, exponents or indices; the branches of Where;
/// otherwise all of them.
inline std::vector<int> QuantizedInputs(const GraphView& graph, NodeId node) {
  constexpr std::array<std::string_view, 11> kFirstInputOnly = {
      "ArgMax",    "ArgMin",     "Clip",      "CumSum",
      "ReduceL1",  "ReduceL2",   "ReduceMax", "ReduceMean",
      "ReduceMin", "ReduceProd", "ReduceSum"};
  const std::string& op_type = graph.node(node).op_type();
  if (op_type == "Where") return {1, 2};
  if (std::find(kFirstInputOnly.begin(), kFirstInputOnly.end(), op_type) !=
      kFirstInputOnly.end()) {
    return {0};
  }
  std::vector<int> all(graph.inputs(node).size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

inline Result<Operands> UnboundOperands(const GraphView& graph, NodeId node,
                                        const OperatorRule& rule) {
  const std::string& op_type = graph.node(node).op_type();
  if (op_type == "Conv" || op_type == "ConvTranspose") {
    return ConvOperands(graph, node);
  }
  if (op_type == "Gemm") return GemmOperands(graph, node);
  if (op_type == "MatMul") return MatMulOperands(graph, node, rule);
  if (op_type.ends_with("Normalization") &&
      OutputChannelAxis(op_type, 1).has_value()) {
    return NormalizationOperands(graph, node);
  }
  if (rule.output == OutputKind::kSharesInput) {
    return CodeMovingOperands(graph, node, rule);
  }
  return PlainOperands(graph, node, QuantizedInputs(graph, node));
}

}  // namespace internal

/// The operands of `node` as `rule` sees them.
/// Errors: kUnsupported; the message is the reason why the node stays float.
inline Result<Operands> OperandsOf(const GraphView& graph, NodeId node,
                                   const OperatorRule& rule) {
  Result<Operands> operands = internal::UnboundOperands(graph, node, rule);
  if (!operands.ok()) return operands;
  if (rule.output != OutputKind::kSharesInput) operands->output = rule.output;
  for (const int i : operands->activations) {
    const ValueId value = graph.input(node, static_cast<std::size_t>(i));
    if (value == kNoValue) return Unsupported("it has no input");
    if (graph.IsConstant(value)) {
      return Unsupported("its input '" + std::string(graph.name(value)) +
                         "' is constant");
    }
    const DataType type = graph.element_type(value);
    if (!IsReal(type) && type != DataType::kUndefined) {
      return Unsupported("its input '" + std::string(graph.name(value)) +
                         "' is " + std::string(DataTypeName(type)) +
                         ", not float");
    }
  }
  const bool looks_up = graph.node(node).op_type().starts_with("Gather");
  if (operands->activations.empty() &&
      !(looks_up && !operands->constants.empty())) {
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

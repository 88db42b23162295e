// lower-to-qoperator: node units become operators on codes.
#ifndef ZEROPOINT_PASSES_LOWER_TO_QOPERATOR_H_
#define ZEROPOINT_PASSES_LOWER_TO_QOPERATOR_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/form.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/passes/bias_codes.h"
#include "zeropoint/passes/code_movers.h"
#include "zeropoint/passes/fold_activation.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/pass_options.h"
#include "zeropoint/passes/qlinear_signature.h"
#include "zeropoint/passes/quantized_values.h"
#include "zeropoint/passes/sweep.h"
#include "zeropoint/passes/sweep_selected.h"

namespace zeropoint {

/// DequantizeLinear -> operator -> QuantizeLinear becomes one operator on
/// codes:
///
///   Conv, MatMul            QLinearConv, QLinearMatMul
///   with the domain com.microsoft also
///   Gemm                    QGemm, its bias int32 in steps of
///                           alpha * a_scale * b_scale, beta included
///   Add, Mul, Where, Concat, AveragePool, GlobalAveragePool, Sigmoid,
///   LeakyRelu, Softmax      QLinearAdd ... QLinearSoftmax
///
/// and operators that only move elements (MaxPool, Reshape, Transpose, Concat,
/// Pad ...), Relu and Clip work on the codes where input and output have one
/// scale and zero point. A Relu or Clip between the operator and its
/// QuantizeLinear goes where fold-activation says that nothing changes.
///
/// When: every operand comes from a DequantizeLinear with constant 8-bit
/// parameters, and the output goes to one QuantizeLinear alone, of the input's
/// type. Activations have one scale; weights may have one for each output
/// channel. int8 activations want int8 weights. A bias with other scales is
/// quantized again. A Softmax must have the scale 1/256 that QLinearSoftmax
/// implies: 1/255 is another operator. Whatever does not fit stays as it is and
/// is reported. Scales, zero points and codes are those of the pairs; scales of
/// half precision become float, the same numbers.
///
/// Equal: bit for bit where elements move, and for Relu and Clip. Conv, MatMul
/// and Gemm sum exactly in int32 where the pairs sum in float, and round once:
/// the codes differ by at most 1, where a sum lies next to the middle between
/// two codes. The com.microsoft operators are bit-equal to their units in the
/// built-in executor, which defines them by the unit; within 1 in ONNX Runtime.
/// What context.selection leaves out stays. Enters bodies. Idempotent.
/// Source: ONNX QLinearConv-10, QLinearMatMul-10; ONNX Runtime's operators of
/// com.microsoft.   Teaches: docs/guide/forms.md
class LowerToQOperator {
 public:
  static constexpr std::string_view kName = "lower-to-qoperator";
  static constexpr std::string_view kHelp =
      "Turns operators between DequantizeLinear and QuantizeLinear into "
      "operators on codes";
  static constexpr std::string_view kSketch =
      "xq -> DQ -> Conv(DQ(Wq), DQ(bq)) -> Q -> yq\n"
      "xq -> QLinearConv(Wq, bq) -> yq";
  static constexpr std::array<PassOption, 1> kOptions = {
      PassOption{"domain", "onnx",
                 "onnx, or com.microsoft to use ONNX Runtime's operators too"}};
  static constexpr auto kRoots = std::to_array<std::string_view>(
      {"Add",       "AveragePool", "Clip",
       "Concat",    "Conv",        "Flatten",
       "Gather",    "Gemm",        "GlobalAveragePool",
       "Identity",  "LeakyRelu",   "MatMul",
       "MaxPool",   "Mul",         "Pad",
       "Relu",      "Reshape",     "Resize",
       "Sigmoid",   "Slice",       "Softmax",
       "Split",     "Squeeze",     "Transpose",
       "Unsqueeze", "Where"});

  /// Use the operators of com.microsoft too.
  bool microsoft = false;

  static Result<LowerToQOperator> FromOptions(const OptionMap& options) {
    const std::string& domain = options.Text("domain");
    LowerToQOperator pass;
    if (domain == kMicrosoftDomain) {
      pass.microsoft = true;
    } else if (domain != "onnx") {
      return options.Wrong("domain", "onnx or com.microsoft");
    }
    return pass;
  }

  struct Found {
    NodeId node = kNoNode;
    /// Of an operator that moves elements: the rest is in it.
    std::optional<internal::CodeMover> mover = {};
    const internal::QLinearSignature* signature = nullptr;
    std::vector<internal::QuantizedValue> operands = {};
    std::optional<internal::QuantizedValue> output = {};
    std::optional<internal::BiasCodes> bias = {};
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    const onnx::NodeProto& proto = graph.node(root);
    if (!ReadsCodes(graph, root)) return std::nullopt;
    const internal::QLinearSignature* signature =
        internal::FindSignature(proto.op_type());
    if (signature == nullptr || proto.op_type() == "Concat") {
      auto mover = internal::MatchCodeMover(graph, root);
      if (mover) return Found{.node = root, .mover = std::move(*mover)};
      if (signature == nullptr) return Decline{mover.reason()};
    }
    if (signature->microsoft && !microsoft) {
      return Decline{std::string(signature->codes_op) +
                     " is of the domain com.microsoft, which was not asked "
                     "for"};
    }
    Found found{.node = root, .signature = signature};
    const std::size_t count = signature->OperandsOf(graph.inputs(root).size());
    for (std::size_t i = 0; i < count; ++i) {
      const ValueId input = graph.input(root, signature->float_first + i);
      auto operand = internal::DequantizedFrom(graph, input);
      if (!operand) {
        return Decline{"its input '" +
                       std::string(input == kNoValue ? "" : graph.name(input)) +
                       "' does not come from codes with constant scales"};
      }
      found.operands.push_back(std::move(*operand));
    }
    found.output = internal::QuantizedTo(graph, graph.output(root, 0));
    if (!found.output) return Decline{internal::WhyNotQuantized(graph, root)};
    std::string against = ReasonAgainst(graph, root, found);
    if (against.empty() &&
        signature->bias != internal::QLinearSignature::kNone &&
        graph.input(root, 2) != kNoValue) {
      found.bias = BiasOf(graph, root, found);
      against = found.bias->reason;
    }
    if (!against.empty()) return Decline{std::move(against)};
    return found;
  }

  Status Rewrite(const GraphView& graph, Found& found,
                 Rewriter& rewriter) const {
    if (found.mover) {
      internal::MoveCodes(graph, rewriter, *found.mover);
      return Status();
    }
    const internal::QLinearSignature& signature = *found.signature;
    const onnx::NodeProto& before = graph.node(found.node);
    const ScopeId scope = graph.scope(found.node);
    onnx::NodeProto after = before;
    after.set_op_type(std::string(signature.codes_op));
    after.set_domain(std::string(signature.microsoft ? kMicrosoftDomain : ""));
    after.clear_input();
    after.clear_output();
    SetAttributes(graph, before, after);
    std::vector<ValueId> inputs(
        std::max(signature.output + 2,
                 signature.first + 3 * found.operands.size()),
        kNoValue);
    for (std::size_t i = 0; i < signature.first && i < signature.float_first;
         ++i) {
      inputs[i] = graph.input(found.node, i);  // a Where's condition
    }
    for (std::size_t i = 0; i < found.operands.size(); ++i) {
      const std::size_t at = signature.first + 3 * i;
      inputs[at] = found.operands[i].codes;
      inputs[at + 1] = internal::FloatScaleOf(rewriter, found.operands[i]);
      inputs[at + 2] = internal::ZeroPointOf(rewriter, found.operands[i]);
    }
    inputs[signature.output] = internal::FloatScaleOf(rewriter, *found.output);
    inputs[signature.output + 1] =
        internal::ZeroPointOf(rewriter, *found.output);
    if (found.bias) {
      const auto at = static_cast<std::size_t>(signature.bias);
      if (inputs.size() <= at) inputs.resize(at + 1, kNoValue);
      inputs[at] = StoreBias(graph, rewriter, found);
    }
    for (const ValueId input : inputs) {
      after.add_input(input == kNoValue ? "" : std::string(graph.name(input)));
    }
    after.add_output(std::string(graph.name(found.output->codes)));
    const std::vector<ValueId> read(graph.inputs(found.node).begin(),
                                    graph.inputs(found.node).end());
    rewriter.Erase(graph.producer(found.output->codes));
    rewriter.Erase(found.node);
    rewriter.Add(std::move(after), scope);
    for (const ValueId value : read) {
      EraseIfUnused(graph, rewriter, value);
    }
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    ZEROPOINT_RETURN_IF_ERROR(FoldActivation{.behind = context.selection}
                                  .Run(graph, context)
                                  .status());
    ZEROPOINT_ASSIGN_OR_RETURN(
        const PassReport report,
        SweepSelected(*this, context.selection, graph, context));
    if (microsoft && graph.model().opset(kMicrosoftDomain) == 0 &&
        report.rewrites > 0) {
      graph.model().ImportOpset(kMicrosoftDomain, 1);
    }
    return report;
  }

 private:
  static bool ReadsCodes(const GraphView& graph, NodeId node) {
    for (const ValueId input : graph.inputs(node)) {
      if (internal::DequantizedFrom(graph, input)) return true;
    }
    return false;
  }

  /// The axis of operand `i` that may have one scale an index.
  static int ChannelAxis(const GraphView& graph, NodeId node, std::size_t i) {
    const onnx::NodeProto& proto = graph.node(node);
    if (i != 1) return TensorQParams::kPerTensor;
    if (proto.op_type() == "Conv") return 0;
    if (proto.op_type() == "MatMul") return 1;  // of a matrix; see below
    if (proto.op_type() == "Gemm") {
      return GetInt(proto, "transB", 0) != 0 ? 0 : 1;
    }
    return TensorQParams::kPerTensor;
  }

  std::string ReasonAgainst(const GraphView& graph, NodeId node,
                            const Found& found) const {
    const onnx::NodeProto& proto = graph.node(node);
    const DataType type = found.operands.front().storage;
    if (!found.output->eight_bits() || !found.operands.front().eight_bits()) {
      return "its codes are not 8 bits wide";
    }
    if (!found.output->per_tensor() || found.output->storage != type) {
      return "its output has another type than its input, or more than one "
             "scale";
    }
    const bool product = found.signature->op_type == "Conv" ||
                         found.signature->op_type == "MatMul" ||
                         found.signature->op_type == "Gemm";
    for (std::size_t i = 0; i < found.operands.size(); ++i) {
      const internal::QuantizedValue& operand = found.operands[i];
      const bool weight = product && i == 1;
      if (!operand.eight_bits() || (!weight && operand.storage != type) ||
          (weight && type == DataType::kInt8 && operand.storage != type)) {
        return "its operands have types that " +
               std::string(found.signature->codes_op) + " does not combine";
      }
      if (operand.per_tensor()) continue;
      if (!weight || operand.params.axis != ChannelAxis(graph, node, i) ||
          (proto.op_type() == "MatMul" && RankOf(graph, operand.codes) != 2u)) {
        return "its operand '" + std::string(graph.name(operand.codes)) +
               "' has scales along another axis than the output channels";
      }
    }
    if (proto.op_type() == "Softmax") return AgainstSoftmax(*found.output);
    if (proto.op_type() == "AveragePool") {
      for (const std::int64_t dilation : GetInts(proto, "dilations")) {
        if (dilation != 1) return "QLinearAveragePool knows no dilations";
      }
      if (GetInt(proto, "ceil_mode", 0) != 0 &&
          GetInt(proto, "count_include_pad", 0) != 0) {
        return "runtimes count the padding of ceil_mode differently";
      }
    }
    return "";
  }

  static std::string AgainstSoftmax(const internal::QuantizedValue& output) {
    const std::int32_t least = output.storage == DataType::kInt8 ? -128 : 0;
    if (output.tensor_params() == QParams{1.0f / 256.0f, least}) return "";
    return "QLinearSoftmax has the scale 1/256 and the lowest code as zero "
           "point; here they are " +
           std::to_string(output.tensor_params().scale) + " and " +
           std::to_string(output.tensor_params().zero_point);
  }

  static internal::BiasCodes BiasOf(const GraphView& graph, NodeId node,
                                    const Found& found) {
    const onnx::NodeProto& proto = graph.node(node);
    const bool gemm = proto.op_type() == "Gemm";
    const float alpha = gemm ? GetFloat(proto, "alpha", 1.0f) : 1.0f;
    const float beta = gemm ? GetFloat(proto, "beta", 1.0f) : 1.0f;
    const std::vector<float> scales =
        internal::ProductScales(alpha, found.operands[0], found.operands[1]);
    const int axis = ChannelAxis(graph, node, 1);
    const auto channels = DimOf(graph, found.operands[1].codes, axis);
    internal::BiasCodes bias;
    if (!channels || !(alpha > 0.0f)) {
      bias.reason =
          "the number of its output channels is unknown, or alpha is not "
          "above 0";
      return bias;
    }
    return internal::BiasInSteps(graph, graph.input(node, 2), scales,
                                 static_cast<double>(beta),
                                 static_cast<std::size_t>(*channels));
  }

  static ValueId StoreBias(const GraphView& graph, Rewriter& rewriter,
                           const Found& found) {
    if (found.bias->present != kNoValue) return found.bias->present;
    const std::int64_t dims[] = {
        static_cast<std::int64_t>(found.bias->codes.size())};
    const std::string name(graph.name(graph.input(found.node, 2)));
    return rewriter.AddInitializer(EncodeValues<std::int32_t>(
        name + "_quantized", dims, found.bias->codes));
  }

  static void SetAttributes(const GraphView& graph,
                            const onnx::NodeProto& before,
                            onnx::NodeProto& after) {
    const std::string& op_type = before.op_type();
    if (op_type == "Gemm") {
      RemoveAttribute(after, "beta");
    } else if (op_type == "GlobalAveragePool") {
      SetAttribute(after, "channels_last", 0);
    } else if (op_type == "AveragePool") {
      RemoveAttribute(after, "dilations");
    } else if (op_type == "Softmax") {
      const std::int64_t opset = graph.model().opset();
      SetAttribute(after, "axis", GetInt(before, "axis", opset < 13 ? 1 : -1));
      SetAttribute(after, "opset", opset);
    }
  }
};

static_assert(Pass<LowerToQOperator>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_LOWER_TO_QOPERATOR_H_

// insert-dynamic-quantization: integer operators with ranges found at run time.
#ifndef ZEROPOINT_PASSES_INSERT_DYNAMIC_QUANTIZATION_H_
#define ZEROPOINT_PASSES_INSERT_DYNAMIC_QUANTIZATION_H_

#include <string>
#include <string_view>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/contributed_operators.h"
#include "zeropoint/passes/dynamic_quantizer.h"
#include "zeropoint/passes/integer_product.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Quantizes weights now and activations at run time, for context.target, in
/// all scopes:
///
///   MatMul, Gemm, Conv        DynamicQuantizeLinear, MatMulInteger or
///                             ConvInteger, Cast, Mul, Add
///   Gather of a table         Gather of codes, DequantizeLinear
///   LSTM, Attention,          DynamicQuantizeLSTM, QAttention,
///   EmbedLayerNormalization   QEmbedLayerNormalization
///
/// Weights that are multiplied are rounded by context.weight_rounder, if any.
/// Each tensor is quantized once, whoever reads it. What the target cannot run
/// stays float, as does what is slower there unless its type is in the
/// selection; context.declined has the reasons, context.quantized.notes what
/// will be slow.
///
/// Idempotent: integer operators are not touched.
/// Errors: kInvalidArgument without a target, for weights that are no 8-bit
/// codes, and for an axis of the scheme's own; kUnsupported below opset 13;
/// kInvalidModel for weights that are not finite.
struct InsertDynamicQuantization {
  static constexpr std::string_view kName = "insert-dynamic-quantization";
  static constexpr std::string_view kHelp =
      "Computes products on integers, with ranges found at run time";
  static constexpr std::string_view kSketch =
      "x -> MatMul(W) -> y\n"
      "x -> DynamicQuantizeLinear -> MatMulInteger(Wq) -> Cast -> "
      "Mul(scale_x * scale_w) -> y";

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    if (context.target == nullptr) {
      return InvalidArgument(
          "insert-dynamic-quantization needs a target in its context");
    }
    const TargetSpec& target = *context.target;
    ZEROPOINT_RETURN_IF_ERROR(Check(graph.model(), target.dynamic_weights));
    const NodeSelection everything;
    const NodeSelection& selection =
        context.selection != nullptr ? *context.selection : everything;
    DynamicQuantizer quantizer(graph, target.dynamic_weights,
                               context.weight_rounder);
    PassReport report;
    for (const NodeId node : graph.nodes()) {
      const Status done =
          QuantizeNode(quantizer, node, target, selection, context);
      if (done.ok()) {
        ++report.rewrites;
      } else if (done.code() != StatusCode::kUnsupported) {
        return done.WithContext(NodeLabel(graph.node(node)));
      } else if (ComputesReals(graph, node)) {
        context.declined.push_back(
            internal::DeclinedNode(graph, node, done.message()));
      }
    }
    ZEROPOINT_RETURN_IF_ERROR(quantizer.rewriter().Finish());
    return report;
  }

 private:
  static Status Check(const Model& model, const SchemeSpec& weights) {
    if (BitsOf(weights.storage) != 8) {
      return InvalidArgument("integer operators take 8-bit codes, not '" +
                             FormatScheme(weights) + "'");
    }
    if (weights.per_channel && weights.axis != kOperatorAxis) {
      return InvalidArgument(
          "the axis of channels is the operator's: write i8:sym:channel");
    }
    constexpr std::int64_t kNeeded = 13;
    if (model.opset() >= kNeeded) return Status();
    return Unsupported("scales for each channel need opset 13, the model has " +
                       std::to_string(model.opset()) + "; upgrade it first");
  }

  /// kUnsupported with the reason where the node stays as it is.
  static Status QuantizeNode(DynamicQuantizer& quantizer, NodeId node,
                             const TargetSpec& target,
                             const NodeSelection& selection,
                             PassContext& context) {
    const onnx::NodeProto& proto = quantizer.graph().node(node);
    const std::string op_type = proto.op_type();
    const bool standard = proto.domain() == "ai.onnx";
    const DynamicRule* rule =
        target.FindDynamic(op_type, standard ? "" : proto.domain());
    if (rule == nullptr) {
      return Unsupported(std::string(target.name) +
                         " has no form of it with ranges found at run time");
    }
    if (std::string against = selection.ReasonAgainst(proto);
        !against.empty()) {
      return Unsupported(std::move(against));
    }
    if (rule->placement == Placement::kOnRequest && !selection.Names(op_type)) {
      return Unsupported(std::string(rule->slower) +
                         "; name it in the operator types to quantize it");
    }
    const std::string label(NodeSelection::Label(proto));
    const auto rewrite = op_type == "LSTM"        ? QuantizeLstm
                         : op_type == "Attention" ? QuantizeAttention
                         : op_type == "EmbedLayerNormalization"
                             ? QuantizeEmbedding
                         : op_type == "Gather" ? QuantizeGather
                                               : QuantizeIntegerProduct;
    ZEROPOINT_RETURN_IF_ERROR(rewrite(quantizer, node, *rule));
    context.quantized.nodes.push_back(label);
    if (!rule->slower.empty()) {
      context.quantized.notes.push_back(op_type + " '" + label +
                                        "': " + std::string(rule->slower));
    }
    return Status();
  }

  /// What a report on quantization is about: not shapes and constants.
  static bool ComputesReals(const GraphView& graph, NodeId node) {
    for (const ValueId output : graph.outputs(node)) {
      if (output == kNoValue || graph.IsConstant(output)) continue;
      if (IsReal(graph.element_type(output))) return true;
    }
    return false;
  }
};

static_assert(Pass<InsertDynamicQuantization>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_INSERT_DYNAMIC_QUANTIZATION_H_

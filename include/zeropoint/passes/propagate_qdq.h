// propagate-qdq: operators that only move elements have a pair on both sides.
#ifndef ZEROPOINT_PASSES_PROPAGATE_QDQ_H_
#define ZEROPOINT_PASSES_PROPAGATE_QDQ_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/operands.h"
#include "zeropoint/passes/pair_params.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Hands the parameters of a pair on through operators that context.target
/// lists as sharing them (MaxPool, Reshape, Transpose, ...):
///
///   DQ -> MaxPool -> Conv      becomes   DQ -> MaxPool -> Q -> DQ -> Conv
///   Conv -> MaxPool -> Q       becomes   Conv -> Q -> DQ -> MaxPool -> Q
///
/// Forward, because a model that was trained with fake quantization has no pair
/// where nothing is rounded, and the operator behind would find no codes;
/// backward, so that the operator in front writes codes. Forward only where an
/// operator that the target quantizes reads the value; backward only where
/// nothing else reads it. One scale a tensor. Main graph and bodies.
/// Exact: a value that was dequantized is quantized to the code that it has; an
/// operator that picks elements picks the same codes.
class PropagateQdq {
 public:
  static constexpr std::string_view kName = "propagate-qdq";
  static constexpr std::string_view kHelp =
      "Hands scale and zero point on through operators that move elements";
  static constexpr std::string_view kSketch =
      "x -> Q -> DQ -> MaxPool -> Conv\n"
      "x -> Q -> DQ -> MaxPool -> Q -> DQ -> Conv";

  /// Errors: kInvalidArgument without a target.
  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    if (context.target == nullptr) {
      return InvalidArgument("propagate-qdq needs a target in its context");
    }
    PassReport report;
    Rewriter rewriter(graph);
    const std::vector<NodeId> nodes = graph.nodes();
    for (const NodeId node : nodes) {
      if (!MovesElements(graph, node, *context.target)) continue;
      for (const ValueId output : graph.outputs(node)) {
        report.rewrites +=
            Forward(graph, node, output, *context.target, rewriter);
      }
    }
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
      if (!MovesElements(graph, *node, *context.target)) continue;
      report.rewrites += Backward(graph, *node, *context.target, rewriter);
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
    return report;
  }

 private:
  static bool MovesElements(const GraphView& graph, NodeId node,
                            const TargetSpec& target) {
    const OperatorRule* rule = RuleOf(graph, node, target);
    return rule != nullptr && rule->output == OutputKind::kSharesInput &&
           OperandsOf(graph, node, *rule).ok() &&
           GetString(graph.node(node), "mode", "nearest") != "linear";
  }

  static const OperatorRule* RuleOf(const GraphView& graph, NodeId node,
                                    const TargetSpec& target) {
    const onnx::NodeProto& proto = graph.node(node);
    return proto.domain().empty() ? target.Find(proto.op_type()) : nullptr;
  }

  static bool IsQuantized(const GraphView& graph, NodeId node,
                          const TargetSpec& target) {
    const OperatorRule* rule = RuleOf(graph, node, target);
    return rule != nullptr && rule->placement != Placement::kOnRequest;
  }

  static std::size_t Forward(const GraphView& graph, NodeId node,
                             ValueId output, const TargetSpec& target,
                             Rewriter& rewriter) {
    if (output == kNoValue) return 0;
    const NodeId source =
        ProducerIfOp(graph, graph.input(node, 0), "DequantizeLinear");
    if (source == kNoNode || !HasOneScale(graph, source)) return 0;
    std::vector<Use> readers;
    bool wanted = false;
    for (const Use& use : graph.uses(output)) {
      if (IsOp(graph, use.node, "QuantizeLinear")) continue;
      readers.push_back(use);
      wanted =
          wanted || (use.input == 0 && IsQuantized(graph, use.node, target));
    }
    if (!wanted) return 0;
    const ValueId real = AddPair(graph, source, output, rewriter);
    for (const Use& use : readers) rewriter.SetInput(use.node, use.input, real);
    return 1;
  }

  static std::size_t Backward(const GraphView& graph, NodeId node,
                              const TargetSpec& target, Rewriter& rewriter) {
    const ValueId input = graph.input(node, 0);
    const NodeId quantize = SoleReader(graph, graph.output(node, 0));
    if (SoleReader(graph, input) != node ||
        !IsOp(graph, quantize, "QuantizeLinear") ||
        !HasOneScale(graph, quantize) || graph.outputs(node).size() != 1) {
      return 0;
    }
    const NodeId producer = graph.producer(input);
    constexpr std::array<std::string_view, 2> kAbsorbed = {"Relu", "Clip"};
    if (producer == kNoNode || (!IsQuantized(graph, producer, target) &&
                                !IsOneOf(graph, producer, kAbsorbed))) {
      return 0;
    }
    rewriter.SetInput(node, 0, AddPair(graph, quantize, input, rewriter));
    return 1;
  }

  static bool HasOneScale(const GraphView& graph, NodeId node) {
    const auto pair = internal::PairParamsOf(graph, node);
    return pair && pair->per_tensor && FullCodeRange(pair->storage);
  }

  /// Quantizes and dequantizes `real` with the parameters of `like`.
  static ValueId AddPair(const GraphView& graph, NodeId like, ValueId real,
                         Rewriter& rewriter) {
    const std::string name(graph.name(real));
    const ScopeId scope = graph.scope(real);
    std::vector<ValueId> params;
    for (std::size_t i = 1; i < graph.inputs(like).size(); ++i) {
      params.push_back(graph.input(like, i));
    }
    const auto add = [&](const char* op_type, ValueId input,
                         const std::string& suffix) {
      const ValueId made = rewriter.NewValue(name + suffix, scope);
      std::vector<ValueId> inputs = {input};
      inputs.insert(inputs.end(), params.begin(), params.end());
      rewriter.Add(op_type, inputs, std::array{made}, scope);
      return made;
    };
    return add("DequantizeLinear", add("QuantizeLinear", real, "_quantized"),
               "_dequantized");
  }
};

static_assert(Pass<PropagateQdq>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_PROPAGATE_QDQ_H_

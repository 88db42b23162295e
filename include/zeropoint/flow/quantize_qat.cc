#include "zeropoint/flow/quantize_qat.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/flow/clean_up.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/describe_weights.h"
#include "zeropoint/flow/prepare_model.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/eliminate_duplicate_initializer.h"
#include "zeropoint/passes/eliminate_identity.h"
#include "zeropoint/passes/eliminate_redundant_qdq.h"
#include "zeropoint/passes/fold_activation.h"
#include "zeropoint/passes/fold_batch_norm_qdq.h"
#include "zeropoint/passes/fold_constant.h"
#include "zeropoint/passes/fold_quantize.h"
#include "zeropoint/passes/fuse_fake_quantize.h"
#include "zeropoint/passes/insert_casts.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/pipeline.h"
#include "zeropoint/passes/propagate_codes.h"
#include "zeropoint/passes/propagate_qdq.h"
#include "zeropoint/passes/qdq_nodes.h"
#include "zeropoint/passes/quantize_bias.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {

using internal::DeclinedNode;
using internal::PairParams;
using internal::PairParamsOf;

namespace {

/// Pairs first, while the arithmetic that spells them is whole: constant
/// folding would compute the fake quantization of weights to float.
auto RecognizePairs() {
  return Pipeline{FuseFakeQuantize{}, FoldConstant{}, FuseFakeQuantize{},
                  FoldQuantize{}, EliminateIdentity{}};
}

/// Then everything that needs pairs: weights right behind their
/// DequantizeLinear, normalizations into scales, biases in units of both, a
/// pair on each side of what moves elements.
Status CompletePairs(GraphView& graph, PassContext& context) {
  Pipeline pairs{PropagateCodes{},        FoldBatchNormQdq{},
                 EliminateRedundantQdq{}, PropagateQdq{},
                 EliminateRedundantQdq{}, FoldActivation{}};
  ZEROPOINT_RETURN_IF_ERROR(pairs.Run(graph, context).status());
  if (!context.target->half_pairs) {
    ZEROPOINT_RETURN_IF_ERROR(InsertCasts{}.Run(graph, context).status());
  }
  Pipeline finish{QuantizeBias{}, EliminateDead{},
                  EliminateDuplicateInitializer{}};
  return finish.Run(graph, context).status();
}

/// The limits of what the codes of a pair stand for.
RealRange CoveredRange(const PairParams& pair) {
  const CodeRange codes = *FullCodeRange(pair.storage);
  RealRange range;
  for (const QParams& channel : pair.params.channels) {
    range.lo = std::min(range.lo, reference::Dequantize(codes.qmin, channel));
    range.hi = std::max(range.hi, reference::Dequantize(codes.qmax, channel));
  }
  return range;
}

/// Lists the activations that pass through a pair.
void ReportPairs(const GraphView& graph, QuantizationReport& report) {
  for (const NodeId node : graph.nodes_of_type("QuantizeLinear")) {
    const auto pair = PairParamsOf(graph, node);
    if (!pair || !FullCodeRange(pair->storage)) continue;
    SchemeSpec scheme;
    scheme.storage = pair->storage;
    scheme.qmin = FullCodeRange(pair->storage)->qmin;
    scheme.qmax = FullCodeRange(pair->storage)->qmax;
    scheme.symmetric =
        scheme.qmin < 0 &&
        std::all_of(
            pair->params.channels.begin(), pair->params.channels.end(),
            [](const QParams& channel) { return channel.zero_point == 0; });
    scheme.per_channel = !pair->per_tensor;
    report.quantized.activations.push_back(
        {std::string(graph.name(graph.input(node, 0))), CoveredRange(*pair),
         pair->params.channels.front(), FormatScheme(scheme),
         "trained into the model"});
  }
}

/// Counts as quantized what reads a dequantized value; says of the rest that it
/// does not.
void ReportNodes(const GraphView& graph, QuantizationReport& report) {
  for (const NodeId node : graph.nodes()) {
    constexpr std::array<std::string_view, 3> kNotOurs = {
        "QuantizeLinear", "DequantizeLinear", "Constant"};
    const ValueId output = graph.output(node, 0);
    if (IsOneOf(graph, node, kNotOurs) || output == kNoValue ||
        !IsReal(graph.element_type(output))) {
      continue;
    }
    const auto inputs = graph.inputs(node);
    const bool quantized =
        std::any_of(inputs.begin(), inputs.end(), [&](ValueId input) {
          return ProducerIfOp(graph, input, "DequantizeLinear") != kNoNode;
        });
    if (quantized) {
      report.quantized.nodes.emplace_back(
          NodeSelection::Label(graph.node(node)));
    } else {
      report.float_nodes.push_back(DeclinedNode(
          graph, node, "no value that it reads was trained with a scale"));
    }
  }
}

}  // namespace

Result<QuantizationReport> QuantizeQat(Model& model,
                                       const QatQuantizationOptions& options) {
  QuantizationReport report;
  PhaseTimer timer(report.seconds);
  report.form = "qdq";
  report.profile = options.target.name;
  report.activations = report.weights = "as trained";
  ZEROPOINT_ASSIGN_OR_RETURN(const bool half, HoldsHalf(model));
  ZEROPOINT_RETURN_IF_ERROR(
      UpgradeForQuantization(model, half ? kFirstOpsetWithHalfQuantization
                                         : kFirstOpsetWithQuantizationAxis));
  const NodeEvaluation evaluate(model);
  PassContext context;
  context.evaluate = evaluate;
  context.target = &options.target;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
    auto recognize = RecognizePairs();
    ZEROPOINT_RETURN_IF_ERROR(recognize.Run(graph, context).status());
    if (graph.nodes_of_type("DequantizeLinear").empty()) {
      return InvalidArgument(
          "the model has no Q/DQ pair and no fake quantization; `zeropoint "
          "static` quantizes a float model");
    }
  }
  if (options.optimize) {
    ZEROPOINT_RETURN_IF_ERROR(CleanUp(model, evaluate, report.left_undone));
  }
  timer.End("clean-up");
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  ZEROPOINT_RETURN_IF_ERROR(CompletePairs(graph, context));
  ZEROPOINT_RETURN_IF_ERROR(VerifyModel(graph));
  for (Declined& declined : context.declined) {
    report.left_undone.push_back(std::move(declined));
  }
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  report.nodes = graph.nodes().size();
  ReportPairs(graph, report);
  ReportNodes(graph, report);
  if (options.details) {
    report.details = {.nodes = DescribeNodes(graph)};
    ZEROPOINT_ASSIGN_OR_RETURN(report.details->weights, DescribeWeights(graph));
  }
  timer.End("quantization");
  return report;
}

}  // namespace zeropoint

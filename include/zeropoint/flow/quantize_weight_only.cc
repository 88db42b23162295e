#include "zeropoint/flow/quantize_weight_only.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "zeropoint/calibration/second_moment_table.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/clean_up.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/describe_weights.h"
#include "zeropoint/flow/prepare_model.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/second_moments.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/find_block_weights.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/pipeline.h"
#include "zeropoint/passes/qdq_nodes.h"
#include "zeropoint/passes/quantization_plan.h"
#include "zeropoint/passes/quantize_weights.h"

namespace zeropoint {

namespace {

/// Add and Gemm broadcast as they do now from here on.
constexpr std::int64_t kFirstOpsetWithBroadcasting = 7;

Result<std::int64_t> NeededOpset(Model& model, const WeightOnlySpec& spec) {
  if (spec.format == WeightFormat::kMatMulNBits) {
    return kFirstOpsetWithBroadcasting;
  }
  SchemeSpec scheme = SchemeOf(spec);
  ZEROPOINT_ASSIGN_OR_RETURN(const bool half, HoldsHalf(model));
  if (half) scheme.scale_type = DataType::kFloat16;
  return FirstOpsetWith(scheme);
}

/// The products whose weights will be rounded, as CollectSecondMoments asks
/// for them.
QuantizationPlan PlanProducts(const GraphView& graph,
                              const QuantizeWeights& pass,
                              const NodeSelection& selection) {
  QuantizationPlan plan;
  for (const NodeId node : graph.nodes()) {
    const auto found = pass.Find(graph, node, &selection, pass.selection);
    if (!found.ok() || found->is_table ||
        GetInt(graph.node(node), "transA", 0) != 0) {
      continue;
    }
    PlannedNode& planned = plan.nodes.emplace_back();
    planned.node = node;
    planned.operands.activations = {0};
    planned.operands.weight = found->operand;
    planned.operands.weight_axis = found->columns_first ? 1 : 0;
    planned.operands.channel_axis = -1;
  }
  return plan;
}

}  // namespace

Result<QuantizationReport> QuantizeWeightOnly(Model& model,
                                              const WeightOnlyOptions& options,
                                              FeedSource* source) {
  ZEROPOINT_RETURN_IF_ERROR(CheckWeightOnly(options.spec));
  const bool by_samples = options.spec.rounding == BlockRounding::kSecondOrder;
  if (by_samples && source == nullptr) {
    return InvalidArgument(
        "second-order rounding needs samples of what the weights multiply; "
        "give some, or round by mse");
  }
  QuantizationReport report;
  PhaseTimer timer(report.seconds);
  report.form = "weights";
  report.profile = NameOf(options.spec.format);
  report.activations = "float";
  report.weights = FormatWeightOnly(options.spec);
  NodeSelection selection;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_ASSIGN_OR_RETURN(
        selection, ResolveSelection(options.selection, graph,
                                    kWeightOnlyOperators, "weights alone"));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const std::int64_t opset,
                             NeededOpset(model, options.spec));
  ZEROPOINT_RETURN_IF_ERROR(UpgradeForQuantization(model, opset));
  const NodeEvaluation evaluate(model);
  if (options.optimize) {
    ZEROPOINT_RETURN_IF_ERROR(CleanUp(model, evaluate, report.left_undone));
  }
  timer.End("clean-up");
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(CheckOperatorTypes(selection, graph));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  report.nodes = graph.nodes().size();
  if (options.details) report.details = {.nodes = DescribeNodes(graph)};
  ThreadPool pool(options.threads);
  QuantizeWeights pass;
  pass.spec = options.spec;
  pass.parallel = ParallelForOf(pool);
  SecondMomentTable moments;
  if (by_samples) {
    SecondMomentOptions looking = options.second_moments;
    if (const auto size = source->size()) {
      looking.samples = std::min(looking.samples, *size);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        BuiltinExecutor executor,
        BuiltinExecutor::Create(
            model, {.kernels = &DispatchedKernels(), .pool = &pool}));
    ZEROPOINT_ASSIGN_OR_RETURN(
        moments, CollectSecondMoments(executor, *source, graph,
                                      PlanProducts(graph, pass, selection),
                                      DispatchedKernels(), ParallelForOf(pool),
                                      looking, options.progress));
    report.samples = looking.samples;
    timer.End("second moments");
  }
  PassContext context;
  context.evaluate = evaluate;
  context.selection = &selection;
  context.second_moments = &moments;
  Pipeline pipeline{std::move(pass), EliminateDead{}};
  ZEROPOINT_RETURN_IF_ERROR(pipeline.Run(graph, context).status());
  report.quantized = std::move(context.quantized);
  report.float_nodes = std::move(context.declined);
  ZEROPOINT_RETURN_IF_ERROR(VerifyModel(graph));
  if (report.details) {
    ZEROPOINT_ASSIGN_OR_RETURN(report.details->weights, DescribeWeights(graph));
  }
  timer.End("quantization");
  return report;
}

}  // namespace zeropoint

#include "zeropoint/flow/quantize_dynamic.h"

#include <optional>
#include <utility>

#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/clean_up.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/describe_weights.h"
#include "zeropoint/flow/prepare_model.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/insert_dynamic_quantization.h"
#include "zeropoint/passes/pipeline.h"
#include "zeropoint/passes/round_weights.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {

Result<QuantizationReport> QuantizeDynamic(
    Model& model, const DynamicQuantizationOptions& options) {
  QuantizationReport report;
  PhaseTimer timer(report.seconds);
  TargetSpec target = options.target;
  if (options.weight_scheme) target.dynamic_weights = *options.weight_scheme;
  report.form = "dynamic";
  report.profile = target.name;
  report.activations = "u8:asym";
  report.weights = FormatScheme(target.dynamic_weights);
  NodeSelection selection;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_ASSIGN_OR_RETURN(
        selection,
        ResolveSelection(options.selection, graph,
                         target.DynamicOperatorTypes(), target.name));
  }
  ZEROPOINT_RETURN_IF_ERROR(
      UpgradeForQuantization(model, kFirstOpsetWithQuantizationAxis));
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
  PassContext context;
  context.evaluate = evaluate;
  context.target = &target;
  context.selection = &selection;
  ThreadPool pool(0);
  const SecondMomentTable no_moments;
  const SecondOrderRounder nearest(no_moments, DispatchedKernels(),
                                   {.pair_limit = target.weight_pair_limit},
                                   ParallelForOf(pool));
  // A scheme of the caller's is taken literally, ranges included.
  if (!options.weight_scheme) context.weight_rounder = &nearest;
  Pipeline pipeline{InsertDynamicQuantization{}, EliminateDead{}};
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

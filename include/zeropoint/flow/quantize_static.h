// QuantizeStatic: from a float model and samples to a quantized model.
#ifndef ZEROPOINT_FLOW_QUANTIZE_STATIC_H_
#define ZEROPOINT_FLOW_QUANTIZE_STATIC_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/range_rule.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/flow/calibrate.h"
#include "zeropoint/flow/clean_up.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/upgrade.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/fold_activation.h"
#include "zeropoint/passes/insert_qdq.h"
#include "zeropoint/passes/quantize_bias.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {

/// Named after the reference tool's arguments where it has one.
struct StaticQuantizationOptions {
  /// Where the pairs go; see profiles/.
  TargetSpec target = OnnxRuntimeCpu::Spec();
  /// In place of the target's own schemes.
  std::optional<SchemeSpec> activation_scheme;
  std::optional<SchemeSpec> weight_scheme;
  NodeSelection selection;
  /// Run the clean-up passes first.
  bool optimize = true;
  /// Take back in the bias what rounding the weights shifts on average.
  bool correct_bias = true;
  /// 0: one a processor.
  int threads = 0;
  ProgressHook progress;
};

namespace internal {

/// Per-channel parameters need opset 13, 16-bit codes 21; the units that the
/// clean-up fuses came with 14 and 17, so a model that must be converted anyway
/// goes to 17.
inline Status UpgradeForQdq(Model& model, const TargetSpec& target) {
  const auto wide = [](const SchemeSpec& scheme) {
    return BitsOf(scheme.storage) == 16;
  };
  if (wide(target.activations) || wide(target.weights)) {
    return UpgradeOpset(model, 21);
  }
  return UpgradeOpset(model, model.opset() < 13 ? 17 : 13);
}

inline Status InsertPairs(Model& model,
                          const StaticQuantizationOptions& options,
                          const NodeSelection& selection,
                          const TargetSpec& target,
                          const CalibrationTable& table,
                          QuantizationReport& report) {
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  report.nodes = graph.nodes().size();
  PassContext context;
  context.target = &target;
  context.selection = &selection;
  context.calibration = &table;
  Pipeline pipeline{InsertQdq{.correct_bias = options.correct_bias},
                    QuantizeBias{}, FoldActivation{}, EliminateDead{}};
  ZEROPOINT_RETURN_IF_ERROR(pipeline.Run(graph, context).status());
  report.quantized = std::move(context.quantized);
  report.float_nodes = std::move(context.declined);
  return VerifyModel(graph);
}

}  // namespace internal

/// Quantizes `model` in place, with ranges from the samples of `source`:
/// upgrade, clean-up, calibration, Q/DQ insertion. The result is deterministic:
/// the same model, samples and options give the same bytes, whatever the number
/// of threads.
///
/// Errors: kInvalidArgument for a selection that names what is not there;
/// kUnsupported for an operator that the executor lacks; kInvalidData for
/// samples that do not fit; kInvalidModel. After an error the model is in an
/// undefined state.
inline Result<QuantizationReport> QuantizeStatic(
    Model& model, FeedSource& source,
    const StaticQuantizationOptions& options) {
  QuantizationReport report;
  PhaseTimer timer(report.seconds);
  TargetSpec target = options.target;
  if (options.activation_scheme)
    target.activations = *options.activation_scheme;
  if (options.weight_scheme) target.weights = *options.weight_scheme;
  report.form = "qdq";
  report.profile = target.name;
  report.activations = FormatScheme(target.activations);
  report.weights = FormatScheme(target.weights);
  if (target.activations.per_channel) {
    return InvalidArgument("activations have one scale a tensor; leave out '" +
                           report.activations + "''s channel part");
  }
  NodeSelection selection;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_ASSIGN_OR_RETURN(
        selection, ResolveSelection(options.selection, graph,
                                    target.OperatorTypes(), target.name));
  }
  ZEROPOINT_RETURN_IF_ERROR(internal::UpgradeForQdq(model, target));
  const KernelTable& kernels = DispatchedKernels();
  if (options.optimize) {
    ZEROPOINT_RETURN_IF_ERROR(internal::CleanUp(
        model, NodeEvaluation(model, &kernels), report.left_undone));
  }
  timer.End("clean-up");
  std::vector<CalibrationTarget> targets;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(CheckOperatorTypes(selection, graph));
    ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
    targets = CalibrationTargets(graph, target, selection);
  }
  CalibrationResult calibrated;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(
        BuiltinExecutor executor,
        BuiltinExecutor::Create(
            model, {.threads = options.threads, .kernels = &kernels}));
    ZEROPOINT_ASSIGN_OR_RETURN(
        calibrated, Calibrate(executor, source, targets, MinMaxCalibration{},
                              target.activations, kernels, options.progress));
  }
  report.samples = calibrated.samples;
  report.non_finite = std::move(calibrated.non_finite);
  timer.End("calibration");
  ZEROPOINT_RETURN_IF_ERROR(internal::InsertPairs(
      model, options, selection, target, calibrated.table, report));
  timer.End("quantization");
  return report;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZE_STATIC_H_

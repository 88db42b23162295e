// QuantizeStatic: from a float model and samples to a quantized model.
#ifndef ZEROPOINT_FLOW_QUANTIZE_STATIC_H_
#define ZEROPOINT_FLOW_QUANTIZE_STATIC_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_spec.h"
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
  /// How ranges are chosen.
  CalibrationSpec calibration;
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

inline Status CleanUp(Model& model, const NodeEvaluator& evaluate,
                      std::vector<Declined>& left_undone) {
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  PassContext context;
  context.evaluate = evaluate;
  auto pipeline = CleanUpPipeline();
  const auto cleaned = pipeline.Run(graph, context);
  left_undone = std::move(context.declined);
  return cleaned.status();
}

inline Status InsertPairs(Model& model,
                          const StaticQuantizationOptions& options,
                          const TargetSpec& target,
                          const CalibrationTable& table,
                          QuantizationReport& report) {
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  report.nodes = graph.nodes().size();
  PassContext context;
  context.target = &target;
  context.selection = &options.selection;
  context.calibration = &table;
  Pipeline pipeline{InsertQdq{.correct_bias = options.correct_bias},
                    QuantizeBias{}, FoldActivation{}, EliminateDead{}};
  ZEROPOINT_RETURN_IF_ERROR(pipeline.Run(graph, context).status());
  report.quantized = std::move(context.quantized);
  report.float_nodes = std::move(context.declined);
  return VerifyModel(graph);
}

/// What every way of quantizing statically has in common: `ranges_of(model,
/// targets)`, a Result<CalibrationResult>, is asked once the model is clean.
template <class RangesOf>
Result<QuantizationReport> QuantizeWithRanges(
    Model& model, const StaticQuantizationOptions& options,
    RangesOf ranges_of) {
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
  {
    ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(CheckSelection(options.selection, graph, target));
  }
  ZEROPOINT_RETURN_IF_ERROR(UpgradeForQdq(model, target));
  const KernelTable& kernels = DispatchedKernels();
  if (options.optimize) {
    ZEROPOINT_RETURN_IF_ERROR(
        CleanUp(model, NodeEvaluation(model, &kernels), report.left_undone));
  }
  timer.End("clean-up");
  std::vector<CalibrationTarget> targets;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
    targets = CalibrationTargets(graph, target, options.selection);
  }
  ZEROPOINT_ASSIGN_OR_RETURN(CalibrationResult calibrated,
                             ranges_of(model, targets, target.activations));
  report.samples = calibrated.samples;
  report.findings = std::move(calibrated.findings);
  report.calibration = FormatCalibration(options.calibration);
  timer.End("calibration");
  ZEROPOINT_RETURN_IF_ERROR(
      InsertPairs(model, options, target, calibrated.table, report));
  timer.End("quantization");
  return report;
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
  return internal::QuantizeWithRanges(
      model, options,
      [&](Model& clean, const std::vector<CalibrationTarget>& targets,
          const SchemeSpec& scheme) -> Result<CalibrationResult> {
        const KernelTable& kernels = DispatchedKernels();
        ZEROPOINT_ASSIGN_OR_RETURN(
            BuiltinExecutor executor,
            BuiltinExecutor::Create(
                clean, {.threads = options.threads, .kernels = &kernels}));
        return Calibrate(executor, source, targets, options.calibration, scheme,
                         kernels, options.progress);
      });
}

/// The same with ranges that are known: from a calibration state by
/// ChooseRanges, or from a file. Tensors that they lack stay float.
inline Result<QuantizationReport> QuantizeStatic(
    Model& model, CalibrationResult calibrated,
    const StaticQuantizationOptions& options) {
  return internal::QuantizeWithRanges(
      model, options,
      [&](Model&, const std::vector<CalibrationTarget>&, const SchemeSpec&) {
        return Result<CalibrationResult>(std::move(calibrated));
      });
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZE_STATIC_H_

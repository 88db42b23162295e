// QuantizeStatic: from a float model and samples to a quantized model.
#ifndef ZEROPOINT_FLOW_QUANTIZE_STATIC_H_
#define ZEROPOINT_FLOW_QUANTIZE_STATIC_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/range_rule.h"
#include "zeropoint/core/form.h"
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
#include "zeropoint/passes/integer_io.h"
#include "zeropoint/passes/lower_to_integer.h"
#include "zeropoint/passes/lower_to_qoperator.h"
#include "zeropoint/passes/quantize_bias.h"
#include "zeropoint/profiles/for_form.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {

/// Named after the reference tool's arguments where it has one.
struct StaticQuantizationOptions {
  /// Where the pairs go; see profiles/.
  TargetSpec target = OnnxRuntimeCpu::Spec();
  /// kQdq, kQOperator or kInteger.
  Form form = Form::kQdq;
  /// Of the QOperator form: use ONNX Runtime's operators of com.microsoft too.
  bool microsoft_domain = false;
  /// In place of the target's own schemes.
  std::optional<SchemeSpec> activation_scheme;
  std::optional<SchemeSpec> weight_scheme;
  NodeSelection selection;
  /// What is fixed for single tensors of the cleaned-up model, by name.
  TensorOverrides overrides;
  /// Run the clean-up passes first.
  bool optimize = true;
  /// Take back in the bias what rounding the weights shifts on average.
  bool correct_bias = true;
  /// One pair a tensor, or one for each reader.
  PairSharing pairs = PairSharing::kShared;
  /// Store biases as int32 in units of the accumulator.
  bool quantize_bias = true;
  /// Inputs and outputs of the model are codes; the report has their scales.
  bool integer_io = false;
  /// 0: one a processor.
  int threads = 0;
  ProgressHook progress;
};

namespace internal {

/// Per-channel parameters need opset 13, 16- and 4-bit codes and blocks 21; the
/// units that the clean-up fuses came with 14 and 17, so a model that must be
/// converted anyway goes to 17.
inline Status UpgradeForQdq(Model& model, const TargetSpec& target,
                            const TensorOverrides* overrides) {
  const std::int64_t needed = FirstOpsetWith(target, overrides);
  return UpgradeOpset(model, model.opset() < needed
                                 ? std::max<std::int64_t>(needed, 17)
                                 : needed);
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

/// What the form cannot say stays between pairs, and is reported.
inline Status LowerPairs(GraphView& graph,
                         const StaticQuantizationOptions& options,
                         QuantizationReport& report) {
  PassContext context;
  if (options.form == Form::kQOperator) {
    Pipeline pipeline{LowerToQOperator{.microsoft = options.microsoft_domain},
                      EliminateDead{}};
    ZEROPOINT_RETURN_IF_ERROR(pipeline.Run(graph, context).status());
  } else if (options.form == Form::kInteger) {
    Pipeline pipeline{LowerToInteger{}, EliminateDead{}};
    ZEROPOINT_RETURN_IF_ERROR(pipeline.Run(graph, context).status());
  }
  for (Declined& declined : context.declined) {
    report.left_undone.push_back(std::move(declined));
  }
  return Status();
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
  context.overrides = &options.overrides;
  InsertQdq insert{.correct_bias = options.correct_bias,
                   .pairs = options.pairs};
  ZEROPOINT_RETURN_IF_ERROR(insert.Run(graph, context).status());
  // In the integer form the bias stays float: it is added behind the rescale.
  if (options.quantize_bias && options.form != Form::kInteger) {
    ZEROPOINT_RETURN_IF_ERROR(QuantizeBias{}.Run(graph, context).status());
  }
  Pipeline finish{FoldActivation{}, EliminateDead{}};
  ZEROPOINT_RETURN_IF_ERROR(finish.Run(graph, context).status());
  if (options.integer_io) {
    ZEROPOINT_RETURN_IF_ERROR(IntegerIo{}.Run(graph, context).status());
  }
  report.quantized = std::move(context.quantized);
  report.float_nodes = std::move(context.declined);
  ZEROPOINT_RETURN_IF_ERROR(LowerPairs(graph, options, report));
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
  TargetSpec target =
      ForForm(options.target, options.form, options.microsoft_domain);
  if (options.activation_scheme)
    target.activations = *options.activation_scheme;
  if (options.weight_scheme) target.weights = *options.weight_scheme;
  if (options.form == Form::kFloat) {
    return InvalidArgument("the float form is what there is already");
  }
  report.form = FormName(options.form);
  report.profile = target.name;
  report.activations = FormatScheme(target.activations);
  report.weights = FormatScheme(target.weights);
  if (target.activations.per_channel) {
    return InvalidArgument("activations have one scale a tensor; leave out '" +
                           report.activations + "''s channel part");
  }
  if (target.activations.block > 0 || BitsOf(target.activations.storage) < 8) {
    return InvalidArgument("activations '" + report.activations +
                           "': blocks and 4-bit codes are for weights; use 8 "
                           "or 16 bits and one scale a tensor");
  }
  if (options.form != Form::kQdq && (BitsOf(target.activations.storage) != 8 ||
                                     BitsOf(target.weights.storage) != 8)) {
    return InvalidArgument("the " + report.form +
                           " form has 8-bit codes; 16 bits need the form qdq");
  }
  {
    ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(CheckSelection(options.selection, graph, target));
  }
  ZEROPOINT_RETURN_IF_ERROR(
      internal::UpgradeForQdq(model, target, &options.overrides));
  const KernelTable& kernels = DispatchedKernels();
  if (options.optimize) {
    ZEROPOINT_RETURN_IF_ERROR(internal::CleanUp(
        model, NodeEvaluation(model, &kernels), report.left_undone));
  }
  timer.End("clean-up");
  std::vector<CalibrationTarget> targets;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
    targets = CalibrationTargets(graph, target, options.selection);
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
  ZEROPOINT_RETURN_IF_ERROR(
      internal::InsertPairs(model, options, target, calibrated.table, report));
  timer.End("quantization");
  return report;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZE_STATIC_H_

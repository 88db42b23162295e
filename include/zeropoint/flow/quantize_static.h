// QuantizeStatic: from a float model and samples to a quantized model.
#ifndef ZEROPOINT_FLOW_QUANTIZE_STATIC_H_
#define ZEROPOINT_FLOW_QUANTIZE_STATIC_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
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
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/calibrate.h"
#include "zeropoint/flow/clean_up.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/second_moments.h"
#include "zeropoint/flow/trial.h"
#include "zeropoint/flow/tune.h"
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
#include "zeropoint/passes/round_weights.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {

/// Named after the reference tool's arguments where it has one.
inline constexpr std::size_t kLeastSamplesToTune = 8;
inline constexpr std::size_t kMostBytesToTune = std::size_t{1} << 30;

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
  /// Round weights by the second moments of their inputs, not to the nearest
  /// code.
  bool second_order_rounding = true;
  SecondMomentOptions second_moments;
  /// Accept each remedy only where it helps on held-out samples, and put the
  /// nodes that cost most back to float. Needs kLeastSamplesToTune samples and
  /// a model below kMostBytesToTune; otherwise the report says that it was not
  /// done.
  bool tune = true;
  TuneOptions tuning;
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
                          const QuantizationChoice& choice,
                          const WeightRounder& rounder,
                          QuantizationReport& report) {
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  report.nodes = graph.nodes().size();
  PassContext context;
  context.target = &target;
  NodeSelection selection = options.selection;
  selection.nodes_to_exclude.insert(selection.nodes_to_exclude.end(),
                                    choice.float_nodes.begin(),
                                    choice.float_nodes.end());
  context.selection = &selection;
  context.calibration = &table;
  context.weight_rounder = &rounder;
  Pipeline pipeline{InsertQdq{.correct_bias = choice.correct_bias},
                    QuantizeBias{}, FoldActivation{}, EliminateDead{}};
  ZEROPOINT_RETURN_IF_ERROR(pipeline.Run(graph, context).status());
  report.quantized = std::move(context.quantized);
  report.float_nodes = std::move(context.declined);
  for (Declined& node : report.float_nodes) {
    if (std::find(choice.float_nodes.begin(), choice.float_nodes.end(),
                  node.node) != choice.float_nodes.end()) {
      node.reason = "in int8 it costs more accuracy than the others";
    }
  }
  return VerifyModel(graph);
}

inline ParallelFor ParallelForOf(ThreadPool& pool) {
  return [&pool](std::size_t count,
                 const std::function<void(std::size_t)>& body) {
    pool.ParallelFor(count, [&body](std::size_t i, std::size_t) { body(i); });
  };
}

/// The nodes of `plan` with weights that a name selects, and their work.
inline std::vector<TunableNode> TunableNodes(const GraphView& graph,
                                             const QuantizationPlan& plan,
                                             const CalibrationTable& table) {
  std::map<std::string, int> named;
  for (const NodeId node : graph.nodes()) ++named[graph.node(node).name()];
  std::vector<TunableNode> nodes;
  for (const PlannedNode& planned : plan.nodes) {
    const std::string& name = graph.node(planned.node).name();
    if (planned.operands.weight == Operands::kNone || name.empty() ||
        named[name] != 1) {
      continue;
    }
    TunableNode& node = nodes.emplace_back();
    node.name = name;
    const auto output = table.find(graph.name(graph.output(planned.node, 0)));
    if (output != table.end()) {
      node.macs = static_cast<double>(CountTimes(
          planned.operands.macs_per_output, ProductOf(output->second.dims)));
    }
  }
  return nodes;
}

/// What is learnt from the float model before anything is edited.
struct FloatFacts {
  CalibrationTable table;
  SecondMomentTable moments;
  HeldOutSamples held_out;  // empty: nothing is tuned
  std::vector<TunableNode> tunable;
};

inline Result<FloatFacts> LearnFacts(Model& model, FeedSource& source,
                                     const StaticQuantizationOptions& options,
                                     const TargetSpec& target,
                                     const KernelTable& kernels,
                                     ThreadPool& pool, PhaseTimer& timer,
                                     QuantizationReport& report) {
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  const auto targets = CalibrationTargets(graph, target, options.selection);
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(model, {.kernels = &kernels, .pool = &pool}));
  ZEROPOINT_ASSIGN_OR_RETURN(
      CalibrationResult calibrated,
      Calibrate(executor, source, targets, MinMaxCalibration{},
                target.activations, kernels, options.progress));
  report.samples = calibrated.samples;
  report.non_finite = std::move(calibrated.non_finite);
  timer.End("calibration");
  FloatFacts facts;
  facts.table = std::move(calibrated.table);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const QuantizationPlan plan,
      PlanQuantization(graph, target, options.selection, facts.table));
  std::size_t held_out = 0;
  if (options.tune) {
    if (report.samples < kLeastSamplesToTune) {
      report.tuning_note = "not tuned: that takes at least " +
                           std::to_string(kLeastSamplesToTune) + " samples";
    } else if (model.proto().ByteSizeLong() > kMostBytesToTune) {
      report.tuning_note = "not tuned: the model is too large to try choices";
    } else if (const auto clone = CloneModel(model); !clone.ok()) {
      report.tuning_note = "not tuned: " + clone.status().message();
    } else {
      held_out = std::min(options.tuning.most_held_out, report.samples / 4);
    }
  }
  if (options.second_order_rounding) {
    SecondMomentOptions moments = options.second_moments;
    moments.samples = std::min(moments.samples, report.samples - held_out);
    ZEROPOINT_RETURN_IF_ERROR(source.Rewind());
    ZEROPOINT_ASSIGN_OR_RETURN(
        facts.moments,
        CollectSecondMoments(executor, source, graph, plan, kernels,
                             ParallelForOf(pool), moments, options.progress));
    timer.End("second moments");
  }
  if (held_out > 0) {
    facts.tunable = TunableNodes(graph, plan, facts.table);
    ZEROPOINT_ASSIGN_OR_RETURN(
        facts.held_out, HoldOut(executor, source, report.samples, held_out,
                                OutputNames(model)));
  }
  return facts;
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
  ThreadPool pool(options.threads);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const internal::FloatFacts facts,
      internal::LearnFacts(model, source, options, target, kernels, pool, timer,
                           report));
  const ParallelFor parallel = internal::ParallelForOf(pool);
  const WeightRoundingOptions rounding{.pair_limit = target.weight_pair_limit};
  const SecondMomentTable no_moments;
  const SecondOrderRounder second_order_rounder(facts.moments, kernels,
                                                rounding, parallel);
  const SecondOrderRounder nearest_rounder(no_moments, kernels, rounding,
                                           parallel);
  const RememberingRounder second_order(second_order_rounder);
  const RememberingRounder nearest(nearest_rounder);
  const auto insert = [&](Model& to, const QuantizationChoice& choice,
                          QuantizationReport& into) {
    return internal::InsertPairs(
        to, options, target, facts.table, choice,
        choice.second_order_rounding ? second_order : nearest, into);
  };
  QuantizationChoice choice{
      options.second_order_rounding, options.correct_bias, {}};
  if (!facts.held_out.feeds.empty()) {
    const auto noise = [&](const QuantizationChoice& tried,
                           bool quick) -> Result<double> {
      ZEROPOINT_ASSIGN_OR_RETURN(Model trial, CloneModel(model));
      QuantizationReport of_trial;
      ZEROPOINT_RETURN_IF_ERROR(insert(trial, tried, of_trial));
      if (options.progress) options.progress("tuning", report.trials++, {});
      const std::size_t samples = facts.held_out.feeds.size();
      return NoiseOf(trial, facts.held_out, pool, kernels,
                     quick ? (samples + 1) / 2 : samples);
    };
    ZEROPOINT_ASSIGN_OR_RETURN(
        TuningResult tuned,
        Tune(options.tuning, std::move(choice), facts.tunable, noise));
    choice = std::move(tuned.choice);
    report.tuning = std::move(tuned.steps);
    timer.End("tuning");
  }
  ZEROPOINT_RETURN_IF_ERROR(insert(model, choice, report));
  timer.End("quantization");
  return report;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZE_STATIC_H_

#include "zeropoint/flow/quantize_static.h"

#include <cstddef>
#include <string>
#include <utility>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/float_facts.h"
#include "zeropoint/flow/insert_pairs.h"
#include "zeropoint/flow/prepare_model.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/flow/trial.h"
#include "zeropoint/flow/tune.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/round_weights.h"
#include "zeropoint/passes/weight_rounder.h"
#include "zeropoint/profiles/for_form.h"

namespace zeropoint {

namespace {

/// The target with the placement that `form` wants, and the options' schemes in
/// place of its own.
/// Errors: kInvalidArgument for schemes that activations or the form cannot
/// have.
Result<TargetSpec> ResolveTarget(const StaticQuantizationOptions& options,
                                 Form form) {
  if (options.form == Form::kFloat) {
    return InvalidArgument("the float form is what there is already");
  }
  TargetSpec target = ForForm(options.target, form, options.microsoft_domain);
  if (options.activation_scheme) {
    target.activations = *options.activation_scheme;
  }
  if (options.weight_scheme) target.weights = *options.weight_scheme;
  const std::string activations = FormatScheme(target.activations);
  if (target.activations.per_channel) {
    return InvalidArgument("activations have one scale a tensor; leave out '" +
                           activations + "''s channel part");
  }
  if (target.activations.block > 0 || BitsOf(target.activations.storage) < 8) {
    return InvalidArgument("activations '" + activations +
                           "': blocks and 4-bit codes are for weights; use 8 "
                           "or 16 bits and one scale a tensor");
  }
  if (options.form != Form::kQdq && (BitsOf(target.activations.storage) != 8 ||
                                     BitsOf(target.weights.storage) != 8)) {
    return InvalidArgument("the " + std::string(FormName(options.form)) +
                           " form has 8-bit codes; others need the form qdq");
  }
  return target;
}

/// What every way of quantizing statically has in common: `learn(model, target,
/// selection, pool, timer, report)`, a Result<FloatFacts>, is asked once the
/// model is prepared.
template <class Learn>
Result<QuantizationReport> QuantizeWithFacts(
    Model& model, const StaticQuantizationOptions& options, Learn learn) {
  QuantizationReport report;
  PhaseTimer timer(report.seconds);
  ZEROPOINT_ASSIGN_OR_RETURN(const TargetSpec target,
                             ResolveTarget(options, options.form));
  ZEROPOINT_ASSIGN_OR_RETURN(const TargetSpec of_pairs,
                             ResolveTarget(options, Form::kQdq));
  report.form = FormName(options.form);
  report.profile = target.name;
  report.activations = FormatScheme(target.activations);
  report.weights = FormatScheme(target.weights);
  report.calibration = FormatCalibration(options.calibration);
  NodeSelection selection;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_ASSIGN_OR_RETURN(
        selection, ResolveSelection(options.selection, graph,
                                    target.OperatorTypes(), target.name));
  }
  const KernelTable& kernels = DispatchedKernels();
  ZEROPOINT_ASSIGN_OR_RETURN(report.left_undone,
                             PrepareModel(model, target, &options.overrides,
                                          options.optimize, kernels));
  {
    ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(CheckOperatorTypes(selection, graph));
  }
  timer.End("clean-up");
  ThreadPool pool(options.threads);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const FloatFacts facts,
      learn(model, target, selection, pool, timer, report));
  const WeightRoundingOptions rounding{.pair_limit = target.weight_pair_limit};
  const SecondMomentTable no_moments;
  const ParallelFor parallel = ParallelForOf(pool);
  const SecondOrderRounder by_moments(facts.moments, kernels, rounding,
                                      parallel);
  const SecondOrderRounder to_nearest(no_moments, kernels, rounding, parallel);
  const RememberingRounder second_order(by_moments);
  const RememberingRounder nearest(to_nearest);
  // Without trials nothing is rounded twice, and a large model's codes need not
  // be held.
  const bool trials = !facts.held_out.feeds.empty();
  const auto rounder_of =
      [&](const QuantizationChoice& choice) -> const WeightRounder& {
    if (!trials) return choice.second_order_rounding ? by_moments : to_nearest;
    return choice.second_order_rounding ? second_order : nearest;
  };
  const auto insert = [&](Model& to, const QuantizationChoice& choice,
                          QuantizationReport& into) {
    const bool as_pairs =
        options.form == Form::kQOperator && !choice.placed_for_form;
    return InsertPairs(to, options,
                       {as_pairs ? of_pairs : target, selection, facts.table,
                        rounder_of(choice)},
                       choice, into);
  };
  QuantizationChoice choice{
      .second_order_rounding = options.second_order_rounding,
      .correct_bias = options.correct_bias,
      .placed_for_form = options.form == Form::kQOperator};
  if (trials) {
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
  ZEROPOINT_RETURN_IF_ERROR(LowerPairs(model, options, target, report));
  timer.End("quantization");
  return report;
}

}  // namespace

Result<QuantizationReport> QuantizeStatic(
    Model& model, FeedSource& source,
    const StaticQuantizationOptions& options) {
  return QuantizeWithFacts(model, options,
                           [&](Model& prepared, const TargetSpec& target,
                               const NodeSelection& selection, ThreadPool& pool,
                               PhaseTimer& timer, QuantizationReport& report) {
                             return LearnFacts(
                                 prepared, source, options, target, selection,
                                 DispatchedKernels(), pool, timer, report);
                           });
}

Result<QuantizationReport> QuantizeStatic(
    Model& model, CalibrationResult calibrated,
    const StaticQuantizationOptions& options) {
  return QuantizeWithFacts(
      model, options,
      [&](Model&, const TargetSpec&, const NodeSelection&, ThreadPool&,
          PhaseTimer&, QuantizationReport& report) -> Result<FloatFacts> {
        report.samples = calibrated.samples;
        report.findings = std::move(calibrated.findings);
        if (options.tune) {
          report.tuning_note = "not tuned: there are ranges, but no samples";
        }
        FloatFacts facts;
        facts.table = std::move(calibrated.table);
        return facts;
      });
}

}  // namespace zeropoint

#include "zeropoint/flow/quantize_static.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/describe_weights.h"
#include "zeropoint/flow/float_facts.h"
#include "zeropoint/flow/insert_pairs.h"
#include "zeropoint/flow/prepare_static.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/static_candidate.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/flow/trial.h"
#include "zeropoint/flow/tune.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/equalize_channels.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/round_weights.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

namespace {

/// Equalizes the channels of what a plan of `setting` quantizes. The number of
/// tensors; `added` are the nodes that do it.
Result<std::size_t> Equalize(Model& model, const StaticSetting& setting,
                             const FloatFacts& facts,
                             std::vector<std::string>& added) {
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  PassContext context;
  context.target = &setting.placement.target;
  context.selection = &setting.placement.selection;
  context.calibration = &facts.ranges.configured;
  context.overrides = &setting.options.overrides;
  context.second_moments = &facts.moments;
  EqualizeChannels equalize;
  ZEROPOINT_ASSIGN_OR_RETURN(const PassReport report,
                             equalize.Run(graph, context));
  added = equalize.added();
  return report.rewrites;
}

/// What every way of quantizing statically has in common: `learn(model, target,
/// selection, pool, timer, report)`, a Result<FloatFacts>, is asked once the
/// model is prepared.
template <class Learn>
Result<QuantizationReport> QuantizeWithFacts(
    Model& model, const StaticQuantizationOptions& options, Learn learn) {
  QuantizationReport report;
  PhaseTimer timer(report.seconds);
  ZEROPOINT_ASSIGN_OR_RETURN(const StaticPlacement placement,
                             PrepareStatic(model, options, timer, report));
  const TargetSpec& target = placement.target;
  const NodeSelection& selection = placement.selection;
  ThreadPool pool(options.threads);
  const StaticSetting setting{options, placement, DispatchedKernels(), pool};
  ZEROPOINT_ASSIGN_OR_RETURN(
      FloatFacts facts, learn(model, target, selection, pool, timer, report));
  StaticCandidate plain(setting, model, std::move(facts));
  QuantizationChoice choice{
      .second_order_rounding = options.second_order_rounding,
      .correct_bias = options.correct_bias,
      .placed_for_form = options.form == Form::kQOperator,
      .slow_nodes = plain.facts().gain_too_little};
  if (options.tuning.target && !plain.can_try() &&
      !plain.facts().quantizes_nothing) {
    return InvalidArgument("a target needs samples to try choices on: " +
                           report.tuning_note);
  }
  StaticCandidate* best = &plain;
  std::optional<Model> other_model;
  std::optional<StaticCandidate> equalized;
  if (plain.can_try()) {
    const auto score = [&](const QuantizationChoice& tried, bool quick) {
      if (options.progress) options.progress("tuning", report.trials++, {});
      return best->Score(tried, quick);
    };
    if (options.equalize_channels) {
      ZEROPOINT_ASSIGN_OR_RETURN(other_model, CloneModel(model));
      ZEROPOINT_ASSIGN_OR_RETURN(
          const std::size_t tensors,
          Equalize(*other_model, setting, plain.facts(), choice.equalizers));
      timer.End("equalization");
      if (tensors > 0) {
        ZEROPOINT_ASSIGN_OR_RETURN(const SampleScores before,
                                   score(choice, false));
        NodeSelection without = selection;
        for (const std::string& name : choice.equalizers) without.Exclude(name);
        ZEROPOINT_ASSIGN_OR_RETURN(
            facts, learn(*other_model, target, without, pool, timer, report));
        equalized.emplace(setting, *other_model, std::move(facts));
        // The float model's own outputs, whatever rounding did to the scales.
        equalized->SetHeldOut(plain.TakeHeldOut());
        best = &*equalized;
        ZEROPOINT_ASSIGN_OR_RETURN(const SampleScores after,
                                   score(choice, false));
        const bool better =
            GainOf(before, after)
                .IsAtLeast(options.tuning.least_equalization_gain_db);
        report.tuning.push_back({"plain", MeanOf(before), !better});
        report.tuning.push_back({"the channels of " + std::to_string(tensors) +
                                     " tensors equalized",
                                 MeanOf(after), better});
        if (!better) {
          plain.SetHeldOut(equalized->TakeHeldOut());
          best = &plain;
          choice.equalizers.clear();
        }
      }
    }
    TuneOptions tuning = options.tuning;
    if (best->facts().trial_ranges.min_max.empty()) {
      tuning.try_min_max_ranges = false;
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        TuningResult tuned,
        Tune(tuning, std::move(choice), best->facts().tunable, score,
             [&](const QuantizationChoice& tried, const SampleScores& scores) {
               return best->QualityOf(tried, scores, *tuning.target);
             }));
    choice = std::move(tuned.choice);
    for (TuningStep& step : tuned.steps) {
      report.tuning.push_back(std::move(step));
    }
    timer.End("tuning");
  }
  if (options.details) {
    ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph,
                               GraphView::Over(best->model()));
    report.details = {.nodes = DescribeNodes(graph),
                      .histograms = best->facts().histograms};
  }
  ZEROPOINT_RETURN_IF_ERROR(best->Insert(choice, report));
  if (!choice.slow_nodes.empty()) {
    report.quantized.notes = {"left float: by the times measured for " +
                              report.profile +
                              " int8 would gain less than a tenth"};
  }
  if (best != &plain) model = std::move(*other_model);
  ZEROPOINT_RETURN_IF_ERROR(LowerPairs(model, options, target, report));
  if (report.details) {
    ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
    ZEROPOINT_ASSIGN_OR_RETURN(report.details->weights, DescribeWeights(graph));
  }
  timer.End("quantization");
  return report;
}

}  // namespace

Result<QuantizationReport> QuantizeStatic(
    Model& model, FeedSource& source,
    const StaticQuantizationOptions& options) {
  return QuantizeWithFacts(
      model, options,
      [&, again = false](
          Model& prepared, const TargetSpec& target,
          const NodeSelection& selection, ThreadPool& pool, PhaseTimer& timer,
          QuantizationReport& report) mutable -> Result<FloatFacts> {
        if (std::exchange(again, true)) {
          ZEROPOINT_RETURN_IF_ERROR(source.Rewind());
        }
        return LearnFacts(prepared, source, options, target, selection,
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
        facts.ranges.configured = std::move(calibrated.table);
        return facts;
      });
}

}  // namespace zeropoint

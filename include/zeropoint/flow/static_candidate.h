// StaticCandidate: a float model that may become the quantized one, with what
// was learnt from it.
#ifndef ZEROPOINT_FLOW_STATIC_CANDIDATE_H_
#define ZEROPOINT_FLOW_STATIC_CANDIDATE_H_

#include <cstddef>
#include <string>
#include <utility>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/core/form.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/float_facts.h"
#include "zeropoint/flow/insert_pairs.h"
#include "zeropoint/flow/prepare_static.h"
#include "zeropoint/flow/quality_target.h"
#include "zeropoint/flow/quantization_choice.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/sample_scores.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/flow/trial.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/round_weights.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

/// What all candidates of one quantization have in common. Must outlive them.
struct StaticSetting {
  const StaticQuantizationOptions& options;
  const StaticPlacement& placement;
  const KernelTable& kernels;
  ThreadPool& pool;
};

/// Inserts pairs by any choice, and scores what comes out. Weights are rounded
/// once for each way of rounding, however many choices are tried.
class StaticCandidate {
 public:
  /// `model` is prepared; it must outlive *this.
  StaticCandidate(const StaticSetting& setting, Model& model, FloatFacts facts)
      : setting_(setting), model_(model), facts_(std::move(facts)) {}
  StaticCandidate(const StaticCandidate&) = delete;
  StaticCandidate& operator=(const StaticCandidate&) = delete;

  Model& model() { return model_; }
  const FloatFacts& facts() const { return facts_; }
  bool can_try() const { return !facts_.held_out.feeds.empty(); }

  /// Puts pairs into the model, which is then no candidate any more.
  Status Insert(const QuantizationChoice& choice, QuantizationReport& report) {
    return Insert(model_, facts_.ranges.Of(choice), choice, report);
  }

  /// See ScoreFunction. Requires can_try().
  Result<SampleScores> Score(const QuantizationChoice& choice, bool quick) {
    ZEROPOINT_ASSIGN_OR_RETURN(const Model trial, Try(choice));
    const std::size_t samples = facts_.held_out.feeds.size();
    return ScoresOf(trial, facts_.held_out, setting_.pool, setting_.kernels,
                    quick ? (samples + 1) / 2 : samples);
  }

  /// What `target` measures of a choice. Requires can_try().
  Result<double> QualityOf(const QuantizationChoice& choice,
                           const SampleScores& scores,
                           const QualityTarget& target) {
    if (target.measure == QualityMeasure::kSqnr) return MeanOf(scores);
    ZEROPOINT_ASSIGN_OR_RETURN(const Model trial, Try(choice));
    return target.measure == QualityMeasure::kMetric
               ? target.metric(trial)
               : AgreementOf(trial, facts_.held_out, setting_.pool,
                             setting_.kernels);
  }

  /// For a candidate that takes the place of this one.
  HeldOutSamples TakeHeldOut() { return std::move(facts_.held_out); }
  void SetHeldOut(HeldOutSamples held_out) {
    facts_.held_out = std::move(held_out);
  }

 private:
  /// A copy, quantized with the ranges of samples that are not held out.
  Result<Model> Try(const QuantizationChoice& choice) {
    ZEROPOINT_ASSIGN_OR_RETURN(Model trial, CloneModel(model_));
    QuantizationReport of_trial;
    ZEROPOINT_RETURN_IF_ERROR(
        Insert(trial, facts_.trial_ranges.Of(choice), choice, of_trial));
    return trial;
  }

  Status Insert(Model& to, const CalibrationTable& table,
                const QuantizationChoice& choice,
                QuantizationReport& report) const {
    const bool as_pairs =
        setting_.options.form == Form::kQOperator && !choice.placed_for_form;
    TargetSpec target =
        as_pairs ? setting_.placement.of_pairs : setting_.placement.target;
    NodeSelection selection = setting_.placement.selection;
    if (choice.at_any_speed && target.leave_slower_float) {
      target.leave_slower_float = false;
      for (OperatorRule& rule : target.operators) {
        rule.min_macs = 0;
        rule.grouped_in_islands = false;
      }
      for (const std::string& name : facts_.slower) selection.Exclude(name);
    }
    return InsertPairs(to, setting_.options,
                       {target, selection, table, RounderOf(choice)}, choice,
                       report);
  }

  const WeightRounder& RounderOf(const QuantizationChoice& choice) const {
    // Without trials nothing is rounded twice, and a large model's codes need
    // not be held.
    if (!can_try()) {
      return choice.second_order_rounding ? by_moments_ : nearest_;
    }
    return choice.second_order_rounding ? remembered_by_moments_
                                        : remembered_nearest_;
  }

  const StaticSetting& setting_;
  Model& model_;
  FloatFacts facts_;
  SecondMomentTable no_moments_;
  WeightRoundingOptions rounding_{
      .pair_limit = setting_.placement.target.weight_pair_limit};
  SecondOrderRounder by_moments_{facts_.moments, setting_.kernels, rounding_,
                                 ParallelForOf(setting_.pool)};
  SecondOrderRounder nearest_{no_moments_, setting_.kernels, rounding_,
                              ParallelForOf(setting_.pool)};
  RememberingRounder remembered_by_moments_{by_moments_};
  RememberingRounder remembered_nearest_{nearest_};
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_STATIC_CANDIDATE_H_

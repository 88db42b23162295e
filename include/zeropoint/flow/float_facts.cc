#include "zeropoint/flow/float_facts.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/calibration/histogram_observer.h"
#include "zeropoint/calibration/tensor_statistics.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/flow/first_samples.h"
#include "zeropoint/flow/observe_samples_at_once.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/sample_claims.h"
#include "zeropoint/flow/second_moments.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/flow/trial.h"
#include "zeropoint/flow/tune.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/calibration_targets.h"
#include "zeropoint/passes/operands.h"
#include "zeropoint/passes/plan_quantization.h"
#include "zeropoint/passes/quantization_plan.h"
#include "zeropoint/passes/time_model.h"

namespace zeropoint {

using internal::CountTimes;
using internal::ProductOf;

namespace {

/// What quantizing or dequantizing an element takes, in multiply-accumulates of
/// an integer kernel: a quarter of a nanosecond against a hundred a nanosecond.
constexpr double kMacsOfAnElement = 25.0;

std::map<std::string, int> CountNames(const GraphView& graph) {
  std::map<std::string, int> counts;
  for (const NodeId node : graph.nodes()) ++counts[graph.node(node).name()];
  return counts;
}

/// What a sample takes of a node with weights: see TunableNode.
double WorkOf(const GraphView& graph, const PlannedNode& planned,
              const CalibrationTable& table) {
  const auto elements = [&](ValueId value) {
    const auto tensor = table.find(graph.name(value));
    return tensor == table.end() ? 0 : ProductOf(tensor->second.dims);
  };
  const auto outputs = elements(graph.output(planned.node, 0));
  return static_cast<double>(
             CountTimes(planned.operands.macs_per_output, outputs)) +
         kMacsOfAnElement *
             static_cast<double>(elements(graph.input(planned.node, 0)) +
                                 outputs);
}

/// Microseconds that the node takes more in float: its own, and conversions of
/// what it exchanges with int8 neighbours.
double MoreTimeInFloat(TimeModel& times, const GraphView& graph,
                       const QuantizationPlan& plan,
                       const PlannedNode& planned) {
  double more =
      times.RealTime(planned.node) - times.QuantizedTime(planned.node);
  const ValueId input = graph.input(planned.node, 0);
  const auto tensor = plan.tensors.find(input);
  if (tensor != plan.tensors.end() && tensor->second.produced_quantized) {
    more += times.ConversionTime(input);
  }
  for (const ValueId output : planned.quantized_outputs) {
    more += times.ConversionTime(output);
  }
  return std::max(more, 0.0);
}

/// The nodes of `plan` with weights that a name selects, and what they cost.
std::vector<TunableNode> TunableNodes(const GraphView& graph,
                                      const TargetSpec& target,
                                      const QuantizationPlan& plan,
                                      const CalibrationTable& table) {
  const std::map<std::string, int> named = CountNames(graph);
  TimeModel times(graph, target.costs, table);
  const PredictedTimes predicted =
      DecidesByTimes(graph, target, table)
          ? PredictTimes(graph, target, table, plan)
          : PredictedTimes();
  std::vector<TunableNode> nodes;
  double all_work = 0.0;
  for (const PlannedNode& planned : plan.nodes) {
    const std::string& name = graph.node(planned.node).name();
    if (planned.operands.weight == Operands::kNone || name.empty() ||
        named.at(name) != 1) {
      continue;
    }
    TunableNode& node = nodes.emplace_back();
    node.name = name;
    node.work_share = WorkOf(graph, planned, table);
    all_work += node.work_share;
    if (predicted.quantized > 0.0) {
      node.float_cost =
          MoreTimeInFloat(times, graph, plan, planned) / predicted.quantized;
    }
  }
  for (TunableNode& node : nodes) {
    if (all_work > 0.0) node.work_share /= all_work;
    if (predicted.quantized == 0.0) node.float_cost = node.work_share;
  }
  return nodes;
}

/// What the plan quantizes, if that gains too little as a whole and nothing was
/// asked for by name.
std::vector<std::string> GainTooLittle(const GraphView& graph,
                                       const TargetSpec& target,
                                       const NodeSelection& selection,
                                       const QuantizationPlan& plan,
                                       const CalibrationTable& table) {
  std::vector<std::string> labels;
  if (!selection.op_types_to_quantize.empty() ||
      !selection.nodes_to_quantize.empty() ||
      !DecidesByTimes(graph, target, table)) {
    return labels;
  }
  const PredictedTimes times = PredictTimes(graph, target, table, plan);
  if (times.real >= kLeastSpeedUp * times.quantized) return labels;
  for (const PlannedNode& node : plan.nodes) {
    labels.emplace_back(NodeSelection::Label(graph.node(node.node)));
  }
  return labels;
}

/// How many of the `samples` tuning may keep for itself; 0, with the reason in
/// the report, when nothing can be tried.
std::size_t SamplesToHoldOut(Model& model, std::size_t samples,
                             const StaticQuantizationOptions& options,
                             QuantizationReport& report) {
  if (!options.tune) return 0;
  if (samples < kLeastSamplesToTune) {
    report.tuning_note = "not tuned: that takes at least " +
                         std::to_string(kLeastSamplesToTune) + " samples";
  } else if (model.proto().ByteSizeLong() > kMostBytesToTune) {
    report.tuning_note = "not tuned: the model is too large to try choices";
  } else if (const auto clone = CloneModel(model); !clone.ok()) {
    report.tuning_note = "not tuned: " + clone.status().message();
  } else {
    return options.tuning.target
               ? std::min(4 * options.tuning.most_held_out, samples / 2)
               : std::min(options.tuning.most_held_out, samples / 4);
  }
  return 0;
}

/// Of the tensors of which `state` has one.
std::map<std::string, Histogram> HistogramsOf(const CalibrationState& state) {
  std::map<std::string, Histogram> histograms;
  for (const auto& [name, tensor] : state.tensors) {
    const auto& histogram = tensor.statistics.histogram();
    if (histogram && histogram->count() > 0) {
      histograms.emplace(name, histogram->ToHistogram());
    }
  }
  return histograms;
}

struct LearntRanges {
  CalibrationResult configured;
  CalibrationTable min_max;

  RangeChoices TakeChoices() {
    return {std::move(configured.table), std::move(min_max)};
  }
};

/// Observes samples until the source ends, and chooses ranges from all that
/// `state` has seen.
template <class Observe>
Result<LearntRanges> LearnRanges(FeedSource& source, CalibrationState& state,
                                 const StaticQuantizationOptions& options,
                                 const TargetSpec& target,
                                 std::optional<std::size_t> total,
                                 Observe observe) {
  ObserveOptions observing;
  observing.first = state.samples.count();
  if (options.progress) {
    observing.progress = [&](std::string_view phase, std::size_t done,
                             std::optional<std::size_t>) {
      options.progress(phase, observing.first + done, total);
    };
  }
  ZEROPOINT_RETURN_IF_ERROR(observe(source, observing));
  LearntRanges learnt;
  ZEROPOINT_ASSIGN_OR_RETURN(
      learnt.configured,
      ChooseRanges(state, options.calibration, target.activations));
  if (options.tune && options.tuning.try_min_max_ranges &&
      state.collected.histogram) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        CalibrationResult min_max,
        ChooseRanges(state, {.method = CalibrationMethod::kMinMax},
                     target.activations));
    learnt.min_max = std::move(min_max.table);
  }
  return learnt;
}

}  // namespace

Result<FloatFacts> LearnFacts(Model& model, FeedSource& source,
                              const StaticQuantizationOptions& options,
                              const TargetSpec& target,
                              const NodeSelection& selection,
                              const KernelTable& kernels, ThreadPool& pool,
                              PhaseTimer& timer, QuantizationReport& report) {
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  const auto targets = CalibrationTargets(graph, target, selection);
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(model, {.kernels = &kernels, .pool = &pool}));
  CalibrationState state;
  state.collected = CollectedStatistics::For(options.calibration);
  const std::optional<std::size_t> total = source.size();
  const auto ranges_of = [&](FeedSource& samples) {
    return LearnRanges(samples, state, options, target, total,
                       [&](FeedSource& from, const ObserveOptions& observing) {
                         return ObserveSamplesAtOnce(model, executor, pool,
                                                     from, targets, kernels,
                                                     state, observing);
                       });
  };
  FloatFacts facts;
  std::size_t held_out =
      total ? SamplesToHoldOut(model, *total, options, report) : 0;
  if (held_out > 0) {
    // What is tried on held-out samples must know nothing of their ranges.
    FirstSamples others(source, *total - held_out);
    ZEROPOINT_ASSIGN_OR_RETURN(LearntRanges of_others, ranges_of(others));
    facts.trial_ranges = of_others.TakeChoices();
  }
  ZEROPOINT_ASSIGN_OR_RETURN(LearntRanges learnt, ranges_of(source));
  report.samples = learnt.configured.samples;
  report.findings = std::move(learnt.configured.findings);
  if (options.details) facts.histograms = HistogramsOf(state);
  timer.End("calibration");
  facts.ranges = learnt.TakeChoices();
  if (!total) {
    held_out = SamplesToHoldOut(model, report.samples, options, report);
    facts.trial_ranges = facts.ranges;
  }
  ZEROPOINT_ASSIGN_OR_RETURN(
      const QuantizationPlan plan,
      PlanQuantization(graph, target, selection, facts.ranges.configured,
                       &options.overrides));
  facts.slower = plan.slower;
  facts.gain_too_little =
      GainTooLittle(graph, target, selection, plan, facts.ranges.configured);
  facts.quantizes_nothing =
      plan.nodes.empty() || !facts.gain_too_little.empty();
  if (facts.quantizes_nothing && held_out > 0) {
    report.tuning_note = "not tuned: nothing is quantized";
    held_out = 0;
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
    facts.tunable = TunableNodes(graph, target, plan, facts.ranges.configured);
    ZEROPOINT_ASSIGN_OR_RETURN(
        facts.held_out, HoldOut(executor, source, report.samples, held_out,
                                OutputNames(model)));
  }
  return facts;
}

}  // namespace zeropoint

#include "zeropoint/flow/measure_sensitivity.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/float_facts.h"
#include "zeropoint/flow/prepare_static.h"
#include "zeropoint/flow/quantization_choice.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/sample_scores.h"
#include "zeropoint/flow/static_candidate.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/flow/tune.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

namespace {

Result<std::map<std::string, std::string>> OperatorTypes(Model& model) {
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
  std::map<std::string, std::string> types;
  for (const NodeId node : graph.nodes()) {
    types[graph.node(node).name()] = graph.node(node).op_type();
  }
  return types;
}

}  // namespace

Result<SensitivityReport> MeasureSensitivity(
    Model& model, FeedSource& source, StaticQuantizationOptions options) {
  options.tune = true;  // holds samples out
  options.tuning.try_min_max_ranges = false;
  options.details = false;
  QuantizationReport quantization;
  PhaseTimer timer(quantization.seconds);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const StaticPlacement placement,
      PrepareStatic(model, options, timer, quantization));
  ThreadPool pool(options.threads);
  const KernelTable& kernels = DispatchedKernels();
  ZEROPOINT_ASSIGN_OR_RETURN(
      FloatFacts facts,
      LearnFacts(model, source, options, placement.target, placement.selection,
                 kernels, pool, timer, quantization));
  const StaticSetting setting{options, placement, kernels, pool};
  StaticCandidate candidate(setting, model, std::move(facts));
  if (!candidate.can_try()) {
    return InvalidData("sensitivity cannot be measured: " +
                       quantization.tuning_note);
  }
  const std::vector<TunableNode>& nodes = candidate.facts().tunable;
  const QuantizationChoice all{
      .second_order_rounding = options.second_order_rounding,
      .correct_bias = options.correct_bias,
      .placed_for_form = options.form == Form::kQOperator};
  std::size_t done = 0;
  const auto score = [&](const QuantizationChoice& choice) -> Result<double> {
    ZEROPOINT_ASSIGN_OR_RETURN(const SampleScores scores,
                               candidate.Score(choice, false));
    if (options.progress) {
      options.progress("measuring", ++done, 1 + 2 * nodes.size());
    }
    return MeanOf(scores);
  };
  SensitivityReport report;
  report.samples = candidate.facts().held_out.feeds.size();
  ZEROPOINT_ASSIGN_OR_RETURN(report.all_db, score(all));
  ZEROPOINT_ASSIGN_OR_RETURN(const auto types, OperatorTypes(model));
  for (const TunableNode& node : nodes) {
    NodeSensitivity& measured = report.nodes.emplace_back();
    measured.node = node.name;
    measured.op_type = types.at(node.name);
    measured.work_share = node.work_share;
    QuantizationChoice alone = all;
    alone.at_any_speed = true;
    QuantizationChoice without = all;
    for (const TunableNode& other : nodes) {
      (other.name == node.name ? without : alone)
          .float_nodes.push_back(other.name);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(measured.alone_db, score(alone));
    ZEROPOINT_ASSIGN_OR_RETURN(measured.without_db, score(without));
  }
  std::stable_sort(
      report.nodes.begin(), report.nodes.end(),
      [](const auto& a, const auto& b) { return a.alone_db < b.alone_db; });
  return report;
}

}  // namespace zeropoint

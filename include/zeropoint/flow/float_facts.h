// FloatFacts: what is learnt from the float model before anything is edited.
#ifndef ZEROPOINT_FLOW_FLOAT_FACTS_H_
#define ZEROPOINT_FLOW_FLOAT_FACTS_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/calibration/histogram_observer.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/quantization_choice.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/flow/trial.h"
#include "zeropoint/flow/tune.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/round_weights.h"

namespace zeropoint {

inline constexpr std::size_t kLeastSamplesToTune = 8;
inline constexpr std::size_t kMostBytesToTune = std::size_t{1} << 30;

/// Predictions are off by a tenth.
inline constexpr double kLeastSpeedUp = 1.1;

/// Ranges by the rule that the options name and, where tuning may try it, by
/// the least and greatest value; empty where not.
struct RangeChoices {
  CalibrationTable configured;
  CalibrationTable min_max;

  const CalibrationTable& Of(const QuantizationChoice& choice) const {
    return choice.min_max_ranges ? min_max : configured;
  }
};

struct FloatFacts {
  /// From all samples, and from those that are not held out.
  RangeChoices ranges;
  RangeChoices trial_ranges;
  SecondMomentTable moments;
  HeldOutSamples held_out;  // empty: nothing is tuned
  std::vector<TunableNode> tunable;
  /// Nodes that stay float only because they are slower in int8.
  std::vector<std::string> slower;
  bool quantizes_nothing = false;
  /// Where times decide and int8 is predicted to gain less than kLeastSpeedUp:
  /// the nodes that it would be of.
  std::vector<std::string> gain_too_little = {};
  /// Where options.details asks for them.
  std::map<std::string, Histogram> histograms;
};

/// Ranges of the activations of a prepared model, second moments of the inputs
/// of its weights and samples to try choices on, as far as `options` ask for
/// them.
///
/// Tuning needs kLeastSamplesToTune samples and a model below kMostBytesToTune
/// whose weights are in the model; otherwise the report says why nothing is
/// held out. Errors: those of the executor and the source.
Result<FloatFacts> LearnFacts(Model& model, FeedSource& source,
                              const StaticQuantizationOptions& options,
                              const TargetSpec& target,
                              const NodeSelection& selection,
                              const KernelTable& kernels, ThreadPool& pool,
                              PhaseTimer& timer, QuantizationReport& report);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_FLOAT_FACTS_H_

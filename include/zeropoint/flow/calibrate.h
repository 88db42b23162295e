// Calibrate: runs a model on samples and keeps, of each tensor asked for, what
// range rules need.
//
// Tensors are observed as they are produced and then let go: memory is the
// model, one sample and the observers, however many samples there are and
// whatever their shapes.
#ifndef ZEROPOINT_FLOW_CALIBRATE_H_
#define ZEROPOINT_FLOW_CALIBRATE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/calibration_targets.h"

namespace zeropoint {

namespace internal {

/// Observes the tensors of each run.
class ObservingSink final : public TensorSink {
 public:
  ObservingSink(std::span<const CalibrationTarget> targets,
                const KernelTable& kernels, CalibrationState& state)
      : targets_(targets), kernels_(kernels) {
    for (const CalibrationTarget& target : targets) {
      const auto [at, is_new] = state.tensors.try_emplace(target.name);
      if (is_new) at->second.statistics = TensorStatistics(state.collected);
      states_.push_back(&at->second);
    }
  }

  void set_sample(std::uint64_t sample) { sample_ = sample; }

  Status Consume(std::size_t tap, const TensorView& tensor) override {
    states_[tap]->Observe(tensor, sample_, targets_[tap].channel_means,
                          kernels_);
    return Status();
  }

 private:
  std::span<const CalibrationTarget> targets_;
  const KernelTable& kernels_;
  std::vector<TensorState*> states_;
  std::uint64_t sample_ = 0;
};

}  // namespace internal

/// Where the samples of a run come from, and who is told about it.
struct ObserveOptions {
  /// The name of the data set, and the number in it of the source's first
  /// sample.
  std::string data;
  std::uint64_t first = 0;
  ProgressHook progress;
  /// Called with a state that holds whole samples only, at most every
  /// `checkpoint_seconds`. An error ends the run. May be empty.
  std::function<Status(const CalibrationState&)> checkpoint;
  double checkpoint_seconds = 5.0;
  /// Asked before each sample whether to stop there. May be empty.
  std::function<bool()> stop;
};

/// Runs every sample of `source` through `executor` and folds each target into
/// `state`, whose `collected` says what is kept. Errors: those of the source
/// and the executor, with the number of the sample; `state` is then undefined,
/// what the last checkpoint got is not. kCancelled, after a last checkpoint,
/// when `stop` says so.
template <Executor E>
Status ObserveSamples(E& executor, FeedSource& source,
                      std::span<const CalibrationTarget> targets,
                      const KernelTable& kernels, CalibrationState& state,
                      const ObserveOptions& options) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::string> taps;
  taps.reserve(targets.size());
  for (const CalibrationTarget& target : targets) taps.push_back(target.name);
  internal::ObservingSink sink(targets, kernels, state);
  Clock::time_point saved = Clock::now();
  for (std::uint64_t sample = options.first;; ++sample) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<Feeds> feeds, source.Next());
    if (!feeds) return Status();
    if (options.stop && options.stop()) {
      if (options.checkpoint) {
        ZEROPOINT_RETURN_IF_ERROR(options.checkpoint(state));
      }
      return Cancelled("stopped before sample " + std::to_string(sample));
    }
    sink.set_sample(sample);
    ZEROPOINT_RETURN_IF_ERROR(
        executor.Run(*feeds, taps, sink)
            .WithContext("calibration sample " + std::to_string(sample)));
    ZEROPOINT_RETURN_IF_ERROR(
        state.samples.Add({options.data, sample, sample + 1}));
    if (options.progress) {
      options.progress("calibrating", sample - options.first + 1,
                       source.size());
    }
    const std::chrono::duration<double> since = Clock::now() - saved;
    if (options.checkpoint && since.count() >= options.checkpoint_seconds) {
      ZEROPOINT_RETURN_IF_ERROR(options.checkpoint(state));
      saved = Clock::now();
    }
  }
}

/// Runs every sample of `source` through `executor` and chooses a range for
/// each target, by the rule of `calibration`.
///
/// Targets that are no float tensors, or in which nothing finite was seen, are
/// left out of the table. Errors: kInvalidData when there is no sample; those
/// of ObserveSamples and of the range rule.
template <Executor E>
Result<CalibrationResult> Calibrate(E& executor, FeedSource& source,
                                    std::span<const CalibrationTarget> targets,
                                    const CalibrationSpec& calibration,
                                    const SchemeSpec& scheme,
                                    const KernelTable& kernels,
                                    const ProgressHook& progress = {}) {
  CalibrationState state;
  state.collected = CollectedStatistics::For(calibration);
  ObserveOptions options;
  options.progress = progress;
  ZEROPOINT_RETURN_IF_ERROR(
      ObserveSamples(executor, source, targets, kernels, state, options));
  return ChooseRanges(state, calibration, scheme);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_CALIBRATE_H_

// Calibrate: runs a model on samples and keeps, of each tensor asked for, what
// range rules need.
//
// Tensors are observed as they are produced and then let go: memory is the
// model, one sample and the observers, however many samples there are and
// whatever their shapes.
#ifndef ZEROPOINT_FLOW_CALIBRATE_H_
#define ZEROPOINT_FLOW_CALIBRATE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
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
#include "zeropoint/flow/sample_claims.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/calibration_targets.h"

namespace zeropoint {

namespace internal {

/// What the tensors of the targets go into; shared by workers, which look at
/// the same tensor one after the other.
class ObservedTensors {
 public:
  /// All must outlive *this.
  ObservedTensors(std::span<const CalibrationTarget> targets,
                  const KernelTable& kernels, CalibrationState& state)
      : targets_(targets), kernels_(kernels), turns_(targets.size()) {
    for (const CalibrationTarget& target : targets) {
      const auto [at, is_new] = state.tensors.try_emplace(target.name);
      if (is_new) at->second.statistics = TensorStatistics(state.collected);
      states_.push_back(&at->second);
      names_.push_back(target.name);
    }
  }

  std::span<const std::string> names() const { return names_; }

  void Observe(std::size_t tap, const TensorView& tensor,
               std::uint64_t sample) {
    const std::scoped_lock turn(turns_[tap]);
    states_[tap]->Observe(tensor, sample, targets_[tap].channel_means,
                          kernels_);
  }

 private:
  std::span<const CalibrationTarget> targets_;
  const KernelTable& kernels_;
  std::vector<TensorState*> states_;
  std::vector<std::string> names_;
  std::vector<std::mutex> turns_;
};

/// Observes the tensors of one run.
class ObservingSink final : public TensorSink {
 public:
  ObservingSink(ObservedTensors& tensors, std::uint64_t sample)
      : tensors_(tensors), sample_(sample) {}

  Status Consume(std::size_t tap, const TensorView& tensor) override {
    tensors_.Observe(tap, tensor, sample_);
    return Status();
  }

 private:
  ObservedTensors& tensors_;
  std::uint64_t sample_;
};

/// Runs samples until none is left or, if they are limited, `most` are done.
template <Executor E>
void ObserveClaims(E& executor, SampleClaims& claims, ObservedTensors& tensors,
                   std::size_t most = std::numeric_limits<std::size_t>::max()) {
  for (; most > 0; --most) {
    const std::optional<SampleClaims::Claim> claim = claims.Next();
    if (!claim) return;
    ObservingSink sink(tensors, claim->sample);
    claims.Done(claim->sample, executor.Run(claim->feeds, tensors.names(), sink)
                                   .WithContext("calibration sample " +
                                                std::to_string(claim->sample)));
  }
}

}  // namespace internal

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
  internal::ObservedTensors tensors(targets, kernels, state);
  SampleClaims claims(source, state, options);
  internal::ObserveClaims(executor, claims, tensors);
  return claims.End();
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

// Calibrate: runs a model on samples and keeps, of each tensor asked for, its
// range.
//
// Tensors are observed as they are produced and then let go: memory is the
// model, one sample and the observers, however many samples there are and
// whatever their shapes.
#ifndef ZEROPOINT_FLOW_CALIBRATE_H_
#define ZEROPOINT_FLOW_CALIBRATE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/calibration/channel_mean_observer.h"
#include "zeropoint/calibration/range_rule.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/calibration_targets.h"

namespace zeropoint {

namespace internal {

/// Observes the tensors of each run; one observer a target.
template <Observer O>
class ObservingSink final : public TensorSink {
 public:
  ObservingSink(std::span<const CalibrationTarget> targets,
                const KernelTable& kernels)
      : targets_(targets), kernels_(kernels), states_(targets.size()) {}

  struct State {
    O observer;
    ChannelMeanObserver means;
    Dims dims;
    std::size_t elements = 0;
    bool is_float = false;
  };
  const std::vector<State>& states() const { return states_; }

  Status Consume(std::size_t tap, const TensorView& tensor) override {
    if (tensor.type() != DataType::kFloat) return Status();
    State& state = states_[tap];
    state.is_float = true;
    if (tensor.size() > state.elements || state.dims.empty()) {
      state.elements = tensor.size();
      state.dims.assign(tensor.dims().begin(), tensor.dims().end());
    }
    state.observer.Observe(tensor.As<float>(), kernels_);
    if (targets_[tap].channel_means) state.means.Observe(tensor, 1, kernels_);
    return Status();
  }

 private:
  std::span<const CalibrationTarget> targets_;
  const KernelTable& kernels_;
  std::vector<State> states_;
};

}  // namespace internal

/// What was seen beside finite values; a range never holds them.
struct NonFiniteTensor {
  std::string name;
  std::uint64_t nan = 0;
  std::uint64_t infinite = 0;
};

struct CalibrationResult {
  CalibrationTable table;
  std::size_t samples = 0;
  std::vector<NonFiniteTensor> non_finite;
};

/// Runs every sample of `source` through `executor` and chooses a range for
/// each target.
///
/// Targets that are no float tensors, or in which nothing finite was seen, are
/// left out of the table. Errors: kInvalidData when there is no sample; those
/// of the source, the executor and the range rule, with the number of the
/// sample.
template <Executor E, Observer O, class R>
Result<CalibrationResult> Calibrate(E& executor, FeedSource& source,
                                    std::span<const CalibrationTarget> targets,
                                    const Calibration<O, R>& calibration,
                                    const SchemeSpec& scheme,
                                    const KernelTable& kernels,
                                    const ProgressHook& progress = {}) {
  std::vector<std::string> taps;
  taps.reserve(targets.size());
  for (const CalibrationTarget& target : targets) taps.push_back(target.name);
  internal::ObservingSink<O> sink(targets, kernels);
  CalibrationResult result;
  for (;;) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<Feeds> feeds, source.Next());
    if (!feeds) break;
    ZEROPOINT_RETURN_IF_ERROR(executor.Run(*feeds, taps, sink)
                                  .WithContext("calibration sample " +
                                               std::to_string(result.samples)));
    ++result.samples;
    if (progress) progress("calibrating", result.samples, source.size());
  }
  if (result.samples == 0) return InvalidData("there is no calibration sample");
  const std::string why =
      "min-max of " + std::to_string(result.samples) + " samples";
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& state = sink.states()[i];
    if (state.observer.nan_count() + state.observer.infinite_count() > 0) {
      result.non_finite.push_back({targets[i].name, state.observer.nan_count(),
                                   state.observer.infinite_count()});
    }
    if (!state.is_float || state.observer.count() == 0) continue;
    CalibratedTensor tensor;
    ZEROPOINT_ASSIGN_OR_RETURN(tensor.range,
                               calibration.rule.Choose(state.observer, scheme));
    tensor.why = why;
    tensor.dims = state.dims;
    tensor.channel_means = state.means.means();
    result.table.emplace(targets[i].name, std::move(tensor));
  }
  return result;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_CALIBRATE_H_

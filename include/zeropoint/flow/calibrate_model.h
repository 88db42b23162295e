// CalibrateModel: from a float model and samples to a calibration state.
#ifndef ZEROPOINT_FLOW_CALIBRATE_MODEL_H_
#define ZEROPOINT_FLOW_CALIBRATE_MODEL_H_

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/flow/calibrate.h"
#include "zeropoint/flow/quantize_static.h"
#include "zeropoint/graph/fingerprint.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/calibration_targets.h"

namespace zeropoint {

/// Part `index` of `count` equal parts of the samples, in their order.
struct Shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;

  /// The samples of this part, of `total`.
  SampleRange Of(std::size_t total) const {
    const auto cut = [&](std::uint64_t part) {
      // Exact without a product that could wrap.
      const std::uint64_t each = total / count;
      const std::uint64_t more = total % count;
      return each * part + more * part / count;
    };
    const std::uint64_t first = cut(index);
    return {first, cut(index + 1) - first};
  }
};

/// Reads "2/7": part 2 of 7, counted from 0. Errors: kInvalidArgument.
inline Result<Shard> ParseShard(std::string_view text) {
  Shard shard;
  const char* end = text.data() + text.size();
  const auto [slash, error] = std::from_chars(text.data(), end, shard.index);
  constexpr std::uint64_t kMost = 1'000'000;
  if (error == std::errc() && slash != end && *slash == '/') {
    const auto [stop, failure] = std::from_chars(slash + 1, end, shard.count);
    if (failure == std::errc() && stop == end && shard.count > 0 &&
        shard.count <= kMost && shard.index < shard.count) {
      return shard;
    }
  }
  return InvalidArgument("shard '" + std::string(text) +
                         "' is not of the form k/n with 0 <= k < n <= 1000000");
}

/// What states must share to be merged or used: how the model is made ready.
struct CalibrationPreparation {
  TargetSpec target;
  bool optimize = true;

  std::string text() const {
    return std::string(target.name) + (optimize ? ",basic" : ",off");
  }
};

/// An empty state for `model`, still as the user has it.
inline Result<CalibrationState> StartCalibration(
    Model& model, const CalibrationPreparation& preparation,
    const CollectedStatistics& collected) {
  CalibrationState state;
  ZEROPOINT_ASSIGN_OR_RETURN(state.model, ModelFingerprint(model));
  state.preparation = preparation.text();
  state.collected = collected;
  return state;
}

/// Errors: kInvalidArgument when `state` is not of this model, or the model was
/// made ready in another way.
inline Status CheckStateIsOf(const CalibrationState& state, Model& model,
                             const CalibrationPreparation& preparation) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::uint64_t fingerprint,
                             ModelFingerprint(model));
  if (state.model != fingerprint) {
    return InvalidArgument(
        "the calibration state is of another model; calibrate this one");
  }
  if (state.preparation != preparation.text()) {
    return InvalidArgument("the calibration state was made with '" +
                           state.preparation + "', here it is '" +
                           preparation.text() +
                           "'; use the same --profile and --optimize");
  }
  return Status();
}

/// Cleans `model` up as QuantizeStatic does and folds the samples of `source`
/// into `state`. Errors: those of the clean-up, the executor and
/// ObserveSamples.
inline Status CalibrateModel(Model& model, FeedSource& source,
                             const CalibrationPreparation& preparation,
                             int threads, CalibrationState& state,
                             const ObserveOptions& options) {
  ZEROPOINT_RETURN_IF_ERROR(internal::UpgradeForQdq(model, preparation.target));
  const KernelTable& kernels = DispatchedKernels();
  if (preparation.optimize) {
    std::vector<Declined> left_undone;
    ZEROPOINT_RETURN_IF_ERROR(
        internal::CleanUp(model, NodeEvaluation(model, &kernels), left_undone));
  }
  std::vector<CalibrationTarget> targets;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
    targets = CalibrationTargets(graph, preparation.target, {});
  }
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(model,
                              {.threads = threads, .kernels = &kernels}));
  return ObserveSamples(executor, source, targets, kernels, state, options);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_CALIBRATE_MODEL_H_

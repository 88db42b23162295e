#include "zeropoint/flow/calibrate_model.h"

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
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/observe_samples_at_once.h"
#include "zeropoint/flow/prepare_model.h"
#include "zeropoint/flow/sample_claims.h"
#include "zeropoint/graph/fingerprint.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/calibration_targets.h"

namespace zeropoint {

Result<Shard> ParseShard(std::string_view text) {
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

Result<CalibrationState> StartCalibration(
    Model& model, const CalibrationPreparation& preparation,
    const CollectedStatistics& collected) {
  CalibrationState state;
  ZEROPOINT_ASSIGN_OR_RETURN(state.model, ModelFingerprint(model));
  state.preparation = preparation.text();
  state.collected = collected;
  return state;
}

Status CheckStateIsOf(const CalibrationState& state, Model& model,
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

Status CalibrateModel(Model& model, FeedSource& source,
                      const CalibrationPreparation& preparation, int threads,
                      CalibrationState& state, const ObserveOptions& options) {
  const KernelTable& kernels = DispatchedKernels();
  ZEROPOINT_RETURN_IF_ERROR(PrepareModel(model, preparation.target, nullptr,
                                         preparation.optimize, kernels)
                                .status());
  std::vector<CalibrationTarget> targets;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
    targets = CalibrationTargets(graph, preparation.target, {});
  }
  ThreadPool pool(threads);
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(model, {.kernels = &kernels, .pool = &pool}));
  return ObserveSamplesAtOnce(model, executor, pool, source, targets, kernels,
                              state, options);
}

}  // namespace zeropoint

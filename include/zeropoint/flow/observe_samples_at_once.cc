#include "zeropoint/flow/observe_samples_at_once.h"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <span>

#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/calibrate.h"
#include "zeropoint/flow/sample_claims.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/calibration_targets.h"

namespace zeropoint {

Status ObserveSamplesAtOnce(const Model& model, BuiltinExecutor& executor,
                            ThreadPool& pool, FeedSource& source,
                            std::span<const CalibrationTarget> targets,
                            const KernelTable& kernels, CalibrationState& state,
                            const ObserveOptions& options,
                            std::size_t most_bytes) {
  internal::ObservedTensors tensors(targets, kernels, state);
  SampleClaims claims(source, state, options);
  // The first one tells how large a sample is.
  internal::ObserveClaims(executor, claims, tensors, 1);
  const std::size_t weights = model.proto().ByteSizeLong();
  const bool small =
      weights < most_bytes && executor.peak_bytes() <= most_bytes - weights;
  std::size_t workers = 1;
  if (small && !state.collected.moving_average) {
    workers = std::min(pool.threads(), source.size().value_or(pool.threads()));
  }
  Status made;
  std::mutex made_turn;
  const auto work = [&](std::size_t worker) {
    if (worker == 0) {
      internal::ObserveClaims(executor, claims, tensors);
      return;
    }
    Result<BuiltinExecutor> other =
        BuiltinExecutor::Create(model, {.kernels = &kernels, .pool = &pool});
    if (other.ok()) {
      internal::ObserveClaims(*other, claims, tensors);
    } else {
      const std::scoped_lock turn(made_turn);
      made = other.status();
    }
  };
  if (workers == 1) {
    work(0);
  } else {
    // Inside a loop of the pool, the loops of operators stay on their thread.
    pool.ParallelFor(workers, work);
  }
  ZEROPOINT_RETURN_IF_ERROR(made);
  return claims.End();
}

}  // namespace zeropoint

// ObserveSamplesAtOnce: calibration with a sample on every thread.
#ifndef ZEROPOINT_FLOW_OBSERVE_SAMPLES_AT_ONCE_H_
#define ZEROPOINT_FLOW_OBSERVE_SAMPLES_AT_ONCE_H_

#include <cstddef>
#include <span>

#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/flow/sample_claims.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/calibration_targets.h"

namespace zeropoint {

/// ObserveSamples, to the same bytes, with as many samples at once as `pool`
/// has threads, if a sample is small. Threads that share one small operator
/// mostly wait for each other; samples have nothing to wait for.
///
/// It is one sample at a time where an executor, its weights and tensors, takes
/// more than `most_bytes`, and for a moving average, which depends on the
/// order. `executor` runs `model` on `pool`; the others are made like it.
/// Errors: those of ObserveSamples.
Status ObserveSamplesAtOnce(const Model& model, BuiltinExecutor& executor,
                            ThreadPool& pool, FeedSource& source,
                            std::span<const CalibrationTarget> targets,
                            const KernelTable& kernels, CalibrationState& state,
                            const ObserveOptions& options,
                            std::size_t most_bytes = std::size_t{64} << 20);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_OBSERVE_SAMPLES_AT_ONCE_H_

// CompareModels: two models beside each other, on the built-in executor.
#ifndef ZEROPOINT_FLOW_COMPARE_MODELS_H_
#define ZEROPOINT_FLOW_COMPARE_MODELS_H_

#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

/// Compare of the outputs of `real` and of the layers that MatchLayers finds in
/// `quantized`, there also alone. Errors: those of both.
Result<ComparisonReport> CompareModels(Model& real, Model& quantized,
                                       FeedSource& source,
                                       const ExecutorOptions& options,
                                       const ProgressHook& progress = {});

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_COMPARE_MODELS_H_

#include "zeropoint/flow/compare_models.h"

#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

Result<ComparisonReport> CompareModels(Model& real, Model& quantized,
                                       FeedSource& source,
                                       const ExecutorOptions& options,
                                       const ProgressHook& progress) {
  std::vector<TensorPair> layers;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(const GraphView real_graph,
                               GraphView::Over(real));
    ZEROPOINT_ASSIGN_OR_RETURN(const GraphView quantized_graph,
                               GraphView::Over(quantized));
    layers = MatchLayers(real_graph, quantized_graph);
  }
  ZEROPOINT_ASSIGN_OR_RETURN(BuiltinExecutor real_executor,
                             BuiltinExecutor::Create(real, options));
  ZEROPOINT_ASSIGN_OR_RETURN(BuiltinExecutor quantized_executor,
                             BuiltinExecutor::Create(quantized, options));
  return Compare(real_executor, quantized_executor, source, OutputNames(real),
                 layers, progress);
}

}  // namespace zeropoint

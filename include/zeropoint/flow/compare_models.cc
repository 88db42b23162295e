#include "zeropoint/flow/compare_models.h"

#include <span>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/keeping_sink.h"
#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/flow/layers_alone.h"
#include "zeropoint/flow/prepare_model.h"
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
  const auto compare = [&](const AloneFunction& alone) {
    return Compare(real_executor, quantized_executor, source, OutputNames(real),
                   layers, progress, alone);
  };
  // The float model's tensors would have to be converted.
  ZEROPOINT_ASSIGN_OR_RETURN(const bool half, HoldsHalf(quantized));
  if (layers.empty() || half) return compare({});
  Result<LayersAlone> cut = CutAtLayers(quantized, layers);
  if (!cut.ok()) return compare({});
  ZEROPOINT_ASSIGN_OR_RETURN(BuiltinExecutor cut_executor,
                             BuiltinExecutor::Create(cut->model, options));
  KeepingSink made(cut->taps.size());
  return compare([&](const Feeds& feeds, std::span<const Tensor> real_layers,
                     std::span<TensorComparison> alone) -> Status {
    ZEROPOINT_RETURN_IF_ERROR(
        cut_executor.Run(cut->With(feeds, real_layers), cut->taps, made));
    return internal::AddAll(alone, real_layers, made.tensors());
  });
}

}  // namespace zeropoint

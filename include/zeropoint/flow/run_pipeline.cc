#include "zeropoint/flow/run_pipeline.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/builtin_passes.h"
#include "zeropoint/passes/pipeline_text.h"

namespace zeropoint {

Result<PassRegistry> BuiltinRegistry() {
  PassRegistry registry;
  ZEROPOINT_RETURN_IF_ERROR(AddBuiltinPasses(registry));
  return registry;
}

Result<PipelineReport> RunPipelineText(Model& model,
                                       std::string_view pipeline) {
  ZEROPOINT_ASSIGN_OR_RETURN(const PassRegistry registry, BuiltinRegistry());
  ZEROPOINT_ASSIGN_OR_RETURN(AnyPipeline passes,
                             ParsePipeline(pipeline, registry));
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  PassContext context;
  context.evaluate = NodeEvaluation(model);
  PipelineReport report;
  ZEROPOINT_RETURN_IF_ERROR(passes.ForEach([&](AnyPass& pass) -> Status {
    auto run = pass.Run(graph, context);
    if (!run.ok()) return run.status().WithContext(pass.name());
    report.passes.push_back({std::string(pass.name()), run->rewrites});
    return VerifyModel(graph).WithContext(pass.name());
  }));
  report.declined = std::move(context.declined);
  return report;
}

}  // namespace zeropoint

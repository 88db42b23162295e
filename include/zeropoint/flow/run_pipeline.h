// RunPipelineText: applies passes that a text names.
#ifndef ZEROPOINT_FLOW_RUN_PIPELINE_H_
#define ZEROPOINT_FLOW_RUN_PIPELINE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/pass_registry.h"

namespace zeropoint {

/// What one pass of a pipeline did.
struct PassRun {
  std::string name;
  std::size_t rewrites = 0;
};

struct PipelineReport {
  std::vector<PassRun> passes;
  std::vector<Declined> declined;
};

/// The built-in passes by name.
Result<PassRegistry> BuiltinRegistry();

/// Applies `pipeline` ("fold-constant,fold-batch-norm") to `model` in place;
/// the model is verified after each pass.
///
/// Passes that quantize need ranges; QuantizeStatic runs those.
/// Errors: kInvalidArgument for a text that cannot be read; those of the passes
/// and of VerifyModel, with the pass's name.
Result<PipelineReport> RunPipelineText(Model& model, std::string_view pipeline);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_RUN_PIPELINE_H_

// CleanUp: what a model needs before it is quantized, so that no other tool has
// to run first.
#ifndef ZEROPOINT_FLOW_CLEAN_UP_H_
#define ZEROPOINT_FLOW_CLEAN_UP_H_

#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Runs the clean-up on `model` in place: constants folded, hard-swish, Gelu
/// and LayerNormalization fused into units, batch norm and affine arithmetic
/// folded into weights, dead nodes and duplicate initializers dropped. What
/// passes declined goes to `left_undone`. Errors: those of the passes.
Status CleanUp(Model& model, const NodeEvaluator& evaluate,
               std::vector<Declined>& left_undone);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_CLEAN_UP_H_

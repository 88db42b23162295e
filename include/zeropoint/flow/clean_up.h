// CleanUp: what a model needs before it is quantized, so that no other tool has
// to run first.
#ifndef ZEROPOINT_FLOW_CLEAN_UP_H_
#define ZEROPOINT_FLOW_CLEAN_UP_H_

#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/eliminate_duplicate_initializer.h"
#include "zeropoint/passes/eliminate_identity.h"
#include "zeropoint/passes/fold_affine.h"
#include "zeropoint/passes/fold_batch_norm.h"
#include "zeropoint/passes/fold_constant.h"
#include "zeropoint/passes/fuse_gelu.h"
#include "zeropoint/passes/fuse_hard_sigmoid.h"
#include "zeropoint/passes/fuse_hard_swish.h"
#include "zeropoint/passes/fuse_layer_norm.h"
#include "zeropoint/passes/fuse_matmul_add.h"
#include "zeropoint/passes/fuse_pad.h"
#include "zeropoint/passes/fuse_softmax.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/pipeline.h"

namespace zeropoint {

/// Constants first, since the rest reads them. Then whole units, while they are
/// whole: folding the 3 of a hard-sigmoid into the convolution before it would
/// hide the unit. Then arithmetic into weights, and what is left over.
///
/// fuse-hard-sigmoid comes after fuse-hard-swish, of which its pattern is a
/// part; fold-affine stands on both sides of fold-batch-norm, since a bias may
/// come before a normalization and a scale behind it.
inline auto CleanUpPipeline() {
  return Pipeline{FoldConstant{},  EliminateIdentity{},
                  FuseLayerNorm{}, FuseGelu{},
                  FuseHardSwish{}, FuseHardSigmoid{},
                  FuseSoftmax{},   FusePad{},
                  FuseMatMulAdd{}, FoldAffine{},
                  FoldBatchNorm{}, FoldAffine{},
                  FoldConstant{},  EliminateIdentity{},
                  EliminateDead{}, EliminateDuplicateInitializer{}};
}

namespace internal {

/// Runs the clean-up. What passes declined goes to `left_undone`.
inline Status CleanUp(Model& model, const NodeEvaluator& evaluate,
                      std::vector<Declined>& left_undone) {
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  PassContext context;
  context.evaluate = evaluate;
  auto pipeline = CleanUpPipeline();
  const auto cleaned = pipeline.Run(graph, context);
  left_undone = std::move(context.declined);
  return cleaned.status();
}

}  // namespace internal

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_CLEAN_UP_H_

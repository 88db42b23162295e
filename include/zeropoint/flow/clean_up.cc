#include "zeropoint/flow/clean_up.h"

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

namespace {

/// Constants first, since the rest reads them. Then whole units, while they are
/// whole: folding the 3 of a hard-sigmoid into the convolution before it would
/// hide the unit. Then arithmetic into weights, and what is left over.
///
/// fuse-hard-sigmoid comes after fuse-hard-swish, of which its pattern is a
/// part; fold-affine stands on both sides of fold-batch-norm, since a bias may
/// come before a normalization and a scale behind it.
auto CleanUpPipeline() {
  return Pipeline{FoldConstant{},  EliminateIdentity{},
                  FuseLayerNorm{}, FuseGelu{},
                  FuseHardSwish{}, FuseHardSigmoid{},
                  FuseSoftmax{},   FusePad{},
                  FuseMatMulAdd{}, FoldAffine{},
                  FoldBatchNorm{}, FoldAffine{},
                  FoldConstant{},  EliminateIdentity{},
                  EliminateDead{}, EliminateDuplicateInitializer{}};
}

}  // namespace

Status CleanUp(Model& model, const NodeEvaluator& evaluate,
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

}  // namespace zeropoint

// AddBuiltinPasses: every pass of this folder, by name.
#ifndef ZEROPOINT_PASSES_BUILTIN_PASSES_H_
#define ZEROPOINT_PASSES_BUILTIN_PASSES_H_

#include "zeropoint/core/status.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/eliminate_duplicate_initializer.h"
#include "zeropoint/passes/eliminate_identity.h"
#include "zeropoint/passes/eliminate_redundant_qdq.h"
#include "zeropoint/passes/equalize_channels.h"
#include "zeropoint/passes/fold_activation.h"
#include "zeropoint/passes/fold_affine.h"
#include "zeropoint/passes/fold_batch_norm.h"
#include "zeropoint/passes/fold_batch_norm_qdq.h"
#include "zeropoint/passes/fold_constant.h"
#include "zeropoint/passes/fold_qdq.h"
#include "zeropoint/passes/fold_quantize.h"
#include "zeropoint/passes/fuse_fake_quantize.h"
#include "zeropoint/passes/fuse_gelu.h"
#include "zeropoint/passes/fuse_hard_sigmoid.h"
#include "zeropoint/passes/fuse_hard_swish.h"
#include "zeropoint/passes/fuse_layer_norm.h"
#include "zeropoint/passes/fuse_matmul_add.h"
#include "zeropoint/passes/fuse_pad.h"
#include "zeropoint/passes/fuse_softmax.h"
#include "zeropoint/passes/insert_casts.h"
#include "zeropoint/passes/insert_dynamic_quantization.h"
#include "zeropoint/passes/insert_qdq.h"
#include "zeropoint/passes/integer_io.h"
#include "zeropoint/passes/lower_to_integer.h"
#include "zeropoint/passes/lower_to_qoperator.h"
#include "zeropoint/passes/pass_registry.h"
#include "zeropoint/passes/propagate_codes.h"
#include "zeropoint/passes/propagate_qdq.h"
#include "zeropoint/passes/quantize_bias.h"
#include "zeropoint/passes/quantize_weights.h"
#include "zeropoint/passes/raise_to_qdq.h"

namespace zeropoint {

namespace internal {
template <DescribedPass... Ps>
Status AddAllOf(PassRegistry& registry) {
  Status status;
  (void)(... && (status = registry.Add<Ps>()).ok());
  return status;
}
}  // namespace internal

/// A test holds this list equal to the passes that the folder defines.
/// Errors: kInvalidArgument when a name is taken.
inline Status AddBuiltinPasses(PassRegistry& registry) {
  return internal::AddAllOf<
      EliminateDead, EliminateDuplicateInitializer, EliminateIdentity,
      EliminateRedundantQdq, EqualizeChannels, FoldActivation, FoldAffine,
      FoldBatchNorm, FoldBatchNormQdq, FoldConstant, FoldQdq, FoldQuantize,
      FuseFakeQuantize, FuseGelu, FuseHardSigmoid, FuseHardSwish, FuseLayerNorm,
      FuseMatMulAdd, FusePad, FuseSoftmax, InsertCasts,
      InsertDynamicQuantization, InsertQdq, IntegerIo, LowerToInteger,
      LowerToQOperator, PropagateCodes, PropagateQdq, QuantizeBias,
      QuantizeWeights, RaiseToQdq>(registry);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_BUILTIN_PASSES_H_

// PrepareModel: what happens to a model before its tensors are observed. A
// calibration and the quantization that uses it prepare the model alike, so
// that the names of its tensors are the same.
#ifndef ZEROPOINT_FLOW_PREPARE_MODEL_H_
#define ZEROPOINT_FLOW_PREPARE_MODEL_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/core/tensor_overrides.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/flow/clean_up.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/upgrade.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/insert_qdq.h"

namespace zeropoint {

namespace internal {

/// Per-channel parameters need opset 13, pairs of half precision 19, 16- and
/// 4-bit codes and blocks 21; the
/// units that the clean-up fuses came with 14 and 17, so a model that must be
/// converted anyway goes to 17.
inline Status UpgradeForQdq(Model& model, const TargetSpec& target,
                            const TensorOverrides* overrides) {
  bool half = false;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
    half = HoldsHalf(graph);
  }
  const std::int64_t needed = FirstOpsetWith(target, overrides, half);
  return UpgradeOpset(model, model.opset() < needed
                                 ? std::max<std::int64_t>(needed, 17)
                                 : needed);
}

}  // namespace internal

/// Lifts `model` to an opset that can say what `target` and `overrides` want
/// and, if `optimize`, cleans it up. Returns what the clean-up left undone.
/// Errors: UpgradeOpset's; kInvalidModel.
inline Result<std::vector<Declined>> PrepareModel(
    Model& model, const TargetSpec& target, const TensorOverrides* overrides,
    bool optimize, const KernelTable& kernels) {
  ZEROPOINT_RETURN_IF_ERROR(internal::UpgradeForQdq(model, target, overrides));
  std::vector<Declined> left_undone;
  if (optimize) {
    ZEROPOINT_RETURN_IF_ERROR(
        internal::CleanUp(model, NodeEvaluation(model, &kernels), left_undone));
  }
  return left_undone;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_PREPARE_MODEL_H_

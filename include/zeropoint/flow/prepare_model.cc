#include "zeropoint/flow/prepare_model.h"

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

namespace {

/// Per-channel parameters need opset 13, 16- and 4-bit codes and blocks 21; the
/// units that the clean-up fuses came with 14 and 17, so a model that must be
/// converted anyway goes to 17.
Status UpgradeForQdq(Model& model, const TargetSpec& target,
                     const TensorOverrides* overrides) {
  const std::int64_t needed = FirstOpsetWith(target, overrides);
  return UpgradeOpset(model, model.opset() < needed
                                 ? std::max<std::int64_t>(needed, 17)
                                 : needed);
}

}  // namespace

Result<std::vector<Declined>> PrepareModel(Model& model,
                                           const TargetSpec& target,
                                           const TensorOverrides* overrides,
                                           bool optimize,
                                           const KernelTable& kernels) {
  ZEROPOINT_RETURN_IF_ERROR(UpgradeForQdq(model, target, overrides));
  std::vector<Declined> left_undone;
  if (optimize) {
    ZEROPOINT_RETURN_IF_ERROR(
        CleanUp(model, NodeEvaluation(model, &kernels), left_undone));
  }
  return left_undone;
}

}  // namespace zeropoint

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
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/upgrade.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/insert_qdq.h"

namespace zeropoint {

Status UpgradeForQuantization(Model& model, std::int64_t needed) {
  constexpr std::int64_t kFusedUnits = 17;
  return UpgradeOpset(
      model, model.opset() < needed ? std::max(needed, kFusedUnits) : needed);
}

Result<bool> HoldsHalf(Model& model) {
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
  return HoldsHalf(graph);
}

Result<std::vector<Declined>> PrepareModel(Model& model,
                                           const TargetSpec& target,
                                           const TensorOverrides* overrides,
                                           bool optimize,
                                           const KernelTable& kernels) {
  ZEROPOINT_ASSIGN_OR_RETURN(const bool half, HoldsHalf(model));
  ZEROPOINT_RETURN_IF_ERROR(
      UpgradeForQuantization(model, FirstOpsetWith(target, overrides, half)));
  std::vector<Declined> left_undone;
  if (optimize) {
    ZEROPOINT_RETURN_IF_ERROR(
        CleanUp(model, NodeEvaluation(model, &kernels), left_undone));
  }
  return left_undone;
}

}  // namespace zeropoint

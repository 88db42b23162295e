// PrepareModel: what happens to a model before its tensors are observed. A
// calibration and the quantization that uses it prepare the model alike, so
// that the names of its tensors are the same.
#ifndef ZEROPOINT_FLOW_PREPARE_MODEL_H_
#define ZEROPOINT_FLOW_PREPARE_MODEL_H_

#include <cstdint>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/core/tensor_overrides.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// Lifts `model` to opset `needed`. One that must be converted anyway goes to
/// at least 17, the version of the units that the clean-up fuses. Errors:
/// UpgradeOpset's.
Status UpgradeForQuantization(Model& model, std::int64_t needed);

/// Whether a value of `model` is float16 or bfloat16, which pairs of opset 19
/// take. Errors: kInvalidModel.
Result<bool> HoldsHalf(Model& model);

/// Lifts `model` to an opset that can say what `target` and `overrides` want
/// and, if `optimize`, cleans it up. Returns what the clean-up left undone.
/// Errors: UpgradeOpset's; kInvalidModel.
Result<std::vector<Declined>> PrepareModel(Model& model,
                                           const TargetSpec& target,
                                           const TensorOverrides* overrides,
                                           bool optimize,
                                           const KernelTable& kernels);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_PREPARE_MODEL_H_

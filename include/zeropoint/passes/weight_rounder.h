// WeightRounder: how insert-qdq asks for the codes of a weight.
#ifndef ZEROPOINT_PASSES_WEIGHT_ROUNDER_H_
#define ZEROPOINT_PASSES_WEIGHT_ROUNDER_H_

#include <string_view>

#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/passes/operands.h"
#include "zeropoint/passes/quantize_tensor.h"

namespace zeropoint {

/// One weight of one node.
struct WeightToRound {
  /// Names in the float model: of the activation that the weight multiplies,
  /// and of the weight.
  std::string_view input;
  std::string_view weights;
  const Operands& operands;
  TensorView real;
  /// What the rounding shifts on average is taken back in the bias.
  bool bias_is_corrected = false;
};

class WeightRounder {
 public:
  virtual ~WeightRounder() = default;
  /// As QuantizeConstant, by whatever the rounder knows of the inputs.
  virtual Result<QuantizedTensor> Round(const WeightToRound& weight,
                                        const SchemeSpec& scheme,
                                        int axis) const = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_WEIGHT_ROUNDER_H_

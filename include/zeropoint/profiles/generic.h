// Generic: every operator that has a quantized form, inputs and output.
#ifndef ZEROPOINT_PROFILES_GENERIC_H_
#define ZEROPOINT_PROFILES_GENERIC_H_

#include <string_view>

#include "zeropoint/profiles/dynamic_operators.h"
#include "zeropoint/profiles/profile.h"

namespace zeropoint {

/// For compilers and integer-only devices, where a float operator costs more
/// than the accuracy that it saves. No size is too small and no neighbour is
/// asked; only a Concat of ranges too far apart stays float
/// (TargetSpec::unify_within).
struct Generic {
  static constexpr std::string_view kName = "generic";
  using Activations = TensorActivations;
  using Weights = ChannelWeights;

  static TargetSpec Spec() {
    TargetSpec spec;
    spec.name = kName;
    spec.activations = SpecOf<Activations>();
    spec.weights = SpecOf<Weights>();
    spec.operators = CodeMovingOperators();
    for (const OperatorRule& rule : OperatorsOnRequest()) {
      spec.operators.push_back(rule);
    }
    for (OperatorRule& rule : spec.operators) {
      rule.placement = Placement::kAlways;
    }
    for (const std::string_view op_type : {"Conv", "ConvTranspose", "Gemm"}) {
      spec.operators.push_back({.op_type = op_type});
    }
    spec.operators.push_back(
        {.op_type = "MatMul", .activation_by_activation = true});
    spec.fixed_ranges = DefinedOutputRanges();
    spec.dynamic_operators = StandardDynamicOperators();
    spec.dynamic_weights = spec.weights;
    return spec;
  }
};

static_assert(Profile<Generic>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PROFILES_GENERIC_H_

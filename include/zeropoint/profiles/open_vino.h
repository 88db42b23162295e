// OpenVino: the CPU plug-in of OpenVINO.
#ifndef ZEROPOINT_PROFILES_OPEN_VINO_H_
#define ZEROPOINT_PROFILES_OPEN_VINO_H_

#include <string_view>

#include "zeropoint/profiles/dynamic_operators.h"
#include "zeropoint/profiles/operator_costs.h"
#include "zeropoint/profiles/profile.h"

namespace zeropoint {

/// Its low-precision transformations look at the inputs of a layer alone and
/// carry the scales onward themselves, so pairs stand at the inputs of
/// everything that multiplies by weights, depthwise and transposed convolutions
/// included, and nowhere else (measured in docs/design/0003-placement.md).
struct OpenVino {
  static constexpr std::string_view kName = "openvino";
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
    for (const std::string_view op_type :
         {"Conv", "ConvTranspose", "Gemm", "MatMul"}) {
      spec.operators.push_back({.op_type = op_type,
                                .output = OutputKind::kFloat,
                                .min_macs = 100'000});
    }
    spec.fixed_ranges = DefinedOutputRanges();
    // Its kernels saturate in the same way as ONNX Runtime's.
    spec.weight_pair_limit = 128;
    spec.costs = OpenVinoCosts();
    spec.dynamic_operators = StandardDynamicOperators();
    spec.dynamic_weights = spec.weights;
    return spec;
  }
};

static_assert(Profile<OpenVino>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PROFILES_OPEN_VINO_H_

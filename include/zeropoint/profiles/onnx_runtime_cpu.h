// OnnxRuntimeCpu: the CPU kernels of ONNX Runtime on x86-64.
#ifndef ZEROPOINT_PROFILES_ONNX_RUNTIME_CPU_H_
#define ZEROPOINT_PROFILES_ONNX_RUNTIME_CPU_H_

#include <string_view>

#include "zeropoint/profiles/dynamic_operators.h"
#include "zeropoint/profiles/operator_costs.h"
#include "zeropoint/profiles/profile.h"

namespace zeropoint {

/// What was measured there (docs/design/0003-placement.md):
/// - a convolution becomes one integer kernel only when its output is quantized
/// too; below a million
///   multiply-accumulates, and when grouped, it is slower than float unless its
///   neighbours are integer as well;
/// - a matrix product is fastest with quantized inputs and float output
/// (MatMulIntegerToFloat);
/// - elementwise operators gain nothing and lose accuracy;
/// - int8 activations have no fast kernel: uint8;
/// - without dot-product instructions (AVX2, AVX-512 without VNNI) products of
/// uint8 and int8 are added in pairs that saturate at 16 bits;
/// - its optimizer quantizes the float weights of a convolution that stands
/// between DequantizeLinear and
///   QuantizeLinear, per tensor;
/// - float16 pairs stay pairs: between them and the operator it puts casts, so
///   that nothing is integer, and the operator computes in float.
struct OnnxRuntimeCpu {
  static constexpr std::string_view kName = "onnxruntime-cpu";
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
    spec.operators.push_back(
        {.op_type = "Conv", .min_macs = 1'000'000, .grouped_in_islands = true});
    // No integer kernel: the runtime would compute it in float all the same.
    spec.operators.push_back(
        {.op_type = "ConvTranspose", .placement = Placement::kOnRequest});
    spec.operators.push_back(
        {.op_type = "Gemm", .output = OutputKind::kFloat, .min_macs = 100'000});
    spec.operators.push_back({.op_type = "MatMul",
                              .output = OutputKind::kFloat,
                              .min_macs = 100'000});
    spec.fixed_ranges = DefinedOutputRanges();
    spec.dynamic_operators = OnnxRuntimeCpuDynamicOperators();
    spec.dynamic_weights = spec.weights;
    spec.shield_float_weights = true;
    spec.half_pairs = false;
    spec.weight_pair_limit = 128;
    spec.costs = OnnxRuntimeCpuCosts();
    return spec;
  }
};

static_assert(Profile<OnnxRuntimeCpu>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PROFILES_ONNX_RUNTIME_CPU_H_

// Profile: what one runtime wants, as a policy type.
#ifndef ZEROPOINT_PROFILES_PROFILE_H_
#define ZEROPOINT_PROFILES_PROFILE_H_

#include <concepts>
#include <cstdint>
#include <string_view>
#include <vector>

#include "zeropoint/core/scheme.h"
#include "zeropoint/core/target_spec.h"

namespace zeropoint {

/// A name, the two default schemes as types, and the placement rules as data.
/// Write your own like those beside this file; nothing needs to be registered
/// to use it from C++.
template <class P>
concept Profile = requires {
  { P::kName } -> std::convertible_to<std::string_view>;
  requires Scheme<typename P::Activations>;
  requires Scheme<typename P::Weights>;
  { P::Spec() } -> std::same_as<TargetSpec>;
};

/// int8 weights, one scale for each output channel, -127..127.
using ChannelWeights =
    Affine<std::int8_t, Symmetric, PerChannel<>, NarrowRange>;
/// uint8 activations, one scale and zero point for the tensor.
using TensorActivations = Affine<std::uint8_t, Asymmetric, PerTensor>;

/// Operators that move codes without changing them; every profile treats them
/// alike: between quantized operators they work on the codes, elsewhere they
/// are left alone.
inline std::vector<OperatorRule> CodeMovingOperators() {
  std::vector<OperatorRule> rules;
  for (const std::string_view op_type :
       {"DepthToSpace",   "Expand",   "Flatten",       "Gather",
        "GatherElements", "GatherND", "GlobalMaxPool", "Identity",
        "MaxPool",        "Pad",      "ReduceMax",     "ReduceMin",
        "Reshape",        "Resize",   "Slice",         "SpaceToDepth",
        "Split",          "Squeeze",  "Tile",          "TopK",
        "Transpose",      "Unsqueeze"}) {
    rules.push_back({.op_type = op_type,
                     .placement = Placement::kIsland,
                     .output = OutputKind::kSharesInput});
  }
  rules.push_back({.op_type = "Concat",
                   .placement = Placement::kIsland,
                   .output = OutputKind::kUnifiesInputs});
  return rules;
}

/// Operators with an integer form that is no faster than float next to a float
/// neighbour, or that costs accuracy: left float unless they are asked for by
/// name.
inline std::vector<OperatorRule> OperatorsOnRequest() {
  std::vector<OperatorRule> rules;
  for (const std::string_view op_type : {"Abs",
                                         "Add",
                                         "AveragePool",
                                         "BatchNormalization",
                                         "Celu",
                                         "Clip",
                                         "CumSum",
                                         "Div",
                                         "Elu",
                                         "Erf",
                                         "Gelu",
                                         "GlobalAveragePool",
                                         "HardSigmoid",
                                         "HardSwish",
                                         "InstanceNormalization",
                                         "LayerNormalization",
                                         "LeakyRelu",
                                         "LogSoftmax",
                                         "Max",
                                         "Mean",
                                         "Min",
                                         "Mish",
                                         "Mul",
                                         "Neg",
                                         "PRelu",
                                         "ReduceL2",
                                         "ReduceMean",
                                         "ReduceSum",
                                         "Relu",
                                         "Selu",
                                         "Sigmoid",
                                         "Softmax",
                                         "Softplus",
                                         "Softsign",
                                         "Sqrt",
                                         "Sub",
                                         "Sum",
                                         "Tanh",
                                         "ThresholdedRelu",
                                         "Where"}) {
    rules.push_back({.op_type = op_type, .placement = Placement::kOnRequest});
  }
  // They read codes and write indices.
  for (const std::string_view op_type : {"ArgMax", "ArgMin"}) {
    rules.push_back({.op_type = op_type,
                     .placement = Placement::kOnRequest,
                     .output = OutputKind::kFloat});
  }
  return rules;
}

/// Output ranges that hold by definition of the operator, whatever was
/// calibrated.
inline std::vector<FixedOutputRange> DefinedOutputRanges() {
  return {{"Erf", {-1.0f, 1.0f}},      {"HardSigmoid", {0.0f, 1.0f}},
          {"Sigmoid", {0.0f, 1.0f}},   {"Softmax", {0.0f, 1.0f}},
          {"Softsign", {-1.0f, 1.0f}}, {"Tanh", {-1.0f, 1.0f}}};
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PROFILES_PROFILE_H_

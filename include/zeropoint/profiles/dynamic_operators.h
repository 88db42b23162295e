// What runtimes run with ranges found at run time, as data.
#ifndef ZEROPOINT_PROFILES_DYNAMIC_OPERATORS_H_
#define ZEROPOINT_PROFILES_DYNAMIC_OPERATORS_H_

#include <string_view>
#include <vector>

#include "zeropoint/core/target_spec.h"

namespace zeropoint {

/// What ONNX's own integer operators express: for targets without contributed
/// ones. OpenVINO 2026.4 runs all of it.
inline std::vector<DynamicRule> StandardDynamicOperators() {
  return {{.op_type = "Conv"},
          {.op_type = "Gather"},
          {.op_type = "Gemm", .channel_zero_points = true},
          {.op_type = "MatMul", .channel_zero_points = true}};
}

/// Seen in ONNX Runtime 1.32 on x86-64, each by a model of one node
/// (tests/interop/dynamic_test.py repeats it):
/// - MatMulInteger and ConvInteger take uint8 or int8 on both sides;
/// - MatMulInteger takes a zero point a column, ConvInteger one for all and
///   refuses a vector; QAttention takes one a column;
/// - DynamicQuantizeLSTM refuses int8 weights with scales a channel and a zero
///   point other than 0;
/// - QEmbedLayerNormalization takes one scale a table;
/// - ConvInteger has no fast kernel: see `slower`;
/// - on a CPU without VNNI, MatMulInteger of uint8 by int8 adds pairs of
///   products in 16 bits, which saturate, unless TargetSpec::weight_pair_limit
///   holds. By uint8 they are right whatever the weights, but half as fast on a
///   CPU with VNNI.
inline std::vector<DynamicRule> OnnxRuntimeCpuDynamicOperators() {
  constexpr std::string_view kMicrosoft = "com.microsoft";
  return {{.op_type = "Attention",
           .domain = kMicrosoft,
           .channel_zero_points = true},
          {.op_type = "Conv",
           .placement = Placement::kOnRequest,
           .slower = "ConvInteger has no fast kernel in onnxruntime-cpu: it is "
                     "several times slower than a float convolution"},
          {.op_type = "EmbedLayerNormalization", .domain = kMicrosoft},
          {.op_type = "Gather"},
          {.op_type = "Gemm", .channel_zero_points = true},
          {.op_type = "LSTM"},
          {.op_type = "MatMul", .channel_zero_points = true}};
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PROFILES_DYNAMIC_OPERATORS_H_

// What operators take in float and in int8, fitted to measured times.
//
// Made by tools/fit_cost from onnxruntime-cpu.csv and openvino.csv; do not
// edit.
#ifndef ZEROPOINT_PROFILES_OPERATOR_COSTS_H_
#define ZEROPOINT_PROFILES_OPERATOR_COSTS_H_

#include "zeropoint/core/cost_spec.h"

namespace zeropoint {

inline CostSpec OnnxRuntimeCpuCosts() {
  CostSpec costs;
  costs.measured_on =
      "one thread of an x86-64 processor with AVX2 and no dot-product "
      "instructions";
  costs.operators.push_back({.op_type = "Conv",
                             .real = {0.701, 21.7, 0.0191},
                             .quantized = NodeCost{1.05, 10.7, 0.0776}});
  costs.operators.push_back({.op_type = "ConvTranspose",
                             .real = {0.701, 21.7, 0.0191},
                             .quantized = NodeCost{1.05, 10.7, 0.0776}});
  costs.operators.push_back({.op_type = "Conv",
                             .grouped = true,
                             .real = {1.28, 41.5, 0},
                             .quantized = NodeCost{1.73, 42.5, 0.112}});
  costs.operators.push_back({.op_type = "ConvTranspose",
                             .grouped = true,
                             .real = {1.28, 41.5, 0},
                             .quantized = NodeCost{1.73, 42.5, 0.112}});
  costs.operators.push_back({.op_type = "MatMul",
                             .real = {1.38, 22.8, 0},
                             .quantized = NodeCost{1.63, 10.9, 0.08}});
  costs.operators.push_back({.op_type = "Gemm",
                             .real = {1.38, 22.8, 0},
                             .quantized = NodeCost{1.63, 10.9, 0.08}});
  costs.operators.push_back({.op_type = "Add", .real = {0.625, 0, 0.0548}});
  costs.operators.push_back({.op_type = "Erf", .real = {0.471, 0, 0.367}});
  costs.operators.push_back({.op_type = "Gelu", .real = {0.471, 0, 0.367}});
  costs.operators.push_back({.op_type = "Tanh", .real = {0.471, 0, 0.367}});
  costs.operators.push_back(
      {.op_type = "HardSwish", .real = {0.843, 0, 0.163}});
  costs.operators.push_back(
      {.op_type = "LayerNormalization", .real = {1.18, 0, 0.268}});
  costs.operators.push_back({.op_type = "Sigmoid", .real = {0.514, 0, 0.161}});
  costs.operators.push_back({.op_type = "Softmax", .real = {0.739, 0, 0.216}});
  costs.other = {0.625, 0, 0.0548};
  costs.conversion = {1.74, 0, 0.459};
  return costs;
}

inline CostSpec OpenVinoCosts() {
  CostSpec costs;
  costs.measured_on =
      "one thread of an x86-64 processor with AVX2 and no dot-product "
      "instructions";
  costs.operators.push_back({.op_type = "Conv",
                             .real = {1.09, 22, 0.0295},
                             .quantized = NodeCost{1.15, 10.4, 0.0741}});
  costs.operators.push_back({.op_type = "ConvTranspose",
                             .real = {1.09, 22, 0.0295},
                             .quantized = NodeCost{1.15, 10.4, 0.0741}});
  costs.operators.push_back({.op_type = "Conv",
                             .grouped = true,
                             .real = {0.903, 49.7, 0.0215},
                             .quantized = NodeCost{1.91, 34.2, 0.117}});
  costs.operators.push_back({.op_type = "ConvTranspose",
                             .grouped = true,
                             .real = {0.903, 49.7, 0.0215},
                             .quantized = NodeCost{1.91, 34.2, 0.117}});
  costs.operators.push_back({.op_type = "MatMul",
                             .real = {0.777, 21.9, 0},
                             .quantized = NodeCost{2.18, 23.7, 0}});
  costs.operators.push_back({.op_type = "Gemm",
                             .real = {0.777, 21.9, 0},
                             .quantized = NodeCost{2.18, 23.7, 0}});
  costs.operators.push_back({.op_type = "Add", .real = {0, 0, 0.000407}});
  costs.operators.push_back({.op_type = "Erf", .real = {0.00688, 0, 0.72}});
  costs.operators.push_back({.op_type = "Gelu", .real = {0.00688, 0, 0.72}});
  costs.operators.push_back({.op_type = "Tanh", .real = {0.00688, 0, 0.72}});
  costs.operators.push_back({.op_type = "HardSwish", .real = {0, 0, 0.13}});
  costs.operators.push_back(
      {.op_type = "LayerNormalization", .real = {0.477, 0, 0.222}});
  costs.operators.push_back(
      {.op_type = "Sigmoid", .real = {0.00323, 0, 0.762}});
  costs.operators.push_back({.op_type = "Softmax", .real = {0.862, 0, 0.372}});
  costs.other = {0, 0, 0.000407};
  costs.conversion = {0.836, 0, 0.133};
  costs.quantizes_float_outputs = true;
  return costs;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PROFILES_OPERATOR_COSTS_H_

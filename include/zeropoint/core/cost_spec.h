// CostSpec: what operators take on a runtime, in float and in int8, as plain
// data.
#ifndef ZEROPOINT_CORE_COST_SPEC_H_
#define ZEROPOINT_CORE_COST_SPEC_H_

#include <optional>
#include <string_view>
#include <vector>

namespace zeropoint {

/// Microseconds of a node, and of each million multiply-accumulates and each
/// thousand elements read and written.
struct NodeCost {
  double node = 0.0;
  double mega_macs = 0.0;
  double kilo_elements = 0.0;

  double Microseconds(double macs, double elements) const {
    return node + 1e-6 * mega_macs * macs + 1e-3 * kilo_elements * elements;
  }
};

struct OperatorCost {
  std::string_view op_type;
  /// Of convolutions in groups, which have kernels of their own.
  bool grouped = false;
  NodeCost real;
  /// Nothing where the operator moves codes as it moves floats.
  std::optional<NodeCost> quantized = std::nullopt;
};

/// What is known of a runtime's times; nothing is where `operators` is empty.
struct CostSpec {
  std::string_view measured_on;
  std::vector<OperatorCost> operators;
  /// Of operators that are not listed.
  NodeCost other;
  /// A QuantizeLinear, or a DequantizeLinear, with the change of layout that
  /// comes with it; its elements count once.
  NodeCost conversion;
  /// A QuantizeLinear behind an operator in int8 that writes float is part of
  /// that operator.
  bool quantizes_float_outputs = false;

  const OperatorCost* Find(std::string_view op_type, bool grouped) const {
    for (const OperatorCost& each : operators) {
      if (each.op_type == op_type && each.grouped == grouped) return &each;
    }
    return nullptr;
  }
};

/// Microseconds a sample, of a model in float and quantized; zeros when they
/// are not known.
struct PredictedTimes {
  double real = 0.0;
  double quantized = 0.0;
  std::string_view measured_on;  // CostSpec::measured_on
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_COST_SPEC_H_

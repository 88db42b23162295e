// TargetSpec: what a runtime wants of a quantized model, as plain data.
//
// Where Q/DQ pairs pay is a property of the runtime that will execute the
// model, not of the operator: the same convolution is faster in int8 on one and
// slower on another. So placement is data, given by a profile (profiles/), and
// the passes that place the pairs hold no knowledge of any runtime.
#ifndef ZEROPOINT_CORE_TARGET_SPEC_H_
#define ZEROPOINT_CORE_TARGET_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/cost_spec.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"

namespace zeropoint {

/// When an operator is quantized.
enum class Placement : std::uint8_t {
  kAlways,  // wherever its operands allow
  kIsland,  // only between operators that are quantized: its inputs come from a
            // quantized output, all its uses are quantized inputs
  kOnRequest,  // only when its operator type is asked for by name
};

/// How an operator's output relates to its inputs.
enum class OutputKind : std::uint8_t {
  kFloat,        // not quantized by this operator: the runtime's integer kernel
                 // writes float
  kOwnRange,     // quantized with its own calibrated range
  kSharesInput,  // the codes only move: the output has the input's scale and
                 // zero point
  kUnifiesInputs,  // all inputs and the output have one scale and zero point
                   // (Concat); with kOwnRange in its place each keeps its own
                   // and the operator requantizes
};

/// One operator of the target.
struct OperatorRule {
  std::string_view op_type;
  Placement placement = Placement::kAlways;
  OutputKind output = OutputKind::kOwnRange;
  /// Below this many multiply-accumulates a sample, the rule's placement is
  /// kIsland; needs weights or a calibrated shape. 0: no bound.
  std::int64_t min_macs = 0;
  /// Grouped (depthwise) convolutions are placed as kIsland.
  bool grouped_in_islands = false;
  /// Both operands of a matrix product may be activations.
  bool activation_by_activation = false;
};

/// One operator that the target runs with ranges found while it runs: on
/// integers, or from weights stored as codes.
struct DynamicRule {
  std::string_view op_type;
  /// Of the operator in the float model: "" or "com.microsoft".
  std::string_view domain = "";
  /// kAlways, or kOnRequest.
  Placement placement = Placement::kAlways;
  /// What it costs in speed, for the report; empty when it gains.
  std::string_view slower = "";
  /// The integer operator takes weights with a zero point for each output
  /// channel. Scales for each are applied outside of it, on every target.
  bool channel_zero_points = false;
};

/// The range that an operator's output has by definition.
struct FixedOutputRange {
  std::string_view op_type;
  RealRange range;
};

struct TargetSpec {
  std::string_view name;
  SchemeSpec activations;
  SchemeSpec weights;
  std::vector<OperatorRule> operators;
  std::vector<FixedOutputRange> fixed_ranges;
  /// kUnifiesInputs holds only where the widest input range is at most this
  /// many times the narrowest: one scale for boxes in the hundreds and scores
  /// below 1 would leave nothing of the scores. Beyond, the operator stays
  /// float and each input keeps its own scale. Each doubling costs the narrow
  /// input a bit.
  float unify_within = 4.0f;
  std::vector<DynamicRule> dynamic_operators;
  /// Of weights where activations are quantized at run time: 8 bits.
  SchemeSpec dynamic_weights;
  /// The runtime's own optimizer quantizes float weights, per tensor, of a
  /// convolution that stands between a DequantizeLinear and a QuantizeLinear. A
  /// Clip that changes nothing, put in front, hides such a node from it.
  bool shield_float_weights = false;
  /// Functions in several nodes, like SiLU, are computed in float between a
  /// pair before and a pair behind, not with pairs between the nodes.
  bool whole_units = true;
  /// The runtime computes operators between pairs of float16 or bfloat16 in
  /// integers. Where it does not, the quantized operators of a model of half
  /// precision compute in float, with casts around them.
  bool half_pairs = true;
  /// Where not 0: on some processors the kernels add the products of two
  /// neighbouring int8 weights of one output in 16 bits, saturating. Neighbours
  /// are two input channels at the same place of the window, or two rows of a
  /// matrix. Nothing saturates while two of one sign have magnitudes that sum
  /// to at most this: 255 * 128 < 2^15.
  std::int32_t weight_pair_limit = 0;
  /// What operators take there, with these schemes of 8 bits.
  CostSpec costs;
  /// Where `costs` say that int8 is slower, operators stay float, whatever
  /// their rules' bounds say.
  bool leave_slower_float = false;

  const OperatorRule* Find(std::string_view op_type) const {
    for (const OperatorRule& rule : operators) {
      if (rule.op_type == op_type) return &rule;
    }
    return nullptr;
  }

  const DynamicRule* FindDynamic(std::string_view op_type,
                                 std::string_view domain) const {
    for (const DynamicRule& rule : dynamic_operators) {
      if (rule.op_type == op_type && rule.domain == domain) return &rule;
    }
    return nullptr;
  }

  /// What the rules are about: the types that can be quantized at all.
  std::vector<std::string_view> OperatorTypes() const {
    std::vector<std::string_view> types;
    for (const OperatorRule& rule : operators) types.push_back(rule.op_type);
    return types;
  }
  std::vector<std::string_view> DynamicOperatorTypes() const {
    std::vector<std::string_view> types;
    for (const DynamicRule& rule : dynamic_operators) {
      types.push_back(rule.op_type);
    }
    return types;
  }

  std::optional<RealRange> FixedRange(std::string_view op_type) const {
    for (const FixedOutputRange& fixed : fixed_ranges) {
      if (fixed.op_type == op_type) return fixed.range;
    }
    return std::nullopt;
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_TARGET_SPEC_H_

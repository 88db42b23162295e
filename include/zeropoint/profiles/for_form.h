// ForForm: a target whose placement suits another output form than pairs.
#ifndef ZEROPOINT_PROFILES_FOR_FORM_H_
#define ZEROPOINT_PROFILES_FOR_FORM_H_

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "zeropoint/core/form.h"
#include "zeropoint/core/target_spec.h"

namespace zeropoint {

namespace internal {

inline bool IsAnyOf(std::string_view text,
                    std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// Operators on codes need codes on both sides: matrix products too write them.
inline void PlaceForQOperator(TargetSpec& target, bool microsoft) {
  std::erase_if(target.operators, [&](const OperatorRule& rule) {
    const bool anywhere =
        rule.output == OutputKind::kSharesInput ||
        IsAnyOf(rule.op_type, {"Clip", "Concat", "Conv", "MatMul", "Relu"});
    const bool with_domain = IsAnyOf(
        rule.op_type, {"Add", "AveragePool", "Gemm", "GlobalAveragePool",
                       "LeakyRelu", "Mul", "Sigmoid", "Softmax"});
    return !anywhere && !(microsoft && with_domain);
  });
  for (OperatorRule& rule : target.operators) {
    if (rule.output == OutputKind::kFloat) rule.output = OutputKind::kOwnRange;
    if (IsAnyOf(rule.op_type, {"Clip", "Relu"})) {
      // Where the operator before does not take them in, they limit codes.
      rule.placement = Placement::kIsland;
      rule.output = OutputKind::kSharesInput;
    }
    if (!microsoft) continue;
    rule.min_macs = 0;
    rule.grouped_in_islands = false;
    if (rule.placement == Placement::kOnRequest) {
      rule.placement = Placement::kAlways;
    }
  }
  if (!microsoft) return;
  target.whole_units = false;
  for (FixedOutputRange& fixed : target.fixed_ranges) {
    // QLinearSoftmax has the scale 1/256, so that 255 stands for 255/256.
    if (fixed.op_type == "Softmax") fixed.range = {0.0f, 255.0f / 256.0f};
  }
}

/// Integer sums are rescaled to float at once: nothing carries codes onward.
inline void PlaceForInteger(TargetSpec& target) {
  std::erase_if(target.operators, [](const OperatorRule& rule) {
    return !IsAnyOf(rule.op_type, {"Conv", "Gemm", "MatMul"});
  });
  for (OperatorRule& rule : target.operators) {
    rule.output = OutputKind::kFloat;
  }
  target.shield_float_weights = false;
}

}  // namespace internal

/// `target` as the placement of pairs that `form` can be made of:
///
/// - kQOperator: operators that have a form on codes, all with quantized
///   outputs. With ONNX Runtime's domain com.microsoft (`microsoft`) the
///   elementwise and pooling operators and Gemm too, whatever their size, so
///   that nothing between two of them is float; without it, the target's own
///   bounds hold.
/// - kInteger: Conv, MatMul and Gemm, with float outputs.
/// - the others: as it is.
inline TargetSpec ForForm(TargetSpec target, Form form, bool microsoft) {
  if (form == Form::kQOperator) {
    internal::PlaceForQOperator(target, microsoft);
  } else if (form == Form::kInteger) {
    internal::PlaceForInteger(target);
  }
  return target;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PROFILES_FOR_FORM_H_

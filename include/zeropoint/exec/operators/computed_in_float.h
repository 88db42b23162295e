// ComputedInFloat: 16-bit floats and doubles for operators that have no rule
// for them.
#ifndef ZEROPOINT_EXEC_OPERATORS_COMPUTED_IN_FLOAT_H_
#define ZEROPOINT_EXEC_OPERATORS_COMPUTED_IN_FLOAT_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "zeropoint/core/real_tensor.h"
#include "zeropoint/exec/operator.h"

namespace zeropoint {

/// Runs another operator; where that has no rule for 16-bit floats or doubles,
/// on their values in float, with the results rounded back. So a double is then
/// only as good as a float.
class ComputedInFloat final : public Operator {
 public:
  /// `same_type[i]`: the inputs whose element type output i has, by the
  /// operator's specification. An output beyond the list has that of the first
  /// input that is converted.
  /// `by_definition`, if any, runs 16-bit floats and doubles in place of all
  /// this.
  ComputedInFloat(std::unique_ptr<Operator> op,
                  std::vector<std::vector<std::size_t>> same_type,
                  std::unique_ptr<Operator> by_definition = nullptr)
      : op_(std::move(op)),
        same_type_(std::move(same_type)),
        by_definition_(std::move(by_definition)) {}

  Status Run(OpContext& context) override {
    bool converts = false;
    for (std::size_t i = 0; i < context.input_count(); ++i) {
      converts = converts ||
                 (context.has_input(i) && Converts(context.input(i).type()));
    }
    if (!converts) return op_->Run(context);
    if (by_definition_ != nullptr) return by_definition_->Run(context);
    Status native = op_->Run(context);
    if (native.code() != StatusCode::kUnsupported) return native;
    Status in_float = RunInFloat(context);
    // The first complaint names the types that the model has.
    return in_float.code() == StatusCode::kUnsupported ? native : in_float;
  }

  bool AcceptsClamp() const override { return op_->AcceptsClamp(); }
  std::optional<Clamp> AsClamp(
      std::span<const RunValue* const> constants) const override {
    return op_->AsClamp(constants);
  }
  std::span<NestedGraph* const> nested() const override {
    return op_->nested();
  }

 private:
  static bool Converts(DataType type) {
    return IsHalf(type) || type == DataType::kDouble;
  }

  static void ToFloats(const TensorView& x, float* y) {
    if (x.type() == DataType::kDouble) {
      const auto values = x.As<double>();
      for (std::size_t i = 0; i < values.size(); ++i) {
        y[i] = static_cast<float>(values[i]);
      }
    } else {
      WidenHalf(x, y);
    }
  }

  static void FromFloats(std::span<const float> x, DataType type, void* y) {
    if (type == DataType::kDouble) {
      std::copy(x.begin(), x.end(), static_cast<double*>(y));
    } else {
      NarrowToHalf(x, type, y);
    }
  }

  Status RunInFloat(OpContext& context) {
    std::vector<RunValue> values(context.input_count());
    std::vector<const RunValue*> inputs(context.input_count());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      inputs[i] = context.value(i);
      if (!context.has_input(i) || !Converts(context.input(i).type())) {
        continue;
      }
      ZEROPOINT_ASSIGN_OR_RETURN(
          float* const wide, context.Scratch<float>(context.input(i).size()));
      ToFloats(context.input(i), wide);
      values[i].type = DataType::kFloat;
      values[i].dims = inputs[i]->dims;
      values[i].data = wide;
      values[i].constant = inputs[i]->constant;
      inputs[i] = &values[i];
    }
    std::vector<RunValue> outputs(context.output_count());
    std::vector<bool> wanted;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      wanted.push_back(context.wants_output(i));
    }
    const std::vector<bool> last_use(inputs.size(), false);
    {
      OpContext inner(context.resources(), inputs, last_use, outputs, wanted,
                      context.clamp());
      ZEROPOINT_RETURN_IF_ERROR(op_->Run(inner));
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const DataType type = TypeOfOutput(context, i);
      if (outputs[i].type != DataType::kFloat || !Converts(type)) {
        if (outputs[i].is_there()) context.SetOutput(i, std::move(outputs[i]));
        continue;
      }
      const TensorView wide = outputs[i].view();
      ZEROPOINT_ASSIGN_OR_RETURN(void* y,
                                 context.Output(i, type, outputs[i].dims));
      FromFloats(wide.As<float>(), type, y);
    }
    return Status();
  }

  DataType TypeOfOutput(const OpContext& context, std::size_t i) const {
    const auto type_of = [&](std::size_t input) {
      return context.has_input(input) ? context.input(input).type()
                                      : DataType::kUndefined;
    };
    if (i < same_type_.size()) {
      for (const std::size_t input : same_type_[i]) {
        if (Converts(type_of(input))) return type_of(input);
      }
      return DataType::kFloat;
    }
    for (std::size_t input = 0; input < context.input_count(); ++input) {
      if (Converts(type_of(input))) return type_of(input);
    }
    return DataType::kFloat;
  }

  std::unique_ptr<Operator> op_;
  std::vector<std::vector<std::size_t>> same_type_;
  std::unique_ptr<Operator> by_definition_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_COMPUTED_IN_FLOAT_H_

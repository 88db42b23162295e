// Operators that make a tensor out of little: Constant, ConstantOfShape, Range.
#ifndef ZEROPOINT_EXEC_OPERATORS_GENERATE_H_
#define ZEROPOINT_EXEC_OPERATORS_GENERATE_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/tensor.h"
#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/initializer.h"

namespace zeropoint {
namespace generate {

/// The value that a Constant node's attributes hold.
inline Result<Tensor> ConstantValue(const onnx::NodeProto& node) {
  if (const onnx::TensorProto* tensor = GetTensor(node, "value")) {
    return DecodeTensor(*tensor);
  }
  if (HasAttribute(node, "value_float")) {
    const float value = GetFloat(node, "value_float", 0.0f);
    return Tensor::Of<float>({}, std::span(&value, 1));
  }
  if (HasAttribute(node, "value_int")) {
    const std::int64_t value = GetInt(node, "value_int", 0);
    return Tensor::Of<std::int64_t>({}, std::span(&value, 1));
  }
  if (HasAttribute(node, "value_floats")) {
    const auto values = GetFloats(node, "value_floats");
    return Tensor::Of<float>({static_cast<std::int64_t>(values.size())},
                             values);
  }
  if (HasAttribute(node, "value_ints")) {
    const auto values = GetInts(node, "value_ints");
    return Tensor::Of<std::int64_t>({static_cast<std::int64_t>(values.size())},
                                    values);
  }
  return Unsupported(
      "a Constant without a dense numeric value (value, value_float, "
      "value_int, value_floats or value_ints)");
}

/// The tensor of the node's attributes.
class Constant final : public Operator {
 public:
  explicit Constant(Tensor value) : value_(std::move(value)) {}

  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    ZEROPOINT_ASSIGN_OR_RETURN(Tensor value, ConstantValue(init.node));
    return std::unique_ptr<Operator>(
        std::make_unique<Constant>(std::move(value)));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(void* y,
                               context.Output(0, value_.type(), value_.dims()));
    std::memcpy(y, value_.data(), value_.bytes());
    return Status();
  }

 private:
  Tensor value_;
};

/// A tensor of the shape that input 0 holds, filled with `value` (float 0).
class ConstantOfShape final : public Operator {
 public:
  explicit ConstantOfShape(Tensor value) : value_(std::move(value)) {}

  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    Tensor value(DataType::kFloat, {1});
    if (const onnx::TensorProto* tensor = GetTensor(init.node, "value")) {
      ZEROPOINT_ASSIGN_OR_RETURN(value, DecodeTensor(*tensor));
    }
    if (value.size() != 1) return InvalidModel("'value' must be one number");
    return std::unique_ptr<Operator>(
        std::make_unique<ConstantOfShape>(std::move(value)));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto dims, context.Input<std::int64_t>(0));
    ZEROPOINT_ASSIGN_OR_RETURN(void* out,
                               context.Output(0, value_.type(), ToDims(dims)));
    const std::size_t count = CountOf(dims);
    return VisitDataType(value_.type(), [&]<class T>() {
      std::fill_n(static_cast<T*>(out), count, value_.As<T>()[0]);
      return Status();
    });
  }

 private:
  Tensor value_;
};

/// start, start + delta, ... below limit: ceil((limit - start) / delta)
/// numbers.
inline Status RunRange(OpContext& context) {
  ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(3));
  return VisitDataType(context.input(0).type(), [&]<class T>() -> Status {
    if constexpr (std::same_as<T, bool>) {
      return Unsupported("a range of booleans is not defined");
    } else {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto start, context.Input<T>(0));
      ZEROPOINT_ASSIGN_OR_RETURN(const auto limit, context.Input<T>(1));
      ZEROPOINT_ASSIGN_OR_RETURN(const auto delta, context.Input<T>(2));
      if (start.size() != 1 || limit.size() != 1 || delta.size() != 1) {
        return InvalidModel("start, limit and delta must be one number each");
      }
      const auto first = static_cast<double>(start[0]);
      const auto step = static_cast<double>(delta[0]);
      const double count =
          std::ceil((static_cast<double>(limit[0]) - first) / step);
      constexpr double kMost = 1e15;
      if (!(count <= kMost)) {  // NaN too: delta is 0
        return InvalidData("a range from " + std::to_string(first) +
                           " in steps of " + std::to_string(step) +
                           " has no end");
      }
      const auto size = static_cast<std::int64_t>(std::max(0.0, count));
      ZEROPOINT_ASSIGN_OR_RETURN(T * y, context.Output<T>(0, {size}));
      for (std::int64_t i = 0; i < size; ++i) {
        y[i] = static_cast<T>(start[0] + static_cast<T>(i) * delta[0]);
      }
      return Status();
    }
  });
}

}  // namespace generate

inline void AddGenerateOperators(OperatorRegistry& registry) {
  registry.Add("", "Constant", {}, generate::Constant::Make);
  registry.Add("", "ConstantOfShape", {}, generate::ConstantOfShape::Make);
  registry.Add("", "Range", {}, Stateless<generate::RunRange>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_GENERATE_H_

// FunctionCall: a node whose operator is defined by other operators.
#ifndef ZEROPOINT_EXEC_OPERATORS_FUNCTION_CALL_H_
#define ZEROPOINT_EXEC_OPERATORS_FUNCTION_CALL_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/body.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/plan_scope.h"

namespace zeropoint::functions {

/// The body for inputs of these types, its attributes bound. An input that is
/// omitted has an empty type.
using FunctionMaker = std::function<Result<onnx::FunctionProto>(
    const std::vector<onnx::TypeProto>&)>;

inline onnx::TypeProto TypeOf(const RunValue* value) {
  onnx::TypeProto type;
  if (value == nullptr || value->kind == RunValue::Kind::kEmptyOptional) {
    return type;
  }
  onnx::TypeProto* tensor = &type;
  if (!value->is_tensor()) {
    tensor = type.mutable_sequence_type()->mutable_elem_type();
    value = value->members->empty() ? nullptr : &value->members->front();
    if (value == nullptr || !value->is_tensor()) return type;
    tensor->mutable_tensor_type()->set_elem_type(
        static_cast<std::int32_t>(value->type));
    return type;
  }
  tensor->mutable_tensor_type()->set_elem_type(
      static_cast<std::int32_t>(value->type));
  auto* shape = tensor->mutable_tensor_type()->mutable_shape();
  for (const std::int64_t dim : value->dims) {
    shape->add_dim()->set_dim_value(dim);
  }
  return type;
}

/// Runs the body of a function. It is made when the inputs are first seen,
/// because the bodies of some operators depend on their types and shapes, and
/// again when those change.
class FunctionCall final : public Operator {
 public:
  FunctionCall(const onnx::NodeProto& call, PlanScope scope,
               FunctionMaker maker, bool depends_on_types)
      : call_(call),
        scope_(std::move(scope)),
        maker_(std::move(maker)),
        depends_on_types_(depends_on_types) {
    scope_.parent = nullptr;
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(MakeBody(context));
    std::vector<RunValue> inputs(context.input_count());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (context.has_input(i)) inputs[i] = *context.value(i);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        auto outputs, body_->Run(Resources(context), std::move(inputs), {}));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      context.SetOutput(i, std::move(outputs[i]));
    }
    return Status();
  }

 private:
  // No tap looks into a function.
  static ExecResources Resources(const OpContext& context) {
    ExecResources resources = context.resources();
    resources.sink = nullptr;
    return resources;
  }

  Status MakeBody(const OpContext& context) {
    std::vector<onnx::TypeProto> types(context.input_count());
    std::string key;
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (depends_on_types_) types[i] = TypeOf(context.value(i));
      key += types[i].SerializeAsString() + ";";
    }
    if (body_ != nullptr && key == key_) return Status();
    body_.reset();
    ZEROPOINT_ASSIGN_OR_RETURN(function_, maker_(types));
    ZEROPOINT_ASSIGN_OR_RETURN(body_, Body::Make(function_, call_, scope_));
    key_ = std::move(key);
    Status prepared = body_->Prepare({});
    if (!prepared.ok()) body_.reset();
    return prepared;
  }

  const onnx::NodeProto& call_;
  PlanScope scope_;
  FunctionMaker maker_;
  bool depends_on_types_;
  onnx::FunctionProto function_;
  std::unique_ptr<Body> body_;
  std::string key_;  // of the inputs that body_ is made for
};

}  // namespace zeropoint::functions

#endif  // ZEROPOINT_EXEC_OPERATORS_FUNCTION_CALL_H_

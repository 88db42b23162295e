// Plan: a model as the executor sees it, made once.
//
// Values and steps have numbers instead of names, every node has its operator,
// and all that can be computed from constants is computed. What is wrong with a
// node is kept with it: it matters only to a run that needs the node.
#ifndef ZEROPOINT_EXEC_PLAN_H_
#define ZEROPOINT_EXEC_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

/// A tensor of the main graph.
struct PlanValue {
  std::string_view name;  // in the model
  /// The elements, for constants and for the default of a graph input.
  RunValue constant;
  bool is_constant = false;
  bool is_input = false;
  /// Why the value cannot be had, if it cannot.
  Status status;
};

/// A node of the main graph.
struct PlanStep {
  const onnx::NodeProto* node = nullptr;
  std::unique_ptr<Operator> op;  // null when status says why
  Status status;
  std::vector<int> inputs;  // values; Plan::kNone for an omitted one
  std::vector<int> outputs;
  bool folded = false;  // the outputs are constants
};

/// Refers to the model, which must outlive it.
class Plan {
 public:
  static constexpr int kNone = -1;

  /// Errors: kInvalidModel for names that are made twice or used before they
  /// are made.
  static Result<Plan> Make(const Model& model, const OperatorRegistry& registry,
                           const KernelTable& kernels, ThreadPool& pool) {
    Plan plan;
    const onnx::GraphProto& graph = model.proto().graph();
    plan.values_.reserve(static_cast<std::size_t>(
        graph.input_size() + graph.initializer_size() + 2 * graph.node_size()));
    for (const onnx::ValueInfoProto& input : graph.input()) {
      ZEROPOINT_ASSIGN_OR_RETURN(const int value, plan.Define(input.name()));
      plan.values_[Index(value)].is_input = true;
    }
    ZEROPOINT_RETURN_IF_ERROR(plan.AddInitializers(model));
    Arena arena;
    for (const onnx::NodeProto& node : graph.node()) {
      ZEROPOINT_RETURN_IF_ERROR(plan.AddStep(model, registry, node));
      plan.Fold(plan.steps_.back(), kernels, pool, arena);
    }
    return plan;
  }

  const std::vector<PlanValue>& values() const { return values_; }
  std::vector<PlanStep>& steps() { return steps_; }
  const std::vector<PlanStep>& steps() const { return steps_; }

  const PlanValue& value(int index) const { return values_[Index(index)]; }

  /// kNone when the main graph has no such tensor.
  int Find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? kNone : found->second;
  }

 private:
  static std::size_t Index(int value) {
    return static_cast<std::size_t>(value);
  }

  Result<int> Define(std::string_view name) {
    const auto index = static_cast<int>(values_.size());
    if (!by_name_.emplace(name, index).second) {
      return InvalidModel("tensor '" + std::string(name) + "' is made twice");
    }
    PlanValue& value = values_.emplace_back();
    value.name = name;
    return index;
  }

  // An initializer that is also a graph input is that input's default.
  Result<PlanValue*> DefineInitializer(std::string_view name) {
    if (const int input = Find(name); input != kNone) {
      if (values_[Index(input)].constant.type != DataType::kUndefined) {
        return InvalidModel("tensor '" + std::string(name) + "' is made twice");
      }
      return &values_[Index(input)];
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const int index, Define(name));
    values_[Index(index)].is_constant = true;
    return &values_[Index(index)];
  }

  Status AddInitializers(const Model& model) {
    for (const onnx::TensorProto& tensor :
         model.proto().graph().initializer()) {
      ZEROPOINT_ASSIGN_OR_RETURN(PlanValue * value,
                                 DefineInitializer(tensor.name()));
      Tensor& scratch = tensors_.emplace_back();
      auto view = model.Data(tensor, scratch);
      if (!view.ok()) {
        value->status = view.status();
        continue;
      }
      SetConstant(*value, *view);
    }
    for (const auto& tensor : model.proto().graph().sparse_initializer()) {
      ZEROPOINT_ASSIGN_OR_RETURN(PlanValue * value,
                                 DefineInitializer(tensor.values().name()));
      value->status = Unsupported("initializer '" + tensor.values().name() +
                                  "' is sparse; store it as a dense tensor");
    }
    return Status();
  }

  static void SetConstant(PlanValue& value, const TensorView& view) {
    value.constant.type = view.type();
    value.constant.dims.assign(view.dims().begin(), view.dims().end());
    value.constant.data = view.data();
    value.constant.constant = value.is_constant;
  }

  Status AddStep(const Model& model, const OperatorRegistry& registry,
                 const onnx::NodeProto& node) {
    PlanStep step;
    step.node = &node;
    for (const std::string& name : node.input()) {
      const int value = name.empty() ? kNone : Find(name);
      if (value == kNone && !name.empty()) {
        return InvalidModel(DescribeNode(node) + ": input '" + name +
                            "' is not made by any earlier node; sort the "
                            "nodes in the order of computation");
      }
      step.inputs.push_back(value);
    }
    for (const std::string& name : node.output()) {
      if (name.empty()) {
        step.outputs.push_back(kNone);
        continue;
      }
      auto value = Define(name);
      if (!value.ok()) return value.status().WithContext(DescribeNode(node));
      step.outputs.push_back(*value);
    }
    auto op = registry.Make({node, model.opset(node.domain())});
    if (op.ok()) {
      step.op = std::move(*op);
    } else {
      step.status = op.status().WithContext(DescribeNode(node));
    }
    steps_.push_back(std::move(step));
    return Status();
  }

  // Computes the step now if all its inputs are constants. A failure is left to
  // the run that needs the step.
  void Fold(PlanStep& step, const KernelTable& kernels, ThreadPool& pool,
            Arena& arena) {
    if (step.op == nullptr) return;
    std::vector<const RunValue*> inputs;
    for (const int input : step.inputs) {
      const PlanValue* value =
          input == kNone ? nullptr : &values_[Index(input)];
      if (value != nullptr && (!value->is_constant || !value->status.ok())) {
        return;
      }
      inputs.push_back(value == nullptr ? nullptr : &value->constant);
    }
    auto outputs =
        EvaluateOperator(*step.node, *step.op, inputs, kernels, pool, arena);
    if (!outputs.ok()) return;
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i] == kNone) continue;
      PlanValue& value = values_[Index(step.outputs[i])];
      value.is_constant = true;
      SetConstant(value,
                  tensors_.emplace_back(std::move((*outputs)[i])).view());
    }
    step.folded = true;
    step.op.reset();
  }

  std::vector<PlanValue> values_;
  std::vector<PlanStep> steps_;
  std::unordered_map<std::string_view, int> by_name_;
  std::deque<Tensor> tensors_;  // constants that do not lie in the model
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_PLAN_H_

// Plan: a graph as the executor sees it, made once.
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
#include "zeropoint/exec/plan_scope.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

/// A value of the graph.
struct PlanValue {
  std::string_view name;  // in the model
  /// The elements, for constants and for the default of a graph input.
  RunValue constant;
  bool is_constant = false;
  bool is_input = false;
  /// The input of a function that its call omits: nodes see nothing.
  bool is_absent = false;
  /// Why the value cannot be had, if it cannot.
  Status status;
};

/// A node of the graph.
struct PlanStep {
  const onnx::NodeProto* node = nullptr;
  std::unique_ptr<Operator> op;  // null when status says why
  Status status;
  std::vector<int> inputs;  // values; Plan::kNone for an omitted one
  std::vector<int> outputs;
  bool folded = false;  // the outputs are constants
};

/// Refers to the graph, which must outlive it.
class Plan {
 public:
  static constexpr int kNone = -1;

  /// A value of the enclosing plan that this one uses.
  struct Capture {
    int outer;
    int own;
  };

  /// Errors: kInvalidModel for names that are made twice or used before they
  /// are made.
  static Result<Plan> Make(const onnx::GraphProto& graph,
                           const PlanScope& scope) {
    Plan plan;
    plan.parent_ = scope.parent;
    plan.values_.reserve(static_cast<std::size_t>(graph.input_size()) +
                         static_cast<std::size_t>(graph.initializer_size()) +
                         2 * static_cast<std::size_t>(graph.node_size()));
    for (const onnx::ValueInfoProto& input : graph.input()) {
      ZEROPOINT_RETURN_IF_ERROR(plan.DefineInput(input.name()));
    }
    ZEROPOINT_RETURN_IF_ERROR(
        plan.AddInitializers(scope.environment->model, graph));
    ZEROPOINT_RETURN_IF_ERROR(plan.AddSteps(graph.node(), scope));
    for (const onnx::ValueInfoProto& output : graph.output()) {
      plan.results_.push_back(plan.Resolve(output.name()));
    }
    return plan;
  }

  /// The plan of a function that `call` calls.
  static Result<Plan> Make(const onnx::FunctionProto& function,
                           const onnx::NodeProto& call,
                           const PlanScope& scope) {
    Plan plan;
    for (int i = 0; i < function.input_size(); ++i) {
      ZEROPOINT_RETURN_IF_ERROR(plan.DefineInput(function.input(i)));
      plan.values_.back().is_absent =
          i >= call.input_size() || call.input(i).empty();
    }
    ZEROPOINT_RETURN_IF_ERROR(plan.AddSteps(function.node(), scope));
    for (int i = 0; i < function.output_size(); ++i) {
      const bool used = i < call.output_size() && !call.output(i).empty();
      plan.results_.push_back(used ? plan.Find(function.output(i)) : kNone);
    }
    return plan;
  }

  const std::vector<PlanValue>& values() const { return values_; }
  std::vector<PlanStep>& steps() { return steps_; }
  const std::vector<PlanStep>& steps() const { return steps_; }

  const PlanValue& value(int index) const { return values_[Index(index)]; }
  /// The graph's inputs, in its order, are the first values.
  std::size_t input_count() const { return input_count_; }
  /// The graph's outputs; kNone for one that nothing makes or a call does not
  /// use.
  const std::vector<int>& results() const { return results_; }
  const std::vector<Capture>& captures() const { return captures_; }

  /// kNone when the graph has no such tensor.
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

  Status DefineInput(std::string_view name) {
    ZEROPOINT_ASSIGN_OR_RETURN(const int value, Define(name));
    values_[Index(value)].is_input = true;
    ++input_count_;
    return Status();
  }

  // The graph's own value of that name, or else one that stands for the
  // enclosing graph's.
  int Resolve(std::string_view name) {
    const int own = Find(name);
    if (own != kNone || parent_ == nullptr) return own;
    const int outer = parent_->Resolve(name);
    if (outer == kNone) return kNone;
    const auto index = static_cast<int>(values_.size());
    PlanValue captured = parent_->value(outer);
    captured.is_input = false;
    by_name_.emplace(captured.name, index);
    if (!captured.is_constant) captures_.push_back({outer, index});
    values_.push_back(std::move(captured));
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

  Status AddInitializers(const Model* model, const onnx::GraphProto& graph) {
    for (const onnx::TensorProto& tensor : graph.initializer()) {
      ZEROPOINT_ASSIGN_OR_RETURN(PlanValue * value,
                                 DefineInitializer(tensor.name()));
      Tensor& scratch = tensors_.emplace_back();
      auto view = ViewOf(model, tensor, scratch);
      if (!view.ok()) {
        value->status = view.status();
        continue;
      }
      SetConstant(*value, *view);
    }
    for (const auto& tensor : graph.sparse_initializer()) {
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

  static Result<TensorView> ViewOf(const Model* model,
                                   const onnx::TensorProto& tensor,
                                   Tensor& scratch) {
    if (model != nullptr) return model->Data(tensor, scratch);
    ZEROPOINT_ASSIGN_OR_RETURN(scratch, DecodeTensor(tensor));
    return scratch.view();
  }

  template <class Nodes>
  Status AddSteps(const Nodes& nodes, const PlanScope& scope) {
    PlanEnvironment& environment = *scope.environment;
    Arena arena;
    for (const onnx::NodeProto& node : nodes) {
      if (--environment.nodes_left < 0) {
        return Unsupported(
            "the functions of the model expand to millions of nodes");
      }
      ZEROPOINT_RETURN_IF_ERROR(AddStep(node, scope));
      Fold(steps_.back(), environment.kernels, environment.pool, arena);
    }
    return Status();
  }

  Status AddStep(const onnx::NodeProto& node, const PlanScope& scope) {
    PlanStep step;
    step.node = &node;
    for (const std::string& name : node.input()) {
      const int value = name.empty() ? kNone : Resolve(name);
      if (value == kNone && !name.empty()) {
        return InvalidModel(DescribeNode(node) + ": input '" + name +
                            "' is not made by any earlier node; sort the "
                            "nodes in the order of computation");
      }
      const bool absent = value != kNone && values_[Index(value)].is_absent;
      step.inputs.push_back(absent ? kNone : value);
    }
    PlanScope here = scope;
    here.parent = this;
    auto op = MakeOperator({node, scope.opsets.Version(node.domain()), &here});
    if (op.ok()) {
      step.op = std::move(*op);
      for (const NestedGraph* graph : step.op->nested()) {
        const std::vector<int> captured = graph->captures();
        step.inputs.insert(step.inputs.end(), captured.begin(), captured.end());
      }
    } else {
      step.status = op.status().WithContext(DescribeNode(node));
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
    steps_.push_back(std::move(step));
    return Status();
  }

  // Computes the step now if all its inputs are constants. A failure is left to
  // the run that needs the step, and so are nested graphs, whose values may be
  // tapped.
  void Fold(PlanStep& step, const KernelTable& kernels, ThreadPool& pool,
            Arena& arena) {
    if (step.op == nullptr || !step.op->nested().empty()) return;
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

  Plan* parent_ = nullptr;  // while the plan is made
  std::vector<PlanValue> values_;
  std::vector<PlanStep> steps_;
  std::size_t input_count_ = 0;
  std::vector<int> results_;
  std::vector<Capture> captures_;
  std::unordered_map<std::string_view, int> by_name_;
  std::deque<Tensor> tensors_;  // constants that do not lie in the model
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_PLAN_H_

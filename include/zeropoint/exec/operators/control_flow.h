// If and Loop: nodes that run graphs in their attributes.
#ifndef ZEROPOINT_EXEC_OPERATORS_CONTROL_FLOW_H_
#define ZEROPOINT_EXEC_OPERATORS_CONTROL_FLOW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/body.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/join.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace control_flow {

/// The graph in an attribute of the node. Errors: there is none; Body::Make's.
inline Result<std::unique_ptr<Body>> BodyOf(const OperatorInit& init,
                                            const char* name) {
  const auto* attribute = FindAttribute(init.node, name);
  if (attribute == nullptr || !attribute->has_g()) {
    return InvalidModel("attribute " + std::string(name) + " is missing");
  }
  if (init.scope == nullptr || init.scope->parent == nullptr) {
    return Unsupported("a node with a graph inside runs only in its model");
  }
  auto body = Body::Make(attribute->g(), *init.scope);
  if (!body.ok()) return body.status().WithContext(name);
  return body;
}

/// One number of type T, of any shape. Errors: another type or count.
template <class T>
Result<T> ReadScalar(const RunValue& value, const char* what) {
  const TensorView view = value.view();
  if (view.type() != DataTypeOf<T>() || view.size() != 1) {
    return InvalidData(std::string(what) + " must be one " +
                       std::string(DataTypeName(DataTypeOf<T>())) + ", not " +
                       std::string(DataTypeName(view.type())) + " of shape " +
                       FormatDims(view.dims()));
  }
  return view.As<T>()[0];
}

/// The values that the graph captures, which follow `own` inputs of the node.
inline std::vector<const RunValue*> Captured(const OpContext& context,
                                             std::size_t own,
                                             std::size_t count) {
  std::vector<const RunValue*> captured;
  for (std::size_t i = 0; i < count; ++i) {
    captured.push_back(context.value(own + i));
  }
  return captured;
}

/// Counts one more round of a loop. Errors: there were too many.
inline Status GoRound(const OpContext& context) {
  std::int64_t* left = context.resources().rounds_left;
  if (left == nullptr || --*left < 0) {
    return Unsupported(
        "the loops of this run go round more often than the executor's limit "
        "on loop iterations allows; raise it if they do end");
  }
  return Status();
}

/// outputs = condition ? then_branch() : else_branch()
class If final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto op = std::make_unique<If>();
    ZEROPOINT_ASSIGN_OR_RETURN(op->branches_[0], BodyOf(init, "then_branch"));
    ZEROPOINT_ASSIGN_OR_RETURN(op->branches_[1], BodyOf(init, "else_branch"));
    op->nested_ = {op->branches_[0].get(), op->branches_[1].get()};
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const bool condition,
        ReadScalar<bool>(*context.value(0), "the condition"));
    std::size_t own = 1;
    if (!condition) own += branches_[0]->captures().size();
    Body& branch = *branches_[condition ? 0 : 1];
    const auto captured = Captured(context, own, branch.captures().size());
    ZEROPOINT_ASSIGN_OR_RETURN(auto outputs,
                               branch.Run(context.resources(), {}, captured));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      context.SetOutput(i, std::move(outputs[i]));
    }
    return Status();
  }

  std::span<NestedGraph* const> nested() const override { return nested_; }

 private:
  std::array<std::unique_ptr<Body>, 2> branches_;
  std::array<NestedGraph*, 2> nested_{};
};

/// for (i = 0; i < M && condition; ++i)
///   condition, carried..., scanned... = body(i, condition, carried...)
///
/// Inputs: M (may be omitted), condition (may be omitted), carried values.
/// Outputs: the last carried values, then each scanned value of all rounds,
/// stacked along a new first axis.
/// Errors: more rounds than the executor allows; scanned values whose shapes
/// differ between rounds.
class Loop final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto op = std::make_unique<Loop>();
    ZEROPOINT_ASSIGN_OR_RETURN(op->body_, BodyOf(init, "body"));
    op->nested_ = {op->body_.get()};
    op->own_inputs_ = static_cast<std::size_t>(init.node.input_size());
    const std::size_t carried = op->carried();
    if (op->body_->input_count() != carried + 2 ||
        op->body_->output_count() < carried + 1) {
      return InvalidModel(
          "the body has " + std::to_string(op->body_->input_count()) +
          " inputs and " + std::to_string(op->body_->output_count()) +
          " outputs for " + std::to_string(carried) + " carried values");
    }
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    std::int64_t most_rounds = std::numeric_limits<std::int64_t>::max();
    if (context.has_input(0)) {
      ZEROPOINT_ASSIGN_OR_RETURN(
          most_rounds,
          ReadScalar<std::int64_t>(*context.value(0), "the trip count"));
    }
    bool goes_on = true;
    if (context.has_input(1)) {
      ZEROPOINT_ASSIGN_OR_RETURN(
          goes_on, ReadScalar<bool>(*context.value(1), "the condition"));
    }
    std::vector<RunValue> values;
    for (std::size_t i = 0; i < carried(); ++i) {
      if (!context.has_input(i + 2)) {
        return InvalidModel("carried value " + std::to_string(i) +
                            " is missing");
      }
      values.push_back(*context.value(i + 2));
      values.back().constant = false;
    }
    const auto captured =
        Captured(context, own_inputs_, body_->captures().size());
    std::vector<std::vector<RunValue>> scanned(body_->output_count() - 1 -
                                               carried());
    const ExecResources& resources = context.resources();
    for (std::int64_t i = 0; i < most_rounds && goes_on; ++i) {
      ZEROPOINT_RETURN_IF_ERROR(GoRound(context));
      std::vector<RunValue> inputs(2);
      ZEROPOINT_ASSIGN_OR_RETURN(inputs[0], NewScalar(resources, i));
      ZEROPOINT_ASSIGN_OR_RETURN(inputs[1], NewScalar(resources, goes_on));
      std::move(values.begin(), values.end(), std::back_inserter(inputs));
      ZEROPOINT_ASSIGN_OR_RETURN(
          auto outputs, body_->Run(resources, std::move(inputs), captured));
      ZEROPOINT_ASSIGN_OR_RETURN(
          goes_on, ReadScalar<bool>(outputs[0], "the body's condition"));
      for (std::size_t k = 0; k < carried(); ++k) {
        values[k] = std::move(outputs[k + 1]);
      }
      for (std::size_t k = 0; k < scanned.size(); ++k) {
        scanned[k].push_back(std::move(outputs[k + 1 + carried()]));
      }
    }
    for (std::size_t k = 0; k < carried(); ++k) {
      context.SetOutput(k, std::move(values[k]));
    }
    for (std::size_t k = 0; k < scanned.size(); ++k) {
      if (!context.wants_output(carried() + k)) continue;
      ZEROPOINT_ASSIGN_OR_RETURN(RunValue stacked,
                                 Stack(resources, scanned[k]));
      context.SetOutput(carried() + k, std::move(stacked));
    }
    return Status();
  }

  std::span<NestedGraph* const> nested() const override { return nested_; }

 private:
  std::size_t carried() const { return own_inputs_ < 2 ? 0 : own_inputs_ - 2; }

  // Nothing tells the shape of what no round has made.
  static Result<RunValue> Stack(const ExecResources& resources,
                                const std::vector<RunValue>& rounds) {
    if (rounds.empty()) return NewTensor(resources, DataType::kFloat, {0});
    return JoinValues(resources, rounds, 0, true);
  }

  std::unique_ptr<Body> body_;
  std::array<NestedGraph*, 1> nested_{};
  std::size_t own_inputs_ = 0;
};

}  // namespace control_flow

inline void AddControlFlowOperators(OperatorRegistry& registry) {
  registry.Add("", "If", {}, control_flow::If::Make);
  registry.Add("", "Loop", {}, control_flow::Loop::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_CONTROL_FLOW_H_

// BuiltinExecutor: the executor that every flow uses unless told otherwise.
//
// A plan is made once from the model; a run walks a schedule of it. Tensors
// live in an arena from the step that makes them to the last one that reads
// them, so memory does not grow with the depth of the model or with the number
// of taps.
#ifndef ZEROPOINT_EXEC_BUILTIN_EXECUTOR_H_
#define ZEROPOINT_EXEC_BUILTIN_EXECUTOR_H_

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/exec/arena.h"
#include "zeropoint/exec/check_feeds.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/plan.h"
#include "zeropoint/exec/schedule.h"
#include "zeropoint/exec/thread_pool.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

struct ExecutorOptions {
  /// The calling thread included; 0: one a hardware thread. The results do not
  /// depend on it.
  int threads = 0;
  /// Null: DispatchedKernels().
  const KernelTable* kernels = nullptr;
  /// Null: the built-in operators. Needed during Create only.
  const OperatorRegistry* operators = nullptr;
  /// Null: an own pool of `threads` threads. Must outlive the executor.
  ThreadPool* pool = nullptr;
};

/// Runs the main graph of a model: any batch, shapes resolved at run time. One
/// run at a time; several executors may share a pool.
class BuiltinExecutor {
 public:
  /// Folds constants and makes an operator for every node. `model` must outlive
  /// the executor and stay as it is. An operator that is missing here is an
  /// error of the runs that need it. Errors: Plan::Make's.
  static Result<BuiltinExecutor> Create(const Model& model,
                                        const ExecutorOptions& options = {}) {
    OperatorRegistry builtin;
    if (options.operators == nullptr) AddBuiltinOperators(builtin);
    const KernelTable& kernels =
        options.kernels == nullptr ? DispatchedKernels() : *options.kernels;
    std::unique_ptr<ThreadPool> own_pool;
    if (options.pool == nullptr) {
      own_pool = std::make_unique<ThreadPool>(options.threads);
    }
    ThreadPool& pool = own_pool == nullptr ? *options.pool : *own_pool;
    ZEROPOINT_ASSIGN_OR_RETURN(
        Plan plan,
        Plan::Make(model,
                   options.operators == nullptr ? builtin : *options.operators,
                   kernels, pool));
    BuiltinExecutor executor;
    executor.state_ = std::make_unique<State>(
        model, kernels, std::move(own_pool), pool, std::move(plan));
    return executor;
  }

  /// As the Executor concept says. Stops when all taps are delivered; nodes
  /// that no tap needs are not run. A failed run leaves the executor usable.
  Status Run(const Feeds& feeds, std::span<const std::string> taps,
             TensorSink& sink) {
    State& state = *state_;
    ZEROPOINT_RETURN_IF_ERROR(CheckFeeds(state.model.proto().graph(), feeds));
    if (!state.schedule ||
        !std::ranges::equal(state.schedule->tap_names(), taps)) {
      ZEROPOINT_ASSIGN_OR_RETURN(state.schedule,
                                 Schedule::Make(state.plan, taps));
    }
    state.arena.Consolidate();
    const Status status = RunSchedule(feeds, sink);
    for (RunValue& value : state.values) value = RunValue();
    return status;
  }

  /// The most bytes that tensors of the last run had at one time, weights and
  /// feeds not counted.
  std::size_t peak_bytes() const { return state_->arena.peak(); }

 private:
  struct State {
    State(const Model& the_model, const KernelTable& the_kernels,
          std::unique_ptr<ThreadPool> the_own_pool, ThreadPool& the_pool,
          Plan the_plan)
        : model(the_model),
          own_pool(std::move(the_own_pool)),
          plan(std::move(the_plan)),
          resources{the_kernels, the_pool, arena,
                    std::numeric_limits<std::size_t>::max()},
          values(plan.values().size()) {}

    const Model& model;
    std::unique_ptr<ThreadPool> own_pool;
    Plan plan;
    Arena arena;
    ExecResources resources;
    std::optional<Schedule> schedule;  // of the last run's taps
    std::vector<RunValue> values;      // by number of the plan
  };

  BuiltinExecutor() = default;

  Status RunSchedule(const Feeds& feeds, TensorSink& sink) {
    ZEROPOINT_RETURN_IF_ERROR(SetInputs(feeds, sink));
    State& state = *state_;
    std::vector<const RunValue*> inputs;
    std::vector<RunValue> outputs;
    for (const ScheduledStep& scheduled : state.schedule->steps()) {
      PlanStep& step = state.plan.steps()[scheduled.step];
      inputs.clear();
      for (const int input : step.inputs) inputs.push_back(Value(input));
      outputs.clear();
      outputs.resize(scheduled.outputs.size());
      {
        OpContext context(state.resources, inputs, scheduled.last_use, outputs,
                          scheduled.wanted, scheduled.clamp);
        ZEROPOINT_RETURN_IF_ERROR(
            step.op->Run(context).WithContext(DescribeNode(*step.node)));
      }
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!scheduled.last_use[i]) continue;
        state.values[static_cast<std::size_t>(step.inputs[i])] = RunValue();
      }
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (!scheduled.wanted[i]) continue;
        const int value = scheduled.outputs[i];
        if (outputs[i].type == DataType::kUndefined) {
          return Unsupported(DescribeNode(*step.node) + ": output " +
                             std::to_string(i) + " is not computed");
        }
        RunValue& target = state.values[static_cast<std::size_t>(value)];
        target = std::move(outputs[i]);
        ZEROPOINT_RETURN_IF_ERROR(Deliver(value, target, sink));
      }
    }
    return Status();
  }

  // Feeds and defaults become values; tapped inputs and constants are
  // delivered.
  Status SetInputs(const Feeds& feeds, TensorSink& sink) {
    State& state = *state_;
    for (std::size_t i = 0; i < state.values.size(); ++i) {
      const PlanValue& planned = state.plan.values()[i];
      const auto value = static_cast<int>(i);
      if (planned.is_input) {
        RunValue& input = state.values[i];
        if (const Tensor* tensor = FindFeed(feeds, planned.name)) {
          input.type = tensor->type();
          input.dims = tensor->dims();
          input.data = tensor->data();
        } else {
          input = planned.constant;
        }
        ZEROPOINT_RETURN_IF_ERROR(Deliver(value, input, sink));
      } else if (planned.is_constant) {
        ZEROPOINT_RETURN_IF_ERROR(Deliver(value, planned.constant, sink));
      }
    }
    return Status();
  }

  const RunValue* Value(int value) const {
    if (value == Plan::kNone) return nullptr;
    const PlanValue& planned = state_->plan.value(value);
    return planned.is_constant
               ? &planned.constant
               : &state_->values[static_cast<std::size_t>(value)];
  }

  Status Deliver(int value, const RunValue& tensor, TensorSink& sink) const {
    for (const std::size_t tap : state_->schedule->taps(value)) {
      ZEROPOINT_RETURN_IF_ERROR(sink.Consume(tap, tensor.view()));
    }
    return Status();
  }

  std::unique_ptr<State> state_;
};

static_assert(Executor<BuiltinExecutor>);

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_BUILTIN_EXECUTOR_H_

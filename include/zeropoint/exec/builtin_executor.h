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
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/exec/arena.h"
#include "zeropoint/exec/check_feeds.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/plan.h"
#include "zeropoint/exec/plan_scope.h"
#include "zeropoint/exec/run_schedule.h"
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
  /// How often the loops of one run may go round, all of them together: a model
  /// whose loop never ends is an error, not a hang.
  std::int64_t max_loop_iterations = 1'000'000;
  /// What the tensors of one run may take together, weights and feeds not
  /// counted.
  std::size_t max_tensor_bytes = std::size_t{16} << 30;
};

/// Runs a model: any batch, shapes resolved at run time. One run at a time;
/// several executors may share a pool.
///
/// A tap names a tensor of the main graph or, where that has none of the name,
/// tensors in the bodies of If, Loop and Scan: those reach the sink each time
/// that they are made, so once an iteration. What functions compute inside has
/// no name to tap. A sequence reaches the sink member by member.
class BuiltinExecutor {
 public:
  /// Folds constants and makes an operator for every node. `model` must outlive
  /// the executor and stay as it is. An operator that is missing here is an
  /// error of the runs that need it. Errors: Plan::Make's.
  static Result<BuiltinExecutor> Create(const Model& model,
                                        const ExecutorOptions& options = {}) {
    const KernelTable& kernels =
        options.kernels == nullptr ? DispatchedKernels() : *options.kernels;
    std::unique_ptr<ThreadPool> own_pool;
    if (options.pool == nullptr) {
      own_pool = std::make_unique<ThreadPool>(options.threads);
    }
    ThreadPool& pool = own_pool == nullptr ? *options.pool : *own_pool;
    const auto environment = std::make_shared<PlanEnvironment>(
        PlanEnvironment{&model, {}, kernels, pool});
    if (options.operators == nullptr) {
      AddBuiltinOperators(environment->registry);
    } else {
      environment->registry = *options.operators;
    }
    const PlanScope scope{environment,
                          OpsetImports(model.proto().opset_import())};
    ZEROPOINT_ASSIGN_OR_RETURN(Plan plan,
                               Plan::Make(model.proto().graph(), scope));
    BuiltinExecutor executor;
    executor.state_ =
        std::make_unique<State>(model, kernels, std::move(own_pool), pool,
                                std::move(plan), options.max_loop_iterations);
    executor.state_->arena.set_limit(options.max_tensor_bytes);
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
      state.schedule.reset();
      ZEROPOINT_ASSIGN_OR_RETURN(state.schedule,
                                 Schedule::Make(state.plan, taps));
    }
    state.arena.Consolidate();
    std::int64_t rounds_left = state.max_loop_iterations;
    state.resources.sink = &sink;
    state.resources.rounds_left = &rounds_left;
    const Status status = RunOnce(feeds);
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
          Plan the_plan, std::int64_t the_max_loop_iterations)
        : model(the_model),
          own_pool(std::move(the_own_pool)),
          plan(std::move(the_plan)),
          resources{the_kernels, the_pool, arena,
                    std::numeric_limits<std::size_t>::max()},
          max_loop_iterations(the_max_loop_iterations),
          values(plan.values().size()) {}

    const Model& model;
    std::unique_ptr<ThreadPool> own_pool;
    Plan plan;
    Arena arena;
    ExecResources resources;
    std::int64_t max_loop_iterations;
    std::optional<Schedule> schedule;  // of the last run's taps
    std::vector<RunValue> values;      // by number of the plan
  };

  BuiltinExecutor() = default;

  DataType DeclaredType(std::string_view input) const {
    for (const auto& declared : state_->model.proto().graph().input()) {
      if (declared.name() != input) continue;
      return static_cast<DataType>(declared.type().tensor_type().elem_type());
    }
    return DataType::kUndefined;
  }

  Status RunOnce(const Feeds& feeds) {
    State& state = *state_;
    std::list<Tensor> rounded;  // read by the plan until the run ends
    for (std::size_t i = 0; i < state.plan.input_count(); ++i) {
      const PlanValue& planned = state.plan.values()[i];
      RunValue& input = state.values[i];
      if (const Tensor* tensor = FindFeed(feeds, planned.name)) {
        const DataType declared = DeclaredType(planned.name);
        const Tensor* fed = tensor;
        if (IsHalf(declared) && tensor->type() == DataType::kFloat) {
          fed = &rounded.emplace_back(RoundedTo(declared, tensor->view()));
        }
        input.type = fed->type();
        input.dims = fed->dims();
        input.data = fed->data();
      } else {
        input = planned.constant;
      }
      ZEROPOINT_RETURN_IF_ERROR(Deliver(*state.schedule, static_cast<int>(i),
                                        input, state.resources));
    }
    ZEROPOINT_RETURN_IF_ERROR(
        DeliverConstants(state.plan, *state.schedule, state.resources));
    return RunSchedule(state.plan, *state.schedule, state.values,
                       state.resources);
  }

  std::unique_ptr<State> state_;
};

static_assert(Executor<BuiltinExecutor>);

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_BUILTIN_EXECUTOR_H_

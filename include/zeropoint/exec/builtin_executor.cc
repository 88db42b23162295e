#include "zeropoint/exec/builtin_executor.h"

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

struct BuiltinExecutor::State {
  State(const Model& the_model, const KernelTable& the_kernels,
        std::unique_ptr<ThreadPool> the_own_pool, ThreadPool& the_pool,
        Plan the_plan, std::int64_t the_max_loop_iterations)
      : model(the_model),
        own_pool(std::move(the_own_pool)),
        plan(std::move(the_plan)),
        resources{the_kernels, the_pool, arena,
                  std::numeric_limits<std::size_t>::max()},
        max_loop_iterations(the_max_loop_iterations),
        values(plan.values().size()) {
    for (std::size_t i = 0; i < plan.input_count(); ++i) {
      declared_types.push_back(DeclaredType(plan.values()[i].name));
    }
  }

  DataType DeclaredType(std::string_view input) const {
    for (const auto& declared : model.proto().graph().input()) {
      if (declared.name() != input) continue;
      return static_cast<DataType>(declared.type().tensor_type().elem_type());
    }
    return DataType::kUndefined;
  }

  Status RunOnce(const Feeds& feeds) {
    std::list<Tensor> rounded;  // read by the plan until the run ends
    for (std::size_t i = 0; i < plan.input_count(); ++i) {
      const PlanValue& planned = plan.values()[i];
      RunValue& input = values[i];
      if (const Tensor* tensor = FindFeed(feeds, planned.name)) {
        const DataType declared = declared_types[i];
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
      ZEROPOINT_RETURN_IF_ERROR(
          Deliver(*schedule, static_cast<int>(i), input, resources));
    }
    ZEROPOINT_RETURN_IF_ERROR(DeliverConstants(plan, *schedule, resources));
    return RunSchedule(plan, *schedule, values, resources);
  }

  const Model& model;
  std::unique_ptr<ThreadPool> own_pool;
  Plan plan;
  Arena arena;
  ExecResources resources;
  std::int64_t max_loop_iterations;
  std::vector<DataType> declared_types;  // of the inputs, in the plan's order
  std::optional<Schedule> schedule;      // of the last run's taps
  std::vector<RunValue> values;          // by number of the plan
};

BuiltinExecutor::BuiltinExecutor(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
BuiltinExecutor::BuiltinExecutor(BuiltinExecutor&&) noexcept = default;
BuiltinExecutor& BuiltinExecutor::operator=(BuiltinExecutor&&) noexcept =
    default;
BuiltinExecutor::~BuiltinExecutor() = default;

Result<BuiltinExecutor> BuiltinExecutor::Create(
    const Model& model, const ExecutorOptions& options) {
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
  auto state =
      std::make_unique<State>(model, kernels, std::move(own_pool), pool,
                              std::move(plan), options.max_loop_iterations);
  state->arena.set_limit(options.max_tensor_bytes);
  return BuiltinExecutor(std::move(state));
}

Status BuiltinExecutor::Run(const Feeds& feeds,
                            std::span<const std::string> taps,
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
  Status status = state.RunOnce(feeds);
  for (RunValue& value : state.values) value = RunValue();
  return status;
}

std::size_t BuiltinExecutor::peak_bytes() const { return state_->arena.peak(); }

}  // namespace zeropoint

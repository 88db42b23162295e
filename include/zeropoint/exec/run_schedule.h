// RunSchedule: walks a schedule; what the main graph and nested graphs share.
#ifndef ZEROPOINT_EXEC_RUN_SCHEDULE_H_
#define ZEROPOINT_EXEC_RUN_SCHEDULE_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/plan.h"
#include "zeropoint/exec/schedule.h"

namespace zeropoint {

/// Hands `value`, number `index` of the plan, to the taps that ask for it: a
/// tensor, or the members of a sequence one after another.
inline Status Deliver(const Schedule& schedule, int index,
                      const RunValue& value, const ExecResources& resources) {
  if (resources.sink == nullptr) return Status();
  for (const std::size_t tap : schedule.taps(index)) {
    if (value.kind == RunValue::Kind::kEmptyOptional) continue;
    if (value.is_tensor()) {
      ZEROPOINT_RETURN_IF_ERROR(resources.sink->Consume(tap, value.view()));
      continue;
    }
    for (const RunValue& member : *value.members) {
      if (!member.is_tensor()) continue;
      ZEROPOINT_RETURN_IF_ERROR(resources.sink->Consume(tap, member.view()));
    }
  }
  return Status();
}

/// Delivers the constants that are tapped.
inline Status DeliverConstants(const Plan& plan, const Schedule& schedule,
                               const ExecResources& resources) {
  for (std::size_t i = 0; i < plan.values().size(); ++i) {
    const PlanValue& planned = plan.values()[i];
    if (!planned.is_constant) continue;
    ZEROPOINT_RETURN_IF_ERROR(
        Deliver(schedule, static_cast<int>(i), planned.constant, resources));
  }
  return Status();
}

/// Value `index` of a run; nullptr for Plan::kNone.
inline const RunValue* ValueOf(const Plan& plan,
                               const std::vector<RunValue>& values, int index) {
  if (index == Plan::kNone) return nullptr;
  const PlanValue& planned = plan.value(index);
  return planned.is_constant ? &planned.constant
                             : &values[static_cast<std::size_t>(index)];
}

/// Runs the steps in order. `values`, by number of the plan, holds the inputs
/// and captured values; each other value is there from the step that makes it
/// to the last one that reads it. Errors: what operators and the sink say.
inline Status RunSchedule(Plan& plan, const Schedule& schedule,
                          std::vector<RunValue>& values,
                          const ExecResources& resources) {
  std::vector<const RunValue*> inputs;
  std::vector<RunValue> outputs;
  for (const ScheduledStep& scheduled : schedule.steps()) {
    PlanStep& step = plan.steps()[scheduled.step];
    inputs.clear();
    for (const int input : step.inputs) {
      inputs.push_back(ValueOf(plan, values, input));
    }
    outputs.clear();
    outputs.resize(scheduled.outputs.size());
    {
      OpContext context(resources, inputs, scheduled.last_use, outputs,
                        scheduled.wanted, scheduled.clamp);
      ZEROPOINT_RETURN_IF_ERROR(
          step.op->Run(context).WithContext(DescribeNode(*step.node)));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!scheduled.last_use[i]) continue;
      values[static_cast<std::size_t>(step.inputs[i])] = RunValue();
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!scheduled.wanted[i]) continue;
      const int value = scheduled.outputs[i];
      if (!outputs[i].is_there()) {
        return Unsupported(DescribeNode(*step.node) + ": output " +
                           std::to_string(i) + " is not computed");
      }
      RunValue& target = values[static_cast<std::size_t>(value)];
      target = std::move(outputs[i]);
      ZEROPOINT_RETURN_IF_ERROR(Deliver(schedule, value, target, resources));
    }
  }
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_RUN_SCHEDULE_H_

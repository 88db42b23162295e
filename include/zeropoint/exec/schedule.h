// Schedule: what one set of taps needs of a plan.
//
// Only steps on a path to a tap are run, in the model's order, each tensor is
// freed after the last step that reads it, and a Relu or Clip that nobody sees
// from outside is left to the convolution or product before it.
#ifndef ZEROPOINT_EXEC_SCHEDULE_H_
#define ZEROPOINT_EXEC_SCHEDULE_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/exec/plan.h"
#include "zeropoint/kernels/layout.h"

namespace zeropoint {

/// One step of a run.
struct ScheduledStep {
  std::size_t step = 0;        // of the plan
  std::vector<int> outputs;    // values of the plan, or Plan::kNone
  Clamp clamp;                 // of output 0
  std::vector<bool> last_use;  // for each input: it dies here
  std::vector<bool> wanted;    // for each output: a step or a tap reads it
};

class Schedule {
 public:
  /// Errors: kNotFound for a tap that names no tensor; whatever keeps a needed
  /// node from being run.
  static Result<Schedule> Make(const Plan& plan,
                               std::span<const std::string> taps) {
    Schedule schedule;
    schedule.tap_names_.assign(taps.begin(), taps.end());
    schedule.taps_.resize(plan.values().size());
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const int value = plan.Find(taps[i]);
      if (value == Plan::kNone) {
        return NotFound("the model's main graph has no tensor '" + taps[i] +
                        "' to tap");
      }
      schedule.taps_[Index(value)].push_back(i);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto needed, schedule.Needed(plan));
    schedule.Fuse(plan, needed);
    schedule.FindLastUses(plan);
    return schedule;
  }

  const std::vector<std::string>& tap_names() const { return tap_names_; }
  const std::vector<ScheduledStep>& steps() const { return steps_; }
  /// The taps that ask for a value.
  const std::vector<std::size_t>& taps(int value) const {
    return taps_[Index(value)];
  }

 private:
  static std::size_t Index(int value) {
    return static_cast<std::size_t>(value);
  }

  // The plan's steps on a path to a tap, in order.
  Result<std::vector<std::size_t>> Needed(const Plan& plan) const {
    std::vector<bool> wanted(plan.values().size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      wanted[i] = !taps_[i].empty();
    }
    std::vector<std::size_t> needed;
    for (std::size_t i = plan.steps().size(); i-- > 0;) {
      const PlanStep& step = plan.steps()[i];
      bool makes_wanted = false;
      for (const int output : step.outputs) {
        if (output != Plan::kNone && wanted[Index(output)]) makes_wanted = true;
      }
      if (step.folded || !makes_wanted) continue;
      for (const int input : step.inputs) {
        if (input != Plan::kNone) wanted[Index(input)] = true;
      }
      needed.push_back(i);
    }
    // The first fault in the model's order is the one to name.
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) ZEROPOINT_RETURN_IF_ERROR(plan.values()[i].status);
    }
    std::reverse(needed.begin(), needed.end());
    for (const std::size_t i : needed) {
      ZEROPOINT_RETURN_IF_ERROR(plan.steps()[i].status);
    }
    return needed;
  }

  // Appends the needed steps; a limit joins the step that makes its input.
  void Fuse(const Plan& plan, const std::vector<std::size_t>& needed) {
    std::vector<int> uses(plan.values().size(), 0);
    for (const std::size_t i : needed) {
      for (const int input : plan.steps()[i].inputs) {
        if (input != Plan::kNone) ++uses[Index(input)];
      }
    }
    std::vector<int> maker(plan.values().size(), -1);  // index in steps_
    for (const std::size_t i : needed) {
      const PlanStep& step = plan.steps()[i];
      const int input = step.inputs.empty() ? Plan::kNone : step.inputs[0];
      if (input != Plan::kNone && maker[Index(input)] >= 0 &&
          uses[Index(input)] == 1 && taps(input).empty()) {
        ScheduledStep& before =
            steps_[static_cast<std::size_t>(maker[Index(input)])];
        const std::optional<Clamp> clamp = ClampOf(plan, step);
        if (clamp && before.outputs[0] == input &&
            plan.steps()[before.step].outputs[0] == input &&
            plan.steps()[before.step].op->AcceptsClamp()) {
          before.clamp = *clamp;
          before.outputs[0] = step.outputs[0];
          continue;
        }
      }
      for (const int output : step.outputs) {
        if (output != Plan::kNone) {
          maker[Index(output)] = static_cast<int>(steps_.size());
        }
      }
      ScheduledStep& scheduled = steps_.emplace_back();
      scheduled.step = i;
      scheduled.outputs = step.outputs;
    }
  }

  static std::optional<Clamp> ClampOf(const Plan& plan, const PlanStep& step) {
    static const RunValue kOmitted;
    std::vector<const RunValue*> constants;
    for (const int input : step.inputs) {
      if (input == Plan::kNone) {
        constants.push_back(&kOmitted);
      } else {
        const PlanValue& value = plan.value(input);
        constants.push_back(value.is_constant ? &value.constant : nullptr);
      }
    }
    return step.op->AsClamp(constants);
  }

  void FindLastUses(const Plan& plan) {
    std::vector<bool> read(plan.values().size());  // by a later step
    for (std::size_t i = steps_.size(); i-- > 0;) {
      ScheduledStep& scheduled = steps_[i];
      for (const int output : scheduled.outputs) {
        scheduled.wanted.push_back(
            output != Plan::kNone &&
            (read[Index(output)] || !taps(output).empty()));
      }
      const std::vector<int>& inputs = plan.steps()[scheduled.step].inputs;
      for (const int input : inputs) {
        scheduled.last_use.push_back(input != Plan::kNone &&
                                     !read[Index(input)]);
      }
      for (const int input : inputs) {
        if (input != Plan::kNone) read[Index(input)] = true;
      }
    }
  }

  std::vector<std::string> tap_names_;
  std::vector<std::vector<std::size_t>> taps_;  // by value
  std::vector<ScheduledStep> steps_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_SCHEDULE_H_

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
#include <string_view>
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
  /// For the main graph. Errors: kNotFound for a tap that names no tensor;
  /// whatever keeps a needed node from being run.
  static Result<Schedule> Make(const Plan& plan,
                               std::span<const std::string> taps) {
    for (const std::string& tap : taps) {
      if (!Makes(plan, tap)) {
        return NotFound("the model has no tensor '" + tap + "' to tap");
      }
    }
    return Make(plan, taps, {});
  }

  /// For a nested graph: runs what its results need, and delivers those of the
  /// taps that it makes.
  static Result<Schedule> Make(const Plan& plan,
                               std::span<const std::string> taps,
                               std::span<const int> results) {
    Schedule schedule;
    schedule.tap_names_.assign(taps.begin(), taps.end());
    schedule.taps_.resize(plan.values().size());
    schedule.is_result_.resize(plan.values().size());
    std::vector<std::string> nested_taps = schedule.tap_names_;
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const int value = plan.Find(taps[i]);
      if (value == Plan::kNone || taps[i].empty()) continue;
      schedule.taps_[Index(value)].push_back(i);
      nested_taps[i].clear();
    }
    for (const int result : results) {
      if (result != Plan::kNone) schedule.is_result_[Index(result)] = true;
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto needed,
                               schedule.Needed(plan, nested_taps));
    schedule.Fuse(plan, needed);
    schedule.FindLastUses(plan);
    return schedule;
  }

  /// Whether the plan or a graph nested in it has a tensor of that name.
  static bool Makes(const Plan& plan, std::string_view tensor) {
    if (tensor.empty()) return false;
    if (plan.Find(tensor) != Plan::kNone) return true;
    for (const PlanStep& step : plan.steps()) {
      if (NestedMakes(step, tensor)) return true;
    }
    return false;
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

  static bool NestedMakes(const PlanStep& step, std::string_view tensor) {
    if (step.op == nullptr || tensor.empty()) return false;
    for (const NestedGraph* graph : step.op->nested()) {
      if (graph->Makes(tensor)) return true;
    }
    return false;
  }

  // The plan's steps on a path to a tap or result, in order, their nested
  // graphs prepared.
  Result<std::vector<std::size_t>> Needed(
      const Plan& plan, const std::vector<std::string>& nested_taps) const {
    std::vector<bool> wanted = is_result_;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (!taps_[i].empty()) wanted[i] = true;
    }
    std::vector<std::size_t> needed;
    for (std::size_t i = plan.steps().size(); i-- > 0;) {
      const PlanStep& step = plan.steps()[i];
      bool makes_wanted = false;
      for (const int output : step.outputs) {
        if (output != Plan::kNone && wanted[Index(output)]) makes_wanted = true;
      }
      for (const std::string& tap : nested_taps) {
        makes_wanted = makes_wanted || NestedMakes(step, tap);
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
      const PlanStep& step = plan.steps()[i];
      ZEROPOINT_RETURN_IF_ERROR(step.status);
      for (NestedGraph* graph : step.op->nested()) {
        ZEROPOINT_RETURN_IF_ERROR(
            graph->Prepare(nested_taps).WithContext(DescribeNode(*step.node)));
      }
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
          uses[Index(input)] == 1 && taps(input).empty() &&
          !is_result_[Index(input)]) {
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
    std::vector<bool> read = is_result_;  // after the step
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
  std::vector<bool> is_result_;                 // by value
  std::vector<ScheduledStep> steps_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_SCHEDULE_H_

// Body: a graph that a node runs, be it in its attribute or a function that it
// calls.
#ifndef ZEROPOINT_EXEC_BODY_H_
#define ZEROPOINT_EXEC_BODY_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/status.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/plan.h"
#include "zeropoint/exec/run_schedule.h"
#include "zeropoint/exec/schedule.h"

namespace zeropoint {

/// Plan and schedule of a nested graph, and the values of the run in progress.
class Body final : public NestedGraph {
 public:
  /// The graph in an attribute of a node that stands in `scope`, whose parent
  /// is the plan of that node. Errors: Plan::Make's; too deep.
  static Result<std::unique_ptr<Body>> Make(const onnx::GraphProto& graph,
                                            const PlanScope& scope) {
    ZEROPOINT_ASSIGN_OR_RETURN(const PlanScope nested,
                               scope.Nested(*scope.parent));
    ZEROPOINT_ASSIGN_OR_RETURN(Plan plan, Plan::Make(graph, nested));
    return std::unique_ptr<Body>(new Body(std::move(plan)));
  }

  /// A function that the node `call` in `scope` calls; both must outlive the
  /// body. Errors: as above.
  static Result<std::unique_ptr<Body>> Make(const onnx::FunctionProto& function,
                                            const onnx::NodeProto& call,
                                            const PlanScope& scope) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        const PlanScope called,
        scope.Called(OpsetImports(function.opset_import())));
    ZEROPOINT_ASSIGN_OR_RETURN(Plan plan, Plan::Make(function, call, called));
    return std::unique_ptr<Body>(new Body(std::move(plan)));
  }

  std::size_t input_count() const { return plan_.input_count(); }
  std::size_t output_count() const { return plan_.results().size(); }

  bool Makes(std::string_view tensor) const override {
    return Schedule::Makes(plan_, tensor);
  }
  std::vector<int> captures() const override {
    std::vector<int> outer;
    for (const Plan::Capture& capture : plan_.captures()) {
      outer.push_back(capture.outer);
    }
    return outer;
  }
  Status Prepare(std::span<const std::string> taps) override {
    schedule_.reset();
    ZEROPOINT_ASSIGN_OR_RETURN(schedule_,
                               Schedule::Make(plan_, taps, plan_.results()));
    return Status();
  }

  /// The outputs of one run; one that nothing makes is not there. `inputs`
  /// fills the graph's inputs in order, those that are not there stay omitted;
  /// `captured` are the values of captures(). Requires Prepare.
  Result<std::vector<RunValue>> Run(const ExecResources& resources,
                                    std::vector<RunValue> inputs,
                                    std::span<const RunValue* const> captured) {
    values_.resize(plan_.values().size());
    auto outputs = RunOnce(resources, std::move(inputs), captured);
    for (RunValue& value : values_) value = RunValue();
    return outputs;
  }

 private:
  explicit Body(Plan plan) : plan_(std::move(plan)) {}

  Result<std::vector<RunValue>> RunOnce(
      const ExecResources& resources, std::vector<RunValue> inputs,
      std::span<const RunValue* const> captured) {
    for (std::size_t i = 0; i < input_count(); ++i) {
      const PlanValue& planned = plan_.values()[i];
      if (i < inputs.size() && inputs[i].is_there()) {
        values_[i] = std::move(inputs[i]);
      } else if (planned.constant.is_there()) {
        values_[i] = planned.constant;
      } else if (!planned.is_absent) {
        return InvalidData("input '" + std::string(planned.name) +
                           "' of the nested graph is missing");
      }
      ZEROPOINT_RETURN_IF_ERROR(
          Deliver(*schedule_, static_cast<int>(i), values_[i], resources));
    }
    for (std::size_t i = 0; i < plan_.captures().size(); ++i) {
      const auto own = static_cast<std::size_t>(plan_.captures()[i].own);
      if (captured[i] != nullptr) values_[own] = *captured[i];
    }
    ZEROPOINT_RETURN_IF_ERROR(DeliverConstants(plan_, *schedule_, resources));
    ZEROPOINT_RETURN_IF_ERROR(
        RunSchedule(plan_, *schedule_, values_, resources));
    std::vector<RunValue> outputs;
    for (const int result : plan_.results()) {
      const RunValue* value = ValueOf(plan_, values_, result);
      outputs.push_back(value == nullptr ? RunValue() : *value);
      outputs.back().constant = false;
    }
    return outputs;
  }

  Plan plan_;
  std::optional<Schedule> schedule_;
  std::vector<RunValue> values_;  // by number of the plan
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_BODY_H_

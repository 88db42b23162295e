// LegacyBroadcast: elementwise operators as they were before opset 7.
#ifndef ZEROPOINT_EXEC_OPERATORS_LEGACY_BROADCAST_H_
#define ZEROPOINT_EXEC_OPERATORS_LEGACY_BROADCAST_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {

/// Before opset 7 the second operand stood along the axes of the first from
/// `axis` on: it gets axes of size 1 behind its own, and the rest is today's
/// broadcasting. The slope of PRelu stood along axis 1.
class LegacyBroadcast final : public Operator {
 public:
  LegacyBroadcast(std::unique_ptr<Operator> op, std::int64_t axis)
      : op_(std::move(op)), axis_(axis) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    const auto first = context.input(0).dims();
    const auto second = context.input(1).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, first.size()));
    if (axis + second.size() > first.size() || context.input(1).size() == 1) {
      return op_->Run(context);
    }
    RunValue operand = *context.value(1);
    operand.dims.resize(first.size() - axis, 1);
    const RunValue* inputs[] = {context.value(0), &operand};
    const std::vector<bool> last_use(2, false);
    std::vector<RunValue> outputs(1);
    {
      OpContext inner(context.resources(), inputs, last_use, outputs, {true},
                      context.clamp());
      ZEROPOINT_RETURN_IF_ERROR(op_->Run(inner));
    }
    context.SetOutput(0, std::move(outputs[0]));
    return Status();
  }

 private:
  std::unique_ptr<Operator> op_;
  std::int64_t axis_;
};

/// The factory of the opsets before 7, from today's.
template <OperatorFactory kFactory>
Result<std::unique_ptr<Operator>> MakeLegacy(const OperatorInit& init) {
  ZEROPOINT_ASSIGN_OR_RETURN(auto op, kFactory(init));
  const bool slope = init.node.op_type() == "PRelu";
  if (!slope && !HasAttribute(init.node, "axis")) return op;
  return std::unique_ptr<Operator>(std::make_unique<LegacyBroadcast>(
      std::move(op), GetInt(init.node, "axis", 1)));
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_LEGACY_BROADCAST_H_

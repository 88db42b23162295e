// Construct and Stateless: the two usual ways to make an operator.
#ifndef ZEROPOINT_EXEC_OPERATOR_FACTORY_H_
#define ZEROPOINT_EXEC_OPERATOR_FACTORY_H_

#include <memory>

#include "zeropoint/core/status.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operator_registry.h"

namespace zeropoint {

/// The factory of an operator whose constructor takes OperatorInit and cannot
/// fail.
template <class Op>
Result<std::unique_ptr<Operator>> Construct(const OperatorInit& init) {
  return std::unique_ptr<Operator>(std::make_unique<Op>(init));
}

/// The factory of an operator without attributes: a function of its inputs.
template <Status (*kRun)(OpContext&)>
Result<std::unique_ptr<Operator>> Stateless(const OperatorInit& /*init*/) {
  class FunctionOperator final : public Operator {
   public:
    Status Run(OpContext& context) override { return kRun(context); }
  };
  return std::unique_ptr<Operator>(std::make_unique<FunctionOperator>());
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATOR_FACTORY_H_

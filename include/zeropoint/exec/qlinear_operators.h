// AddQLinearOperators: ONNX Runtime's operators on codes.
#ifndef ZEROPOINT_EXEC_QLINEAR_OPERATORS_H_
#define ZEROPOINT_EXEC_QLINEAR_OPERATORS_H_

#include "zeropoint/exec/operator_registry.h"

namespace zeropoint {

/// Adds the quantized operators of the domain com.microsoft. Defined in
/// exec/qlinear_operators.cc (//:exec_operators).
void AddQLinearOperators(OperatorRegistry& registry);

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_QLINEAR_OPERATORS_H_

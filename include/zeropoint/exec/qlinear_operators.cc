// The unit that compiles the operators on codes of com.microsoft.
#include "zeropoint/exec/qlinear_operators.h"

#include "zeropoint/exec/operators/qlinear_gemm.h"
#include "zeropoint/exec/operators/qlinear_unit.h"

namespace zeropoint {

void AddQLinearOperators(OperatorRegistry& registry) {
  AddQLinearUnits(registry);
  AddQLinearGemm(registry);
}

}  // namespace zeropoint

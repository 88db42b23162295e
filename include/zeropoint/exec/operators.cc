// All families of built-in operators.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/qlinear_operators.h"

namespace zeropoint {

void AddBuiltinOperators(OperatorRegistry& registry) {
  AddBitsFamily(registry);
  AddChoiceFamily(registry);
  AddControlFlowFamily(registry);
  AddDefinitionsFamily(registry);
  AddElementwiseFamily(registry);
  AddMovementFamily(registry);
  AddWindowsFamily(registry);
  AddMatricesFamily(registry);
  AddRowsFamily(registry);
  AddQuantizationFamily(registry);
  AddQLinearOperators(registry);
}

}  // namespace zeropoint

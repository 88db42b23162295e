// Compiles operators on bits, and trigonometric ones.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/bitwise.h"
#include "zeropoint/exec/operators/trigonometry.h"

namespace zeropoint {

void AddBitsFamily(OperatorRegistry& registry) {
  AddBitwiseOperators(registry);
  AddTrigonometricOperators(registry);
}

}  // namespace zeropoint

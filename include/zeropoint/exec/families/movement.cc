// Compiles operators that move elements without computing with them.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/data_movement.h"
#include "zeropoint/exec/operators/gather.h"
#include "zeropoint/exec/operators/generate.h"
#include "zeropoint/exec/operators/pad.h"
#include "zeropoint/exec/operators/shape.h"
#include "zeropoint/exec/operators/slice.h"

namespace zeropoint {

void AddMovementFamily(OperatorRegistry& registry) {
  AddDataMovementOperators(registry);
  AddGatherOperators(registry);
  AddGenerateOperators(registry);
  AddPadOperators(registry);
  AddShapeOperators(registry);
  AddSliceOperators(registry);
}

}  // namespace zeropoint

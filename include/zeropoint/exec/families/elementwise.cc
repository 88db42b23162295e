// Compiles operators of single elements.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/binary.h"
#include "zeropoint/exec/operators/cast.h"
#include "zeropoint/exec/operators/unary.h"

namespace zeropoint {

void AddElementwiseFamily(OperatorRegistry& registry) {
  AddBinaryOperators(registry);
  AddCastOperators(registry);
  AddUnaryOperators(registry);
}

}  // namespace zeropoint

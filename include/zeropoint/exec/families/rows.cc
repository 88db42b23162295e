// Compiles operators that look along an axis.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/normalization.h"
#include "zeropoint/exec/operators/reduce.h"
#include "zeropoint/exec/operators/resize.h"
#include "zeropoint/exec/operators/softmax.h"

namespace zeropoint {

void AddRowsFamily(OperatorRegistry& registry) {
  AddNormalizationOperators(registry);
  AddReduceOperators(registry);
  AddResizeOperators(registry);
  AddSoftmaxOperators(registry);
}

}  // namespace zeropoint

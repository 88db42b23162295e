// Compiles matrix products.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/gemm.h"
#include "zeropoint/exec/operators/integer_matmul.h"
#include "zeropoint/exec/operators/matmul.h"

namespace zeropoint {

void AddMatricesFamily(OperatorRegistry& registry) {
  AddGemmOperators(registry);
  AddIntegerMatMulOperators(registry);
  AddMatMulOperators(registry);
}

}  // namespace zeropoint

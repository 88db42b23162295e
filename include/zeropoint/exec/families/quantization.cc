// Compiles operators between reals and quantized integers.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/block_weights.h"
#include "zeropoint/exec/operators/quantize.h"

namespace zeropoint {

void AddQuantizationFamily(OperatorRegistry& registry) {
  AddBlockWeightsOperators(registry);
  AddQuantizeOperators(registry);
}

}  // namespace zeropoint

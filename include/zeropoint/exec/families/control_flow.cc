// Compiles operators that run graphs, and those on sequences and optionals.
#include "zeropoint/exec/operators/control_flow.h"

#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/scan.h"
#include "zeropoint/exec/operators/sequence.h"

namespace zeropoint {

void AddControlFlowFamily(OperatorRegistry& registry) {
  AddControlFlowOperators(registry);
  AddScanOperators(registry);
  AddSequenceOperators(registry);
}

}  // namespace zeropoint

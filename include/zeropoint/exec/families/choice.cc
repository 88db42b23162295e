// Compiles operators that pick, order and scatter elements.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/order.h"
#include "zeropoint/exec/operators/places.h"
#include "zeropoint/exec/operators/scatter.h"
#include "zeropoint/exec/operators/selection.h"

namespace zeropoint {

void AddChoiceFamily(OperatorRegistry& registry) {
  AddOrderOperators(registry);
  AddPlacesOperators(registry);
  AddScatterOperators(registry);
  AddSelectionOperators(registry);
}

}  // namespace zeropoint

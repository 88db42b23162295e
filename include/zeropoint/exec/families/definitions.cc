// Compiles operators that run by their definitions, over doubles.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/along_axis.h"
#include "zeropoint/exec/operators/deform_conv.h"
#include "zeropoint/exec/operators/grid_sample.h"
#include "zeropoint/exec/operators/matrix_parts.h"
#include "zeropoint/exec/operators/recurrent.h"
#include "zeropoint/exec/operators/roi.h"
#include "zeropoint/exec/operators/signal.h"
#include "zeropoint/exec/operators/window_walk.h"

namespace zeropoint {

void AddDefinitionsFamily(OperatorRegistry& registry) {
  AddAlongAxisOperators(registry);
  AddDeformConvOperators(registry);
  AddGridSampleOperators(registry);
  AddMatrixPartsOperators(registry);
  AddRecurrentOperators(registry);
  AddRoiOperators(registry);
  AddSignalOperators(registry);
  AddWindowWalkOperators(registry);
}

}  // namespace zeropoint

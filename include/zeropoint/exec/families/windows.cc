// Compiles convolutions and pools.
#include "zeropoint/exec/operator_families.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/exec/operators/conv_transpose.h"
#include "zeropoint/exec/operators/convolution.h"
#include "zeropoint/exec/operators/integer_conv.h"
#include "zeropoint/exec/operators/pooling.h"

namespace zeropoint {

void AddWindowsFamily(OperatorRegistry& registry) {
  AddConvTransposeOperators(registry);
  AddConvolutionOperators(registry);
  AddIntegerConvOperators(registry);
  AddPoolingOperators(registry);
}

}  // namespace zeropoint

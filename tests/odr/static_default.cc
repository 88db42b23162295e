#include "tests/odr/four_ways.h"
#include "zeropoint/kernels/static.h"

namespace zeropoint::testing {
const KernelTable& StaticDefault() { return StaticKernels(); }
}  // namespace zeropoint::testing

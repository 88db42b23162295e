// Built with other -m flags than the rest of the program.
#include "tests/odr/four_ways.h"
#include "zeropoint/kernels/static.h"

namespace zeropoint::testing {
const KernelTable& StaticAvx2() { return StaticKernels(); }
}  // namespace zeropoint::testing

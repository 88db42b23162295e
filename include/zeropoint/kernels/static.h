// StaticKernels(): the kernels for the compiler's own target.
//
// No run-time choice and no libhwy: for builds with -march=native, and for
// reading. Without -m flags that target is the oldest of the architecture (SSE2
// on x86-64).
#ifndef ZEROPOINT_KERNELS_STATIC_H_
#define ZEROPOINT_KERNELS_STATIC_H_

#include "hwy/highway.h"
#include "zeropoint/kernels/all-inl.h"
#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
inline namespace ZEROPOINT_BASELINE {

inline const KernelTable& StaticKernels() {
  return HWY_STATIC_DISPATCH(kKernels);
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint

#endif  // ZEROPOINT_KERNELS_STATIC_H_

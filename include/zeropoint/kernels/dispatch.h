// Defines DispatchedKernels(). Include it in exactly one translation unit of a
// program, before anything of Highway; that unit's Highway slot is then taken,
// and the program links libhwy. With Bazel, //:kernels_dispatch is that unit.
#ifndef ZEROPOINT_KERNELS_DISPATCH_H_
#define ZEROPOINT_KERNELS_DISPATCH_H_

#ifdef HWY_HIGHWAY_INCLUDED
#error "zeropoint: include dispatch.h before highway.h and its -inl.h files"
#endif
#ifdef HIGHWAY_HWY_FOREACH_TARGET_H_
#error "zeropoint: this unit's Highway slot is taken: use dispatch_tables.h"
#endif

// The includer may be about to use the macro for itself.
#pragma push_macro("HWY_TARGET_INCLUDE")
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "zeropoint/kernels/all-inl.h"
#include "hwy/foreach_target.h"
#pragma pop_macro("HWY_TARGET_INCLUDE")

#include "zeropoint/kernels/all-inl.h"
#include "zeropoint/kernels/dispatch_tables.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {

const KernelTable& DispatchedKernels() { return ChooseKernels(); }

}  // namespace zeropoint

#endif  // ZEROPOINT_KERNELS_DISPATCH_H_

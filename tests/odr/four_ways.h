// The kernels as four translation units of one program get them.
#ifndef ZEROPOINT_TESTS_ODR_FOUR_WAYS_H_
#define ZEROPOINT_TESTS_ODR_FOUR_WAYS_H_

#include <cstddef>

#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint::testing {

/// From static.h, without -m flags.
const KernelTable& StaticDefault();
/// From static.h, with the flags of Highway's AVX2 target. Only on a CPU with
/// AVX2.
const KernelTable& StaticAvx2();
/// From a unit that owns Highway's slot and has SIMD code of its own.
const KernelTable& OwnSlot();
/// That code: x[i] += 1.
void AddOneToEach(float* x, std::size_t count);

}  // namespace zeropoint::testing

#endif  // ZEROPOINT_TESTS_ODR_FOUR_WAYS_H_

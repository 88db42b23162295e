// expect-success
#include <cstdint>

#include "zeropoint/core/scheme.h"

constexpr auto kQMin =
    zeropoint::Affine<std::int8_t, zeropoint::Symmetric, zeropoint::PerTensor,
                      zeropoint::NarrowRange>::kQMin;
static_assert(kQMin == -127);

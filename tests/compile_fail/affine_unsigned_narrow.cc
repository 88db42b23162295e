// expect-error: unsigned storage takes FullRange
#include <cstdint>

#include "zeropoint/core/scheme.h"

constexpr auto kQMin =
    zeropoint::Affine<std::uint8_t, zeropoint::Symmetric, zeropoint::PerTensor,
                      zeropoint::NarrowRange>::kQMin;

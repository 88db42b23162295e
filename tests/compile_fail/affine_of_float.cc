// expect-error: write Affine<std::uint8_t>
#include "zeropoint/core/scheme.h"

constexpr auto kQMax = zeropoint::Affine<float>::kQMax;

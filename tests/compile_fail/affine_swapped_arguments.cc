// expect-error: the second argument of Affine is Symmetric or Asymmetric
#include <cstdint>

#include "zeropoint/core/scheme.h"

constexpr auto kQMax = zeropoint::Affine<std::int8_t, zeropoint::PerTensor,
                                         zeropoint::Symmetric>::kQMax;

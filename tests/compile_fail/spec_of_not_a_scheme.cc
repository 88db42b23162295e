// expect-error: S::Storage
#include <cstdint>

#include "zeropoint/core/scheme_spec.h"

// A storage type is not a scheme: Affine<std::int8_t> is.
constexpr auto kSpec = zeropoint::SpecOf<std::int8_t>();

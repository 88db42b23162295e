// The second way to the kernels: for the target that the compiler's flags name,
// as code that it may inline. No run-time choice, no library to link.
// docs/simd.md explains it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/kernels/static.h"

namespace zp = zeropoint;

int main() {
  constexpr std::array<float, 5> kValues = {-1.0f, -0.5f, 0.0f, 1.0f, 4.0f};
  constexpr zp::QParams kParams{0.02f, 50};
  std::array<std::uint8_t, kValues.size()> codes{};
  // #region call
  const zp::KernelTable& kernels = zp::StaticKernels();
  kernels.quantize_u8(kValues.data(), kValues.size(), kParams,
                      zp::CodeRange{0, 255}, codes.data());
  // #endregion
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto expected =
        zp::reference::Quantize(kValues[i], kParams, zp::CodeRange{0, 255});
    std::printf("%4.1f -> %d, the reference says %d\n", kValues[i], codes[i],
                expected);
  }
  return 0;
}

// The third way to the kernels, for builds that do not link
// //:kernels_dispatch: one unit of the program takes Highway's slot for them.
// docs/simd.md explains it.
// #region include
#include "zeropoint/kernels/dispatch.h"  // before anything of Highway
// #endregion
//
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "hwy/targets.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"

namespace zp = zeropoint;

int main() {
  constexpr std::array<float, 5> kValues = {-1.0f, -0.5f, 0.0f, 1.0f, 4.0f};
  constexpr zp::QParams kParams{0.02f, 50};
  std::size_t wrong = 0;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    std::array<std::uint8_t, kValues.size()> codes{};
    zp::DispatchedKernels().quantize_u8(kValues.data(), kValues.size(), kParams,
                                        zp::CodeRange{0, 255}, codes.data());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const auto expected =
          zp::reference::Quantize(kValues[i], kParams, zp::CodeRange{0, 255});
      if (codes[i] != expected) ++wrong;
    }
  }
  std::printf("codes unlike the reference's, over all CPU targets: %zu\n",
              wrong);
  return 0;
}

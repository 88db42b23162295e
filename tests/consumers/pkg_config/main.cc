// Quantizes a vector with the kernels for the CPU at hand.
#include <array>
#include <cstdint>
#include <cstdio>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/scheme.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zp = zeropoint;

int main() {
  constexpr zp::SchemeSpec kScheme = zp::SpecOf<zp::Affine<std::uint8_t>>();
  constexpr std::array kReal = {-1.0f, -0.3f, 0.0f, 0.5f, 1.0f, 2.0f, 2.5f};
  std::array<std::uint8_t, kReal.size()> codes{};
  zp::DispatchedKernels().quantize_u8(
      kReal.data(), kReal.size(), zp::ChooseQParams({-1.0f, 2.0f}, kScheme),
      {kScheme.qmin, kScheme.qmax}, codes.data());
  std::printf("codes:");
  for (const std::uint8_t code : codes) std::printf(" %d", code);
  std::printf("\n");
}

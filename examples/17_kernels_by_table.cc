// The first way to the kernels, for most programs: a table of plain function
// pointers, without Highway in sight. Link //:kernels_dispatch, which makes it
// for the processor at hand. docs/simd.md explains it.
#include <array>
#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zp = zeropoint;

namespace {

// #region quantize
zp::Result<std::vector<std::uint8_t>> Quantized(
    std::span<const float> x, const zp::KernelTable& kernels) {
  zp::MinMaxState seen;
  kernels.min_max(x.data(), x.size(), &seen);
  if (seen.finite == 0) return zp::InvalidData("no finite value");
  const zp::SchemeSpec scheme = zp::SpecOf<zp::Affine<std::uint8_t>>();
  const zp::QParams params = zp::ChooseQParams({seen.lo, seen.hi}, scheme);
  std::vector<std::uint8_t> codes(x.size());
  kernels.quantize_u8(x.data(), x.size(), params, {scheme.qmin, scheme.qmax},
                      codes.data());
  return codes;
}
// #endregion

}  // namespace

int main() {
  constexpr std::array<float, 5> kValues = {-1.0f, -0.5f, 0.0f, 1.0f, 4.0f};
  // #region call
  const auto codes = Quantized(kValues, zp::DispatchedKernels());
  // #endregion
  if (!codes.ok()) return 1;
  for (const int code : *codes) std::printf("%d\n", code);
  return 0;
}

// Quantizes a few real values to 8 bits and back, and shows what is lost.
// docs/guide/affine.md explains each step.
#include <array>
#include <cstdint>
#include <cstdio>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme.h"
#include "zeropoint/core/scheme_spec.h"

namespace zp = zeropoint;

// #region scheme
using Activations = zp::Affine<std::uint8_t>;
constexpr zp::SchemeSpec kSpec = zp::SpecOf<Activations>();
constexpr zp::CodeRange kCodes{kSpec.qmin, kSpec.qmax};  // 0 and 255
// #endregion

// #region constexpr
// The same functions run in the compiler.
constexpr zp::QParams kChecked = zp::ChooseQParams({-1.0f, 2.0f}, kSpec);
static_assert(kChecked.zero_point == 85);
static_assert(zp::reference::Quantize(0.0f, kChecked, kCodes) == 85);
static_assert(zp::reference::Dequantize(85, kChecked) == 0.0f);
// #endregion

int main() {
  // #region qparams
  const zp::RealRange range{-1.0f, 2.0f};
  const zp::QParams params = zp::ChooseQParams(range, kSpec);
  std::printf("scale %.6f  zero point %d\n", params.scale, params.zero_point);
  // #endregion

  // #region round-trip
  constexpr std::array kReal = {-1.0f, -0.3f, 0.0f, 0.5f, 1.0f, 2.0f, 2.5f};
  std::printf("%8s %6s %10s %10s\n", "real", "code", "back", "error");
  for (const float x : kReal) {
    const std::int32_t code = zp::reference::Quantize(x, params, kCodes);
    const float back = zp::reference::Dequantize(code, params);
    std::printf("%8.3f %6d %10.6f %10.6f%s\n", x, code, back, back - x,
                x < range.lo || x > range.hi ? "  saturated" : "");
  }
  // #endregion
  return 0;
}

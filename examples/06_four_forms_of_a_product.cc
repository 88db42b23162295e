// One dot product in the four forms of a quantized model: what each computes,
// where each rounds. docs/guide/forms.md explains it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/rounding.h"
#include "zeropoint/core/scheme_spec.h"

namespace zp = zeropoint;

constexpr std::size_t kDepth = 6;
using Reals = std::array<float, kDepth>;
using Codes = std::array<std::int32_t, kDepth>;

constexpr Reals kX = {0.31f, -0.87f, 1.44f, 0.05f, -0.62f, 1.93f};
constexpr Reals kW = {0.42f, 0.17f, -0.55f, 0.98f, -0.23f, 0.61f};
constexpr float kBias = 0.3f;

constexpr zp::SchemeSpec kActivations = zp::SpecOf<zp::Affine<std::uint8_t>>();
constexpr zp::CodeRange kU8{0, 255};
constexpr zp::CodeRange kI8{-127, 127};

constexpr Codes CodesOf(const Reals& reals, const zp::QParams& params,
                        zp::CodeRange range) {
  Codes codes{};
  for (std::size_t k = 0; k < kDepth; ++k) {
    codes[k] = zp::reference::Quantize(reals[k], params, range);
  }
  return codes;
}

int main() {
  // #region parameters
  const zp::QParams x = zp::ChooseQParams({-1.0f, 2.0f}, kActivations);
  const zp::QParams w{0.98f / 127.0f, 0};
  const zp::QParams y = zp::ChooseQParams({-1.0f, 3.0f}, kActivations);
  const Codes xq = CodesOf(kX, x, kU8);
  const Codes wq = CodesOf(kW, w, kI8);
  // #endregion

  // #region float
  float real = kBias;
  for (std::size_t k = 0; k < kDepth; ++k) real += kX[k] * kW[k];
  // #endregion

  // #region qdq
  float sum = kBias;
  for (std::size_t k = 0; k < kDepth; ++k) {
    sum += zp::reference::Dequantize(xq[k], x) *
           zp::reference::Dequantize(wq[k], w);
  }
  const std::int32_t qdq = zp::reference::Quantize(sum, y, kU8);
  // #endregion

  // #region qoperator
  // The bias in the unit of the sum: one step is x.scale * w.scale.
  auto accumulator =
      static_cast<std::int32_t>(zp::RoundHalfEven(kBias / (x.scale * w.scale)));
  for (std::size_t k = 0; k < kDepth; ++k) {
    accumulator += (xq[k] - x.zero_point) * wq[k];
  }
  const std::int32_t qoperator = zp::reference::Requantize(
      accumulator,
      zp::reference::RequantizeMultiplier(x.scale, w.scale, y.scale),
      y.zero_point, kU8);
  // #endregion

  // #region integer
  std::int32_t products = 0;
  for (std::size_t k = 0; k < kDepth; ++k) {
    products += (xq[k] - x.zero_point) * wq[k];
  }
  const float integer =
      static_cast<float>(products) * (x.scale * w.scale) + kBias;
  // #endregion

  std::printf("float      %.6f\n", real);
  std::printf("qdq        %.6f -> code %d, which is %.6f\n", sum, qdq,
              zp::reference::Dequantize(qdq, y));
  std::printf("qoperator  %d steps of %.9f -> code %d\n", accumulator,
              x.scale * w.scale, qoperator);
  std::printf("integer    %d steps, and the bias -> %.6f\n", products, integer);
}

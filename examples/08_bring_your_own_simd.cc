// A translation unit that owns Highway's slot: a kernel of its own with one of
// the library's inside, for every CPU target. docs/simd.md explains it.
// #region own-slot
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "examples/08_bring_your_own_simd.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/kernels/quantize-inl.h"

HWY_BEFORE_NAMESPACE();
namespace example::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// q = codes of x * |x|, a block at a time: what is between stays in the cache.
void QuantizeSignedSquare(const float* x, std::size_t count,
                          zeropoint::QParams params, std::uint8_t* q) {
  constexpr std::size_t kBlock = 512;
  alignas(64) float squares[kBlock];
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t size = HWY_MIN(kBlock, count - begin);
    for (std::size_t i = 0; i < size; i += lanes) {
      const std::size_t left = HWY_MIN(lanes, size - i);
      const auto v = hn::LoadN(d, x + begin + i, left);
      hn::StoreN(hn::Mul(v, hn::Abs(v)), d, squares + i, left);
    }
    zeropoint::HWY_NAMESPACE::Quantize(squares, size, params,
                                       zeropoint::CodeRange{0, 255}, q + begin);
  }
}

}  // namespace example::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace example {

HWY_EXPORT(QuantizeSignedSquare);

void QuantizeSignedSquare(const float* x, std::size_t count,
                          zeropoint::QParams params, std::uint8_t* q) {
  HWY_DYNAMIC_DISPATCH(QuantizeSignedSquare)(x, count, params, q);
}

}  // namespace example
#endif
// #endregion

#if HWY_ONCE
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include "hwy/targets.h"
#include "zeropoint/core/reference.h"

namespace {

std::size_t Differences(const std::vector<float>& x,
                        zeropoint::QParams params) {
  std::vector<std::uint8_t> codes(x.size());
  example::QuantizeSignedSquare(x.data(), x.size(), params, codes.data());
  std::size_t differences = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto expected = zeropoint::reference::Quantize(
        x[i] * std::abs(x[i]), params, zeropoint::CodeRange{0, 255});
    if (codes[i] != expected) ++differences;
  }
  return differences;
}

}  // namespace

int main() {
  constexpr zeropoint::QParams kParams{0.03125f, 128};
  constexpr std::array<float, 5> kFew = {-1.5f, -0.5f, 0.0f, 0.5f, 1.5f};
  std::array<std::uint8_t, 5> codes{};
  example::QuantizeSignedSquare(kFew.data(), kFew.size(), kParams,
                                codes.data());
  for (std::size_t i = 0; i < kFew.size(); ++i) {
    std::printf("%4.1f -> %d\n", kFew[i], codes[i]);
  }

  std::vector<float> many;
  for (int i = -700; i <= 700; ++i) {
    many.push_back(static_cast<float>(i) / 256.0f);
  }
  std::size_t differences = 0;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    differences += Differences(many, kParams);
  }
  std::printf("codes unlike the reference's, over all CPU targets: %zu\n",
              differences);
  return 0;
}
#endif

// The mistakes that quantizers keep making, each beside the reference on a
// value where the two differ. A kernel or pass that repeats one fails the
// bit-equality tests; here is why it must.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/reference.h"

namespace zeropoint {
namespace {

constexpr CodeRange kU8{0, 255};
constexpr SchemeSpec kActivations = SpecOf<Affine<std::uint8_t>>();
constexpr SchemeSpec kWeights =
    SpecOf<Affine<std::int8_t, Symmetric, PerTensor, NarrowRange>>();

// A code as float, limited like the reference does.
std::int32_t Limit(float code) {
  return static_cast<std::int32_t>(std::clamp(code, 0.0f, 255.0f));
}

BOOST_AUTO_TEST_SUITE(classic_mistakes)

// std::round takes ties away from zero, which biases every tie one way.
BOOST_AUTO_TEST_CASE(RoundingTiesAwayFromZero) {
  const QParams params{1.0f, 0};
  const float x = 2.5f;
  BOOST_TEST(Limit(std::round(x / params.scale)) == 3);
  BOOST_TEST(reference::Quantize(x, params, kU8) == 2);
}

// The float next to 0.3 is a little more than 0.3, so 2.25 / 0.3 is a little
// less than 7.5; the rounded reciprocal loses that.
BOOST_AUTO_TEST_CASE(MultiplyingByTheReciprocal) {
  const QParams params{0.3f, 0};
  const float x = 2.25f;
  const float reciprocal = 1.0f / params.scale;
  BOOST_TEST(Limit(std::nearbyint(x * reciprocal)) == 8);
  BOOST_TEST(reference::Quantize(x, params, kU8) == 7);
}

// 0.5 + 7 is a tie between 7 and 8, of which 8 is even; 0.5 alone is one
// between 0 and 1.
BOOST_AUTO_TEST_CASE(AddingTheZeroPointBeforeRounding) {
  const QParams params{1.0f, 7};
  const float x = 0.5f;
  BOOST_TEST(Limit(std::nearbyint(x / params.scale + 7.0f)) == 8);
  BOOST_TEST(reference::Quantize(x, params, kU8) == 7);
}

// [3, 5] as it is: the zero point would be -382, real 0 has no code, and what
// fits into the codes is nothing of the range.
BOOST_AUTO_TEST_CASE(NotWideningTheRangeToZero) {
  const float scale = (5.0f - 3.0f) / 255.0f;
  const float wanted = std::nearbyint(0.0f - 3.0f / scale);
  BOOST_TEST(wanted == -382.0f);
  const QParams mistaken{scale, Limit(wanted)};
  BOOST_TEST(reference::Quantize(3.0f, mistaken, kU8) == 255);
  BOOST_TEST(reference::Quantize(5.0f, mistaken, kU8) == 255);

  const QParams params = ChooseQParams({3.0f, 5.0f}, kActivations);
  BOOST_TEST(params.zero_point == 0);
  BOOST_TEST(reference::Quantize(3.0f, params, kU8) == 153);
  BOOST_TEST(reference::Quantize(5.0f, params, kU8) == 255);
}

// A channel of zeros (a pruned filter) has absmax 0. With scale 0 its weights
// are 0 / 0 and the bias, which is divided by the scale, is infinite.
BOOST_AUTO_TEST_CASE(ScaleZeroForADeadChannel) {
  const float scale = 2.0f * 0.0f / 254.0f;
  BOOST_TEST(std::isnan(0.0f / scale));
  BOOST_TEST(std::isinf(0.5f / (0.1f * scale)));

  const QParams params = ChooseQParams({0.0f, 0.0f}, kWeights);
  BOOST_TEST(params.scale == 1.0f);
  BOOST_TEST(reference::Quantize(0.0f, params, {-127, 127}) == 0);
  BOOST_TEST(RoundHalfEven(0.5f / (0.1f * params.scale)) == 5.0f);
}

// A denormal scale is as bad: the division overflows.
BOOST_AUTO_TEST_CASE(DenormalScale) {
  const float hi = 1e-39f;
  const float scale = hi / 255.0f;
  BOOST_TEST(scale > 0.0f);
  BOOST_TEST(std::isinf(1.0f / scale));
  BOOST_TEST(ChooseQParams({0.0f, hi}, kActivations).scale == 1.0f);
}

// An integer conversion keeps the low bits: too bright becomes dark.
BOOST_AUTO_TEST_CASE(ConvertingWithoutSaturation) {
  const QParams params{1.0f, 0};
  const float x = 300.0f;
  const auto wrapped = static_cast<std::uint8_t>(
      static_cast<std::int32_t>(std::nearbyint(x / params.scale)));
  BOOST_TEST(int{wrapped} == 44);
  BOOST_TEST(reference::Quantize(x, params, kU8) == 255);
}

// Truncation is rounding down for positive values: a shift of half a step.
BOOST_AUTO_TEST_CASE(ConvertingWithoutRounding) {
  const QParams params{1.0f, 0};
  const float x = 2.9f;
  BOOST_TEST(static_cast<std::int32_t>(x / params.scale) == 2);
  BOOST_TEST(reference::Quantize(x, params, kU8) == 3);
}

// 3 - 5 in uint8 is 254.
BOOST_AUTO_TEST_CASE(SubtractingTheZeroPointInTheStorageType) {
  const QParams params{0.5f, 5};
  const std::uint8_t code = 3;
  const auto difference =
      static_cast<std::uint8_t>(code - static_cast<std::uint8_t>(5));
  BOOST_TEST(static_cast<float>(difference) * params.scale == 127.0f);
  BOOST_TEST(reference::Dequantize(code, params) == -1.0f);
}

// A padding pixel is real 0, whose code is the zero point; code 0 is the
// smallest value of the range.
BOOST_AUTO_TEST_CASE(PaddingWithCodeZero) {
  const QParams params = ChooseQParams({-1.0f, 1.0f}, kActivations);
  BOOST_TEST(reference::Dequantize(0, params) < -0.99f);
  BOOST_TEST(reference::Dequantize(params.zero_point, params) == 0.0f);
}

// One infinity in the data makes every finite value 0.
BOOST_AUTO_TEST_CASE(AnInfinityInTheRange) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  BOOST_TEST(kInfinity / 255.0f == kInfinity);
  BOOST_TEST(Limit(std::nearbyint(3.0f / (kInfinity / 255.0f))) == 0);
  BOOST_TEST(!IsValidRange({0.0f, kInfinity}));
}

// Not wrong in itself, but another answer: the reference fixes the multiplier
// and the product as floats, so both sides of a comparison must.
BOOST_AUTO_TEST_CASE(RequantizingWithADoubleMultiplier) {
  const float input = 0.01f;
  const float weight = 0.01f;
  const float output = 0.01f;
  const std::int32_t acc = 150;
  const double exact = static_cast<double>(input) *
                       static_cast<double>(weight) /
                       static_cast<double>(output);
  BOOST_TEST(std::nearbyint(acc * exact) == 1.0);  // 1.49999997
  const float multiplier =
      reference::RequantizeMultiplier(input, weight, output);
  BOOST_TEST(reference::Requantize(acc, multiplier, 0, kU8) == 2);  // 1.5
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

#include "zeropoint/core/reference.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "tests/core/schemes.h"
#include "zeropoint/core/choose_qparams.h"

namespace zeropoint {
namespace {

using testing::AllSchemes;
using testing::CodesOf;
using testing::RandomRanges;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr CodeRange kU8{0, 255};
constexpr CodeRange kI8{-128, 127};

BOOST_AUTO_TEST_SUITE(reference_numerics)

BOOST_AUTO_TEST_CASE(RoundTripIsWithinHalfAStepInsideTheCodes) {
  RandomRanges ranges(21);
  std::size_t wrong = 0;
  for (int i = 0; i < 2000; ++i) {
    const RealRange range = ranges.Next();
    for (const SchemeSpec& spec : AllSchemes()) {
      const QParams params = ChooseQParams(range, spec);
      const RealRange codes{reference::Dequantize(spec.qmin, params),
                            reference::Dequantize(spec.qmax, params)};
      const float x = ranges.Inside(codes);
      const float back = reference::Dequantize(
          reference::Quantize(x, params, CodesOf(spec)), params);
      // The quotient and the product each round once.
      const float bound = 0.5f * params.scale + 1e-6f * std::abs(x);
      wrong += std::abs(back - x) <= bound ? 0u : 1u;
    }
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(EveryCodeSurvivesARoundTrip) {
  RandomRanges ranges(22);
  for (const SchemeSpec& spec : AllSchemes()) {
    for (int i = 0; i < 5; ++i) {
      const QParams params = ChooseQParams(ranges.Next(), spec);
      std::size_t wrong = 0;
      for (std::int32_t code = spec.qmin; code <= spec.qmax; ++code) {
        const float real = reference::Dequantize(code, params);
        wrong +=
            reference::Quantize(real, params, CodesOf(spec)) == code ? 0u : 1u;
      }
      BOOST_TEST(wrong == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(IsMonotone) {
  RandomRanges ranges(23);
  for (const SchemeSpec& spec : AllSchemes()) {
    const RealRange range = ranges.Next();
    const QParams params = ChooseQParams(range, spec);
    std::vector<float> values{-kInfinity, kInfinity, 0.0f, range.lo, range.hi};
    for (int i = 0; i < 5000; ++i) {
      values.push_back(2.0f * ranges.Inside(range));
    }
    std::sort(values.begin(), values.end());
    std::size_t wrong = 0;
    for (std::size_t i = 1; i < values.size(); ++i) {
      wrong += reference::Quantize(values[i - 1], params, CodesOf(spec)) <=
                       reference::Quantize(values[i], params, CodesOf(spec))
                   ? 0u
                   : 1u;
    }
    BOOST_TEST(wrong == 0u);
  }
}

BOOST_AUTO_TEST_CASE(TiesGoToEvenBeforeTheZeroPoint) {
  for (const std::int32_t zero_point : {0, 7, 128}) {
    const QParams params{0.25f, zero_point};
    for (int half = -9; half <= 9; half += 2) {
      const float steps = static_cast<float>(half) / 2.0f;
      const auto even = static_cast<std::int32_t>(std::nearbyint(steps));
      BOOST_TEST(even % 2 == 0);
      BOOST_TEST(reference::Quantize(steps * 0.25f, params, {-1000, 1000}) ==
                 even + zero_point);
    }
  }
}

BOOST_AUTO_TEST_CASE(SaturatesAtBothEnds) {
  for (const SchemeSpec& spec : AllSchemes()) {
    const QParams params = ChooseQParams({-1.0f, 1.0f}, spec);
    for (const float x :
         {2.0f, 1e30f, kInfinity, std::numeric_limits<float>::max()}) {
      BOOST_TEST(reference::Quantize(x, params, CodesOf(spec)) == spec.qmax);
      BOOST_TEST(reference::Quantize(-x, params, CodesOf(spec)) == spec.qmin);
    }
  }
}

BOOST_AUTO_TEST_CASE(NarrowCodesAreNeverLeft) {
  const CodeRange narrow{-127, 127};
  BOOST_TEST(reference::Quantize(-1e9f, {1.0f, 0}, narrow) == -127);
  BOOST_TEST(reference::Quantize(-127.5f, {1.0f, 0}, narrow) == -127);
  BOOST_TEST(reference::Requantize(-1000, 1.0f, 0, narrow) == -127);
}

BOOST_AUTO_TEST_CASE(NanIsRealZero) {
  for (const SchemeSpec& spec : AllSchemes()) {
    const QParams params = ChooseQParams({-1.0f, 2.0f}, spec);
    BOOST_TEST(reference::Quantize(kNan, params, CodesOf(spec)) ==
               params.zero_point);
    BOOST_TEST(reference::Quantize(-kNan, params, CodesOf(spec)) ==
               params.zero_point);
  }
}

BOOST_AUTO_TEST_CASE(QuotientsThatOverflowSaturate) {
  const QParams tiny{std::numeric_limits<float>::min(), 5};
  BOOST_TEST(reference::Quantize(1e30f, tiny, kU8) == 255);
  BOOST_TEST(reference::Quantize(-1e30f, tiny, kU8) == 0);
  BOOST_TEST(reference::Quantize(std::numeric_limits<float>::denorm_min(),
                                 {1e30f, 5}, kU8) == 5);
}

BOOST_AUTO_TEST_CASE(DequantizeTakesTheDifferenceInAWideType) {
  BOOST_TEST(reference::Dequantize(0, {0.5f, 255}) == -127.5f);
  BOOST_TEST(reference::Dequantize(-128, {1.0f, 127}) == -255.0f);
  BOOST_TEST(reference::Dequantize(0, {1.0f, 65535}) == -65535.0f);
  BOOST_TEST(reference::Dequantize(-32768, {1.0f, 32767}) == -65535.0f);
}

BOOST_AUTO_TEST_CASE(RequantizeRoundsTiesToEvenBeforeTheZeroPoint) {
  BOOST_TEST(reference::Requantize(1, 0.5f, 7, kU8) == 7);
  BOOST_TEST(reference::Requantize(3, 0.5f, 7, kU8) == 9);
  BOOST_TEST(reference::Requantize(-1, 0.5f, 7, kU8) == 7);
  BOOST_TEST(reference::Requantize(-3, 0.5f, 7, kU8) == 5);
}

BOOST_AUTO_TEST_CASE(RequantizeSaturates) {
  constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
  constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
  for (const float multiplier : {1.0f, 1e30f}) {
    BOOST_TEST(reference::Requantize(kMost, multiplier, -3, kI8) == 127);
    BOOST_TEST(reference::Requantize(kLeast, multiplier, -3, kI8) == -128);
  }
}

// Against exact arithmetic: equal but for products within a float's rounding of
// a tie, where it is off by one.
BOOST_AUTO_TEST_CASE(RequantizeIsTheRoundedProduct) {
  std::mt19937 random(24);
  std::uniform_int_distribution<std::int32_t> accumulator(-(1 << 24), 1 << 24);
  std::uniform_real_distribution<float> exponent(-20.0f, -10.0f);
  for (int i = 0; i < 200'000; ++i) {
    const std::int32_t acc = accumulator(random);
    const float multiplier = std::exp2(exponent(random));
    const double exact =
        static_cast<double>(acc) * static_cast<double>(multiplier);
    const double rounded = std::clamp(std::nearbyint(exact), -1e4, 1e4);
    const std::int32_t code =
        reference::Requantize(acc, multiplier, 0, {-10000, 10000});
    const double to_tie = std::abs(std::abs(exact - std::trunc(exact)) - 0.5);
    if (to_tie > std::abs(exact) * 1.2e-7) {
      BOOST_REQUIRE(code == static_cast<std::int32_t>(rounded));
    } else {
      BOOST_REQUIRE(std::abs(code - rounded) <= 1.0);
    }
  }
}

BOOST_AUTO_TEST_CASE(RequantizeTurnsAccumulatorsIntoTheNextTensorsCodes) {
  // real = acc * s_x * s_w; its code under (s_y, z_y).
  const float input = 0.02f;
  const float weight = 0.005f;
  const QParams output{0.1f, 3};
  const float multiplier =
      reference::RequantizeMultiplier(input, weight, output.scale);
  BOOST_TEST(multiplier == input * weight / output.scale);
  for (std::int32_t acc = -300'000; acc <= 300'000; acc += 997) {
    const float real = static_cast<float>(acc) * (input * weight);
    BOOST_TEST(std::abs(reference::Requantize(acc, multiplier,
                                              output.zero_point, kU8) -
                        reference::Quantize(real, output, kU8)) <= 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

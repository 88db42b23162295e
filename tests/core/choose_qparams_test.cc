#include "zeropoint/core/choose_qparams.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "tests/core/schemes.h"
#include "zeropoint/core/reference.h"

namespace zeropoint {
namespace {

using testing::AllSchemes;
using testing::CodesOf;
using testing::RandomRanges;

constexpr float kMax = std::numeric_limits<float>::max();
constexpr float kSmallestNormal = std::numeric_limits<float>::min();

// Calls check(spec, range, params) for random ranges under every scheme.
template <class Check>
void ForRandomRanges(Check&& check) {
  RandomRanges ranges(7);
  for (int i = 0; i < 20'000; ++i) {
    const RealRange range = ranges.Next();
    for (const SchemeSpec& spec : AllSchemes()) {
      check(spec, range, ChooseQParams(range, spec));
    }
  }
}

// Steps between a value and what its code says.
double ErrorInSteps(float x, const QParams& params, CodeRange codes) {
  const double back =
      static_cast<double>(params.scale) *
      (reference::Quantize(x, params, codes) - params.zero_point);
  return std::abs(back - static_cast<double>(x)) /
         static_cast<double>(params.scale);
}

BOOST_AUTO_TEST_SUITE(choose_qparams)

BOOST_AUTO_TEST_CASE(ParametersAreAlwaysLegal) {
  std::size_t wrong = 0;
  ForRandomRanges([&](const SchemeSpec& spec, const RealRange&,
                      const QParams& params) {
    wrong += std::isfinite(params.scale) && params.scale >= kSmallestNormal
                 ? 0u
                 : 1u;
    wrong += params.zero_point >= spec.qmin && params.zero_point <= spec.qmax
                 ? 0u
                 : 1u;
  });
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(RealZeroIsExact) {
  std::size_t wrong = 0;
  ForRandomRanges([&](const SchemeSpec& spec, const RealRange&,
                      const QParams& params) {
    const std::int32_t zero = reference::Quantize(0.0f, params, CodesOf(spec));
    wrong += zero == params.zero_point ? 0u : 1u;
    wrong += reference::Dequantize(zero, params) == 0.0f ? 0u : 1u;
  });
  BOOST_TEST(wrong == 0u);
}

// Half a step, and what float division loses of 65535 steps.
BOOST_AUTO_TEST_CASE(TheWholeRangeIsCoveredWithinHalfAStep) {
  double worst = 0.0;
  RandomRanges inside(8);
  ForRandomRanges([&](const SchemeSpec& spec, const RealRange& range,
                      const QParams& params) {
    for (const float x : {range.lo, range.hi, inside.Inside(range)}) {
      worst = std::max(worst, ErrorInSteps(x, params, CodesOf(spec)));
    }
  });
  BOOST_TEST(worst <= 0.51);
}

BOOST_AUTO_TEST_CASE(NoCodeIsWasted) {
  // The ends of an asymmetric range use the ends of the codes, give or take
  // the step that moving the zero point costs.
  std::size_t wrong = 0;
  ForRandomRanges([&](const SchemeSpec& spec, const RealRange& range,
                      const QParams& params) {
    const RealRange covered = WidenRange(range, spec);
    if (spec.symmetric || params.scale == 1.0f) return;
    const CodeRange codes = CodesOf(spec);
    wrong += reference::Quantize(covered.lo, params, codes) <= spec.qmin + 1
                 ? 0u
                 : 1u;
    wrong += reference::Quantize(covered.hi, params, codes) >= spec.qmax - 1
                 ? 0u
                 : 1u;
  });
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(SymmetricSchemesHaveAFixedZeroPoint) {
  ForRandomRanges(
      [](const SchemeSpec& spec, const RealRange&, const QParams& params) {
        if (!spec.symmetric) return;
        const std::int32_t expected = spec.qmin < 0      ? 0
                                      : spec.qmax == 255 ? 128
                                                         : 32768;
        BOOST_REQUIRE(params.zero_point == expected);
      });
}

// 2 * absmax / (qmax - qmin), divided in double: over the full range of int8
// 2 * absmax / 255, over the narrow one absmax / 127.
BOOST_AUTO_TEST_CASE(SignedScaleFollowsTheCodeRange) {
  RandomRanges ranges(9);
  const SchemeSpec full = SpecOf<Affine<std::int8_t, Symmetric>>();
  const SchemeSpec narrow =
      SpecOf<Affine<std::int8_t, Symmetric, PerTensor, NarrowRange>>();
  const SchemeSpec wide = SpecOf<Affine<std::int16_t, Symmetric>>();
  for (int i = 0; i < 10'000; ++i) {
    const RealRange range = ranges.Next();
    const auto absmax =
        static_cast<double>(std::max(std::abs(range.lo), std::abs(range.hi)));
    BOOST_REQUIRE(ChooseQParams(range, full).scale ==
                  static_cast<float>(2.0 * absmax / 255.0));
    BOOST_REQUIRE(ChooseQParams(range, narrow).scale ==
                  static_cast<float>(absmax / 127.0));
    BOOST_REQUIRE(ChooseQParams(range, wide).scale ==
                  static_cast<float>(2.0 * absmax / 65535.0));
  }
}

BOOST_AUTO_TEST_CASE(SymmetricCodesOfTheNarrowRangeNegateExactly) {
  const SchemeSpec narrow =
      SpecOf<Affine<std::int8_t, Symmetric, PerTensor, NarrowRange>>();
  const QParams params = ChooseQParams({-3.0f, 2.0f}, narrow);
  for (float x = -3.0f; x <= 3.0f; x += 0.01f) {
    BOOST_TEST(reference::Quantize(-x, params, CodesOf(narrow)) ==
               -reference::Quantize(x, params, CodesOf(narrow)));
  }
}

BOOST_AUTO_TEST_CASE(AWiderRangeNeverHasASmallerScale) {
  RandomRanges ranges(10);
  for (int i = 0; i < 10'000; ++i) {
    const RealRange a = ranges.Next();
    const RealRange b = ranges.Next();
    const RealRange both{std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
    for (const SchemeSpec& spec : AllSchemes()) {
      BOOST_REQUIRE(ChooseQParams(both, spec).scale >=
                    ChooseQParams(a, spec).scale);
    }
  }
}

BOOST_AUTO_TEST_CASE(DegenerateRangesHaveScaleOne) {
  const float denormal = std::numeric_limits<float>::denorm_min();
  for (const SchemeSpec& spec : AllSchemes()) {
    for (const RealRange range : {RealRange{0.0f, 0.0f},
                                  {-0.0f, 0.0f},
                                  {-denormal, denormal},
                                  {0.0f, kSmallestNormal},
                                  {-kSmallestNormal, 0.0f}}) {
      const QParams params = ChooseQParams(range, spec);
      BOOST_TEST(params.scale == 1.0f);
      BOOST_TEST(params.zero_point ==
                 (spec.symmetric ? SymmetricZeroPoint(spec) : spec.qmin));
      BOOST_TEST(ErrorInSteps(range.lo, params, CodesOf(spec)) <= 0.5);
    }
  }
}

BOOST_AUTO_TEST_CASE(TheSmallestScaleIsNormal) {
  // Around the range whose scale would be the smallest normal number.
  for (const SchemeSpec& spec : AllSchemes()) {
    const auto steps = static_cast<float>(spec.qmax - spec.qmin);
    for (const float factor : {0.49f, 0.5f, 0.99f, 1.0f, 1.01f, 2.0f}) {
      const float hi = kSmallestNormal * steps * factor;
      const QParams params = ChooseQParams({0.0f, hi}, spec);
      BOOST_TEST((params.scale == 1.0f ||
                  (params.scale >= kSmallestNormal && params.scale < 1e-30f)));
    }
  }
}

BOOST_AUTO_TEST_CASE(TheLargestRangesHaveFiniteParameters) {
  for (const SchemeSpec& spec : AllSchemes()) {
    for (const RealRange range :
         {RealRange{-kMax, kMax}, {0.0f, kMax}, {-kMax, 0.0f}, {kMax, kMax}}) {
      const QParams params = ChooseQParams(range, spec);
      BOOST_TEST(std::isfinite(params.scale));
      BOOST_TEST(params.zero_point >= spec.qmin);
      BOOST_TEST(params.zero_point <= spec.qmax);
      BOOST_TEST(ErrorInSteps(range.hi, params, CodesOf(spec)) <= 0.51);
    }
  }
}

BOOST_AUTO_TEST_CASE(OneSidedRangesPutZeroAtTheEnd) {
  const SchemeSpec spec = SpecOf<Affine<std::uint8_t>>();
  BOOST_TEST(ChooseQParams({3.0f, 5.0f}, spec).zero_point == 0);
  BOOST_TEST(ChooseQParams({-5.0f, -3.0f}, spec).zero_point == 255);
  BOOST_TEST(
      (ChooseQParams({3.0f, 5.0f}, spec) == ChooseQParams({0.0f, 5.0f}, spec)));
}

// DynamicQuantizeLinear subtracts and divides in float; ours divides in double
// and rounds once. The scales differ by a unit in the last place at most, and
// the zero points only where the scales do.
BOOST_AUTO_TEST_CASE(AgreesWithDynamicQuantizeLinear) {
  const SchemeSpec spec = SpecOf<Affine<std::uint8_t>>();
  RandomRanges ranges(11);
  int equal_scales = 0;
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) {
    const RealRange range = ranges.Next();
    const float lo = std::min(0.0f, range.lo);
    const float hi = std::max(0.0f, range.hi);
    const float scale = (hi - lo) / 255.0f;
    const float zero =
        std::nearbyint(std::clamp(0.0f - lo / scale, 0.0f, 255.0f));
    const QParams ours = ChooseQParams(range, spec);
    const float up = std::nextafter(scale, kMax);
    const float down = std::nextafter(scale, 0.0f);
    BOOST_REQUIRE((ours.scale >= down && ours.scale <= up));
    if (ours.scale == scale) {
      ++equal_scales;
      BOOST_REQUIRE(ours.zero_point == static_cast<std::int32_t>(zero));
    } else {
      BOOST_REQUIRE(std::abs(ours.zero_point - static_cast<int>(zero)) <= 1);
    }
  }
  BOOST_TEST(equal_scales > kCount * 3 / 4);
}

BOOST_AUTO_TEST_CASE(WidenRangeReachesZeroAndBothSides) {
  const SchemeSpec asymmetric = SpecOf<Affine<std::uint8_t>>();
  const SchemeSpec symmetric = SpecOf<Affine<std::int8_t, Symmetric>>();
  BOOST_TEST((WidenRange({1, 2}, asymmetric) == RealRange{0, 2}));
  BOOST_TEST((WidenRange({-2, -1}, asymmetric) == RealRange{-2, 0}));
  BOOST_TEST((WidenRange({-3, 2}, asymmetric) == RealRange{-3, 2}));
  BOOST_TEST((WidenRange({-3, 2}, symmetric) == RealRange{-3, 3}));
  BOOST_TEST((WidenRange({1, 2}, symmetric) == RealRange{-2, 2}));
}

BOOST_AUTO_TEST_CASE(OnlyFiniteOrderedRangesAreValid) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  BOOST_TEST(IsValidRange({-1, 1}));
  BOOST_TEST(IsValidRange({2, 2}));
  BOOST_TEST(IsValidRange({-kMax, kMax}));
  BOOST_TEST(!IsValidRange({1, -1}));
  BOOST_TEST(!IsValidRange({kNan, 1}));
  BOOST_TEST(!IsValidRange({0, kNan}));
  BOOST_TEST(!IsValidRange({0, kInfinity}));
  BOOST_TEST(!IsValidRange({-kInfinity, 0}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

#include "zeropoint/core/rounding.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

namespace zeropoint {
namespace {

// Equal, or both NaN. The sign of zero is not compared: -0.3 rounds to 0.
template <class T>
bool SameValue(T a, T b) {
  return a == b || (a != a && b != b);
}

BOOST_AUTO_TEST_SUITE(rounding)

BOOST_AUTO_TEST_CASE(AgreesWithNearbyintOverAllExponents) {
  BOOST_REQUIRE(std::fegetround() == FE_TONEAREST);
  // A prime step through all bit patterns: every exponent, both signs,
  // denormals, infinities and NaN.
  constexpr std::uint32_t kStep = 997;
  std::size_t wrong = 0;
  for (std::uint64_t bits = 0; bits <= 0xffffffffu; bits += kStep) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!SameValue(RoundHalfEven(x), std::nearbyint(x))) ++wrong;
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(AgreesWithNearbyintAroundEveryTie) {
  std::size_t wrong = 0;
  for (int half = -200001; half <= 200001; ++half) {
    const float tie = static_cast<float>(half) / 2.0f;
    for (const float x :
         {tie, std::nextafter(tie, -1e9f), std::nextafter(tie, 1e9f)}) {
      if (RoundHalfEven(x) != std::nearbyint(x)) ++wrong;
    }
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(AgreesWithNearbyintForRandomDoubles) {
  std::mt19937_64 random(1);
  std::size_t wrong = 0;
  for (int i = 0; i < 2'000'000; ++i) {
    const auto x = std::bit_cast<double>(random());
    if (!SameValue(RoundHalfEven(x), std::nearbyint(x))) ++wrong;
    // Most random patterns are far from 1; these have fractions.
    const double near = std::ldexp(static_cast<double>(random() >> 11), -40);
    if (RoundHalfEven(near) != std::nearbyint(near)) ++wrong;
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(KnowsTheLargestFractions) {
  // 2^23 - 1/2 is the last float with a fraction, 2^52 - 1/2 the last double.
  BOOST_TEST(RoundHalfEven(8388607.5f) == 8388608.0f);
  BOOST_TEST(RoundHalfEven(-8388606.5f) == -8388606.0f);
  BOOST_TEST(RoundHalfEven(4503599627370495.5) == 4503599627370496.0);
  BOOST_TEST(RoundHalfEven(std::numeric_limits<float>::max()) ==
             std::numeric_limits<float>::max());
  BOOST_TEST(RoundHalfEven(std::numeric_limits<float>::denorm_min()) == 0.0f);
}

BOOST_AUTO_TEST_CASE(DoesNotDependOnTheRoundingModeOfTheProcess) {
  BOOST_REQUIRE(std::fesetround(FE_UPWARD) == 0);
  volatile float x = 2.5f;
  const float rounded = RoundHalfEven(static_cast<float>(x));
  const float moded = std::nearbyint(static_cast<float>(x));
  BOOST_REQUIRE(std::fesetround(FE_TONEAREST) == 0);
  BOOST_TEST(rounded == 2.0f);
  BOOST_TEST(moded == 3.0f);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

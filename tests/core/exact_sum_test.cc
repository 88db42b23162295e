#include "zeropoint/core/exact_sum.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <random>
#include <vector>

namespace zeropoint {

BOOST_AUTO_TEST_SUITE(exact_sum)

BOOST_AUTO_TEST_CASE(KeepsWhatFloatingPointLoses) {
  ExactFloatSum sum;
  sum.Add(0x1p127);
  sum.Add(0x1p-149);
  sum.Add(-0x1p127);
  BOOST_TEST(sum.value() == 0x1p-149);
  sum.Add(-0x1p-148);
  BOOST_TEST(sum.value() == -0x1p-149);
  sum.Add(0x1p-149);
  BOOST_TEST(sum.value() == 0.0);
  BOOST_TEST((sum == ExactFloatSum()));
}

BOOST_AUTO_TEST_CASE(RoundsToNearestTiesToEven) {
  const auto sum_of = [](std::initializer_list<double> terms) {
    ExactFloatSum sum;
    for (const double term : terms) sum.Add(term);
    return sum.value();
  };
  BOOST_TEST(sum_of({0x1p53, 1.0}) == 0x1p53);
  BOOST_TEST(sum_of({0x1p53, 1.0, 0x1p-149}) == 0x1p53 + 2.0);
  BOOST_TEST(sum_of({0x1p53, 2.0, 1.0}) == 0x1p53 + 4.0);
  BOOST_TEST(sum_of({-0x1p53, -1.0, -0x1p-149}) == -0x1p53 - 2.0);
  BOOST_TEST(sum_of({0x1p53, 1.0, -0x1p-149}) == 0x1p53);
}

BOOST_AUTO_TEST_CASE(ValueAndRemainderHaveTwiceTheDigits) {
  ExactFloatSum sum;
  sum.Add(0x1p100);
  sum.Add(3.0);
  BOOST_TEST(sum.value() == 0x1p100);
  BOOST_TEST(sum.remainder() == 3.0);
}

BOOST_AUTO_TEST_CASE(TheExtremesOfFloatsAndOfTheirSquaresFit) {
  constexpr double kMax = std::numeric_limits<float>::max();
  constexpr double kLeast = std::numeric_limits<float>::denorm_min();
  ExactSquareSum squares;
  squares.Add(kMax * kMax);
  squares.Add(kLeast * kLeast);
  squares.Add(-(kMax * kMax));
  BOOST_TEST(squares.value() == kLeast * kLeast);
  ExactFloatSum sum;
  for (int i = 0; i < 1000; ++i) sum.Add(-kMax);
  BOOST_TEST(sum.value() == -1000.0 * kMax);
}

BOOST_AUTO_TEST_CASE(OrderAndGroupingDoNotMatter) {
  std::mt19937 random(7);
  std::vector<double> terms(3000);
  std::uniform_int_distribution<int> exponent(-120, 120);
  std::normal_distribution<float> normal;
  for (double& term : terms) {
    term = static_cast<double>(std::ldexp(normal(random), exponent(random)));
  }
  ExactFloatSum forward;
  for (const double term : terms) forward.Add(term);
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::shuffle(terms.begin(), terms.end(), random);
    std::vector<ExactFloatSum> parts(5);
    for (std::size_t i = 0; i < terms.size(); ++i) parts[i % 5].Add(terms[i]);
    ExactFloatSum merged;
    for (const ExactFloatSum& part : parts) merged.Merge(part);
    BOOST_TEST((merged == forward));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

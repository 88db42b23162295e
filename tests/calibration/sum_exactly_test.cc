#include "zeropoint/calibration/sum_exactly.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include "zeropoint/core/exact_sum.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Normal values, each times a power of two of at most 2^`spread`.
std::vector<float> Spread(std::size_t count, int spread, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> exponent(-spread, spread);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) {
    value = std::ldexp(normal(random), exponent(random));
  }
  return values;
}

void CheckSums(const std::vector<float>& x) {
  ExactFloatSum expected, sum;
  ExactSquareSum expected_squares, squares;
  for (const float value : x) {
    if (!std::isfinite(value)) continue;
    const auto wide = static_cast<double>(value);
    expected.Add(wide);
    expected_squares.Add(wide * wide);
  }
  MinMaxState seen;
  DispatchedKernels().min_max(x.data(), x.size(), &seen);
  AddExactly(x, seen, DispatchedKernels(), sum);
  AddSquaresExactly(x, seen, DispatchedKernels(), squares);
  BOOST_TEST((sum == expected));
  BOOST_TEST((squares == expected_squares));
}

BOOST_AUTO_TEST_SUITE(sum_exactly)

BOOST_AUTO_TEST_CASE(EqualsTheSumOfEachValueAroundTheBlockSize) {
  for (const std::size_t count :
       {std::size_t{0}, std::size_t{1}, std::size_t{4}, std::size_t{5},
        kSumBlock - 1, kSumBlock, kSumBlock + 1, 2 * kSumBlock + 3}) {
    CheckSums(Spread(count, 3, 1));
  }
}

BOOST_AUTO_TEST_CASE(AddsOneByOneWhatTheKernelDeclines) {
  CheckSums(Spread(kSumBlock + 7, 60, 2));
}

BOOST_AUTO_TEST_CASE(TakesARangeOfMoreThanTheValues) {
  const std::vector<float> x = Spread(kSumBlock + 7, 3, 4);
  for (const float wide : {1e3f, 1e20f, std::numeric_limits<float>::max()}) {
    ExactFloatSum expected, sum;
    for (const float value : x) expected.Add(static_cast<double>(value));
    const MinMaxState seen{.lo = -wide, .hi = 1.0f, .finite = x.size() + 1};
    AddExactly(x, seen, DispatchedKernels(), sum);
    BOOST_TEST((sum == expected));
  }
}

BOOST_AUTO_TEST_CASE(LeavesOutWhatIsNotFinite) {
  for (const float bad : {kInfinity, -kInfinity, kNan}) {
    for (const std::size_t count : {std::size_t{3}, kSumBlock + 9}) {
      std::vector<float> x = Spread(count, 3, 3);
      x[count / 2] = bad;
      CheckSums(x);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

// histogram and the exact sums, on every target.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>

#include "tests/kernels/each_target.h"
#include "zeropoint/core/exact_sum.h"
#include "zeropoint/core/reference.h"

namespace zeropoint::test {
namespace {

constexpr float kMax = std::numeric_limits<float>::max();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();

std::vector<std::uint64_t> ReferenceCounts(std::span<const float> x,
                                           int exponent) {
  std::vector<std::uint64_t> counts(kHistogramBins, 1);
  for (const float value : x) {
    ++counts[static_cast<std::size_t>(
                 reference::HistogramBin(value, exponent)) %
             kHistogramBins];
  }
  return counts;
}

void CheckHistogram(const KernelTable& kernels, const std::vector<float>& x,
                    int exponent) {
  std::vector<std::uint64_t> counts(kHistogramBins, 1);
  kernels.histogram(x.data(), x.size(), exponent, counts.data());
  BOOST_TEST((counts == ReferenceCounts(x, exponent)));
}

/// Normal values times 2^exponent, an exponent drawn for each.
std::vector<float> Spread(std::size_t count, int least, int most,
                          unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> exponent(least, most);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) {
    value = std::ldexp(normal(random), exponent(random));
  }
  return values;
}

BOOST_AUTO_TEST_SUITE(statistics)

static_assert(reference::HistogramBin(0.0f, 0) == 0);
static_assert(reference::HistogramBin(-0.0f, 0) == 0);
static_assert(reference::HistogramBin(2.0f, 0) == 2);
static_assert(reference::HistogramBin(-2.0f, 0) == -3);
static_assert(reference::HistogramBin(-0.5f, 0) == -1);
static_assert(reference::HistogramBin(-kDenormal, 118) == -1);
static_assert(reference::HistogramBin(kMax, 118) == 1023);
static_assert(reference::HistogramBin(kDenormal, -126) == 0);

BOOST_AUTO_TEST_CASE(CoarserBinsArePairsOfFinerOnes) {
  for (const float value : Spread(2000, -20, 8, 3)) {
    for (int exponent = -12; exponent < 4; ++exponent) {
      BOOST_TEST(reference::HistogramBin(value, exponent + 1) ==
                 reference::HistogramBin(value, exponent) >> 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(HistogramCountsAsTheReferenceDoes) {
  ForEachTarget([](const KernelTable& kernels) {
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{255},
          std::size_t{257}, std::size_t{8191}, std::size_t{8193},
          (std::size_t{1} << 17) + 5, std::size_t{300001}}) {
      CheckHistogram(kernels, RandomFloats(count, -10.0f, 6.0f, 5), -7);
    }
    // One bin takes everything: no table may overflow.
    CheckHistogram(kernels, std::vector<float>(400000, 0.0f), -7);
    // Edges of bins, and the float before and after each.
    std::vector<float> edges;
    for (int bin = -900; bin <= 900; ++bin) {
      const float edge = static_cast<float>(bin) / 128.0f;
      edges.insert(edges.end(), {edge, std::nextafter(edge, 1e9f),
                                 std::nextafter(edge, -1e9f)});
    }
    CheckHistogram(kernels, edges, -7);
    CheckHistogram(kernels,
                   {0.0f, -0.0f, kDenormal, -kDenormal, kMax, -kMax, 1.0f,
                    -1.0f, 1e-30f, -1e-30f},
                   118);
    CheckHistogram(kernels,
                   {0.0f, -0.0f, kDenormal, -kDenormal, 0x1p-126f, -0x1p-126f,
                    0x1p-120f, -0x1p-120f},
                   -126);
  });
}

float GreatestMagnitude(const std::vector<float>& x) {
  float greatest = 0.0f;
  for (const float value : x) greatest = std::max(greatest, std::abs(value));
  return greatest;
}

BOOST_AUTO_TEST_CASE(SumsAreExactOrRefused) {
  ForEachTarget([](const KernelTable& kernels) {
    std::size_t accepted = 0;
    unsigned seed = 1;
    for (const std::size_t count : {1u, 2u, 7u, 8u, 9u, 49u, 1000u, 4096u}) {
      for (const auto& [least, most] :
           {std::pair(0, 0), std::pair(-30, 5), std::pair(-40, 10),
            std::pair(-149, -100), std::pair(90, 120), std::pair(-60, 60)}) {
        const std::vector<float> x = Spread(count, least, most, seed++);
        ExactFloatSum sum;
        ExactSquareSum squares;
        for (const float value : x) {
          const auto wide = static_cast<double>(value);
          sum.Add(wide);
          squares.Add(wide * wide);
        }
        const float greatest = GreatestMagnitude(x);
        double parts[3];
        if (kernels.exact_sum_f32(x.data(), count, greatest, parts)) {
          ++accepted;
          ExactFloatSum of_parts;
          of_parts.Add(parts[0]);
          of_parts.Add(parts[1]);
          BOOST_TEST((of_parts == sum));
        }
        if (kernels.exact_square_sum_f32(x.data(), count, greatest, parts)) {
          ++accepted;
          ExactSquareSum of_parts;
          for (const double part : parts) of_parts.Add(part);
          BOOST_TEST((of_parts == squares));
        }
      }
    }
    BOOST_TEST(accepted > 50u);
  });
}

BOOST_AUTO_TEST_CASE(OrdinaryBlocksAreNotRefused) {
  ForEachTarget([](const KernelTable& kernels) {
    double parts[3];
    std::vector<float> x = Spread(4096, 0, 0, 9);
    for (std::size_t i = 0; i < x.size(); i += 2) x[i] = 0.0f;  // as Relu does
    const float greatest = GreatestMagnitude(x);
    BOOST_TEST(kernels.exact_sum_f32(x.data(), x.size(), greatest, parts));
    BOOST_TEST(
        kernels.exact_square_sum_f32(x.data(), x.size(), greatest, parts));
    const std::vector<float> all_max(4096, kMax);
    BOOST_TEST(kernels.exact_sum_f32(all_max.data(), 4096, kMax, parts));
    BOOST_TEST(parts[0] + parts[1] == 4096.0 * static_cast<double>(kMax));
    const std::vector<float> zeros(100, -0.0f);
    BOOST_TEST(kernels.exact_sum_f32(zeros.data(), 100, 0.0f, parts));
    BOOST_TEST(parts[0] == 0.0);
  });
}

BOOST_AUTO_TEST_CASE(ABoundAboveTheValuesIsEnough) {
  ForEachTarget([](const KernelTable& kernels) {
    const std::vector<float> x = Spread(333, -3, 3, 11);
    ExactFloatSum sum;
    for (const float value : x) sum.Add(static_cast<double>(value));
    for (const float bound : {10.0f, 1e4f, 1e6f}) {
      double parts[2];
      BOOST_TEST(kernels.exact_sum_f32(x.data(), x.size(), bound, parts));
      ExactFloatSum of_parts;
      of_parts.Add(parts[0]);
      of_parts.Add(parts[1]);
      BOOST_TEST((of_parts == sum));
    }
    double parts[2];
    BOOST_TEST(!kernels.exact_sum_f32(x.data(), x.size(), kMax, parts));
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint::test

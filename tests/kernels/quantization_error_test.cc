// quantization_error_f32 on every target.
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/kernels/each_target.h"
#include "zeropoint/core/reference.h"

namespace zeropoint::test {
namespace {

void Check(const KernelTable& kernels, const std::vector<float>& x,
           const float* importance, QParams params, CodeRange codes,
           std::int32_t pair_limit) {
  const double expected = reference::QuantizationError(
      x.data(), importance, x.size(), params, codes, pair_limit);
  const double error = kernels.quantization_error_f32(
      x.data(), importance, x.size(), params, codes, pair_limit);
  BOOST_TEST(std::abs(error - expected) <= 1e-4 * expected,
             "count " << x.size() << ", limit " << pair_limit << ": " << error
                      << " instead of " << expected);
}

BOOST_AUTO_TEST_SUITE(quantization_error)

// 1.2 and 0.8 steps: |0.2| each, the second counts twice.
constexpr float kTwo[] = {1.2f, 0.8f};
constexpr float kImportance[] = {1.0f, 2.0f};
static_assert(reference::QuantizationError(kTwo, kImportance, 2, {1.0f, 0},
                                           {-127, 127}, 0) > 0.1199);
static_assert(reference::QuantizationError(kTwo, kImportance, 2, {1.0f, 0},
                                           {-127, 127}, 0) < 0.1201);
// The first takes code 100, so 28 is left to the second, and 0 always is.
static_assert(reference::RangeBeside(100, {-127, 127}, 128, 0).qmax == 28);
static_assert(reference::RangeBeside(100, {-127, 127}, 128, 0).qmin == -127);
static_assert(reference::RangeBeside(-100, {-127, 127}, 128, 0).qmin == -28);
static_assert(reference::RangeBeside(100, {-127, 127}, 90, 0).qmax == 0);
static_assert(reference::RangeBeside(0, {-127, 127}, 90, 0).qmax == 127);

BOOST_AUTO_TEST_CASE(AgreesWithTheReferenceForAllLengths) {
  ForEachTarget([](const KernelTable& kernels) {
    for (std::size_t count = 0; count < 140; ++count) {
      const auto x = RandomFloats(count, -3.0f, 3.0f, 7);
      const auto importance = RandomFloats(count, 0.0f, 2.0f, 8);
      for (const std::int32_t limit : {0, 100, 128}) {
        Check(kernels, x, nullptr, {0.02f, 0}, {-127, 127}, limit);
        Check(kernels, x, importance.data(), {0.02f, 3}, {-128, 127}, limit);
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(SumsManyBlocks) {
  ForEachTarget([](const KernelTable& kernels) {
    const auto x = RandomFloats(100'003, -1.0f, 1.0f, 9);
    Check(kernels, x, nullptr, {1.0f / 255, 128}, {0, 255}, 0);
    Check(kernels, x, nullptr, {1.0f / 127, 0}, {-127, 127}, 128);
    Check(kernels, x, nullptr, {1.0f / 32767, 0}, {-32767, 32767}, 0);
    Check(kernels, x, nullptr, {0.25f, 0}, {-8, 7}, 0);
  });
}

BOOST_AUTO_TEST_CASE(CountsWhatIsClipped) {
  ForEachTarget([](const KernelTable& kernels) {
    const std::vector<float> x(33, 10.0f);  // 5 above the greatest code
    Check(kernels, x, nullptr, {1.0f, 0}, {-5, 5}, 0);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint::test

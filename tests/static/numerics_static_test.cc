// The normative numbers, computed by the compiler itself.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/rounding.h"

namespace zeropoint {
namespace {

static_assert(RoundHalfEven(0.5) == 0 && RoundHalfEven(1.5) == 2);
static_assert(RoundHalfEven(2.5) == 2 && RoundHalfEven(-0.5) == 0);
static_assert(RoundHalfEven(-1.5) == -2 && RoundHalfEven(-2.5) == -2);
static_assert(RoundHalfEven(0.49999997f) == 0);
static_assert(RoundHalfEven(8388607.5f) == 8388608.0f);
static_assert(RoundHalfEven(1e30f) == 1e30f);

constexpr SchemeSpec kU8 = SpecOf<Affine<std::uint8_t>>();
constexpr SchemeSpec kU8Symmetric = SpecOf<Affine<std::uint8_t, Symmetric>>();
constexpr SchemeSpec kI8Full = SpecOf<Affine<std::int8_t, Symmetric>>();
constexpr SchemeSpec kI8Narrow =
    SpecOf<Affine<std::int8_t, Symmetric, PerTensor, NarrowRange>>();

// Real 0 joins a range that does not hold it.
static_assert(ChooseQParams({3, 5}, kU8) == QParams{5.0f / 255.0f, 0});
static_assert(ChooseQParams({-5, -3}, kU8) == QParams{5.0f / 255.0f, 255});
static_assert(ChooseQParams({-1, 2}, kU8).zero_point == 85);
// 2 / 255 rounds up as a float, so that 0 lies just below code 127.5.
static_assert(ChooseQParams({-1, 1}, kU8).zero_point == 127);
// Both signed rules.
static_assert(ChooseQParams({-127, 64}, kI8Narrow) == QParams{1.0f, 0});
static_assert(ChooseQParams({-64, 127.5f}, kI8Full) == QParams{1.0f, 0});
static_assert(ChooseQParams({-127.5f, 0}, kU8Symmetric) == QParams{1.0f, 128});
// Degenerate ranges have scale 1 and keep the scheme's zero point.
static_assert(ChooseQParams({0, 0}, kU8) == QParams{1.0f, 0});
static_assert(ChooseQParams({0, 0}, kU8Symmetric) == QParams{1.0f, 128});
static_assert(ChooseQParams({0, 1e-40f}, kU8) == QParams{1.0f, 0});
static_assert(ChooseQParams({-std::numeric_limits<float>::max(),
                             std::numeric_limits<float>::max()},
                            kU8)
                  .zero_point == 128);

constexpr CodeRange kCodes{0, 255};
constexpr QParams kOdd{1.0f, 7};
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Ties go to even before the zero point is added.
static_assert(reference::Quantize(0.5f, kOdd, kCodes) == 7);
static_assert(reference::Quantize(1.5f, kOdd, kCodes) == 9);
static_assert(reference::Quantize(-0.5f, kOdd, kCodes) == 7);
static_assert(reference::Quantize(kInfinity, kOdd, kCodes) == 255);
static_assert(reference::Quantize(-kInfinity, kOdd, kCodes) == 0);
static_assert(reference::Quantize(kNan, kOdd, kCodes) == 7);
static_assert(reference::Dequantize(9, kOdd) == 2.0f);
static_assert(reference::Dequantize(-2147483647, {1.0f, 0}) == -2147483648.0f);
static_assert(reference::Requantize(5, 0.5f, 10, kCodes) == 12);
static_assert(reference::Requantize(7, 0.5f, 10, kCodes) == 14);
static_assert(reference::Requantize(2147483647, 1.0f, 0, kCodes) == 255);

}  // namespace
}  // namespace zeropoint

// The same functions, called at run time with values that the compiler does not
// see.
BOOST_AUTO_TEST_CASE(RunTimeAgreesWithCompileTime) {
  volatile float tie = 2.5f;
  BOOST_TEST(zeropoint::RoundHalfEven(static_cast<float>(tie)) == 2.0f);
  // The quotient overflows to infinity, which saturates.
  volatile float huge = 3e38f;
  BOOST_TEST(zeropoint::reference::Quantize(huge, {1e-30f, 0}, {0, 255}) ==
             255);
  BOOST_TEST(zeropoint::reference::Quantize(tie, {1.0f, 0}, {0, 255}) == 2);
}

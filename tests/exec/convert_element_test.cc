#include "zeropoint/exec/convert_element.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

namespace zeropoint {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

static_assert(ConvertElement<std::int8_t>(-1.9f) == -1);
static_assert(ConvertElement<std::int8_t>(127.9f) == 127);
static_assert(ConvertElement<std::int8_t>(128.0f) == 127);
static_assert(ConvertElement<std::int8_t>(-1e30f) == -128);
static_assert(ConvertElement<std::uint8_t>(-0.5f) == 0);
static_assert(ConvertElement<std::uint8_t>(-1.0f) == 0);
static_assert(ConvertElement<std::uint8_t>(kInfinity) == 255);
static_assert(ConvertElement<std::int64_t>(kInfinity) ==
              std::numeric_limits<std::int64_t>::max());
static_assert(ConvertElement<std::int64_t>(-kInfinity) ==
              std::numeric_limits<std::int64_t>::min());
static_assert(ConvertElement<std::int32_t>(kNan) == 0);
static_assert(ConvertElement<std::int32_t>(2147483520.0f) == 2147483520);
static_assert(ConvertElement<std::int8_t>(std::int32_t{300}) == 44);
static_assert(ConvertElement<bool>(kNan) && !ConvertElement<bool>(0.0f));

BOOST_AUTO_TEST_SUITE(convert_element)

BOOST_AUTO_TEST_CASE(EveryHalfSurvivesTheWayThroughFloat) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const Float16 half{static_cast<std::uint16_t>(bits)};
    const float value = ToFloat(half);
    if (std::isnan(value)) {
      BOOST_TEST(std::isnan(ToFloat(ToFloat16(value))));
    } else {
      BOOST_REQUIRE_EQUAL(ToFloat16(value).bits, half.bits);
    }
    const Bfloat16 brain{static_cast<std::uint16_t>(bits)};
    if (!std::isnan(ToFloat(brain))) {
      BOOST_REQUIRE_EQUAL(ToBfloat16(ToFloat(brain)).bits, brain.bits);
    }
  }
}

BOOST_AUTO_TEST_CASE(RoundsHalvesToEven) {
  // Between 1 and the next half, 2^-10 apart, and between subnormals.
  BOOST_TEST(ToFloat16(1.0f + 0x1p-11f).bits == 0x3c00);
  BOOST_TEST(ToFloat16(1.0f + 0x1.8p-10f).bits == 0x3c02);
  BOOST_TEST(ToFloat16(0x1p-25f).bits == 0);
  BOOST_TEST(ToFloat16(0x1.8p-24f).bits == 2);
  BOOST_TEST(ToFloat16(-0x1p-24f).bits == 0x8001);
  BOOST_TEST(ToFloat16(65519.0f).bits == 0x7bff);
  BOOST_TEST(ToFloat16(65520.0f).bits == 0x7c00);
  BOOST_TEST(ToFloat16(1e9f).bits == 0x7c00);
  BOOST_TEST(ToBfloat16(1.0f + 0x1p-8f).bits == 0x3f80);
  BOOST_TEST(ToBfloat16(1.0f + 0x1.8p-7f).bits == 0x3f82);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

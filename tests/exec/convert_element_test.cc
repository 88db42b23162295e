#include "zeropoint/exec/convert_element.h"

#include <boost/test/unit_test.hpp>
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

BOOST_AUTO_TEST_CASE(EveryByteToEveryByteTypeWraps) {
  for (int value = -128; value < 128; ++value) {
    const auto byte = static_cast<std::int8_t>(value);
    BOOST_REQUIRE_EQUAL(
        ConvertElement<std::int8_t>(ConvertElement<std::uint8_t>(byte)), byte);
    BOOST_REQUIRE_EQUAL(ConvertElement<std::int8_t>(static_cast<float>(value)),
                        byte);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

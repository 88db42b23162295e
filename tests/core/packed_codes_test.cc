#include "zeropoint/core/packed_codes.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <vector>

namespace zeropoint {
namespace {

BOOST_AUTO_TEST_SUITE(packed_codes)

BOOST_AUTO_TEST_CASE(TheFirstCodeIsTheLowNibble) {
  const std::array<std::int8_t, 3> codes = {1, -8, 7};
  std::array<std::uint8_t, 2> packed = {0xFF, 0xFF};
  PackNibbles<std::int8_t>(codes, packed);
  BOOST_TEST(int{packed[0]} == 0x81);
  BOOST_TEST(int{packed[1]} == 0x07);  // an odd count ends in a zero nibble
}

BOOST_AUTO_TEST_CASE(EveryCodeOfBothTypesComesBack) {
  for (std::size_t count = 0; count <= 33; ++count) {
    std::vector<std::int8_t> s(count);
    std::vector<std::uint8_t> u(count);
    for (std::size_t i = 0; i < count; ++i) {
      s[i] = static_cast<std::int8_t>(static_cast<int>(i % 16) - 8);
      u[i] = static_cast<std::uint8_t>(i * 7 % 16);
    }
    std::vector<std::uint8_t> packed(PackedNibbleBytes(count));
    std::vector<std::int8_t> s_back(count);
    PackNibbles<std::int8_t>(s, packed);
    UnpackNibbles<std::int8_t>(packed, s_back);
    BOOST_TEST(s_back == s, boost::test_tools::per_element());
    std::vector<std::uint8_t> u_back(count);
    PackNibbles<std::uint8_t>(u, packed);
    UnpackNibbles<std::uint8_t>(packed, u_back);
    BOOST_TEST(u_back == u, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

#include "zeropoint/core/xxhash64.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace zeropoint {

BOOST_AUTO_TEST_CASE(XxHash64GivesThePublishedValues) {
  BOOST_TEST(XxHash64("") == 0xEF46DB3751D8E999u);
  BOOST_TEST(XxHash64("a") == 0xD24EC4F1A98C6E5Bu);
  BOOST_TEST(XxHash64("abc") == 0x44BC2CF5AD770999u);
  // The values of the reference implementation for 32 bytes and more, and with
  // a seed.
  BOOST_TEST(XxHash64("The quick brown fox jumps over the lazy dog") ==
             0x0B242D361FDA71BCu);
  BOOST_TEST(XxHash64("Nobody inspects the spammish repetition") ==
             0xFBCEA83C8A378BF1u);
  BOOST_TEST(XxHash64("xxhash", 20141025) == 0xB559B98D844E0635u);
}

BOOST_AUTO_TEST_CASE(XxHash64SeesEveryByteAndTheSeed) {
  std::string text(100, 'x');
  const auto hash = XxHash64(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = 'y';
    BOOST_TEST(XxHash64(other) != hash);
  }
  BOOST_TEST(XxHash64(text, 1) != hash);
}

}  // namespace zeropoint

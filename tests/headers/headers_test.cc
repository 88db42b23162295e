// Linking this program is the test: it holds one object for each public header,
// and one that was compiled without exceptions and RTTI, so a function that a
// header defines without `inline` would be there twice.
#include <boost/test/unit_test.hpp>

#include "zeropoint/core/assert.h"

BOOST_AUTO_TEST_CASE(HeadersLinkTogetherAndShareTheirState) {
  BOOST_TEST(zeropoint::CurrentAssertHook() == zeropoint::AbortOnAssert);
}

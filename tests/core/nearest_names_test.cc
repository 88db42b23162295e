#include "zeropoint/core/nearest_names.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace zeropoint {

BOOST_AUTO_TEST_SUITE(nearest_names)

BOOST_AUTO_TEST_CASE(CountsInsertionsDeletionsAndReplacements) {
  BOOST_TEST(EditDistance("conv", "conv", 9) == 0u);
  BOOST_TEST(EditDistance("conv", "conv1", 9) == 1u);
  BOOST_TEST(EditDistance("kitten", "sitting", 9) == 3u);
  BOOST_TEST(EditDistance("", "abc", 9) == 3u);
  BOOST_TEST(EditDistance("abcdef", "uvwxyz", 4) == 4u);  // the limit
}

BOOST_AUTO_TEST_CASE(ListsTheThreeNearestInOrder) {
  BOOST_TEST(NearestNames("conv3", {"pool", "conv1", "convolution", "conv",
                                    "conv31", "conv2"}) ==
             "; nearest: 'conv1', 'conv', 'conv31'");
}

BOOST_AUTO_TEST_CASE(SaysNothingWhenNothingIsNear) {
  BOOST_TEST(NearestNames("abc", {"xyz", ""}).empty());
  BOOST_TEST(
      NearestNames(std::string(100'000, 'a'), {std::string(100'000, 'b')})
          .empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

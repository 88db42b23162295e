#include "zeropoint/calibration/channel_mean_observer.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "zeropoint/core/tensor.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

void Observe(ChannelMeanObserver& observer, Dims dims,
             const std::vector<float>& values, std::size_t axis = 1) {
  const Tensor tensor =
      Tensor::Of<float>(std::move(dims), std::span<const float>(values));
  observer.Observe(tensor.view(), axis, DispatchedKernels());
}

BOOST_AUTO_TEST_SUITE(channel_mean_observer)

BOOST_AUTO_TEST_CASE(AveragesOverEverythingButTheAxis) {
  ChannelMeanObserver observer;
  // [batch 2, channels 2, width 3]
  Observe(observer, {2, 2, 3}, {1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60});
  BOOST_TEST(observer.count() == 6u);
  BOOST_TEST(observer.means() == (std::vector<double>{3.5, 35.0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ChannelsMayBeTheLastAxis) {
  ChannelMeanObserver observer;
  Observe(observer, {3, 2}, {1, 10, 2, 20, 3, 30});
  BOOST_TEST(observer.means() == (std::vector<double>{2.0, 20.0}),
             boost::test_tools::per_element());
  ChannelMeanObserver inner;
  Observe(inner, {1, 3, 2}, {1, 10, 2, 20, 3, 30}, /*axis=*/2);
  BOOST_TEST(inner.means() == (std::vector<double>{2.0, 20.0}),
             boost::test_tools::per_element());
  // Axes of one element behind the channels change nothing.
  ChannelMeanObserver padded;
  Observe(padded, {3, 2, 1, 1}, {1, 10, 2, 20, 3, 30});
  BOOST_TEST(padded.means() == (std::vector<double>{2.0, 20.0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ChannelsMayBeTheFirstAxis) {
  ChannelMeanObserver observer;
  Observe(observer, {2, 3}, {1, 2, 3, 10, 20, 30}, /*axis=*/0);
  BOOST_TEST(observer.means() == (std::vector<double>{2.0, 20.0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(SamplesOfDifferentSizeCountByTheirValues) {
  ChannelMeanObserver observer;
  Observe(observer, {1, 1, 1}, {4});
  Observe(observer, {1, 1, 3}, {0, 0, 0});
  BOOST_TEST(observer.count() == 4u);
  BOOST_TEST(observer.means().at(0) == 1.0);
}

BOOST_AUTO_TEST_CASE(ASampleThatIsNotFiniteIsLeftOutWhole) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    ChannelMeanObserver observer;
    Observe(observer, {1, 2, 2}, {1, 2, bad, 4});
    BOOST_TEST(observer.count() == 0u);
    BOOST_TEST(observer.means().empty());
    Observe(observer, {1, 2, 2}, {1, 3, 10, 30});
    Observe(observer, {1, 2, 1}, {100, bad});
    BOOST_TEST(observer.means() == (std::vector<double>{2.0, 20.0}),
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(SamplesOfDifferentChannelsHaveNoMeans) {
  // Whichever comes first: leaving one out would depend on the order.
  ChannelMeanObserver observer;
  Observe(observer, {1, 2}, {1, 2});
  Observe(observer, {1, 3}, {7, 8, 9});
  Observe(observer, {1, 2}, {1, 2});
  BOOST_TEST(observer.mixed());
  BOOST_TEST(observer.means().empty());
}

BOOST_AUTO_TEST_CASE(EmptyTensorsAndMissingAxesSayNothing) {
  ChannelMeanObserver observer;
  Observe(observer, {0, 2, 3}, {});
  Observe(observer, {2, 0, 3}, {});
  Observe(observer, {}, {5});
  Observe(observer, {3}, {1, 2, 3});
  BOOST_TEST(observer.count() == 0u);
  BOOST_TEST(observer.means().empty());
  // The first sample with values decides how many channels there are.
  Observe(observer, {1, 2}, {1, 2});
  BOOST_TEST(observer.means().size() == 2u);
}

BOOST_AUTO_TEST_CASE(LongSumsStayPrecise) {
  // 2^24 + 1 has no float; one channel's sum is far beyond it.
  ChannelMeanObserver observer;
  const std::vector<float> ones(1 << 16, 1.0f);
  for (int i = 0; i < 400; ++i) Observe(observer, {1, 1, 1 << 16}, ones);
  BOOST_TEST(observer.count() == 400u << 16);
  BOOST_TEST(observer.means().at(0) == 1.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

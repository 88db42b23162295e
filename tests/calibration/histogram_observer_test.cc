#include "zeropoint/calibration/histogram_observer.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <span>
#include <tuple>
#include <vector>

#include "tests/laws/observer_laws.h"
#include "zeropoint/calibration/channel_mean_observer.h"
#include "zeropoint/calibration/moments_observer.h"
#include "zeropoint/calibration/moving_average_observer.h"
#include "zeropoint/calibration/per_channel_observer.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

template <class O>
O Observed(const std::vector<float>& x) {
  O observer;
  observer.Observe(x, DispatchedKernels());
  return observer;
}

auto StateOf(const HistogramObserver& o) {
  return std::tuple(
      o.exponent(),
      std::vector<std::uint64_t>(o.ring().begin(), o.ring().end()),
      std::bit_cast<std::uint32_t>(o.seen().lo),
      std::bit_cast<std::uint32_t>(o.seen().hi), o.count(), o.nan_count(),
      o.infinite_count());
}

auto MomentsStateOf(const MomentsObserver& o) {
  return std::tuple(o.sum().limbs(), o.squares().limbs(), o.count(),
                    std::bit_cast<std::uint32_t>(o.seen().lo),
                    std::bit_cast<std::uint32_t>(o.seen().hi), o.nan_count());
}

std::vector<std::uint64_t> CountsOf(const Histogram& histogram) {
  return histogram.counts;
}

BOOST_AUTO_TEST_SUITE(histogram_observer)

BOOST_AUTO_TEST_CASE(KeepsTheLawsOfAnObserver) {
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Status histogram = laws::CheckObserverLaws<HistogramObserver>(
        DispatchedKernels(), StateOf, seed);
    BOOST_TEST(histogram.ok(), histogram.message());
    const Status moments = laws::CheckObserverLaws<MomentsObserver>(
        DispatchedKernels(), MomentsStateOf, seed);
    BOOST_TEST(moments.ok(), moments.message());
  }
}

BOOST_AUTO_TEST_CASE(TenThousandSplitsAndOrdersGiveTheSameBytes) {
  const KernelTable& kernels = DispatchedKernels();
  std::mt19937 random(11);
  std::vector<float> x = laws::internal::AwkwardValues(400, random);
  const auto histogram = StateOf(Observed<HistogramObserver>(x));
  const auto moments = MomentsStateOf(Observed<MomentsObserver>(x));
  const auto min_max = Observed<MinMaxObserver>(x);
  std::size_t different = 0;
  for (int repeat = 0; repeat < 10000; ++repeat) {
    std::shuffle(x.begin(), x.end(), random);
    different += StateOf(laws::internal::ObservedInPieces<HistogramObserver>(
                     x, kernels, random)) != histogram;
    different +=
        MomentsStateOf(laws::internal::ObservedInPieces<MomentsObserver>(
            x, kernels, random)) != moments;
    different += !(laws::internal::ObservedInPieces<MinMaxObserver>(
                       x, kernels, random) == min_max);
  }
  BOOST_TEST(different == 0u);
}

BOOST_AUTO_TEST_CASE(BinsArePowersOfTwoWideWithZeroOnAnEdge) {
  const Histogram histogram =
      Observed<HistogramObserver>({-1.0f, -0.25f, 0.0f, 0.75f, 3.0f})
          .ToHistogram();
  // 3 / 2^-9 = 1536 widths, and 512 for the negative side: together 2049 + 1
  // bins, too many, so the width is 2^-8.
  BOOST_TEST(histogram.width == 0x1p-8);
  BOOST_TEST(histogram.first == -257);
  BOOST_TEST(histogram.counts.size() == 257u + 769u);
  BOOST_TEST(histogram.counts[0] == 1u);    // -1
  BOOST_TEST(histogram.counts[257] == 1u);  // 0
  BOOST_TEST(histogram.counts.back() == 1u);
  const Histogram positive =
      Observed<HistogramObserver>({0.5f, 3.0f}).ToHistogram();
  BOOST_TEST(positive.width == 0x1p-9);
  BOOST_TEST(positive.first == 0);
  BOOST_TEST(positive.counts.size() == 1537u);
}

BOOST_AUTO_TEST_CASE(GrowsByMergingNeighbours) {
  HistogramObserver observer;
  observer.Observe(std::vector<float>{0.1f, 0.1f, -0.2f, 0.9f},
                   DispatchedKernels());
  const int before = observer.exponent();
  observer.Observe(std::vector<float>{1000.0f}, DispatchedKernels());
  BOOST_TEST(observer.exponent() == before + 9);
  const Histogram histogram = observer.ToHistogram();
  BOOST_TEST(std::accumulate(histogram.counts.begin(), histogram.counts.end(),
                             std::uint64_t{0}) == 5u);
  BOOST_TEST(histogram.counts[0] == 1u);  // -0.2
  BOOST_TEST(histogram.counts[1] == 2u);  // 0.1
  BOOST_TEST(histogram.counts[2] == 1u);  // 0.9 / 2^-1
}

BOOST_AUTO_TEST_CASE(IsTheMirrorImageOfItsMirrorImage) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.5f, 3.0f);
  std::vector<float> x(5000);
  for (float& value : x) value = normal(random);
  auto counts = CountsOf(Observed<HistogramObserver>(x).ToHistogram());
  for (float& value : x) value = -value;
  const auto mirrored = CountsOf(Observed<HistogramObserver>(x).ToHistogram());
  std::reverse(counts.begin(), counts.end());
  BOOST_TEST((counts == mirrored));
}

BOOST_AUTO_TEST_CASE(ExtremesOfFloatsFit) {
  constexpr float kMax = std::numeric_limits<float>::max();
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();
  const auto all =
      Observed<HistogramObserver>({kMax, -kMax, kLeast, -kLeast, 0.0f});
  BOOST_TEST(all.exponent() == HistogramObserver::kMaxExponent);
  BOOST_TEST(all.count() == 5u);
  const auto zeros = Observed<HistogramObserver>({0.0f, -0.0f, kLeast});
  BOOST_TEST(zeros.exponent() == HistogramObserver::kMinExponent);
  BOOST_TEST(zeros.ToHistogram().counts.at(0) == 3u);
}

BOOST_AUTO_TEST_CASE(KnowsAStateThatCannotBe) {
  const auto good = Observed<HistogramObserver>({-1.0f, 2.0f});
  const auto valid = [](const MinMaxState& seen, int exponent,
                        std::vector<std::uint64_t> counts) {
    return HistogramObserver::IsValidState(seen, exponent, counts);
  };
  std::vector<std::uint64_t> counts(good.ring().begin(), good.ring().end());
  BOOST_TEST(valid(good.seen(), good.exponent(), counts));
  BOOST_TEST(!valid(good.seen(), good.exponent() + 1, counts));
  counts[900] += 1;  // a value more than was seen
  BOOST_TEST(!valid(good.seen(), good.exponent(), counts));
  counts.pop_back();
  BOOST_TEST(!valid(good.seen(), good.exponent(), counts));
  MinMaxState infinite = good.seen();
  infinite.hi = std::numeric_limits<float>::infinity();
  counts.push_back(0);
  BOOST_TEST(!valid(infinite, good.exponent(), counts));
  BOOST_TEST(valid({}, HistogramObserver::kMinExponent, {}));
  BOOST_TEST(!valid({}, HistogramObserver::kMinExponent, counts));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(other_observers)

BOOST_AUTO_TEST_CASE(MomentsAreThoseOfTheDefinition) {
  const auto observer = Observed<MomentsObserver>({1.0f, 2.0f, 4.0f, 5.0f});
  BOOST_TEST(observer.mean() == 3.0);
  BOOST_TEST(observer.variance() == 2.5);
}

BOOST_AUTO_TEST_CASE(VarianceSurvivesAMeanFarFromZero) {
  // E[x^2] - E[x]^2 in doubles gives 0 here.
  const auto observer = Observed<MomentsObserver>(
      {16777214.0f, 16777216.0f, 16777214.0f, 16777216.0f});
  BOOST_TEST(observer.mean() == 16777215.0);
  BOOST_TEST(observer.variance() == 1.0);
}

BOOST_AUTO_TEST_CASE(AMovingAverageFollowsTheSamples) {
  MovingAverageObserver observer(0.5);
  const KernelTable& kernels = DispatchedKernels();
  observer.Observe(std::vector<float>{-1.0f, 3.0f}, kernels);
  observer.Observe(std::vector<float>{NAN}, kernels);  // says nothing
  observer.Observe(std::vector<float>{-2.0f, 7.0f}, kernels);
  BOOST_TEST((observer.range() == RealRange{-1.5f, 5.0f}));
  BOOST_TEST(observer.count() == 4u);
  BOOST_TEST(observer.nan_count() == 1u);
}

template <class T>
concept Merges = requires(T a, const T& b) { a.Merge(b); };
static_assert(!Merges<MovingAverageObserver>);
static_assert(!Observer<MovingAverageObserver>);

BOOST_AUTO_TEST_CASE(ChannelsAreObservedApartWhereverTheirAxisIs) {
  const KernelTable& kernels = DispatchedKernels();
  const auto observe = [&](PerChannelObserver<MinMaxObserver>& observer,
                           const Dims& dims, const std::vector<float>& values,
                           std::size_t axis) {
    const Tensor tensor =
        Tensor::Of<float>(dims, std::span<const float>(values));
    observer.Observe(tensor.view(), axis, kernels);
  };
  PerChannelObserver<MinMaxObserver> second;
  observe(second, {2, 2, 2}, {1, 2, 10, 20, 3, 4, 30, 40}, 1);
  BOOST_REQUIRE(second.channels().size() == 2u);
  BOOST_TEST((second.channels()[0].range() == RealRange{1, 4}));
  BOOST_TEST((second.channels()[1].range() == RealRange{10, 40}));
  PerChannelObserver<MinMaxObserver> last;
  observe(last, {3, 2}, {1, 10, 2, 20, 3, 30}, 1);
  BOOST_TEST((last.channels()[1].range() == RealRange{10, 30}));
  last.Merge(second);
  BOOST_TEST((last.channels()[1].range() == RealRange{10, 40}));
  PerChannelObserver<MinMaxObserver> three;
  observe(three, {1, 3}, {1, 2, 3}, 1);
  last.Merge(three);
  BOOST_TEST(last.mixed());
  BOOST_TEST(last.channels().empty());
}

BOOST_AUTO_TEST_CASE(ChannelMeansDoNotDependOnOrderOrSplit) {
  const KernelTable& kernels = DispatchedKernels();
  std::mt19937 random(3);
  // Shapes [1, 3, n] with awkward values; some samples are not finite.
  std::vector<std::vector<float>> samples(40);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = laws::internal::AwkwardValues(3 * (1 + i % 9), random);
    if (i % 4 != 0) {
      std::replace_if(
          samples[i].begin(), samples[i].end(),
          [](float value) { return !std::isfinite(value); }, 1.0f);
    }
  }
  const auto observe = [&](ChannelMeanObserver& observer,
                           const std::vector<float>& sample) {
    const Tensor tensor =
        Tensor::Of<float>({1, 3, static_cast<std::int64_t>(sample.size() / 3)},
                          std::span<const float>(sample));
    observer.Observe(tensor.view(), 1, kernels);
  };
  ChannelMeanObserver whole;
  for (const auto& sample : samples) observe(whole, sample);
  BOOST_TEST(whole.count() > 0u);
  for (int repeat = 0; repeat < 500; ++repeat) {
    std::shuffle(samples.begin(), samples.end(), random);
    std::array<ChannelMeanObserver, 3> parts;
    for (const auto& sample : samples) observe(parts[random() % 3], sample);
    parts[2].Merge(parts[0]);
    parts[1].Merge(parts[2]);
    BOOST_TEST((parts[1] == whole));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

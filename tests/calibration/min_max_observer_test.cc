#include "zeropoint/calibration/min_max_observer.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>
#include <vector>

#include "tests/laws/observer_laws.h"
#include "zeropoint/calibration/range_rule.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

MinMaxObserver Observed(const std::vector<float>& x) {
  MinMaxObserver observer;
  observer.Observe(x, DispatchedKernels());
  return observer;
}

auto StateOf(const MinMaxObserver& observer) {
  return std::tuple(std::bit_cast<std::uint32_t>(observer.range().lo),
                    std::bit_cast<std::uint32_t>(observer.range().hi),
                    observer.count(), observer.nan_count(),
                    observer.infinite_count());
}

// Observers that break one law each, and would pass a careless test.
struct FirstValue {  // order
  void Observe(std::span<const float> x, const KernelTable&) {
    if (seen == 0 && !x.empty()) first = x[0];
    seen += x.size();
  }
  void Merge(const FirstValue& other) {
    if (seen == 0) first = other.first;
    seen += other.seen;
  }
  std::uint64_t count() const { return seen; }
  float first = 0.0f;
  std::uint64_t seen = 0;
};

struct FloatSum {  // grouping: float sums are not associative
  void Observe(std::span<const float> x, const KernelTable&) {
    for (const float value : x) {
      if (std::isfinite(value)) sum += value;
    }
    seen += x.size();
  }
  void Merge(const FloatSum& other) {
    sum += other.sum;
    seen += other.seen;
  }
  std::uint64_t count() const { return seen; }
  float sum = 0.0f;
  std::uint64_t seen = 0;
};

struct MovingAverage {  // merging is not defined, so it averages
  void Observe(std::span<const float> x, const KernelTable&) {
    for (const float value : x) {
      if (std::isfinite(value)) average = 0.99f * average + 0.01f * value;
    }
    seen += x.size();
  }
  void Merge(const MovingAverage& other) {
    average = (average + other.average) / 2;
    seen += other.seen;
  }
  std::uint64_t count() const { return seen; }
  float average = 0.0f;
  std::uint64_t seen = 0;
};

struct Forgetful {  // counting
  void Observe(std::span<const float> x, const KernelTable&) {
    seen = x.empty() ? seen : 1;
  }
  void Merge(const Forgetful& other) { seen = seen | other.seen; }
  std::uint64_t count() const { return seen; }
  std::uint64_t seen = 0;
};

BOOST_AUTO_TEST_SUITE(min_max_observer)

BOOST_AUTO_TEST_CASE(KeepsTheLawsOfAnObserver) {
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Status laws = laws::CheckObserverLaws<MinMaxObserver>(
        DispatchedKernels(), StateOf, seed);
    BOOST_TEST(laws.ok(), laws.message());
  }
}

BOOST_AUTO_TEST_CASE(TheLawsFindTheirOffenders) {
  const KernelTable& kernels = DispatchedKernels();
  const auto broken_by = [&](const Status& laws, const std::string& law) {
    BOOST_TEST(laws.message().find("law of " + law) != std::string::npos,
               laws.message());
  };
  broken_by(laws::CheckObserverLaws<FirstValue>(
                kernels,
                [](const FirstValue& o) {
                  return std::bit_cast<std::uint32_t>(o.first);
                }),
            "order");
  broken_by(laws::CheckObserverLaws<FloatSum>(
                kernels,
                [](const FloatSum& o) {
                  return std::bit_cast<std::uint32_t>(o.sum);
                }),
            "merging");
  broken_by(laws::CheckObserverLaws<MovingAverage>(
                kernels,
                [](const MovingAverage& o) {
                  return std::bit_cast<std::uint32_t>(o.average);
                }),
            "nothing");
  broken_by(laws::CheckObserverLaws<Forgetful>(
                kernels, [](const Forgetful& o) { return o.seen; }),
            "counting");
}

BOOST_AUTO_TEST_CASE(CountsWhatIsNotFiniteAndKeepsItOut) {
  const MinMaxObserver observer =
      Observed({1.0f, kNan, -2.0f, kInfinity, -kInfinity, kNan, 0.5f});
  BOOST_TEST(observer.count() == 3u);
  BOOST_TEST(observer.nan_count() == 2u);
  BOOST_TEST(observer.infinite_count() == 2u);
  BOOST_TEST((observer.range() == RealRange{-2.0f, 1.0f}));
}

BOOST_AUTO_TEST_CASE(NonFiniteValuesAreFoundWhereverTheyStand) {
  // In whole vector blocks, at their borders and in the tail.
  for (std::size_t at = 0; at < 3000; at += 7) {
    std::vector<float> x(3000, 0.25f);
    x[at] = at % 2 == 0 ? kNan : kInfinity;
    const MinMaxObserver observer = Observed(x);
    BOOST_REQUIRE(observer.count() == 2999u);
    BOOST_REQUIRE(observer.nan_count() + observer.infinite_count() == 1u);
    BOOST_REQUIRE((observer.range() == RealRange{0.25f, 0.25f}));
  }
}

BOOST_AUTO_TEST_CASE(NothingIsNoRange) {
  const std::vector<float> not_finite = {kNan, kInfinity};
  for (const std::vector<float>& x : {std::vector<float>(), not_finite}) {
    const MinMaxObserver observer = Observed(x);
    BOOST_TEST(observer.count() == 0u);
    const auto range = AbsoluteRange().Choose(observer, SchemeSpec());
    BOOST_REQUIRE(!range.ok());
    BOOST_TEST((range.status().code() == StatusCode::kInvalidData));
  }
}

BOOST_AUTO_TEST_CASE(ASeriesThatStartsWithAnEmptyBatchGoesOn) {
  MinMaxObserver observer;
  observer.Observe({}, DispatchedKernels());
  observer.Observe(std::vector<float>{3.0f}, DispatchedKernels());
  BOOST_TEST((observer.range() == RealRange{3.0f, 3.0f}));
}

BOOST_AUTO_TEST_CASE(ExtremesArePartOfTheRange) {
  constexpr float kMax = std::numeric_limits<float>::max();
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  BOOST_TEST((Observed({kMax, -kMax}).range() == RealRange{-kMax, kMax}));
  BOOST_TEST((Observed({kTiny}).range() == RealRange{kTiny, kTiny}));
}

BOOST_AUTO_TEST_CASE(AbsoluteRangeIsAllThatWasSeenAsTheSchemeWidensIt) {
  const MinMaxObserver observer = Observed({1.0f, 3.0f});
  const auto choose = [&](const char* scheme) {
    return AbsoluteRange()
        .Choose(observer, ParseScheme(scheme).value())
        .value();
  };
  BOOST_TEST((choose("u8:asym") == RealRange{0.0f, 3.0f}));
  BOOST_TEST((choose("i8:sym") == RealRange{-3.0f, 3.0f}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

// The range rules against direct evaluation, on distributions of many shapes.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/calibration/entropy_range.h"
#include "zeropoint/calibration/folded_counts.h"
#include "zeropoint/calibration/moments_range.h"
#include "zeropoint/calibration/mse_range.h"
#include "zeropoint/calibration/percentile_range.h"
#include "zeropoint/calibration/tensor_statistics.h"
#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

HistogramObserver Observed(const std::vector<float>& x) {
  HistogramObserver observer;
  observer.Observe(x, DispatchedKernels());
  return observer;
}

std::vector<float> Draw(std::size_t count, unsigned seed,
                        const std::function<float(std::mt19937&)>& draw) {
  std::mt19937 random(seed);
  std::vector<float> x(count);
  for (float& value : x) value = draw(random);
  return x;
}

std::vector<float> Normal(std::size_t count, float mean, float deviation) {
  return Draw(count, 5, [=](std::mt19937& random) {
    return std::normal_distribution<float>(mean, deviation)(random);
  });
}

/// Values as activations have them: both signs, one, skewed, heavy-tailed, few.
std::vector<std::vector<float>> Shapes() {
  std::vector<std::vector<float>> shapes;
  shapes.push_back(Normal(30000, 0.0f, 1.0f));
  shapes.push_back(Normal(30000, 1.5f, 1.0f));
  shapes.push_back(Normal(30000, 0.2f, 1.0f));
  for (float& value : shapes.back()) value = std::max(value, 0.0f);
  shapes.push_back(Draw(30000, 6, [](std::mt19937& random) {
    const float x = std::normal_distribution<float>(0.0f, 2.0f)(random);
    return x * std::clamp(x / 6.0f + 0.5f, 0.0f, 1.0f);
  }));
  shapes.push_back(Draw(30000, 7, [](std::mt19937& random) {
    return std::student_t_distribution<float>(3.0f)(random);
  }));
  shapes.push_back(Draw(30000, 8, [](std::mt19937& random) {
    return -std::exponential_distribution<float>(1.0f)(random);
  }));
  shapes.push_back({1.0f, 1.0f, 2.0f, -0.5f, 100.0f});
  return shapes;
}

SchemeSpec Scheme(const std::string& text) { return ParseScheme(text).value(); }

// --- the entropy search as published: P and Q written out bin by bin ---

struct Spread {
  std::vector<double> q;  // per bin
  double total = 0.0;
};

/// Merges c[0, end) into `levels` groups counted from index 0 and spreads each
/// over the bins that p uses.
Spread MergeAndSpread(const std::vector<double>& c,
                      const std::vector<double>& p, std::size_t end,
                      std::size_t levels) {
  Spread spread{std::vector<double>(end, 0.0)};
  const std::size_t size = std::max<std::size_t>(end / levels, 1);
  for (std::size_t group = 0, begin = 0; begin < end; ++group) {
    const std::size_t stop =
        group + 1 == levels ? end : std::min(begin + size, end);
    double sum = 0.0;
    double used = 0.0;
    for (std::size_t i = begin; i < stop; ++i) {
      sum += c[i];
      used += p[i] > 0.0 ? 1.0 : 0.0;
    }
    for (std::size_t i = begin; i < stop; ++i) {
      if (p[i] > 0.0) spread.q[i] = std::max(sum, 1e-4) / used;
    }
    spread.total += sum;
    begin = stop;
  }
  return spread;
}

std::vector<double> Clipped(const std::vector<double>& c, std::size_t end) {
  std::vector<double> p(c.begin(),
                        c.begin() + static_cast<std::ptrdiff_t>(end));
  for (std::size_t i = end; i < c.size(); ++i) p.back() += c[i];
  return p;
}

double KullbackLeibler(const std::vector<double>& p,
                       const std::vector<double>& q, double p_total,
                       double q_total) {
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] > 0.0) {
      sum += p[i] / p_total * std::log(p[i] / p_total / (q[i] / q_total));
    }
  }
  return sum;
}

double Sum(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum;
}

/// The divergence for a threshold of `end` bins; both sides outward from zero.
double DirectDivergence(const std::vector<double>& below,
                        const std::vector<double>& above, std::size_t end,
                        std::size_t levels) {
  const std::size_t left = std::min(end, below.size());
  const std::size_t right = std::min(end, above.size());
  std::size_t left_levels = 0;
  std::vector<double> p;
  std::vector<double> q;
  double q_total = 0.0;
  if (left > 0) {
    left_levels = std::clamp<std::size_t>(
        (levels * left + (left + right) / 2) / (left + right), 1, levels - 1);
    const auto clipped = Clipped(below, left);
    const Spread spread = MergeAndSpread(below, clipped, left, left_levels);
    p.insert(p.end(), clipped.begin(), clipped.end());
    q.insert(q.end(), spread.q.begin(), spread.q.end());
    q_total += spread.total;
  }
  const auto clipped = Clipped(above, right);
  const Spread spread =
      MergeAndSpread(above, clipped, right, levels - left_levels);
  p.insert(p.end(), clipped.begin(), clipped.end());
  q.insert(q.end(), spread.q.begin(), spread.q.end());
  q_total += spread.total;
  if (q_total <= 0.0) return std::numeric_limits<double>::infinity();
  return KullbackLeibler(p, q, Sum(below) + Sum(above), q_total);
}

/// The threshold in bins, found the slow way, and its divergence.
std::pair<std::size_t, double> DirectSearch(const std::vector<double>& below,
                                            const std::vector<double>& above,
                                            std::size_t levels) {
  const std::size_t full = std::max(below.size(), above.size());
  std::size_t best = full;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t end = full; end > 0; --end) {
    if (end < full &&
        std::min(end, below.size()) + std::min(end, above.size()) < levels) {
      break;
    }
    const double divergence = DirectDivergence(below, above, end, levels);
    if (divergence < least - 1e-12) {
      least = divergence;
      best = end;
    }
  }
  return {best, least};
}

/// Sum of squared differences that quantizing `range` makes.
double TrueError(const std::vector<float>& x, const RealRange& range,
                 const SchemeSpec& scheme) {
  const QParams params = ChooseQParams(range, scheme);
  double error = 0.0;
  for (const float value : x) {
    const std::int32_t code =
        reference::Quantize(value, params, {scheme.qmin, scheme.qmax});
    const double difference =
        static_cast<double>(value) -
        static_cast<double>(reference::Dequantize(code, params));
    error += difference * difference;
  }
  return error;
}

BOOST_AUTO_TEST_SUITE(range_rules)

BOOST_AUTO_TEST_CASE(EntropyFindsWhatADirectSearchFinds) {
  for (const std::string text :
       {"i8:sym", "i8:sym:narrow", "u8:asym", "i8:asym", "u8:sym"}) {
    const SchemeSpec scheme = Scheme(text);
    for (const std::vector<float>& x : Shapes()) {
      const HistogramObserver observer = Observed(x);
      const Histogram histogram = observer.ToHistogram();
      std::vector<double> below;
      std::vector<double> above;
      auto levels = static_cast<std::size_t>(scheme.qmax - scheme.qmin) + 1;
      if (scheme.symmetric) {
        levels = (levels + 1) / 2;
        const auto folded = FoldedCounts(histogram);
        above.assign(folded.begin(), folded.end());
      } else {
        const auto zero = histogram.counts.begin() - histogram.first;
        above.assign(zero, histogram.counts.end());
        below.assign(histogram.counts.begin(), zero);
        std::reverse(below.begin(), below.end());
      }
      if (above.size() > 1) above[0] = std::min(above[0], above[1]);
      const auto [best, least] = DirectSearch(below, above, levels);
      const RealRange range = EntropyRange{}.Choose(observer, scheme).value();
      // In bins, from the wider side of what is not cut off by the data.
      const double reach = std::max(-range.lo, range.hi) / histogram.width;
      const bool full = range == WidenRange(observer.range(), scheme);
      const auto found =
          full ? std::max(below.size(), above.size())
               : static_cast<std::size_t>(std::ceil(reach - 1e-9));
      if (found != best) {  // a tie up to rounding
        BOOST_TEST(DirectDivergence(below, above, found, levels) <=
                   least + 1e-9);
      } else {
        BOOST_TEST(found == best);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(EntropyKeepsTheFullRangeWhereCodesOutnumberBins) {
  for (const std::string text : {"i16:sym", "u16:asym"}) {
    for (const std::vector<float>& x : Shapes()) {
      const HistogramObserver observer = Observed(x);
      const RealRange range =
          EntropyRange{}.Choose(observer, Scheme(text)).value();
      BOOST_TEST((range == WidenRange(observer.range(), Scheme(text))));
    }
  }
}

BOOST_AUTO_TEST_CASE(EntropyClipsALoneOutlier) {
  std::vector<float> x = Normal(100000, 0.0f, 1.0f);
  x.push_back(60.0f);
  for (const std::string text : {"i8:sym", "u8:asym"}) {
    const RealRange range =
        EntropyRange{}.Choose(Observed(x), Scheme(text)).value();
    BOOST_TEST(range.hi < 30.0f);
    BOOST_TEST(range.hi > 2.0f);
  }
}

BOOST_AUTO_TEST_CASE(PercentilesCutAsMuchAsTheySay) {
  std::vector<float> x(100000);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(i) / 1e5f;  // uniform in [0, 1)
  }
  const auto choose = [](const std::vector<float>& values, double percentile,
                         const std::string& scheme) {
    return PercentileRange{percentile}
        .Choose(Observed(values), Scheme(scheme))
        .value();
  };
  BOOST_TEST(std::abs(choose(x, 99.0, "i8:sym").hi - 0.99f) < 1e-3f);
  BOOST_TEST(choose(x, 99.0, "i8:sym").lo == -choose(x, 99.0, "i8:sym").hi);
  BOOST_TEST(std::abs(choose(x, 98.0, "u8:asym").hi - 0.99f) < 1e-3f);
  for (float& value : x) value = 2.0f * value - 1.0f;
  const RealRange both = choose(x, 90.0, "u8:asym");
  BOOST_TEST(std::abs(both.lo + 0.9f) < 2e-3f);
  BOOST_TEST(std::abs(both.hi - 0.9f) < 2e-3f);
  for (const std::vector<float>& shape : Shapes()) {
    for (const std::string scheme : {"i8:sym", "u8:asym", "i16:sym"}) {
      BOOST_TEST((choose(shape, 100.0, scheme) ==
                  WidenRange(Observed(shape).range(), Scheme(scheme))));
    }
  }
  BOOST_TEST(!PercentileRange{101.0}.Choose(Observed(x), {}).ok());
}

BOOST_AUTO_TEST_CASE(MseIsNoWorseThanMinMaxAndNearTheBestOfAGrid) {
  for (const std::string text : {"u8:asym", "i8:sym", "i8:sym:narrow"}) {
    const SchemeSpec scheme = Scheme(text);
    for (const std::vector<float>& x : Shapes()) {
      if (x.size() < 1000) continue;
      const HistogramObserver observer = Observed(x);
      const RealRange range = MseRange{}.Choose(observer, scheme).value();
      const double found = TrueError(x, range, scheme);
      double best = TrueError(x, observer.range(), scheme);
      BOOST_TEST(found <= best * 1.001);
      for (int lo = 1; lo <= 12; ++lo) {
        for (int hi = 1; hi <= 12; ++hi) {
          const float down = static_cast<float>(lo) / 12.0f;
          const float up = static_cast<float>(hi) / 12.0f;
          best = std::min(best,
                          TrueError(x,
                                    {std::min(0.0f, observer.range().lo) * down,
                                     std::max(0.0f, observer.range().hi) * up},
                                    scheme));
        }
      }
      BOOST_TEST(found <= best * 1.02);
    }
  }
}

BOOST_AUTO_TEST_CASE(MseAtFewBitsClipsMore) {
  const std::vector<float> x = Normal(50000, 0.0f, 1.0f);
  SchemeSpec four = Scheme("i8:sym");
  four.qmin = -8;
  four.qmax = 7;
  SchemeSpec two = four;
  two.qmin = -2;
  two.qmax = 1;
  const HistogramObserver observer = Observed(x);
  const float at8 = MseRange{}.Choose(observer, Scheme("i8:sym"))->hi;
  const float at4 = MseRange{}.Choose(observer, four)->hi;
  const float at2 = MseRange{}.Choose(observer, two)->hi;
  BOOST_TEST(at2 < at4);
  BOOST_TEST(at4 < at8);
  // 4 bits on a normal distribution: known to be about 2.6 deviations.
  BOOST_TEST(std::abs(at4 - 2.65f) < 0.25f);
  const float at16 = MseRange{}.Choose(observer, Scheme("i16:sym"))->hi;
  BOOST_TEST(at16 >= at8);
}

BOOST_AUTO_TEST_CASE(MomentsReachSoManyDeviations) {
  MomentsObserver observer;
  observer.Observe(std::vector<float>{-10, 1, 2, 3, 4, 30},
                   DispatchedKernels());
  const double deviation = std::sqrt(observer.variance());
  const RealRange range =
      MomentsRange{1.0}.Choose(observer, Scheme("u8:asym")).value();
  BOOST_TEST(range.hi == static_cast<float>(observer.mean() + deviation));
  BOOST_TEST(range.lo == static_cast<float>(observer.mean() - deviation));
  const RealRange all =
      MomentsRange{100.0}.Choose(observer, Scheme("u8:asym")).value();
  BOOST_TEST((all == RealRange{-10, 30}));
  BOOST_TEST((MomentsRange{100.0}.Choose(observer, Scheme("i8:sym")).value() ==
              RealRange{-30, 30}));
  BOOST_TEST(!MomentsRange{0.0}.Choose(observer, {}).ok());
}

BOOST_AUTO_TEST_CASE(EveryRuleHandlesDegenerateTensors) {
  const std::vector<std::vector<float>> tensors = {
      {0.0f},
      {0.0f, 0.0f, 0.0f},
      {5.0f, 5.0f},
      {-5.0f},
      {std::numeric_limits<float>::denorm_min()},
      {std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest()},
      {0.0f, 1e-38f, -1e30f},
      {1.0f, std::numeric_limits<float>::quiet_NaN(),
       std::numeric_limits<float>::infinity()}};
  for (const std::string rule : {"minmax", "percentile:99", "entropy", "mse",
                                 "moments:2", "moving-average"}) {
    const CalibrationSpec spec = ParseCalibration(rule).value();
    for (const std::string scheme : {"u8:asym", "i8:sym", "i16:sym"}) {
      for (const auto& tensor : tensors) {
        TensorStatistics statistics(CollectedStatistics::For(spec));
        statistics.Observe(tensor, DispatchedKernels());
        const auto range = statistics.Choose(spec, Scheme(scheme));
        BOOST_TEST_CONTEXT(rule << " " << scheme << " of " << tensor[0]) {
          BOOST_REQUIRE(range.ok());
          BOOST_TEST(IsValidRange(*range));
          BOOST_TEST(range->lo <= 0.0f);
          BOOST_TEST(range->hi >= 0.0f);
        }
      }
      TensorStatistics nothing(CollectedStatistics::For(spec));
      BOOST_TEST((nothing.Choose(spec, Scheme(scheme)).status().code() ==
                  StatusCode::kInvalidData));
    }
  }
}

BOOST_AUTO_TEST_CASE(StatisticsThatWereNotCollectedAreNamed) {
  TensorStatistics statistics;
  statistics.Observe(std::vector<float>{1.0f}, DispatchedKernels());
  for (const std::string rule :
       {"percentile:99", "entropy", "mse", "moments:2", "moving-average:0.1"}) {
    const auto range =
        statistics.Choose(ParseCalibration(rule).value(), Scheme("u8:asym"));
    BOOST_REQUIRE(!range.ok());
    BOOST_TEST(range.status().message().find(rule) != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(MovingAveragesRefuseToMerge) {
  TensorStatistics average(CollectedStatistics{
      .histogram = false, .moments = false, .moving_average = 0.1});
  TensorStatistics plain;
  BOOST_TEST(!plain.Merge(average).ok());
  const Status refused = average.Merge(plain);
  BOOST_TEST(refused.message().find("order") != std::string::npos);
  TensorStatistics all(CollectedStatistics::All());
  BOOST_TEST(!all.Merge(plain).ok());
}

BOOST_AUTO_TEST_CASE(TheTextOfACalibrationIsReadAndWritten) {
  for (const std::string text :
       {"minmax", "moving-average:0.05", "percentile:99.99", "entropy", "mse",
        "moments:3.5"}) {
    BOOST_TEST(FormatCalibration(ParseCalibration(text).value()) == text);
  }
  BOOST_TEST(FormatCalibration(ParseCalibration("percentile").value()) ==
             "percentile:99.999");
  for (const std::string wrong :
       {"", "max", "entropy:3", "percentile:", "percentile:0", "percentile:101",
        "percentile:99x", "moments:-1", "moving-average:2", "moments:nan",
        "moments:inf"}) {
    const auto spec = ParseCalibration(wrong);
    BOOST_TEST(!spec.ok(), wrong);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

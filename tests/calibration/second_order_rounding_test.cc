#include "zeropoint/calibration/second_order_rounding.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

/// Values of mixed size that move together: each is a sum of two of
/// `columns` sources. [columns, count]
std::vector<float> Correlated(std::size_t columns, std::size_t count,
                              unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(columns * count);
  for (std::size_t i = 0; i < count; ++i) {
    float previous = normal(random);
    for (std::size_t c = 0; c < columns; ++c) {
      const float own = normal(random);
      x[c * count + i] =
          (own + previous + 1.0f) * (1.0f + static_cast<float>(c % 5));
      previous = own;
    }
  }
  return x;
}

/// Moments of rows [batch, columns], as Gemm reads them.
SecondMoments MomentsOf(const std::vector<float>& x, std::size_t columns) {
  const std::size_t count = x.size() / columns;
  std::vector<float> rows(x.size());
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t i = 0; i < count; ++i) {
      rows[i * columns + c] = x[c * count + i];
    }
  }
  SecondMomentObserver observer(1, count);
  PatchShape shape;
  shape.batch = count;
  shape.channels = columns;
  observer.Observe(rows, shape, 0, DispatchedKernels());
  return observer.TakeMoments();
}

/// A matrix with one scale a row.
struct Rows {
  Rows(std::size_t rows, std::size_t columns, unsigned seed,
       std::int32_t qmax = 7)
      : weights(rows * columns) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (float& weight : weights) weight = normal(random);
    for (std::size_t row = 0; row < rows; ++row) {
      row_params.push_back(static_cast<std::uint32_t>(row));
      float absmax = 0.0f;
      for (std::size_t c = 0; c < columns; ++c) {
        absmax = std::max(absmax, std::abs(weights[row * columns + c]));
      }
      params.push_back({absmax / static_cast<float>(qmax), 0});
    }
    column_params.assign(columns, 0);
    problem.rows = rows;
    problem.columns = columns;
    problem.weights = weights;
    problem.params = params;
    problem.row_params = row_params;
    problem.column_params = column_params;
    problem.codes = {-qmax, qmax};
  }

  std::vector<float> weights;
  std::vector<QParams> params;
  std::vector<std::uint32_t> row_params;
  std::vector<std::uint32_t> column_params;
  RoundingProblem problem;
};

/// H as OrderForRounding defines it, in double. [n, n]
std::vector<double> DampedH(const SecondMoments& moments, bool centered) {
  const std::size_t n = moments.columns;
  const auto count = static_cast<double>(moments.count);
  std::vector<double> h(n * n);
  double trace = 0.0;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      h[a * n + b] = static_cast<double>(moments.products[a * n + b]) / count;
      if (centered) {
        h[a * n + b] -= moments.sums[a] / count * (moments.sums[b] / count);
      }
    }
    trace += h[a * n + a];
  }
  for (std::size_t a = 0; a < n; ++a) {
    h[a * n + a] += 0.01 * trace / static_cast<double>(n);
  }
  return h;
}

double Loss(const Rows& rows, std::size_t row, const std::vector<double>& h,
            const std::vector<std::int32_t>& codes) {
  const std::size_t n = rows.problem.columns;
  std::vector<double> error(n);
  for (std::size_t c = 0; c < n; ++c) {
    error[c] = static_cast<double>(reference::Dequantize(codes[row * n + c],
                                                         rows.params[row])) -
               static_cast<double>(rows.weights[row * n + c]);
  }
  double loss = 0.0;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      loss += error[a] * h[a * n + b] * error[b];
    }
  }
  return loss;
}

/// GPTQ as its paper states it: the inverse by elimination, its Cholesky
/// factor, errors spread over the columns that are left. In `order`.
std::vector<std::int32_t> Gptq(const Rows& rows, std::vector<double> h,
                               const std::vector<std::uint32_t>& order) {
  const std::size_t n = rows.problem.columns;
  std::vector<double> a(n * n);
  std::vector<double> inverse(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    inverse[i * n + i] = 1.0;
    for (std::size_t j = 0; j < n; ++j) {
      a[i * n + j] = h[order[i] * n + order[j]];
    }
  }
  for (std::size_t k = 0; k < n; ++k) {
    const double pivot = a[k * n + k];
    for (std::size_t j = 0; j < n; ++j) {
      a[k * n + j] /= pivot;
      inverse[k * n + j] /= pivot;
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double by = a[i * n + k];
      if (i == k || by == 0.0) continue;
      for (std::size_t j = 0; j < n; ++j) {
        a[i * n + j] -= by * a[k * n + j];
        inverse[i * n + j] -= by * inverse[k * n + j];
      }
    }
  }
  // inverse = C^T C with C upper triangular.
  std::vector<double> upper(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      double sum = inverse[i * n + j];
      for (std::size_t k = 0; k < i; ++k) {
        sum -= upper[k * n + i] * upper[k * n + j];
      }
      upper[i * n + j] = i == j ? std::sqrt(sum) : sum / upper[i * n + i];
    }
  }
  std::vector<std::int32_t> codes(rows.weights.size());
  for (std::size_t row = 0; row < rows.problem.rows; ++row) {
    std::vector<double> left(n);
    for (std::size_t i = 0; i < n; ++i) {
      left[i] = static_cast<double>(rows.weights[row * n + order[i]]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t code = reference::Quantize(
          static_cast<float>(left[i]), rows.params[row], rows.problem.codes);
      codes[row * n + order[i]] = code;
      const double error = (left[i] - static_cast<double>(reference::Dequantize(
                                          code, rows.params[row]))) /
                           upper[i * n + i];
      for (std::size_t j = i; j < n; ++j) left[j] -= error * upper[i * n + j];
    }
  }
  return codes;
}

void InThreads(std::size_t count,
               const std::function<void(std::size_t)>& body) {
  std::vector<std::thread> threads;
  for (std::size_t i = count; i-- > 0;) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

BOOST_AUTO_TEST_SUITE(second_order_rounding)

BOOST_AUTO_TEST_CASE(TheFactorGivesTheMatrixBack) {
  // Over several blocks of 64.
  for (const std::size_t n : {1u, 5u, 64u, 65u, 150u}) {
    const SecondMoments moments = MomentsOf(Correlated(n, 3 * n + 8, 1), n);
    const std::vector<double> h = DampedH(moments, false);
    std::vector<double> work = h;
    const UpperFactor factor =
        FactorUpper(work, n, 1e-6, DispatchedKernels(), InThreads);
    double largest = 0.0;
    double worst = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      BOOST_TEST(factor.upper[i * n + i] == 1.0f);
      for (std::size_t j = i; j < n; ++j) {
        double sum = 0.0;
        for (std::size_t k = j; k < n; ++k) {
          sum += static_cast<double>(factor.upper[i * n + k]) *
                 factor.pivots[k] *
                 static_cast<double>(factor.upper[j * n + k]);
        }
        worst = std::max(worst, std::abs(sum - h[i * n + j]));
        largest = std::max(largest, std::abs(h[i * n + j]));
      }
    }
    BOOST_TEST(worst < 1e-5 * largest);
  }
}

BOOST_AUTO_TEST_CASE(EqualsGptqAsThePaperStatesIt) {
  for (const unsigned seed : {1u, 2u, 3u}) {
    const std::size_t n = 24;
    const SecondMoments moments = MomentsOf(Correlated(n, 200, seed), n);
    Rows rows(40, n, seed);
    const auto order = OrderForRounding(moments, 0, true, DispatchedKernels());
    BOOST_REQUIRE(order.has_value());
    const auto codes =
        RoundSecondOrder(rows.problem, &*order, DispatchedKernels());
    const std::vector<double> h = DampedH(moments, true);
    const auto expected = Gptq(rows, h, order->columns);
    std::size_t different = 0;
    for (std::size_t row = 0; row < rows.problem.rows; ++row) {
      bool equal = true;
      for (std::size_t c = 0; c < n; ++c) {
        equal = equal && codes[row * n + c] == expected[row * n + c];
      }
      if (equal) continue;
      // Where nearest codes cost less those are kept; a tie in float may also
      // fall the other way. Never does it cost more.
      ++different;
      BOOST_TEST(Loss(rows, row, h, codes) <=
                 Loss(rows, row, h, expected) * 1.001);
    }
    BOOST_TEST(different <= 4u);
  }
}

BOOST_AUTO_TEST_CASE(NeverCostsMoreThanTheNearestCodes) {
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    for (const std::size_t n : {1u, 9u, 70u, 130u}) {
      const SecondMoments moments =
          MomentsOf(Correlated(n, 2 * n + 9, seed), n);
      const std::vector<double> h = DampedH(moments, false);
      Rows rows(33, n, seed + 10);
      const auto order =
          OrderForRounding(moments, 0, false, DispatchedKernels());
      BOOST_REQUIRE(order.has_value());
      const auto codes =
          RoundSecondOrder(rows.problem, &*order, DispatchedKernels());
      const auto nearest =
          RoundSecondOrder(rows.problem, nullptr, DispatchedKernels());
      double all = 0.0;
      double all_nearest = 0.0;
      for (std::size_t row = 0; row < rows.problem.rows; ++row) {
        const double loss = Loss(rows, row, h, codes);
        const double nearest_loss = Loss(rows, row, h, nearest);
        BOOST_TEST(loss <= nearest_loss * 1.0001);
        all += loss;
        all_nearest += nearest_loss;
      }
      if (n > 1) BOOST_TEST(all < 0.8 * all_nearest);
    }
  }
}

BOOST_AUTO_TEST_CASE(WithoutMomentsEveryCodeIsTheNearest) {
  Rows rows(3, 7, 5, 127);
  const auto codes =
      RoundSecondOrder(rows.problem, nullptr, DispatchedKernels());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    BOOST_TEST(codes[i] == reference::Quantize(rows.weights[i],
                                               rows.params[i / 7],
                                               rows.problem.codes));
  }
}

BOOST_AUTO_TEST_CASE(ThreadsChangeNothing) {
  const std::size_t n = 100;
  const SecondMoments moments = MomentsOf(Correlated(n, 400, 3), n);
  Rows rows(97, n, 4);
  const auto serial = OrderForRounding(moments, 0, true, DispatchedKernels());
  const auto threaded =
      OrderForRounding(moments, 0, true, DispatchedKernels(), InThreads);
  BOOST_TEST((serial->factor.upper == threaded->factor.upper));
  BOOST_TEST((serial->factor.pivots == threaded->factor.pivots));
  BOOST_TEST((RoundSecondOrder(rows.problem, &*serial, DispatchedKernels()) ==
              RoundSecondOrder(rows.problem, &*threaded, DispatchedKernels(),
                               InThreads)));
}

BOOST_AUTO_TEST_CASE(DeadAndConstantInputsKeepTheirNearestCodes) {
  const std::size_t n = 6;
  std::vector<float> x = Correlated(n, 50, 6);
  for (std::size_t i = 0; i < 50; ++i) {
    x[2 * 50 + i] = 0.0f;  // dead
    x[4 * 50 + i] = 3.0f;  // constant: nothing is left of it once centered
  }
  const SecondMoments moments = MomentsOf(x, n);
  const auto order = OrderForRounding(moments, 0, true, DispatchedKernels());
  BOOST_REQUIRE(order.has_value());
  Rows rows(8, n, 7);
  const auto codes =
      RoundSecondOrder(rows.problem, &*order, DispatchedKernels());
  for (std::size_t row = 0; row < 8; ++row) {
    for (const std::size_t c : {2u, 4u}) {
      BOOST_TEST(codes[row * n + c] ==
                 reference::Quantize(rows.weights[row * n + c],
                                     rows.params[row], rows.problem.codes));
    }
  }
}

BOOST_AUTO_TEST_CASE(NothingToGoByIsNoOrder) {
  SecondMoments none;
  BOOST_TEST(!OrderForRounding(none, 0, false, DispatchedKernels()));
  const std::vector<float> zeros(3 * 10, 0.0f);
  BOOST_TEST(
      !OrderForRounding(MomentsOf(zeros, 3), 0, false, DispatchedKernels()));
  const std::vector<float> huge(3 * 10, 3e38f);
  BOOST_TEST(
      !OrderForRounding(MomentsOf(huge, 3), 0, false, DispatchedKernels()));
  const SecondMoments some = MomentsOf(Correlated(3, 10, 1), 3);
  BOOST_TEST(!OrderForRounding(some, 1, false, DispatchedKernels()));
}

BOOST_AUTO_TEST_CASE(PairsStayBelowTheirLimit) {
  const std::size_t n = 40;
  const SecondMoments moments = MomentsOf(Correlated(n, 200, 8), n);
  const auto order = OrderForRounding(moments, 0, false, DispatchedKernels());
  Rows rows(50, n, 9, 127);
  std::vector<std::uint32_t> partners(n);
  for (std::size_t c = 0; c < n; ++c) {
    partners[c] = static_cast<std::uint32_t>(c ^ 1);
  }
  const auto most = [&](const std::vector<std::int32_t>& codes) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < codes.size(); i += 2) {
      if ((codes[i] < 0) != (codes[i + 1] < 0)) continue;
      sum = std::max(sum, std::abs(codes[i]) + std::abs(codes[i + 1]));
    }
    return sum;
  };
  BOOST_TEST(
      most(RoundSecondOrder(rows.problem, &*order, DispatchedKernels())) > 128);
  rows.problem.pair_limit = 128;
  rows.problem.partners = partners;
  for (const RoundingOrder* each :
       {static_cast<const RoundingOrder*>(nullptr), &*order}) {
    BOOST_TEST(
        most(RoundSecondOrder(rows.problem, each, DispatchedKernels())) <= 128);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(second_moment_observer)

BOOST_AUTO_TEST_CASE(PatchesAreWhatAConvolutionReads) {
  // [1, 2, 3, 3], kernel 2x2, stride 2, dilation 1, padded by one in front.
  std::vector<float> x(18);
  for (std::size_t i = 0; i < 18; ++i) x[i] = static_cast<float>(i + 1);
  PatchShape shape;
  shape.batch = 1;
  shape.channels = 2;
  shape.axes.assign(2, PatchAxis{3, 2, 2, 2, 1, 1});
  const std::vector<std::size_t> positions = {0, 3};
  std::vector<float> patches(2 * 4 * 2);
  ExtractPatches(x, shape, positions, patches);
  // Position (0, 0) reads the corner alone; (1, 1) the last 2x2.
  const std::vector<float> expected = {0, 5,  0, 6,  0, 8,  1,  9,
                                       0, 14, 0, 15, 0, 17, 10, 18};
  BOOST_TEST(patches == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(DilatedPatchesReachFurther) {
  const std::vector<float> x = {1, 2, 3, 4, 5};
  PatchShape shape;
  shape.batch = 1;
  shape.channels = 1;
  shape.axes = {PatchAxis{5, 1, 3, 1, 2, 0}};
  std::vector<float> patches(3);
  ExtractPatches(x, shape, std::vector<std::size_t>{0}, patches);
  BOOST_TEST(patches == (std::vector<float>{1, 3, 5}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(TransposedPatchesGatherWhatIsSpread) {
  // y[o] = sum over p, t with p * 2 + t = o of x[p] w[t]; 3 taps.
  const std::vector<float> x = {1, 2};
  PatchShape shape;
  shape.batch = 1;
  shape.channels = 1;
  shape.axes = {PatchAxis{2, 5, 3, 2, 1, 0}};
  shape.transposed = true;
  const std::vector<std::size_t> positions = {0, 1, 2, 3, 4};
  std::vector<float> patches(3 * 5);
  ExtractPatches(x, shape, positions, patches);
  const std::vector<float> expected = {1, 0, 2, 0, 0,   // tap 0
                                       0, 1, 0, 2, 0,   // tap 1
                                       0, 0, 1, 0, 2};  // tap 2
  BOOST_TEST(patches == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(PositionsAreSpreadAndDependOnTheSampleAlone) {
  BOOST_TEST(
      ChoosePositions(5, 8, 0) == (std::vector<std::size_t>{0, 1, 2, 3, 4}),
      boost::test_tools::per_element());
  const auto chosen = ChoosePositions(1000, 10, 3);
  BOOST_TEST(chosen == ChoosePositions(1000, 10, 3),
             boost::test_tools::per_element());
  BOOST_TEST((chosen != ChoosePositions(1000, 10, 4)));
  for (std::size_t i = 0; i < 10; ++i) {
    BOOST_TEST(chosen[i] >= 100 * i);
    BOOST_TEST(chosen[i] < 100 * (i + 1));
  }
}

/// [1, channels, width] in one dimension, window 1.
PatchShape Pointwise(std::size_t channels, std::int64_t width) {
  PatchShape shape;
  shape.batch = 1;
  shape.channels = channels;
  shape.axes = {PatchAxis{width, width, 1, 1, 1, 0}};
  return shape;
}

BOOST_AUTO_TEST_CASE(GroupsHaveMomentsOfTheirOwn) {
  SecondMomentObserver observer(2, 16);
  const std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};  // 4 channels, 2 wide
  observer.Observe(x, Pointwise(4, 2), 0, DispatchedKernels());
  const SecondMoments& moments = observer.moments();
  BOOST_TEST(moments.count == 2u);
  BOOST_TEST(moments.sums == (std::vector<double>{3, 7, 11, 15}),
             boost::test_tools::per_element());
  BOOST_TEST(
      moments.products == (std::vector<float>{5, 11, 11, 25, 61, 83, 83, 113}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ProductsAreThoseOfThePatches) {
  const std::size_t n = 48;
  const std::vector<float> x = Correlated(n, 20, 2);
  SecondMomentObserver wide(1, 20);
  wide.Observe(x, Pointwise(n, 20), 0, DispatchedKernels(), InThreads);
  for (const std::size_t a : {0u, 7u, 47u}) {
    for (const std::size_t b : {0u, 30u, 47u}) {
      double sum = 0.0;
      for (std::size_t i = 0; i < 20; ++i) {
        sum += static_cast<double>(x[a * 20 + i]) *
               static_cast<double>(x[b * 20 + i]);
      }
      BOOST_TEST(
          std::abs(static_cast<double>(wide.moments().products[a * n + b]) -
                   sum) < 1e-4 * (std::abs(sum) + 100.0));
    }
  }
}

BOOST_AUTO_TEST_CASE(PatchesWithNanOrInfinityAreLeftOut) {
  SecondMomentObserver observer;
  std::vector<float> x = {1, 2, 3, 4, 5, 6};  // 2 channels, 3 wide
  x[1] = std::numeric_limits<float>::quiet_NaN();
  x[5] = std::numeric_limits<float>::infinity();
  observer.Observe(x, Pointwise(2, 3), 0, DispatchedKernels());
  BOOST_TEST(observer.count() == 1u);
  BOOST_TEST(observer.moments().products == (std::vector<float>{1, 4, 4, 16}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(MergedStatesAreTheSum) {
  SecondMomentObserver both;
  SecondMomentObserver first;
  SecondMomentObserver second;
  const std::vector<float> x = {1, 2, 3, 4};
  const std::vector<float> y = {5, 6, 7, 8};
  const PatchShape shape = Pointwise(2, 2);
  both.Observe(x, shape, 0, DispatchedKernels());
  both.Observe(y, shape, 1, DispatchedKernels());
  first.Observe(x, shape, 0, DispatchedKernels());
  second.Observe(y, shape, 1, DispatchedKernels());
  SecondMomentObserver merged;
  merged.Merge(first);
  merged.Merge(second);
  BOOST_TEST(merged.count() == both.count());
  BOOST_TEST((merged.moments().products == both.moments().products));
  BOOST_TEST((merged.moments().sums == both.moments().sums));
}

BOOST_AUTO_TEST_CASE(TensorsThatDoNotFitAreLeftOut) {
  SecondMomentObserver observer(2, 16);
  const std::vector<float> x(6, 1.0f);
  observer.Observe(x, Pointwise(3, 2), 0, DispatchedKernels());  // 3 / 2 groups
  observer.Observe(x, Pointwise(2, 2), 0, DispatchedKernels());  // 4 values
  BOOST_TEST(observer.count() == 0u);
  observer.Observe(x, Pointwise(2, 3), 0, DispatchedKernels());
  observer.Observe(x, Pointwise(6, 1), 1, DispatchedKernels());  // other width
  BOOST_TEST(observer.count() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

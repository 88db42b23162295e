#include "zeropoint/passes/round_blocks.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "zeropoint/calibration/patches.h"
#include "zeropoint/calibration/second_moment_observer.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

Tensor RandomMatrix(std::int64_t rows, std::int64_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Tensor matrix(DataType::kFloat, {rows, columns});
  for (float& value : matrix.MutableAs<float>()) value = normal(random);
  return matrix;
}

/// Moments of inputs that move together, and some of which are large.
SecondMoments InputMoments(std::size_t columns, unsigned seed) {
  constexpr std::size_t kCount = 512;
  const Tensor drawn =
      RandomMatrix(kCount, static_cast<std::int64_t>(columns), seed);
  std::vector<float> x(drawn.As<float>().begin(), drawn.As<float>().end());
  for (std::size_t i = 1; i < x.size(); ++i) x[i] += 0.7f * x[i - 1];
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % columns % 7 == 0) x[i] *= 4.0f;
  }
  PatchShape shape;
  shape.batch = kCount;
  shape.channels = columns;
  SecondMomentObserver observer(1, kCount);
  observer.Observe(x, shape, 0, DispatchedKernels());
  return observer.TakeMoments();
}

QuantizedTensor Round(const Tensor& real, const std::string& scheme,
                      BlockRounding rounding = BlockRounding::kNearest,
                      const RoundingOrder* order = nullptr) {
  auto made = RoundBlocks(real.view(), ParseScheme(scheme).value(), rounding,
                          order, DispatchedKernels());
  BOOST_REQUIRE_MESSAGE(made.ok(), made.status().message());
  return std::move(made).value();
}

double SquaredError(const Tensor& real, const QuantizedTensor& rounded) {
  const Tensor back = DequantizeConstant(rounded);
  double sum = 0.0;
  for (std::size_t i = 0; i < real.size(); ++i) {
    const double error = static_cast<double>(back.As<float>()[i]) -
                         static_cast<double>(real.As<float>()[i]);
    sum += error * error;
  }
  return sum;
}

/// E[(e . x)^2], summed over the rows: what the outputs lose.
double OutputError(const Tensor& real, const QuantizedTensor& rounded,
                   const SecondMoments& moments) {
  const Tensor back = DequantizeConstant(rounded);
  const std::size_t n = moments.columns;
  double sum = 0.0;
  for (std::size_t row = 0; row * n < real.size(); ++row) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const std::size_t a = row * n + i;
        const std::size_t b = row * n + j;
        sum += static_cast<double>(back.As<float>()[a] - real.As<float>()[a]) *
               static_cast<double>(back.As<float>()[b] - real.As<float>()[b]) *
               static_cast<double>(
                   moments.products[std::min(i, j) * n + std::max(i, j)]);
      }
    }
  }
  return sum / static_cast<double>(moments.count);
}

const std::vector<std::string> kSchemes = {
    "i4:sym:block=16", "u4:sym:block=16",  "u4:asym:block=16",
    "i8:sym:block=32", "u8:asym:block=32", "i4:sym:channel"};

}  // namespace

BOOST_AUTO_TEST_SUITE(round_blocks)

BOOST_AUTO_TEST_CASE(EachBlockHasItsOwnScaleAndTheLastMayBeShort) {
  // Blocks of 4, 4 and 2: the largest weights are 7.5, 0.75 and 15 steps of 1.
  const Tensor real = Tensor::Of<float>(
      {1, 10},
      std::vector<float>{7.5f, -1, 2, 3, 0.75f, -0.1f, 0.2f, 0.3f, -15, 4});
  const QuantizedTensor rounded = Round(real, "i4:sym:block=4");
  BOOST_TEST(rounded.params.block_dims == Dims({1, 3}),
             boost::test_tools::per_element());
  BOOST_TEST(rounded.params.channels[0].scale == 1.0f);
  BOOST_TEST(rounded.params.channels[1].scale == 0.1f);
  BOOST_TEST(rounded.params.channels[2].scale == 2.0f);
  const int expected[] = {7, -1, 2, 3, 7, -1, 2, 3, -8, 2};
  for (std::size_t i = 0; i < 10; ++i) {
    BOOST_TEST(int{rounded.codes.As<std::int8_t>()[i]} == expected[i]);
  }
}

BOOST_AUTO_TEST_CASE(TheNearestCodesAreWithinHalfAStep) {
  for (const std::string& scheme : kSchemes) {
    const Tensor real = RandomMatrix(5, 40, 1);
    const QuantizedTensor rounded = Round(real, scheme);
    const Tensor back = DequantizeConstant(rounded);
    const ChannelLayout layout(real.dims(), rounded.params.axis,
                               rounded.params.block);
    layout.ForEach([&](std::size_t channel, std::size_t i) {
      const float step = rounded.params.channels[channel].scale;
      BOOST_TEST(
          std::abs(back.As<float>()[i] - real.As<float>()[i]) <= 0.5001f * step,
          scheme << ", weight " << i);
    });
  }
}

BOOST_AUTO_TEST_CASE(MseHasNoMoreSquaredErrorThanNearest) {
  for (const std::string& scheme : kSchemes) {
    for (unsigned seed = 0; seed < 4; ++seed) {
      const Tensor real = RandomMatrix(1, 16, seed);
      const double nearest = SquaredError(real, Round(real, scheme));
      const double mse =
          SquaredError(real, Round(real, scheme, BlockRounding::kMse));
      BOOST_TEST(mse <= nearest * 1.000001, scheme);
    }
    const Tensor many = RandomMatrix(16, 128, 9);
    const double nearest = SquaredError(many, Round(many, scheme));
    const double mse =
        SquaredError(many, Round(many, scheme, BlockRounding::kMse));
    const bool coarse = scheme.find("4:") != std::string::npos;
    BOOST_TEST(mse < nearest * (coarse ? 0.95 : 1.0), scheme);
  }
}

BOOST_AUTO_TEST_CASE(SecondOrderHasLessOutputErrorThanMseAndNearest) {
  const SecondMoments moments = InputMoments(48, 2);
  const auto order = OrderForRounding(moments, 0, false, DispatchedKernels());
  BOOST_REQUIRE(order.has_value());
  for (const std::string& scheme : kSchemes) {
    const Tensor real = RandomMatrix(24, 48, 3);
    const double nearest = OutputError(real, Round(real, scheme), moments);
    const double mse =
        OutputError(real, Round(real, scheme, BlockRounding::kMse), moments);
    const double second = OutputError(
        real, Round(real, scheme, BlockRounding::kSecondOrder, &*order),
        moments);
    BOOST_TEST(second < 0.8 * nearest, scheme);
    BOOST_TEST(second < 0.9 * mse, scheme);
  }
}

BOOST_AUTO_TEST_CASE(SecondOrderWithoutMomentsIsMse) {
  const Tensor real = RandomMatrix(4, 40, 5);
  const QuantizedTensor mse =
      Round(real, "u4:asym:block=16", BlockRounding::kMse);
  const QuantizedTensor second =
      Round(real, "u4:asym:block=16", BlockRounding::kSecondOrder);
  BOOST_TEST((mse.params.channels == second.params.channels));
  BOOST_TEST(std::ranges::equal(mse.codes.As<std::uint8_t>(),
                                second.codes.As<std::uint8_t>()));
}

BOOST_AUTO_TEST_CASE(ASignedAndAnUnsignedSymmetricSchemeSayTheSame) {
  const Tensor real = RandomMatrix(6, 32, 6);
  const Tensor a = DequantizeConstant(Round(real, "i4:sym:block=16"));
  const Tensor b = DequantizeConstant(Round(real, "u4:sym:block=16"));
  BOOST_TEST(std::ranges::equal(a.As<float>(), b.As<float>()));
}

BOOST_AUTO_TEST_CASE(TransposingKeepsEveryWeight) {
  for (const std::string& scheme : kSchemes) {
    const Tensor real = RandomMatrix(5, 40, 7);
    const QuantizedTensor rounded = Round(real, scheme);
    const Tensor back = DequantizeConstant(rounded);
    const Tensor other = DequantizeConstant(TransposedBlocks(rounded));
    BOOST_REQUIRE(other.dims() == Dims({40, 5}));
    for (std::size_t r = 0; r < 5; ++r) {
      for (std::size_t c = 0; c < 40; ++c) {
        BOOST_TEST(other.As<float>()[c * 5 + r] ==
                   back.As<float>()[r * 40 + c]);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(WeightsThatAreNotFiniteAreAnError) {
  Tensor real = RandomMatrix(3, 16, 8);
  real.MutableAs<float>()[20] = std::numeric_limits<float>::quiet_NaN();
  const auto made =
      RoundBlocks(real.view(), ParseScheme("u4:sym:block=16").value(),
                  BlockRounding::kMse, nullptr, DispatchedKernels());
  BOOST_TEST((made.status().code() == StatusCode::kInvalidModel));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

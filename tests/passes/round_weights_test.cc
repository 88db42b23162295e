#include "zeropoint/passes/round_weights.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

std::vector<float> Random(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

/// Moments of patches that move together.
std::shared_ptr<const SecondMoments> Moments(std::size_t groups,
                                             std::size_t columns,
                                             unsigned seed) {
  const std::size_t channels = groups * columns;
  const std::size_t count = 4 * columns + 8;
  std::vector<float> x = Random(channels * count, seed);
  for (std::size_t i = 1; i < x.size(); ++i) x[i] += 0.8f * x[i - 1] + 0.1f;
  PatchShape shape;
  shape.batch = count;
  shape.channels = channels;
  SecondMomentObserver observer(groups, count);
  observer.Observe(x, shape, 0, DispatchedKernels());
  return std::make_shared<const SecondMoments>(observer.TakeMoments());
}

Operands Linear(int weight_axis, std::int64_t group, int channel_axis = 1) {
  Operands operands;
  operands.activations = {0};
  operands.weight = 1;
  operands.weight_axis = weight_axis;
  operands.channel_axis = channel_axis;
  operands.group = group;
  return operands;
}

struct Rounded {
  QuantizedTensor quantized;
  std::int32_t Code(std::size_t i) const {
    return quantized.codes.As<std::int8_t>()[i];
  }
};

Rounded RoundWith(const std::vector<float>& weights, const Dims& dims,
                  const Operands& operands,
                  const std::shared_ptr<const SecondMoments>& moments, int axis,
                  std::string_view scheme = "i8:sym:channel:narrow",
                  WeightRoundingOptions options = {}) {
  SecondMomentTable table;
  if (moments) table[{"x", "w"}] = moments;
  const SecondOrderRounder rounder(table, DispatchedKernels(), options);
  const Tensor real = Tensor::Of<float>(dims, std::span<const float>(weights));
  auto made = rounder.Round({"x", "w", operands, real.view(), true},
                            ParseScheme(scheme).value(), axis);
  BOOST_REQUIRE_MESSAGE(made.ok(), made.status().message());
  return {std::move(made).value()};
}

BOOST_AUTO_TEST_SUITE(round_weights)

BOOST_AUTO_TEST_CASE(TheOrderInTheFileDoesNotMatter) {
  // Conv [M 5, C 4, 3] against ConvTranspose [C 4, M 5, 3].
  const std::size_t m = 5;
  const std::size_t c = 4;
  const std::size_t k = 3;
  const auto moments = Moments(1, c * k, 1);
  const std::vector<float> conv = Random(m * c * k, 2);
  std::vector<float> transposed(conv.size());
  for (std::size_t o = 0; o < m; ++o) {
    for (std::size_t i = 0; i < c; ++i) {
      for (std::size_t t = 0; t < k; ++t) {
        transposed[(i * m + o) * k + t] = conv[(o * c + i) * k + t];
      }
    }
  }
  const Rounded a = RoundWith(conv, {5, 4, 3}, Linear(0, 1), moments, 0);
  const Rounded b = RoundWith(transposed, {4, 5, 3}, Linear(1, 1), moments, 1);
  std::size_t moved = 0;
  for (std::size_t o = 0; o < m; ++o) {
    for (std::size_t i = 0; i < c; ++i) {
      for (std::size_t t = 0; t < k; ++t) {
        const std::size_t at = (o * c + i) * k + t;
        BOOST_TEST(a.Code(at) == b.Code((i * m + o) * k + t));
        moved += a.Code(at) != reference::Quantize(
                                   conv[at], a.quantized.params.channels[o],
                                   CodeRange{-127, 127})
                     ? 1
                     : 0;
      }
    }
  }
  BOOST_TEST(moved > 0u);  // not the nearest everywhere
}

BOOST_AUTO_TEST_CASE(EachGroupIsRoundedByItsOwnInputs) {
  const auto both = Moments(2, 6, 3);
  const std::vector<float> weights = Random(std::size_t{2} * 3 * 6, 4);
  const Rounded all = RoundWith(weights, {6, 2, 3}, Linear(0, 2), both, 0);
  for (std::size_t group = 0; group < 2; ++group) {
    auto own = std::make_shared<SecondMoments>();
    own->groups = 1;
    own->columns = 6;
    own->count = both->count;
    own->sums.assign(
        both->sums.begin() + static_cast<std::ptrdiff_t>(6 * group),
        both->sums.begin() + static_cast<std::ptrdiff_t>(6 * group + 6));
    own->products.assign(
        both->products.begin() + static_cast<std::ptrdiff_t>(36 * group),
        both->products.begin() + static_cast<std::ptrdiff_t>(36 * group + 36));
    const std::vector<float> part(
        weights.begin() + static_cast<std::ptrdiff_t>(18 * group),
        weights.begin() + static_cast<std::ptrdiff_t>(18 * group + 18));
    const Rounded alone = RoundWith(part, {3, 2, 3}, Linear(0, 1), own, 0);
    for (std::size_t i = 0; i < 18; ++i) {
      BOOST_TEST(all.Code(18 * group + i) == alone.Code(i));
    }
  }
}

BOOST_AUTO_TEST_CASE(MatMulAndBothGemmsAreOneMatrix) {
  const std::size_t inputs = 6;
  const std::size_t outputs = 4;
  const auto moments = Moments(1, inputs, 5);
  const std::vector<float> columns = Random(inputs * outputs, 6);  // [K, N]
  std::vector<float> rows(columns.size());
  for (std::size_t i = 0; i < inputs; ++i) {
    for (std::size_t o = 0; o < outputs; ++o) {
      rows[o * inputs + i] = columns[i * outputs + o];
    }
  }
  const Rounded gemm = RoundWith(columns, {6, 4}, Linear(1, 1), moments, 1);
  const Rounded matmul =
      RoundWith(columns, {6, 4}, Linear(1, 1, -1), moments, 1);
  const Rounded turned = RoundWith(rows, {4, 6}, Linear(0, 1), moments, 0);
  for (std::size_t i = 0; i < inputs; ++i) {
    for (std::size_t o = 0; o < outputs; ++o) {
      BOOST_TEST(gemm.Code(i * outputs + o) == turned.Code(o * inputs + i));
      BOOST_TEST(gemm.Code(i * outputs + o) == matmul.Code(i * outputs + o));
    }
  }
}

BOOST_AUTO_TEST_CASE(AnyGranularityAndStorage) {
  const auto moments = Moments(1, 6, 7);
  const std::vector<float> weights = Random(std::size_t{4} * 6, 8);
  struct Case {
    const char* scheme;
    int axis;
    std::size_t params;
  };
  for (const Case& each :
       {Case{"i8:sym", TensorQParams::kPerTensor, 1},
        Case{"u8:asym:axis=0", 0, 4}, Case{"i8:sym:axis=1", 1, 2},
        Case{"i8:asym:axis=2", 2, 3},
        Case{"i16:sym", TensorQParams::kPerTensor, 1}}) {
    BOOST_TEST_CONTEXT(each.scheme) {
      const Rounded rounded = RoundWith(weights, {4, 2, 3}, Linear(0, 1),
                                        moments, each.axis, each.scheme);
      BOOST_TEST(rounded.quantized.params.channels.size() == each.params);
      const Tensor back = DequantizeConstant(rounded.quantized);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        BOOST_TEST(std::abs(back.As<float>()[i] - weights[i]) < 0.2f);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(WithoutMomentsOrForAStackTheCodesAreTheNearest) {
  const std::vector<float> weights = Random(std::size_t{2} * 3 * 4, 9);
  const Tensor real =
      Tensor::Of<float>({2, 3, 4}, std::span<const float>(weights));
  const SchemeSpec scheme = ParseScheme("i8:sym:channel:narrow").value();
  const auto nearest = QuantizeConstant(real.view(), scheme, 2);
  const Rounded stack =
      RoundWith(weights, {2, 3, 4}, Linear(2, 1, -1), Moments(1, 3, 1), 2);
  const auto conv_nearest = QuantizeConstant(real.view(), scheme, 0);
  const Rounded unknown =
      RoundWith(weights, {2, 3, 4}, Linear(0, 1), nullptr, 0,
                "i8:sym:channel:narrow", {.search_ranges = false});
  for (std::size_t i = 0; i < weights.size(); ++i) {
    BOOST_TEST(stack.Code(i) == nearest->codes.As<std::int8_t>()[i]);
    BOOST_TEST(unknown.Code(i) == conv_nearest->codes.As<std::int8_t>()[i]);
  }
}

BOOST_AUTO_TEST_CASE(NeighbouringChannelsStayBelowThePairLimit) {
  // [M 3, C 4, 3, 3]: neighbours are channels 0 and 1, 2 and 3 of one tap.
  const std::vector<float> weights = Random(std::size_t{3} * 4 * 9, 10);
  const Rounded rounded =
      RoundWith(weights, {3, 4, 3, 3}, Linear(0, 1), Moments(1, 36, 11), 0,
                "i8:sym:channel:narrow", {.pair_limit = 128});
  std::int32_t most = 0;
  for (std::size_t o = 0; o < 3; ++o) {
    for (std::size_t c = 0; c < 4; c += 2) {
      for (std::size_t t = 0; t < 9; ++t) {
        const std::int32_t a = rounded.Code((o * 4 + c) * 9 + t);
        const std::int32_t b = rounded.Code((o * 4 + c + 1) * 9 + t);
        if ((a < 0) == (b < 0)) {
          most = std::max(most, std::abs(a) + std::abs(b));
        }
      }
    }
  }
  BOOST_TEST(most <= 128);
  BOOST_TEST(most > 64);
}

BOOST_AUTO_TEST_CASE(NonFiniteWeightsAreAnError) {
  std::vector<float> weights = Random(12, 12);
  weights[3] = std::numeric_limits<float>::quiet_NaN();
  const SecondMomentTable table;
  const SecondOrderRounder rounder(table, DispatchedKernels());
  const Tensor real =
      Tensor::Of<float>({3, 4}, std::span<const float>(weights));
  const Operands operands = Linear(1, 1);
  const auto made =
      rounder.Round({"x", "w", operands, real.view()},
                    ParseScheme("i8:sym").value(), TensorQParams::kPerTensor);
  BOOST_TEST((made.status().code() == StatusCode::kInvalidModel));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

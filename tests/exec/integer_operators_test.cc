// Products and convolutions of codes against core/reference.h, bit for bit.
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/exec/run_model.h"
#include "zeropoint/core/reference.h"

namespace zeropoint {
namespace {

using testing::CheckTensor;
using testing::MakeFeed;
using testing::MakeFeeds;
using testing::ValuesOf;

template <class T>
std::vector<T> RandomCodes(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<T> codes(count);
  for (T& code : codes) code = static_cast<T>(engine() >> 8);
  return codes;
}

template <class T>
std::string TypeName() {
  return std::is_signed_v<T> ? "int8" : "uint8";
}

/// `values` as a constant of onnx's text form.
template <class T>
std::string Constant(const std::string& name, const std::string& dims,
                     const std::vector<T>& values) {
  std::string text = TypeName<T>() + dims + " " + name + " = {";
  for (const T value : values) text += std::to_string(+value) + ",";
  text.back() = '}';
  return text;
}

std::string Shape(std::size_t rows, std::size_t columns) {
  return "[" + std::to_string(rows) + "," + std::to_string(columns) + "]";
}

BOOST_AUTO_TEST_SUITE(integer_operators)

/// a [2, m, k], zero points for each row; b constant or not, zero points for
/// each column.
template <class A, class B>
void CheckMatMulInteger(std::size_t m, std::size_t n, std::size_t k,
                        bool constant_b) {
  const auto a = RandomCodes<A>(2 * m * k, 1);
  const auto b = RandomCodes<B>(k * n, 2);
  const auto za = RandomCodes<A>(m, 3);
  const auto zb = RandomCodes<B>(n, 4);
  const std::string b_type = TypeName<B>() + Shape(k, n) + " b";
  std::string constants = Constant("za", "[" + std::to_string(m) + "]", za) +
                          ", " +
                          Constant("zb", "[" + std::to_string(n) + "]", zb);
  if (constant_b) constants += ", " + Constant("b", Shape(k, n), b);
  const Model model = testing::ParseGraph(
      "g (" + TypeName<A>() + "[2," + std::to_string(m) + "," +
      std::to_string(k) + "] a" + (constant_b ? "" : ", " + b_type) +
      ") => (int32[] y) <" + constants +
      "> { y = MatMulInteger(a, b, za, zb) }");
  Feeds feeds = MakeFeeds(MakeFeed<A>(
      "a", {2, static_cast<std::int64_t>(m), static_cast<std::int64_t>(k)}, a));
  if (!constant_b) {
    feeds.push_back(MakeFeed<B>(
        "b", {static_cast<std::int64_t>(k), static_cast<std::int64_t>(n)}, b));
  }
  std::vector<std::int32_t> expected;
  for (std::size_t row = 0; row < 2 * m; ++row) {
    for (std::size_t j = 0; j < n; ++j) {
      expected.push_back(reference::DotProduct(
          k, a.data() + row * k, 1, za[row % m], b.data() + j, n, zb[j]));
    }
  }
  for (const int threads : {1, 3}) {
    const auto outputs = testing::Run(model, feeds, {}, threads);
    BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
    BOOST_TEST((ValuesOf<std::int32_t>((*outputs)[0]) == expected));
  }
}

BOOST_AUTO_TEST_CASE(MultipliesStacksWithZeroPointsOfRowsAndColumns) {
  CheckMatMulInteger<std::uint8_t, std::int8_t>(5, 37, 19, true);
  CheckMatMulInteger<std::int8_t, std::uint8_t>(5, 37, 19, false);
  CheckMatMulInteger<std::int8_t, std::int8_t>(1, 150, 64, true);
  CheckMatMulInteger<std::uint8_t, std::uint8_t>(70, 9, 33, false);
}

BOOST_AUTO_TEST_CASE(MultipliesPairsOfMatrices) {
  const auto a = RandomCodes<std::uint8_t>(3 * 2 * 7, 1);
  const auto b = RandomCodes<std::int8_t>(3 * 7 * 5, 2);
  const auto outputs = testing::RunGraph(
      R"(g (uint8[3, 2, 7] a, int8[3, 7, 5] b) => (int32[] y)
         <uint8 za = {200}> { y = MatMulInteger(a, b, za) })",
      MakeFeeds(MakeFeed<std::uint8_t>("a", {3, 2, 7}, a),
                MakeFeed<std::int8_t>("b", {3, 7, 5}, b)));
  std::vector<std::int32_t> expected;
  for (std::size_t i = 0; i < 3 * 2 * 5; ++i) {
    const std::size_t matrix = i / 10;
    expected.push_back(reference::DotProduct(
        7, a.data() + i / 5 * 7, 1, 200, b.data() + matrix * 35 + i % 5, 5, 0));
  }
  CheckTensor<std::int32_t>(outputs[0], {3, 2, 5}, expected);
}

BOOST_AUTO_TEST_CASE(RequantizesEachRowAndColumnByItsScale) {
  const auto a = RandomCodes<std::uint8_t>(3 * 40, 1);
  const auto b = RandomCodes<std::int8_t>(40 * 2, 2);
  const auto outputs = testing::RunGraph(
      R"(g (uint8[3, 40] a, int8[40, 2] b) => (int8[] y)
         <float[3] as = {0.01, 0.02, 0.03}, uint8[3] az = {1, 2, 3},
          float[2] bs = {0.25, 0.5}, int8[2] bz = {-3, 4}, float ys = {0.75},
          int8 yz = {-7}>
         { y = QLinearMatMul(a, as, az, b, bs, bz, ys, yz) })",
      MakeFeeds(MakeFeed<std::uint8_t>("a", {3, 40}, a),
                MakeFeed<std::int8_t>("b", {40, 2}, b)));
  const float a_scale[] = {0.01f, 0.02f, 0.03f};
  const float b_scale[] = {0.25f, 0.5f};
  const std::int32_t b_zero[] = {-3, 4};
  std::vector<std::int8_t> expected;
  for (std::size_t i = 0; i < 6; ++i) {
    const std::size_t row = i / 2;
    const std::size_t column = i % 2;
    const std::int32_t sum = reference::DotProduct(
        40, a.data() + row * 40, 1, static_cast<std::int32_t>(row) + 1,
        b.data() + column, 2, b_zero[column]);
    expected.push_back(static_cast<std::int8_t>(reference::Requantize(
        sum,
        reference::RequantizeMultiplier(a_scale[row], b_scale[column], 0.75f),
        -7, {-128, 127})));
  }
  CheckTensor<std::int8_t>(outputs[0], {3, 2}, expected);
}

BOOST_AUTO_TEST_CASE(EmptyProductsAreZero) {
  const auto outputs = testing::RunGraph(
      R"(g (uint8[2, 0] a, int8[0, 3] b) => (int32[] y)
         { y = MatMulInteger(a, b) })",
      MakeFeeds(MakeFeed<std::uint8_t>("a", {2, 0}, {}),
                MakeFeed<std::int8_t>("b", {0, 3}, {})));
  CheckTensor<std::int32_t>(outputs[0], {2, 3}, {0, 0, 0, 0, 0, 0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

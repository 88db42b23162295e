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

/// A convolution of one to three spatial axes with a square kernel, computed
/// one output at a time.
struct Convolution {
  std::int64_t axes;  // spatial
  std::int64_t group;
  std::int64_t depth;  // input channels of a group
  std::int64_t out;    // output channels of a group
  std::int64_t in;     // size of each spatial axis
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t pad;

  std::int64_t out_size() const { return (in + 2 * pad - kernel) / stride + 1; }
  std::int64_t Power(std::int64_t size) const {
    std::int64_t power = 1;
    for (std::int64_t i = 0; i < axes; ++i) power *= size;
    return power;
  }
  Dims WithAxes(std::int64_t first, std::int64_t second,
                std::int64_t size) const {
    Dims dims{first, second};
    dims.resize(static_cast<std::size_t>(2 + axes), size);
    return dims;
  }

  /// Where tap meets the plane for an output, or -1 in the padding.
  std::int64_t Meets(std::int64_t output, std::int64_t tap) const {
    std::int64_t at = 0;
    std::int64_t scale = 1;
    for (std::int64_t i = 0; i < axes; ++i) {
      const std::int64_t place =
          output % out_size() * stride + tap % kernel - pad;
      if (place < 0 || place >= in) return -1;
      at += place * scale;
      scale *= in;
      output /= out_size();
      tap /= kernel;
    }
    return at;
  }

  template <class X, class W>
  std::int32_t Sum(const std::vector<X>& x, std::int32_t zx,
                   const std::vector<W>& w, std::int32_t zw, std::int64_t m,
                   std::int64_t output, std::int32_t bias) const {
    std::int32_t sum = bias;
    for (std::int64_t c = 0; c < depth; ++c) {
      const X* plane = x.data() + (m / out * depth + c) * Power(in);
      for (std::int64_t tap = 0; tap < Power(kernel); ++tap) {
        const std::int64_t at = Meets(output, tap);
        if (at < 0) continue;
        sum = reference::DotProduct(
            1, plane + at, 1, zx,
            w.data() + (m * depth + c) * Power(kernel) + tap, 1, zw, sum);
      }
    }
    return sum;
  }
};

constexpr Convolution kConvolutions[] = {
    {1, 1, 3, 5, 20, 3, 1, 1},   {2, 1, 5, 7, 13, 3, 1, 1},
    {2, 2, 3, 4, 12, 3, 2, 1},   {2, 6, 1, 1, 17, 3, 1, 1},
    {2, 6, 1, 2, 16, 5, 2, 2},   {2, 1, 9, 3, 10, 1, 1, 0},
    {3, 1, 2, 3, 5, 3, 1, 1},    {2, 4, 1, 1, 11, 3, 3, 1},
    {2, 1, 130, 17, 6, 3, 1, 1},
};

template <class X, class W>
void CheckConvInteger(const Convolution& c, bool constant_w) {
  const std::int64_t channels = c.group * c.out;
  const auto x = RandomCodes<X>(
      static_cast<std::size_t>(c.group * c.depth * c.Power(c.in)), 1);
  const auto w = RandomCodes<W>(
      static_cast<std::size_t>(channels * c.depth * c.Power(c.kernel)), 2);
  const auto zx = RandomCodes<X>(1, 3);
  const auto zw = RandomCodes<W>(static_cast<std::size_t>(channels), 4);
  const Dims w_dims = c.WithAxes(channels, c.depth, c.kernel);
  const Dims x_dims = c.WithAxes(1, c.group * c.depth, c.in);
  std::string pads = "pads = [" + std::to_string(c.pad);
  for (std::int64_t i = 1; i < 2 * c.axes; ++i) {
    pads += ", " + std::to_string(c.pad);
  }
  std::string strides = "strides = [" + std::to_string(c.stride);
  for (std::int64_t i = 1; i < c.axes; ++i) {
    strides += ", " + std::to_string(c.stride);
  }
  std::string constants = Constant("zx", "", zx) + ", " +
                          Constant("zw", FormatDims(Dims{channels}), zw);
  if (constant_w) constants += ", " + Constant("w", FormatDims(w_dims), w);
  const Model model = testing::ParseGraph(
      "g (" + TypeName<X>() + FormatDims(x_dims) + " x" +
      (constant_w ? "" : ", " + TypeName<W>() + FormatDims(w_dims) + " w") +
      ") => (int32[] y) <" + constants +
      "> { y = ConvInteger <group = " + std::to_string(c.group) + ", " + pads +
      "], " + strides + "]> (x, w, zx, zw) }");
  Feeds feeds = MakeFeeds(MakeFeed<X>("x", x_dims, x));
  if (!constant_w) feeds.push_back(MakeFeed<W>("w", w_dims, w));
  std::vector<std::int32_t> expected;
  for (std::int64_t m = 0; m < channels; ++m) {
    for (std::int64_t o = 0; o < c.Power(c.out_size()); ++o) {
      expected.push_back(
          c.Sum(x, zx[0], w, zw[static_cast<std::size_t>(m)], m, o, 0));
    }
  }
  for (const int threads : {1, 3}) {
    const auto outputs = testing::Run(model, feeds, {}, threads);
    BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
    BOOST_TEST((ValuesOf<std::int32_t>((*outputs)[0]) == expected),
               FormatDims(x_dims) << " with " << FormatDims(w_dims));
  }
}

BOOST_AUTO_TEST_CASE(ConvolvesCodesOfEitherSign) {
  for (const Convolution& c : kConvolutions) {
    CheckConvInteger<std::uint8_t, std::int8_t>(c, true);
    CheckConvInteger<std::int8_t, std::uint8_t>(c, false);
  }
}

BOOST_AUTO_TEST_CASE(RequantizesEachChannelByItsScale) {
  const Convolution c{2, 1, 3, 2, 6, 3, 1, 1};
  const auto x = RandomCodes<std::uint8_t>(3 * 36, 1);
  const auto w = RandomCodes<std::int8_t>(2 * 3 * 9, 2);
  const auto outputs = testing::RunGraph(
      R"(g (uint8[1, 3, 6, 6] x, int8[2, 3, 3, 3] w) => (uint8[] y)
         <float xs = {0.02}, uint8 xz = {100}, float[2] ws = {0.01, 0.03},
          int8[2] wz = {0, -5}, float ys = {0.5}, uint8 yz = {128},
          int32[2] b = {1000, -77777}>
         { y = QLinearConv <pads = [1, 1, 1, 1]>
               (x, xs, xz, w, ws, wz, ys, yz, b) })",
      MakeFeeds(MakeFeed<std::uint8_t>("x", {1, 3, 6, 6}, x),
                MakeFeed<std::int8_t>("w", {2, 3, 3, 3}, w)));
  const float scales[] = {0.01f, 0.03f};
  const std::int32_t zeros[] = {0, -5};
  const std::int32_t bias[] = {1000, -77777};
  std::vector<std::uint8_t> expected;
  for (std::int64_t m = 0; m < 2; ++m) {
    for (std::int64_t o = 0; o < 36; ++o) {
      expected.push_back(static_cast<std::uint8_t>(reference::Requantize(
          c.Sum(x, 100, w, zeros[m], m, o, bias[m]),
          reference::RequantizeMultiplier(0.02f, scales[m], 0.5f), 128,
          {0, 255})));
    }
  }
  CheckTensor<std::uint8_t>(outputs[0], {1, 2, 6, 6}, expected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

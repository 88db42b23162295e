#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/exec/run_model.h"
#include "zeropoint/core/reference.h"

namespace zeropoint {
namespace {

using testing::CheckNear;
using testing::CheckSays;
using testing::CheckTensor;
using testing::FailGraph;
using testing::MakeFeed;
using testing::MakeFeeds;
using testing::RunGraph;

BOOST_AUTO_TEST_SUITE(quantize_operators)

BOOST_AUTO_TEST_CASE(RoundsTiesToEvenAndSaturates) {
  const auto outputs = RunGraph(
      R"(g (float[9] x) => (uint8[9] y, int8[9] z)
         <float s = {2}, uint8 u = {3}, int8 i = {-3}>
         { y = QuantizeLinear(x, s, u) z = QuantizeLinear(x, s, i) })",
      MakeFeeds(
          MakeFeed<float>("x", {9}, {1, 3, 5, -1, -3, -5, 1000, -1000, 0})));
  CheckTensor<std::uint8_t>(outputs[0], {9}, {3, 5, 5, 3, 1, 1, 255, 0, 3});
  CheckTensor<std::int8_t>(outputs[1], {9},
                           {-3, -1, -1, -3, -5, -5, 127, -128, -3});
}

BOOST_AUTO_TEST_CASE(QuantizesToSixteenBits) {
  const auto outputs = RunGraph(
      R"(g (float[3] x) => (uint16[3] y, int16[3] z)
         <float s = {0.5}, uint16 u = {32768}>
         { y = QuantizeLinear(x, s, u)
           z = QuantizeLinear <output_dtype = 5> (x, s) })",
      MakeFeeds(MakeFeed<float>("x", {3}, {-3, 0.75f, 1e6f})), 21);
  CheckTensor<std::uint16_t>(outputs[0], {3}, {32762, 32770, 65535});
  CheckTensor<std::int16_t>(outputs[1], {3}, {-6, 2, 32767});
}

BOOST_AUTO_TEST_CASE(QuantizesPerChannelAlongAnyAxis) {
  const Feeds feeds =
      MakeFeeds(MakeFeed<float>("x", {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  const auto run = [&](const std::string& axis) {
    auto outputs = RunGraph(
        "g (float[2, 2, 2] x) => (int8[] q, float[] r) "
        "<float[2] s = {1, 10}, int8[2] z = {0, 1}> "
        "{ q = QuantizeLinear <axis = " +
            axis + "> (x, s, z) r = DequantizeLinear <axis = " + axis +
            "> (q, s, z) }",
        feeds);
    return outputs;
  };
  CheckTensor<std::int8_t>(run("0")[0], {2, 2, 2}, {1, 2, 3, 4, 1, 2, 2, 2});
  CheckTensor<std::int8_t>(run("1")[0], {2, 2, 2}, {1, 2, 1, 1, 5, 6, 2, 2});
  CheckTensor<std::int8_t>(run("-1")[0], {2, 2, 2}, {1, 1, 3, 1, 5, 2, 7, 2});
  CheckTensor<float>(run("-1")[1], {2, 2, 2}, {1, 0, 3, 0, 5, 10, 7, 10});
}

BOOST_AUTO_TEST_CASE(DequantizesBlocks) {
  const auto outputs = RunGraph(
      R"(g (int8[1, 5] x) => (float[] y) <float[1, 3] s = {1, 10, 100}>
         { y = DequantizeLinear <axis = 1, block_size = 2> (x, s) })",
      MakeFeeds(MakeFeed<std::int8_t>("x", {1, 5}, {1, 2, 3, 4, 5})), 21);
  CheckTensor<float>(outputs[0], {1, 5}, {1, 2, 30, 40, 500});
}

BOOST_AUTO_TEST_CASE(DequantizesAccumulators) {
  const auto outputs = RunGraph(
      R"(g (int32[2] x) => (float[] y) <float[2] s = {0.5, 0.25}>
         { y = DequantizeLinear <axis = 0> (x, s) })",
      MakeFeeds(MakeFeed<std::int32_t>(
          "x", {2}, {std::numeric_limits<std::int32_t>::min(), 3})));
  CheckTensor<float>(outputs[0], {2}, {-1073741824.0f, 0.75f});
}

BOOST_AUTO_TEST_CASE(RefusesScalesThatQuantizeNothing) {
  const auto fail = [](const std::string& constants,
                       const std::string& op = "QuantizeLinear(x, s, z)") {
    return FailGraph(
        "g (float[2] x) => (uint8[2] y) <" + constants + "> { y = " + op + " }",
        MakeFeeds(MakeFeed<float>("x", {2}, {0, 0})));
  };
  CheckSays(fail("float s = {0}, uint8 z = {0}"), "above 0");
  CheckSays(fail("float s = {-1}, uint8 z = {0}"), "above 0");
  CheckSays(fail("float[3] s = {1, 1, 1}, uint8[3] z = {0, 0, 0}",
                 "QuantizeLinear <axis = 0> (x, s, z)"),
            "do not fit [2] along axis 0");
  CheckSays(fail("float[2] s = {1, 1}, uint8 z = {0}",
                 "QuantizeLinear <axis = 0> (x, s, z)"),
            "1 zero points for 2 scales");
  CheckSays(fail("float[2] s = {1, 1}, uint8[2] z = {0, 0}"), "axis 1");
}

BOOST_AUTO_TEST_CASE(ChoosesTheRangeOfTheDataAtHand) {
  const auto outputs = RunGraph(
      R"(g (float[3] x) => (uint8[3] y, float s, uint8 z)
         { y, s, z = DynamicQuantizeLinear(x) })",
      MakeFeeds(MakeFeed<float>("x", {3}, {-1, 0, 254})));
  CheckTensor<std::uint8_t>(outputs[0], {3}, {0, 1, 255});
  CheckTensor<float>(outputs[1], {}, {1});
  CheckTensor<std::uint8_t>(outputs[2], {}, {1});
  const auto zeros = RunGraph(
      R"(g (float[2] x) => (uint8[2] y, float s, uint8 z)
         { y, s, z = DynamicQuantizeLinear(x) })",
      MakeFeeds(MakeFeed<float>("x", {2}, {0, 0})));
  CheckTensor<std::uint8_t>(zeros[0], {2}, {0, 0});
  CheckTensor<float>(zeros[1], {}, {1});
}

BOOST_AUTO_TEST_CASE(MultipliesCodes) {
  const auto outputs = RunGraph(
      R"(g (uint8[2, 2] a, int8[2, 2] b) => (int32[] y)
         <uint8[2] za = {1, 2}, int8[2] zb = {-1, 1}>
         { y = MatMulInteger(a, b, za, zb) })",
      MakeFeeds(MakeFeed<std::uint8_t>("a", {2, 2}, {1, 255, 3, 4}),
                MakeFeed<std::int8_t>("b", {2, 2}, {-128, 127, 5, -6})));
  CheckTensor<std::int32_t>(outputs[0], {2, 2},
                            {254 * 6, 254 * -7, -127 + 12, 126 - 14});
}

BOOST_AUTO_TEST_CASE(RequantizesAsTheReferenceDoes) {
  const auto outputs = RunGraph(
      R"(g (uint8[1, 2] a, int8[2, 2] b) => (uint8[] y)
         <float as = {0.5}, uint8 az = {10}, float[2] bs = {0.25, 3},
          int8[2] bz = {0, 1}, float ys = {0.75}, uint8 yz = {7}>
         { y = QLinearMatMul(a, as, az, b, bs, bz, ys, yz) })",
      MakeFeeds(MakeFeed<std::uint8_t>("a", {1, 2}, {20, 9}),
                MakeFeed<std::int8_t>("b", {2, 2}, {3, 4, 5, 6})));
  const auto code = [](std::int32_t sum, float scale) {
    return static_cast<std::uint8_t>(reference::Requantize(
        sum, reference::RequantizeMultiplier(0.5f, scale, 0.75f), 7, {0, 255}));
  };
  CheckTensor<std::uint8_t>(outputs[0], {1, 2},
                            {code(10 * 3 - 5, 0.25f), code(10 * 3 - 5, 3)});
}

BOOST_AUTO_TEST_CASE(ConvolvesCodesWithRealZeroOutside) {
  const Feeds feeds =
      MakeFeeds(MakeFeed<std::uint8_t>("x", {1, 1, 3}, {11, 12, 13}));
  const auto integers = RunGraph(
      R"(g (uint8[1, 1, 3] x) => (int32[] y)
         <int8[1, 1, 2] w = {2, 3}, uint8 zx = {10}, int8 zw = {1}>
         { y = ConvInteger <pads = [1, 0]> (x, w, zx, zw) })",
      feeds);
  CheckTensor<std::int32_t>(integers[0], {1, 1, 3}, {2, 5, 8});
  const auto codes = RunGraph(
      R"(g (uint8[1, 1, 3] x) => (uint8[] y)
         <float xs = {0.5}, uint8 xz = {10}, int8[2, 1, 2] w = {2, 3, -1, 1},
          float[2] ws = {1, 2}, int8[2] wz = {1, 0}, float ys = {1},
          uint8 yz = {100}, int32[2] b = {4, -1000}>
         { y = QLinearConv <pads = [1, 0]> (x, xs, xz, w, ws, wz, ys, yz, b) })",
      feeds);
  CheckTensor<std::uint8_t>(codes[0], {1, 2, 3}, {103, 104, 106, 0, 0, 0});
}

BOOST_AUTO_TEST_CASE(FoldsQuantizedWeightsOnce) {
  const Model model = testing::ParseGraph(
      R"(g (float[1, 2] x) => (float[] y)
         <int8[2, 1] q = {3, -4}, float s = {0.5}, int8 z = {1}>
         { w = DequantizeLinear(q, s, z) y = MatMul(x, w) })");
  const auto outputs = testing::Run(
      model, MakeFeeds(MakeFeed<float>("x", {1, 2}, {1, 10})), {"y", "w"});
  BOOST_REQUIRE(outputs.ok());
  CheckTensor<float>((*outputs)[0], {1, 1}, {-24});
  CheckTensor<float>((*outputs)[1], {2, 1}, {1, -2.5f});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

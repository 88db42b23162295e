#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "tests/exec/run_model.h"

namespace zeropoint {
namespace {

using testing::CheckSays;
using testing::CheckTensor;
using testing::FailGraph;
using testing::MakeFeed;
using testing::MakeFeeds;
using testing::RunGraph;

// 0, 1, 2, ... in the given shape.
Feed Counted(const Dims& dims) {
  std::vector<float> values(*ElementCount(dims));
  std::iota(values.begin(), values.end(), 0.0f);
  return MakeFeed<float>("x", dims, std::move(values));
}

Dims ShapeOf(const std::string& op, const Dims& in,
             const std::string& constants = "", int opset = 17) {
  const auto outputs = RunGraph(
      "g (float[] x) => (float[] y) " + constants + " { y = " + op + " }",
      MakeFeeds(Counted(in)), opset);
  const auto values = testing::ValuesOf<float>(outputs[0]);
  for (std::size_t i = 0; i < values.size(); ++i) {
    BOOST_REQUIRE_EQUAL(values[i], static_cast<float>(i));
  }
  return outputs[0].dims();
}

Status Fails(const std::string& op, const Dims& in,
             const std::string& constants = "", int opset = 17) {
  return FailGraph(
      "g (float[] x) => (float[] y) " + constants + " { y = " + op + " }",
      MakeFeeds(Counted(in)), opset);
}

BOOST_AUTO_TEST_SUITE(shape_operators)

BOOST_AUTO_TEST_CASE(Reshapes) {
  const auto shape = [](const std::string& list, int count) {
    return "<int64[" + std::to_string(count) + "] s = {" + list + "}>";
  };
  BOOST_TEST(
      (ShapeOf("Reshape(x, s)", {2, 3, 4}, shape("4, -1", 2)) == Dims{4, 6}));
  BOOST_TEST(
      (ShapeOf("Reshape(x, s)", {2, 3, 4}, shape("0, -1", 2)) == Dims{2, 12}));
  BOOST_TEST((ShapeOf("Reshape(x, s)", {1}, shape("", 0)) == Dims{}));
  BOOST_TEST((ShapeOf("Reshape <allowzero = 1> (x, s)", {0, 3},
                      shape("3, 0", 2)) == Dims{3, 0}));
  CheckSays(Fails("Reshape(x, s)", {2, 3}, shape("4, -1", 2)),
            "[2, 3] cannot become");
  CheckSays(Fails("Reshape(x, s)", {2, 3}, shape("-1, -1", 2)),
            "two axes of [-1, -1] are -1");
  CheckSays(Fails("Reshape(x, s)", {6}, shape("6, 0", 2)), "axis 1");
  CheckSays(Fails("Reshape(x, s)", {6}, shape("-6, -1", 2)), "cannot become");
}

BOOST_AUTO_TEST_CASE(Flattens) {
  BOOST_TEST((ShapeOf("Flatten(x)", {2, 3, 4}) == Dims{2, 12}));
  BOOST_TEST((ShapeOf("Flatten <axis = 0> (x)", {2, 3}) == Dims{1, 6}));
  BOOST_TEST((ShapeOf("Flatten <axis = -1> (x)", {2, 3, 4}) == Dims{6, 4}));
  BOOST_TEST((ShapeOf("Flatten <axis = 3> (x)", {2, 3, 4}) == Dims{24, 1}));
  CheckSays(Fails("Flatten <axis = 4> (x)", {2, 3, 4}), "axis 4");
}

BOOST_AUTO_TEST_CASE(SqueezesByAttributeAndByInput) {
  BOOST_TEST(
      (ShapeOf("Squeeze <axes = [0, -1]> (x)", {1, 3, 1}, "", 11) == Dims{3}));
  BOOST_TEST((ShapeOf("Squeeze(x, a)", {1, 3, 1}, "<int64[1] a = {-1}>") ==
              Dims{1, 3}));
  BOOST_TEST((ShapeOf("Squeeze(x)", {1, 3, 1}) == Dims{3}));
  CheckSays(Fails("Squeeze(x, a)", {1, 3}, "<int64[1] a = {1}>"),
            "axis 1 of [1, 3] is not of size 1");
  CheckSays(Fails("Squeeze(x, a)", {1, 3}, "<int64[2] a = {0, -2}>"),
            "named twice");
}

BOOST_AUTO_TEST_CASE(UnsqueezesByAttributeAndByInput) {
  BOOST_TEST((ShapeOf("Unsqueeze <axes = [0, 3]> (x)", {2, 3}, "", 11) ==
              Dims{1, 2, 3, 1}));
  BOOST_TEST((ShapeOf("Unsqueeze(x, a)", {2, 3}, "<int64[2] a = {-1, 1}>") ==
              Dims{2, 1, 3, 1}));
  CheckSays(Fails("Unsqueeze(x, a)", {2}, "<int64[1] a = {2}>"), "axis 2");
}

BOOST_AUTO_TEST_CASE(SaysShapesAndSizes) {
  const auto outputs = RunGraph(
      R"(g (float[N, M, K] x) => (int64[S] a, int64[T] b, int64 c, int64[E] d) {
           a = Shape(x)
           b = Shape <start = -2, end = 9> (x)
           c = Size(x)
           d = Shape <start = 2, end = 1> (x)
         })",
      MakeFeeds(Counted({2, 3, 4})));
  CheckTensor<std::int64_t>(outputs[0], {3}, {2, 3, 4});
  CheckTensor<std::int64_t>(outputs[1], {2}, {3, 4});
  CheckTensor<std::int64_t>(outputs[2], {}, {24});
  CheckTensor<std::int64_t>(outputs[3], {0}, {});
}

BOOST_AUTO_TEST_CASE(DropoutOfATrainedModelKeepsEverything) {
  const auto outputs = RunGraph(
      "g (float[2] x) => (float[2] y, bool[2] mask) { y, mask = Dropout(x) }",
      MakeFeeds(Counted({2})));
  CheckTensor<float>(outputs[0], {2}, {0, 1});
  CheckTensor<bool>(outputs[1], {2}, {true, true});
}

BOOST_AUTO_TEST_CASE(MakesRanges) {
  const auto outputs = RunGraph(
      R"(g (int64 a, int64 b, int64 d) => (int64[N] y) { y = Range(a, b, d) })",
      MakeFeeds(MakeFeed<std::int64_t>("a", {}, {5}),
                MakeFeed<std::int64_t>("b", {}, {-2}),
                MakeFeed<std::int64_t>("d", {}, {-3})));
  CheckTensor<std::int64_t>(outputs[0], {3}, {5, 2, -1});
  CheckSays(
      FailGraph(
          R"(g (float a, float b, float d) => (float[N] y) { y = Range(a, b, d) })",
          MakeFeeds(MakeFeed<float>("a", {}, {0}),
                    MakeFeed<float>("b", {}, {1}),
                    MakeFeed<float>("d", {}, {0}))),
      "has no end");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

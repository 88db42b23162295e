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

Feed Counted(const Dims& dims) {
  std::vector<float> values(*ElementCount(dims));
  std::iota(values.begin(), values.end(), 0.0f);
  return MakeFeed<float>("x", dims, std::move(values));
}

// y = op of x, with constants.
Tensor Move(const std::string& op, const Dims& in,
            const std::string& constants = "", int opset = 17) {
  auto outputs = RunGraph(
      "g (float[] x) => (float[] y) " + constants + " { y = " + op + " }",
      MakeFeeds(Counted(in)), opset);
  return std::move(outputs[0]);
}

Status Fails(const std::string& op, const Dims& in,
             const std::string& constants = "", int opset = 17) {
  return FailGraph(
      "g (float[] x) => (float[] y) " + constants + " { y = " + op + " }",
      MakeFeeds(Counted(in)), opset);
}

std::string Integers(const std::string& name, const std::string& list,
                     int count) {
  return "int64[" + std::to_string(count) + "] " + name + " = {" + list + "}";
}

BOOST_AUTO_TEST_SUITE(data_movement_operators)

BOOST_AUTO_TEST_CASE(Concatenates) {
  CheckTensor<float>(Move("Concat <axis = -1> (x, x)", {2, 2}), {2, 4},
                     {0, 1, 0, 1, 2, 3, 2, 3});
  CheckTensor<float>(Move("Concat <axis = 0> (x, c)", {1, 2},
                          "<float[2, 2] c = {7, 8, 9, 10}>"),
                     {3, 2}, {0, 1, 7, 8, 9, 10});
  CheckSays(
      Fails("Concat <axis = 0> (x, c)", {1, 2}, "<float[1, 3] c = {7, 8, 9}>"),
      "input 1 of shape [1, 3] does not continue [1, 2]");
  CheckSays(Fails("Concat <axis = 2> (x, x)", {1, 2}), "axis 2");
}

BOOST_AUTO_TEST_CASE(Splits) {
  const auto by_attribute = RunGraph(
      "g (float[5] x) => (float[2] a, float[3] b) "
      "{ a, b = Split <split = [2, 3]> (x) }",
      MakeFeeds(Counted({5})), 11);
  CheckTensor<float>(by_attribute[0], {2}, {0, 1});
  CheckTensor<float>(by_attribute[1], {3}, {2, 3, 4});
  const auto uneven = RunGraph(
      "g (float[5] x) => (float[2] a, float[2] b, float[1] c) "
      "{ a, b, c = Split <num_outputs = 3> (x) }",
      MakeFeeds(Counted({5})), 18);
  CheckTensor<float>(uneven[2], {1}, {4});
  CheckSays(FailGraph("g (float[5] x) => (float[2] a, float[2] b) "
                      "<int64[2] s = {2, 2}> { a, b = Split(x, s) }",
                      MakeFeeds(Counted({5}))),
            "is not split into 2 pieces by [2, 2]");
  CheckSays(
      FailGraph(
          "g (float[5] x) => (float[2] a, float[2] b) "
          "<int64[2] s = {9223372036854775807, 6}> { a, b = Split(x, s) }",
          MakeFeeds(Counted({5}))),
      "is not split");
}

BOOST_AUTO_TEST_CASE(SplitsOnlyWhatIsRead) {
  const auto outputs =
      RunGraph("g (float[4] x) => (float[2] y) { a, b = Split(x) y = Neg(b) }",
               MakeFeeds(Counted({4})));
  CheckTensor<float>(outputs[0], {2}, {-2, -3});
}

BOOST_AUTO_TEST_CASE(Slices) {
  const auto slice = [](const std::string& starts, const std::string& ends,
                        const std::string& steps) {
    return "<" + Integers("s", starts, 1) + ", " + Integers("e", ends, 1) +
           ", " + Integers("a", "-1", 1) + ", " + Integers("p", steps, 1) + ">";
  };
  const std::string op = "Slice(x, s, e, a, p)";
  CheckTensor<float>(Move(op, {2, 4}, slice("1", "3", "1")), {2, 2},
                     {1, 2, 5, 6});
  CheckTensor<float>(Move(op, {2, 4}, slice("-1", "-100", "-2")), {2, 2},
                     {3, 1, 7, 5});
  CheckTensor<float>(Move(op, {4}, slice("2", "1", "1")), {0}, {});
  CheckTensor<float>(
      Move(op, {4}, slice("-9223372036854775808", "9223372036854775807", "3")),
      {2}, {0, 3});
  CheckTensor<float>(Move(op, {4},
                          slice("9223372036854775807", "-9223372036854775808",
                                "-9223372036854775808")),
                     {1}, {3});
  CheckSays(Fails(op, {4}, slice("0", "4", "0")), "a step is 0");
  CheckTensor<float>(
      Move("Slice <starts = [1], ends = [-1], axes = [0]> (x)", {4}, "", 9),
      {2}, {1, 2});
}

BOOST_AUTO_TEST_CASE(Transposes) {
  CheckTensor<float>(Move("Transpose(x)", {2, 3}), {3, 2}, {0, 3, 1, 4, 2, 5});
  CheckTensor<float>(Move("Transpose <perm = [1, 0, 2]> (x)", {2, 1, 2}),
                     {1, 2, 2}, {0, 1, 2, 3});
  CheckSays(Fails("Transpose <perm = [0, 0]> (x)", {2, 3}), "named twice");
  CheckSays(Fails("Transpose <perm = [0]> (x)", {2, 3}), "not an order");
  CheckSays(Fails("Transpose <perm = [0, 7]> (x)", {2, 3}), "axis 7");
}

BOOST_AUTO_TEST_CASE(ExpandsAndTiles) {
  CheckTensor<float>(Move("Expand(x, s)", {2, 1}, "<int64[3] s = {2, 1, 2}>"),
                     {2, 2, 2}, {0, 0, 1, 1, 0, 0, 1, 1});
  CheckTensor<float>(Move("Tile(x, r)", {1, 2}, "<int64[2] r = {2, 2}>"),
                     {2, 4}, {0, 1, 0, 1, 0, 1, 0, 1});
  CheckTensor<float>(Move("Tile(x, r)", {2}, "<int64[1] r = {0}>"), {0}, {});
  CheckSays(Fails("Tile(x, r)", {2}, "<int64[1] r = {9223372036854775807}>"),
            "too many");
  CheckSays(Fails("Tile(x, r)", {2}, "<int64[1] r = {-1}>"), "not possible");
  CheckSays(Fails("Expand(x, s)", {2}, "<int64[1] s = {3}>"),
            "do not broadcast");
}

BOOST_AUTO_TEST_CASE(PadsInEveryMode) {
  const std::string pads = "<int64[2] p = {2, 1}>";
  CheckTensor<float>(Move("Pad(x, p)", {3}, pads), {6}, {0, 0, 0, 1, 2, 0});
  CheckTensor<float>(Move("Pad <mode = \"reflect\"> (x, p)", {3}, pads), {6},
                     {2, 1, 0, 1, 2, 1});
  CheckTensor<float>(Move("Pad <mode = \"edge\"> (x, p)", {3}, pads), {6},
                     {0, 0, 0, 1, 2, 2});
  CheckTensor<float>(Move("Pad <mode = \"wrap\"> (x, p)", {3}, pads, 19), {6},
                     {1, 2, 0, 1, 2, 0});
  CheckTensor<float>(
      Move("Pad(x, p, v, a)", {2, 2},
           "<int64[2] p = {1, -1}, float v = {9}, int64[1] a = {-1}>", 18),
      {2, 2}, {9, 0, 9, 2});
  CheckTensor<float>(Move("Pad <pads = [1, 0], value = 4.0> (x)", {2}, "", 10),
                     {3}, {4, 0, 1});
  CheckTensor<float>(Move("Pad(x, p)", {2}, "<int64[2] p = {-3, 4}>"), {3},
                     {0, 0, 0});
  CheckSays(Fails("Pad(x, p)", {2}, "<int64[2] p = {-3, 0}>"), "not possible");
  CheckSays(Fails("Pad(x, p)", {2}, "<int64[1] p = {1}>"), "two entries");
  CheckSays(Fails("Pad(x, p)", {2},
                  "<int64[2] p = {9223372036854775807, 9223372036854775807}>"),
            "too large");
  CheckSays(Fails("Pad <mode = \"mirror\"> (x, p)", {3}, pads), "'mirror'");
}

BOOST_AUTO_TEST_CASE(GathersOnlyWhatIsThere) {
  CheckTensor<float>(
      Move("Gather <axis = 1> (x, i)", {2, 3}, "<int64[2] i = {-1, 0}>"),
      {2, 2}, {2, 0, 5, 3});
  CheckTensor<float>(Move("Gather(x, i)", {2, 2}, "<int32 i = {1}>"), {2},
                     {2, 3});
  CheckTensor<float>(Move("GatherElements <axis = 1> (x, i)", {2, 2},
                          "<int64[2, 1] i = {1, -2}>"),
                     {2, 1}, {1, 2});
  CheckSays(Fails("Gather(x, i)", {2, 2}, "<int64[1] i = {2}>"),
            "index 2 is outside an axis of size 2");
  CheckSays(Fails("Gather(x, i)", {2, 2}, "<int64[1] i = {-3}>"), "index -3");
  CheckSays(Fails("GatherElements <axis = 1> (x, i)", {2, 2},
                  "<int64[3, 1] i = {0, 0, 0}>"),
            "reach outside");
  CheckSays(Fails("Gather(x, i)", {0, 2}, "<int64[1] i = {0}>"), "size 0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/exec/run_model.h"

namespace zeropoint {
namespace {

using testing::CheckNear;
using testing::CheckSays;
using testing::CheckTensor;
using testing::FailGraph;
using testing::MakeFeed;
using testing::MakeFeeds;
using testing::RunGraph;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Two int64 inputs of two elements.
Tensor RunIntegers(const std::string& op, std::vector<std::int64_t> a,
                   std::vector<std::int64_t> b) {
  auto outputs =
      RunGraph("g (int64[2] a, int64[2] b) => (int64[2] y) { y = " + op + " }",
               MakeFeeds(MakeFeed<std::int64_t>("a", {2}, std::move(a)),
                         MakeFeed<std::int64_t>("b", {2}, std::move(b))));
  return std::move(outputs[0]);
}

BOOST_AUTO_TEST_SUITE(elementwise_operators)

BOOST_AUTO_TEST_CASE(IntegersWrapAndNeverTrap) {
  CheckTensor<std::int64_t>(RunIntegers("Add(a, b)", {kLeast, 5}, {-1, 6}), {2},
                            {std::numeric_limits<std::int64_t>::max(), 11});
  CheckTensor<std::int64_t>(RunIntegers("Div(a, b)", {kLeast, -7}, {-1, 2}),
                            {2}, {kLeast, -3});
  CheckTensor<std::int64_t>(RunIntegers("Mod(a, b)", {kLeast, -7}, {-1, 2}),
                            {2}, {0, 1});
  CheckTensor<std::int64_t>(
      RunIntegers("Mod <fmod = 1> (a, b)", {kLeast, -7}, {-1, 2}), {2},
      {0, -1});
  CheckTensor<std::int64_t>(RunIntegers("Pow(a, b)", {3, -2}, {39, 63}), {2},
                            {4052555153018976267, kLeast});
  CheckTensor<std::int64_t>(RunIntegers("Neg(a)", {kLeast, 4}, {0, 0}), {2},
                            {kLeast, -4});
}

BOOST_AUTO_TEST_CASE(RefusesIntegerDivisionByZero) {
  for (const std::string op : {"Div", "Mod"}) {
    const Status status = FailGraph(
        "g (int32[2] a, int32[2] b) => (int32[2] y) { y = " + op + "(a, b) }",
        MakeFeeds(MakeFeed<std::int32_t>("a", {2}, {1, 2}),
                  MakeFeed<std::int32_t>("b", {2}, {1, 0})));
    CheckSays(status, "division by zero");
    CheckSays(status, "'y' (" + op + ")");
  }
}

BOOST_AUTO_TEST_CASE(BroadcastsBothWays) {
  const auto outputs = RunGraph(
      "g (float[2, 1, 3] a, float[4, 1] b) => (float[2, 4, 3] y) "
      "{ y = Sub(a, b) }",
      MakeFeeds(MakeFeed<float>("a", {2, 1, 3}, {0, 1, 2, 3, 4, 5}),
                MakeFeed<float>("b", {4, 1}, {0, 10, 20, 30})));
  std::vector<float> expected;
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 4; ++j) {
      for (int k = 0; k < 3; ++k) {
        expected.push_back(static_cast<float>(3 * i + k - 10 * j));
      }
    }
  }
  CheckTensor<float>(outputs[0], {2, 4, 3}, expected);
}

BOOST_AUTO_TEST_CASE(BroadcastsScalarsAndEmptyTensors) {
  const auto outputs = RunGraph(
      "g (float[N] a, float b) => (float[N] y, float[N] z) "
      "{ y = Div(a, b) z = Add(b, a) }",
      MakeFeeds(MakeFeed<float>("a", {0}, {}), MakeFeed<float>("b", {}, {2})));
  CheckTensor<float>(outputs[0], {0}, {});
  CheckTensor<float>(outputs[1], {0}, {});
}

BOOST_AUTO_TEST_CASE(BroadcastsInsideLongRows) {
  // One value a row, longer than a task.
  std::vector<float> a(3 * 20000, 1.0f);
  const auto outputs = RunGraph(
      "g (float[3, 20000] a, float[3, 1] b) => (float[3, 20000] y) "
      "{ y = Mul(a, b) }",
      MakeFeeds(MakeFeed<float>("a", {3, 20000}, std::move(a)),
                MakeFeed<float>("b", {3, 1}, {1, 2, 3})));
  const auto y = testing::ValuesOf<float>(outputs[0]);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t row = i / 20000;
    BOOST_REQUIRE_EQUAL(y[i], static_cast<float>(1 + row));
  }
}

BOOST_AUTO_TEST_CASE(RefusesOperandsOfTwoTypes) {
  CheckSays(
      FailGraph("g (float[1] a, int64[1] b) => (float[1] y) { y = Add(a, b) }",
                MakeFeeds(MakeFeed<float>("a", {1}, {1}),
                          MakeFeed<std::int64_t>("b", {1}, {1}))),
      "float and int64");
}

BOOST_AUTO_TEST_CASE(BroadcastsFromAnAxisInOldOpsets) {
  const auto outputs = RunGraph(
      R"(g (float[2, 2] a, float[2] b) => (float[2, 2] y) {
           y = Add <broadcast = 1, axis = 0> (a, b)
         })",
      MakeFeeds(MakeFeed<float>("a", {2, 2}, {1, 2, 3, 4}),
                MakeFeed<float>("b", {2}, {10, 20})),
      6);
  CheckTensor<float>(outputs[0], {2, 2}, {11, 12, 23, 24});
}

BOOST_AUTO_TEST_CASE(ComparesAndCombinesConditions) {
  const auto outputs = RunGraph(
      R"(g (float[3] a, float[3] b) => (bool[3] y, float[3] w) {
           less = Less(a, b)
           same = Equal(a, b)
           either = Or(less, same)
           y = Not(either)
           w = Where(y, a, b)
         })",
      MakeFeeds(MakeFeed<float>("a", {3}, {1, 2, 3}),
                MakeFeed<float>("b", {3}, {2, 2, 2})));
  CheckTensor<bool>(outputs[0], {3}, {false, false, true});
  CheckTensor<float>(outputs[1], {3}, {2, 2, 3});
}

BOOST_AUTO_TEST_CASE(FoldsManyOperands) {
  const auto outputs = RunGraph(
      R"(g (float[2] a, float[1] b, float c) => (float[2] y, float[2] s) {
           y = Max(a, b, c)
           s = Sum(c, b, a)
         })",
      MakeFeeds(MakeFeed<float>("a", {2}, {-5, 5}),
                MakeFeed<float>("b", {1}, {1}), MakeFeed<float>("c", {}, {2})));
  CheckTensor<float>(outputs[0], {2}, {2, 5});
  CheckTensor<float>(outputs[1], {2}, {-2, 8});
}

BOOST_AUTO_TEST_CASE(ClipTakesItsLimitsFromAttributesInOldOpsets) {
  const Feeds feeds = MakeFeeds(MakeFeed<float>("x", {3}, {-9, 1, 9}));
  CheckTensor<float>(RunGraph("g (float[3] x) => (float[3] y) "
                              "{ y = Clip <min = -2.0, max = 3.0> (x) }",
                              feeds, 10)[0],
                     {3}, {-2, 1, 3});
  CheckTensor<float>(RunGraph("g (float[3] x) => (float[3] y) "
                              "<float hi = {3}> { y = Clip(x, , hi) }",
                              feeds, 11)[0],
                     {3}, {-9, 1, 3});
}

BOOST_AUTO_TEST_CASE(ClipAndReluOfCodes) {
  const auto outputs = RunGraph(
      R"(g (int8[3] x) => (int8[3] y, int8[3] z)
         <int8 lo = {-5}> { y = Clip(x, lo) z = Relu(x) })",
      MakeFeeds(MakeFeed<std::int8_t>("x", {3}, {-128, 0, 127})));
  CheckTensor<std::int8_t>(outputs[0], {3}, {-5, 0, 127});
  CheckTensor<std::int8_t>(outputs[1], {3}, {0, 0, 127});
}

BOOST_AUTO_TEST_CASE(CastSaturatesAndTruncates) {
  const auto outputs = RunGraph(
      R"(g (float[4] x) => (uint8[4] y, int64[4] z, bool[4] b) {
           y = Cast <to = 2> (x)
           z = Cast <to = 7> (x)
           b = Cast <to = 9> (x)
         })",
      MakeFeeds(MakeFeed<float>("x", {4}, {-3.7f, 300.0f, 0.0f, kNan})));
  CheckTensor<std::uint8_t>(outputs[0], {4}, {0, 255, 0, 0});
  CheckTensor<std::int64_t>(outputs[1], {4}, {-3, 300, 0, 0});
  CheckTensor<bool>(outputs[2], {4}, {true, true, false, true});
}

BOOST_AUTO_TEST_CASE(ActivationsFollowTheirFormulas) {
  const std::vector<float> x{-4.0f, -0.5f, 0.0f, 0.5f, 4.0f};
  const auto check = [&](const std::string& op, auto formula) {
    const auto outputs =
        RunGraph("g (float[5] x) => (float[5] y) { y = " + op + " }",
                 MakeFeeds(MakeFeed<float>("x", {5}, x)), 20);
    std::vector<float> expected;
    for (const float value : x) {
      expected.push_back(static_cast<float>(formula(value)));
    }
    BOOST_TEST_CONTEXT(op) { CheckNear(outputs[0], {5}, expected); }
  };
  check("Sigmoid(x)", [](double v) { return 1 / (1 + std::exp(-v)); });
  check("Tanh(x)", [](double v) { return std::tanh(v); });
  check("Erf(x)", [](double v) { return std::erf(v); });
  check("Gelu(x)",
        [](double v) { return v / 2 * (1 + std::erf(v / std::sqrt(2.0))); });
  check("HardSwish(x)",
        [](double v) { return v * std::fmin(1, std::fmax(0, v / 6 + 0.5)); });
  check("HardSigmoid <alpha = 0.3, beta = 0.4> (x)",
        [](double v) { return std::fmin(1, std::fmax(0, 0.3 * v + 0.4)); });
  check("LeakyRelu <alpha = 0.1> (x)",
        [](double v) { return v < 0 ? 0.1 * v : v; });
  check("Softplus(x)", [](double v) { return std::log1p(std::exp(v)); });
  check("Elu(x)", [](double v) { return v < 0 ? std::expm1(v) : v; });
}

BOOST_AUTO_TEST_CASE(ReluKeepsNan) {
  const auto outputs =
      RunGraph("g (float[2] x) => (float[2] y) { y = Relu(x) }",
               MakeFeeds(MakeFeed<float>("x", {2}, {kNan, 1})));
  BOOST_TEST(std::isnan(testing::ValuesOf<float>(outputs[0])[0]));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

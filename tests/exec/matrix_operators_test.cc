#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
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

Tensor Multiply(Feed a, Feed b) {
  auto outputs =
      RunGraph("g (float[] a, float[] b) => (float[] y) { y = MatMul(a, b) }",
               MakeFeeds(std::move(a), std::move(b)));
  return std::move(outputs[0]);
}

BOOST_AUTO_TEST_SUITE(matrix_operators)

BOOST_AUTO_TEST_CASE(MultipliesVectorsAndMatrices) {
  CheckTensor<float>(Multiply(MakeFeed<float>("a", {2}, {1, 2}),
                              MakeFeed<float>("b", {2}, {3, 4})),
                     {}, {11});
  CheckTensor<float>(Multiply(MakeFeed<float>("a", {2}, {1, 2}),
                              MakeFeed<float>("b", {2, 3}, {1, 2, 3, 4, 5, 6})),
                     {3}, {9, 12, 15});
  CheckTensor<float>(Multiply(MakeFeed<float>("a", {2, 2}, {1, 2, 3, 4}),
                              MakeFeed<float>("b", {2}, {1, 10})),
                     {2}, {21, 43});
}

BOOST_AUTO_TEST_CASE(BroadcastsStacks) {
  // [2, 1, 1, 2] x [3, 2, 1] -> [2, 3, 1, 1]
  CheckTensor<float>(
      Multiply(MakeFeed<float>("a", {2, 1, 1, 2}, {1, 2, 3, 4}),
               MakeFeed<float>("b", {3, 2, 1}, {1, 0, 0, 1, 1, 1})),
      {2, 3, 1, 1}, {1, 2, 3, 3, 4, 7});
  CheckTensor<float>(Multiply(MakeFeed<float>("a", {2, 1, 2}, {1, 2, 3, 4}),
                              MakeFeed<float>("b", {1, 2, 1}, {1, 1})),
                     {2, 1, 1}, {3, 7});
  CheckTensor<float>(Multiply(MakeFeed<float>("a", {2, 0}, {}),
                              MakeFeed<float>("b", {0, 2}, {})),
                     {2, 2}, {0, 0, 0, 0});
  CheckTensor<float>(Multiply(MakeFeed<float>("a", {0, 2}, {}),
                              MakeFeed<float>("b", {2, 2}, {1, 2, 3, 4})),
                     {0, 2}, {});
}

BOOST_AUTO_TEST_CASE(MultipliesLargeMatricesInTasks) {
  constexpr std::size_t kRows = 130;
  constexpr std::size_t kInner = 67;
  constexpr std::size_t kColumns = 75;
  std::vector<float> a(kRows * kInner);
  std::vector<float> b(kInner * kColumns);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 7);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % 5);
  std::vector<float> expected(kRows * kColumns, 0.0f);
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t k = 0; k < kInner; ++k) {
      for (std::size_t j = 0; j < kColumns; ++j) {
        expected[i * kColumns + j] += a[i * kInner + k] * b[k * kColumns + j];
      }
    }
  }
  CheckTensor<float>(Multiply(MakeFeed<float>("a", {kRows, kInner}, a),
                              MakeFeed<float>("b", {kInner, kColumns}, b)),
                     {kRows, kColumns}, expected);
}

BOOST_AUTO_TEST_CASE(MultipliesIntegersExactly) {
  const auto outputs = RunGraph(
      "g (int32[1, 2] a, int32[2, 1] b) => (int32[] y) { y = MatMul(a, b) }",
      MakeFeeds(MakeFeed<std::int32_t>("a", {1, 2}, {100003, -7}),
                MakeFeed<std::int32_t>("b", {2, 1}, {10007, 3})));
  CheckTensor<std::int32_t>(outputs[0], {1, 1}, {1000730000});
}

BOOST_AUTO_TEST_CASE(RefusesShapesThatDoNotMultiply) {
  const auto fail = [](Feed a, Feed b) {
    return FailGraph(
        "g (float[] a, float[] b) => (float[] y) { y = MatMul(a, b) }",
        MakeFeeds(std::move(a), std::move(b)));
  };
  CheckSays(fail(MakeFeed<float>("a", {1, 2}, {1, 2}),
                 MakeFeed<float>("b", {1, 2}, {1, 2})),
            "[1, 2] and [1, 2] do not multiply");
  CheckSays(
      fail(MakeFeed<float>("a", {}, {1}), MakeFeed<float>("b", {1, 2}, {1, 2})),
      "rank 1 or more");
  CheckSays(fail(MakeFeed<float>("a", {2, 1, 1}, {1, 2}),
                 MakeFeed<float>("b", {3, 1, 1}, {1, 2, 3})),
            "do not broadcast");
}

BOOST_AUTO_TEST_CASE(GemmTransposesScalesAndAdds) {
  const auto gemm = [](const std::string& attributes, Feed a, Feed b, Feed c) {
    auto outputs = RunGraph(
        "g (float[] a, float[] b, float[] c) => (float[] y) { y = Gemm " +
            attributes + " (a, b, c) }",
        MakeFeeds(std::move(a), std::move(b), std::move(c)));
    return std::move(outputs[0]);
  };
  const auto a = [](Dims dims) {
    return MakeFeed<float>("a", std::move(dims), {1, 2, 3, 4, 5, 6});
  };
  const auto b = [](Dims dims) {
    return MakeFeed<float>("b", std::move(dims), {1, 0, 2, 0, 1, 1});
  };
  CheckTensor<float>(
      gemm("", a({2, 3}), b({3, 2}), MakeFeed<float>("c", {2}, {10, 20})),
      {2, 2}, {18, 23, 30, 26});
  CheckTensor<float>(gemm("<transA = 1, transB = 1>", a({3, 2}), b({2, 3}),
                          MakeFeed<float>("c", {}, {100})),
                     {2, 2}, {111, 108, 114, 110});
  CheckTensor<float>(gemm("<alpha = 2.0, beta = 0.5>", a({2, 3}), b({3, 2}),
                          MakeFeed<float>("c", {2, 1}, {10, 20})),
                     {2, 2}, {21, 11, 50, 22});
}

BOOST_AUTO_TEST_CASE(GemmLimitsItsResultForTheReluBehindIt) {
  for (const std::string attributes : {"", "<alpha = 2.0>"}) {
    const auto outputs = RunGraph(
        "g (float[1, 1] a) => (float[] y) "
        "<float[1, 2] b = {1, -1}, float[2] c = {0, -1}> { t = Gemm " +
            attributes + " (a, b, c) y = Relu(t) }",
        MakeFeeds(MakeFeed<float>("a", {1, 1}, {3})));
    CheckTensor<float>(outputs[0], {1, 2}, {attributes.empty() ? 3.f : 6.f, 0});
  }
}

BOOST_AUTO_TEST_CASE(GemmRefusesAnAddendThatDoesNotFit) {
  CheckSays(FailGraph("g (float[] a, float[] c) => (float[] y) "
                      "{ y = Gemm(a, a, c) }",
                      MakeFeeds(MakeFeed<float>("a", {1, 1}, {1}),
                                MakeFeed<float>("c", {2}, {1, 2}))),
            "does not broadcast to [1, 1]");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

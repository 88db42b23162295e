// Reductions, normalizations, pools and Resize.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
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

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Feed Counted(const Dims& dims) {
  std::vector<float> values(*ElementCount(dims));
  std::iota(values.begin(), values.end(), 0.0f);
  return MakeFeed<float>("x", dims, std::move(values));
}

Tensor Apply(const std::string& op, const Dims& in,
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

BOOST_AUTO_TEST_SUITE(row_operators)

BOOST_AUTO_TEST_CASE(ReducesAnyAxes) {
  CheckTensor<float>(Apply("ReduceSum <keepdims = 0> (x, a)", {2, 2, 2},
                           "<int64[2] a = {0, -1}>"),
                     {2}, {10, 18});
  CheckTensor<float>(Apply("ReduceMean <axes = [1]> (x)", {2, 2, 2}), {2, 1, 2},
                     {1, 2, 5, 6});
  CheckTensor<float>(
      Apply("ReduceMax <axes = [-1], keepdims = 0> (x)", {2, 3}, "", 11), {2},
      {2, 5});
  CheckTensor<float>(Apply("ReduceMin(x, a)", {2, 3}, "<int64[1] a = {0}>", 18),
                     {1, 3}, {0, 1, 2});
  CheckNear(Apply("ReduceL2(x)", {2, 2}), {1, 1}, {std::sqrt(14.0f)});
  CheckTensor<float>(Apply("ReduceSum <noop_with_empty_axes = 1> (x)", {2, 2}),
                     {2, 2}, {0, 1, 2, 3});
  CheckTensor<float>(Apply("ReduceSum(x)", {2, 2}), {1, 1}, {6});
  CheckTensor<float>(Apply("ReduceMax <axes = [0], keepdims = 0> (x)", {0, 2}),
                     {2}, {-kInfinity, -kInfinity});
  CheckSays(Fails("ReduceMean <axes = [2]> (x)", {2, 2}), "axis 2");
}

BOOST_AUTO_TEST_CASE(ReducesIntegersInTheirOwnType) {
  const auto outputs = RunGraph(
      "g (int64[3] x) => (int64[1] y, int64[1] z) "
      "{ y = ReduceSum(x) z = ReduceProd(x) }",
      MakeFeeds(MakeFeed<std::int64_t>("x", {3}, {9007199254740993, 1, 3})));
  CheckTensor<std::int64_t>(outputs[0], {1}, {9007199254740997});
  CheckTensor<std::int64_t>(outputs[1], {1}, {27021597764222979});
}

BOOST_AUTO_TEST_CASE(SoftmaxFlattensBeforeOpset13) {
  const float e = std::exp(1.0f);
  const float near = e / (1 + e);
  const float far = 1 / (1 + e);
  CheckNear(Apply("Softmax <axis = 1> (x)", {1, 2, 2}, "", 13), {1, 2, 2},
            {1 / (1 + e * e), 1 / (1 + e * e), e * e / (1 + e * e),
             e * e / (1 + e * e)});
  const float sum = 1 + e + e * e + e * e * e;
  CheckNear(Apply("Softmax(x)", {1, 2, 2}, "", 11), {1, 2, 2},
            {1 / sum, e / sum, e * e / sum, e * e * e / sum});
  CheckNear(Apply("Softmax(x)", {2, 2}), {2, 2}, {far, near, far, near});
  CheckNear(Apply("LogSoftmax(x)", {2}), {2}, {std::log(far), std::log(near)});
}

BOOST_AUTO_TEST_CASE(SoftmaxOfLargeNegativeMasks) {
  const auto outputs =
      RunGraph("g (float[4] x) => (float[4] y) { y = Softmax(x) }",
               MakeFeeds(MakeFeed<float>("x", {4}, {0, -1e9f, -kInfinity, 0})));
  CheckTensor<float>(outputs[0], {4}, {0.5f, 0, 0, 0.5f});
}

BOOST_AUTO_TEST_CASE(NormalizesLayers) {
  const auto outputs = RunGraph(
      R"(g (float[2, 2] x) => (float[] y, float[] mean, float[] inverse)
         <float[2] s = {2, 3}, float[2] b = {1, 0}>
         { y, mean, inverse = LayerNormalization <epsilon = 0.0> (x, s, b) })",
      MakeFeeds(MakeFeed<float>("x", {2, 2}, {1, 3, 10, 30})));
  CheckNear(outputs[0], {2, 2}, {-1, 3, -1, 3});
  CheckNear(outputs[1], {2, 1}, {2, 20});
  CheckNear(outputs[2], {2, 1}, {1, 0.1f});
  CheckNear(Apply("LayerNormalization <axis = 0, epsilon = 0.0> (x, s)", {2, 2},
                  "<float[1] s = {2}>"),
            {2, 2}, {-2.683282f, -0.894427f, 0.894427f, 2.683282f});
  CheckSays(
      Fails("LayerNormalization(x, s)", {2, 2}, "<float[3] s = {1, 1, 1}>"),
      "do not broadcast");
}

BOOST_AUTO_TEST_CASE(NormalizesBatches) {
  const std::string statistics =
      "<float[2] s = {1, 2}, float[2] b = {0, 5}, float[2] m = {1, 2}, "
      "float[2] v = {4, 1}>";
  CheckNear(Apply("BatchNormalization <epsilon = 0.0> (x, s, b, m, v)",
                  {1, 2, 2}, statistics),
            {1, 2, 2}, {-0.5f, 0, 5, 7});
  CheckSays(Fails("BatchNormalization(x, s, b, m, v)", {1, 3, 1}, statistics),
            "2 values for 3 channels");
  CheckSays(Fails("BatchNormalization(x, s, b, m, v)", {3}, statistics),
            "no channels");
}

BOOST_AUTO_TEST_CASE(PoolsWindowsThatLeaveTheInput) {
  CheckTensor<float>(
      Apply(
          "MaxPool <kernel_shape = [2, 2], strides = [2, 2], pads = [1, 1, 0, "
          "0]> (x)",
          {1, 1, 3, 3}),
      {1, 1, 2, 2}, {0, 2, 6, 8});
  CheckTensor<float>(
      Apply("MaxPool <kernel_shape = [2], strides = [2], ceil_mode = 1> (x)",
            {1, 1, 5}),
      {1, 1, 3}, {1, 3, 4});
  CheckTensor<float>(
      Apply("MaxPool <kernel_shape = [2], dilations = [2]> (x)", {1, 1, 5}),
      {1, 1, 3}, {2, 3, 4});
  CheckTensor<float>(
      Apply("AveragePool <kernel_shape = [3], pads = [1, 1]> (x)", {1, 1, 3}),
      {1, 1, 3}, {0.5f, 1, 1.5f});
  CheckTensor<float>(Apply("AveragePool <kernel_shape = [3], pads = [1, 1], "
                           "count_include_pad = 1> (x)",
                           {1, 1, 3}),
                     {1, 1, 3}, {1.0f / 3, 1, 1});
  CheckTensor<float>(Apply("GlobalAveragePool(x)", {1, 2, 2, 2}), {1, 2, 1, 1},
                     {1.5f, 5.5f});
  CheckTensor<float>(Apply("GlobalMaxPool(x)", {1, 2, 2, 2}), {1, 2, 1, 1},
                     {3, 7});
  CheckSays(Fails("MaxPool <kernel_shape = [4]> (x)", {1, 1, 3}),
            "does not fit");
  CheckSays(Fails("MaxPool <kernel_shape = [1, 1]> (x)", {1, 1, 3}),
            "do not fit");
  CheckSays(Fails("AveragePool <strides = [1]> (x)", {1, 1, 3}),
            "kernel_shape is missing");
}

BOOST_AUTO_TEST_CASE(MaxPoolSaysWhere) {
  const auto outputs = RunGraph(
      R"(g (float[1, 2, 2, 2] x) => (float[] y, int64[] i)
         { y, i = MaxPool <kernel_shape = [2, 1]> (x) })",
      MakeFeeds(MakeFeed<float>("x", {1, 2, 2, 2}, {5, 1, 2, 3, 0, 9, 4, 8})));
  CheckTensor<float>(outputs[0], {1, 2, 1, 2}, {5, 3, 4, 9});
  CheckTensor<std::int64_t>(outputs[1], {1, 2, 1, 2}, {0, 3, 6, 5});
}

BOOST_AUTO_TEST_CASE(PoolsCodes) {
  const auto outputs = RunGraph(
      "g (int8[1, 1, 3] x) => (int8[] y) "
      "{ y = MaxPool <kernel_shape = [2], pads = [1, 0]> (x) }",
      MakeFeeds(MakeFeed<std::int8_t>("x", {1, 1, 3}, {-128, -5, -7})));
  CheckTensor<std::int8_t>(outputs[0], {1, 1, 3}, {-128, -5, -5});
}

BOOST_AUTO_TEST_CASE(ResizesByEveryVersion) {
  const std::vector<float> doubled{0, 0, 1, 1};
  CheckTensor<float>(Apply("Upsample <scales = [1.0, 2.0]> (x)", {1, 2}, "", 7),
                     {1, 4}, doubled);
  CheckTensor<float>(
      Apply("Upsample(x, s)", {1, 2}, "<float[2] s = {1, 2}>", 9), {1, 4},
      doubled);
  CheckTensor<float>(Apply("Resize(x, s)", {1, 2}, "<float[2] s = {1, 2}>", 10),
                     {1, 4}, doubled);
  CheckTensor<float>(
      Apply("Resize(x, , s)", {1, 2}, "<float[2] s = {1, 2}>", 11), {1, 4},
      doubled);
  CheckTensor<float>(
      Apply("Resize(x, , , n)", {1, 2}, "<int64[2] n = {1, 4}>", 13), {1, 4},
      doubled);
  CheckTensor<float>(Apply("Resize <mode = \"linear\"> (x, , s)", {1, 2},
                           "<float[2] s = {1, 2}>"),
                     {1, 4}, {0, 0.25f, 0.75f, 1});
  CheckTensor<float>(
      Apply("Resize <mode = \"linear\", coordinate_transformation_mode = "
            "\"align_corners\"> (x, , , n)",
            {1, 2}, "<int64[2] n = {1, 3}>"),
      {1, 3}, {0, 0.5f, 1});
  CheckSays(Fails("Resize(x)", {1, 2}), "neither scales nor sizes");
  CheckSays(Fails("Resize(x, , s)", {1, 2}, "<float[1] s = {2}>"),
            "1 scales or sizes for 2 axes");
  CheckSays(Fails("Resize(x, , s)", {1, 2}, "<float[2] s = {1, -2}>"),
            "not possible");
  CheckSays(Fails("Resize(x, , , n)", {1, 2}, "<int64[2] n = {1, 0}>"),
            "cannot become 0");
}

BOOST_AUTO_TEST_CASE(ResizesCodesByNearest) {
  const auto outputs = RunGraph(
      "g (uint8[1, 1, 2, 2] x) => (uint8[] y) <float[4] s = {1, 1, 2, 2}> "
      "{ y = Resize(x, , s) }",
      MakeFeeds(MakeFeed<std::uint8_t>("x", {1, 1, 2, 2}, {1, 2, 3, 4})));
  CheckTensor<std::uint8_t>(outputs[0], {1, 1, 4, 4},
                            {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

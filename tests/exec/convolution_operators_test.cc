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

// A sequence without a pattern, in steps of 1/8 so that sums are exact.
std::vector<float> Noise(const Dims& dims, unsigned seed) {
  std::vector<float> values(*ElementCount(dims));
  unsigned state = seed;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 28) / 8.0f - 1.0f;
  }
  return values;
}

struct Window {
  std::size_t stride = 1;
  std::size_t dilation = 1;
  std::size_t pad = 0;
  std::size_t group = 1;
};

// The definition, one product at a time; square kernel and image.
std::vector<float> ConvByDefinition(const Dims& x_dims,
                                    const std::vector<float>& x,
                                    const Dims& w_dims,
                                    const std::vector<float>& w, Window p,
                                    std::size_t out) {
  const auto n = static_cast<std::size_t>(x_dims[0]);
  const auto c = static_cast<std::size_t>(x_dims[1]);
  const auto in = static_cast<std::size_t>(x_dims[2]);
  const auto m = static_cast<std::size_t>(w_dims[0]);
  const auto depth = static_cast<std::size_t>(w_dims[1]);
  const auto kernel = static_cast<std::size_t>(w_dims[2]);
  std::vector<float> y;
  for (std::size_t i = 0; i < n * m * out * out; ++i) {
    const std::size_t ox = i % out;
    const std::size_t oy = i / out % out;
    const std::size_t om = i / (out * out) % m;
    const std::size_t image = i / (out * out * m);
    float sum = 0.0f;
    for (std::size_t k = 0; k < depth * kernel * kernel; ++k) {
      const std::size_t kx = k % kernel;
      const std::size_t ky = k / kernel % kernel;
      const std::size_t ic = om / (m / p.group) * depth + k / (kernel * kernel);
      const std::size_t iy = oy * p.stride + ky * p.dilation - p.pad;
      const std::size_t ix = ox * p.stride + kx * p.dilation - p.pad;
      if (iy >= in || ix >= in) continue;
      sum += x[((image * c + ic) * in + iy) * in + ix] *
             w[om * depth * kernel * kernel + k];
    }
    y.push_back(sum);
  }
  return y;
}

BOOST_AUTO_TEST_SUITE(convolution_operators)

BOOST_AUTO_TEST_CASE(EqualsTheDefinition) {
  struct Case {
    Dims x;
    Dims w;
    Window window;
  };
  const std::vector<Case> cases{
      {{1, 3, 7, 7}, {5, 3, 3, 3}, {.pad = 1}},
      {{2, 4, 9, 9}, {6, 2, 3, 3}, {.stride = 2, .pad = 1, .group = 2}},
      {{1, 8, 12, 12}, {8, 1, 3, 3}, {.pad = 1, .group = 8}},
      {{1, 8, 13, 13}, {8, 1, 5, 5}, {.stride = 2, .pad = 2, .group = 8}},
      {{3, 20, 5, 5}, {33, 20, 1, 1}, {}},
      {{1, 2, 11, 11}, {3, 2, 3, 3}, {.dilation = 3, .pad = 3}},
      {{1, 4, 6, 6}, {8, 1, 3, 3}, {.group = 4}},
  };
  for (const auto& [x_dims, w_dims, window] : cases) {
    const auto in = static_cast<std::size_t>(x_dims[2]);
    const auto kernel = static_cast<std::size_t>(w_dims[2]);
    const std::size_t out =
        (in + 2 * window.pad - window.dilation * (kernel - 1) - 1) /
            window.stride +
        1;
    const auto x = Noise(x_dims, 1);
    const auto w = Noise(w_dims, 2);
    const auto two = [](std::size_t value) {
      return "[" + std::to_string(value) + ", " + std::to_string(value) + "]";
    };
    const std::string pad = std::to_string(window.pad);
    const std::string op = "Conv <strides = " + two(window.stride) +
                           ", dilations = " + two(window.dilation) +
                           ", pads = [" + pad + ", " + pad + ", " + pad + ", " +
                           pad + "], group = " + std::to_string(window.group) +
                           ">";
    const auto outputs = RunGraph(
        "g (float[] x, float[] w) => (float[] y) { y = " + op + " (x, w) }",
        MakeFeeds(MakeFeed<float>("x", x_dims, x),
                  MakeFeed<float>("w", w_dims, w)));
    const auto o = static_cast<std::int64_t>(out);
    CheckNear(outputs[0], {x_dims[0], w_dims[0], o, o},
              ConvByDefinition(x_dims, x, w_dims, w, window, out));
  }
}

BOOST_AUTO_TEST_CASE(RunsOverOneAxis) {
  const auto outputs = RunGraph(
      R"(g (float[1, 1, 4] x) => (float[] y)
         <float[1, 1, 2] w = {1, 10}, float[1] b = {100}>
         { y = Conv <pads = [1, 0]> (x, w, b) })",
      MakeFeeds(MakeFeed<float>("x", {1, 1, 4}, {1, 2, 3, 4})));
  CheckTensor<float>(outputs[0], {1, 1, 4}, {110, 121, 132, 143});
}

BOOST_AUTO_TEST_CASE(PadsBySameRules) {
  const Feeds feeds = MakeFeeds(MakeFeed<float>("x", {1, 1, 4}, {1, 2, 3, 4}));
  const auto run = [&](const std::string& mode) {
    return RunGraph(
        "g (float[] x) => (float[] y) <float[1, 1, 2] w = {1, 10}> "
        "{ y = Conv <auto_pad = \"" +
            mode + "\", strides = [1]> (x, w) }",
        feeds);
  };
  CheckTensor<float>(run("SAME_UPPER")[0], {1, 1, 4}, {21, 32, 43, 4});
  CheckTensor<float>(run("SAME_LOWER")[0], {1, 1, 4}, {10, 21, 32, 43});
  CheckTensor<float>(run("VALID")[0], {1, 1, 3}, {21, 32, 43});
}

BOOST_AUTO_TEST_CASE(KeepsConstantWeightsForImagesOfAnySize) {
  const Model model = testing::ParseGraph(
      R"(g (float[N, 1, H, W] x) => (float[] y)
         <float[1, 1, 1, 2] w = {1, 10}> { y = Conv(x, w) })");
  auto executor = BuiltinExecutor::Create(model);
  BOOST_REQUIRE(executor.ok());
  const std::vector<std::string> taps{"y"};
  for (const std::int64_t width : {3, 2, 5}) {
    testing::KeepAll sink(1);
    const Dims dims{1, 1, 1, width};
    std::vector<float> x(static_cast<std::size_t>(width), 1.0f);
    const Feeds feeds = MakeFeeds(MakeFeed<float>("x", dims, std::move(x)));
    BOOST_REQUIRE(executor->Run(feeds, taps, sink).ok());
    CheckTensor<float>(
        sink.tensors[0], {1, 1, 1, width - 1},
        std::vector<float>(static_cast<std::size_t>(width - 1), 11.0f));
  }
}

BOOST_AUTO_TEST_CASE(TransposesAddOverlappingWindows) {
  const Feeds feeds =
      MakeFeeds(MakeFeed<float>("x", {1, 2, 3}, {1, 2, 3, 10, 20, 30}));
  const auto run = [&](const std::string& attributes) {
    return RunGraph(
        "g (float[] x) => (float[] y) "
        "<float[2, 1, 3] w = {1, 1, 1, 2, 2, 2}> "
        "{ y = ConvTranspose <" +
            attributes + "> (x, w) }",
        feeds);
  };
  CheckTensor<float>(run("strides = [1]")[0], {1, 1, 5},
                     {21, 63, 126, 105, 63});
  CheckTensor<float>(run("strides = [2]")[0], {1, 1, 7},
                     {21, 21, 63, 42, 105, 63, 63});
  CheckTensor<float>(run("strides = [2], pads = [1, 1]")[0], {1, 1, 5},
                     {21, 63, 42, 105, 63});
  CheckTensor<float>(
      run("strides = [2], pads = [1, 1], output_padding = [1]")[0], {1, 1, 6},
      {21, 63, 42, 105, 63, 63});
  CheckTensor<float>(run("strides = [2], output_shape = [6]")[0], {1, 1, 6},
                     {21, 63, 42, 105, 63, 63});
  const auto grouped = RunGraph(
      R"(g (float[] x) => (float[] y)
         <float[2, 1, 1] w = {2, 3}, float[2] b = {0.5, 0.25}>
         { y = ConvTranspose <group = 2> (x, w, b) })",
      feeds);
  CheckTensor<float>(grouped[0], {1, 2, 3},
                     {2.5f, 4.5f, 6.5f, 30.25f, 60.25f, 90.25f});
}

BOOST_AUTO_TEST_CASE(RefusesWhatDoesNotFit) {
  const auto fail = [](const std::string& op, const Dims& w_dims) {
    return FailGraph(
        "g (float[] x, float[] w) => (float[] y) { y = " + op + " }",
        MakeFeeds(MakeFeed<float>("x", {1, 2, 4, 4}, Noise({1, 2, 4, 4}, 1)),
                  MakeFeed<float>("w", w_dims, Noise(w_dims, 2))));
  };
  CheckSays(fail("Conv(x, w)", {1, 3, 1, 1}), "does not fit weights");
  CheckSays(fail("Conv <group = 3> (x, w)", {3, 1, 1, 1}), "in 3 groups");
  CheckSays(fail("Conv <group = 0> (x, w)", {3, 1, 1, 1}), "in 0 groups");
  CheckSays(fail("Conv <group = -2> (x, w)", {2, 1, 1, 1}), "in -2 groups");
  CheckSays(fail("Conv(x, w)", {1, 2, 5, 1}),
            "a window of 5 does not fit an axis of 4");
  CheckSays(fail("Conv(x, w)", {1, 2, 1}), "does not fit weights");
  CheckSays(fail("Conv(x, w)", {1, 2, 0, 1}), "empty");
  CheckSays(fail("Conv <strides = [0, 1]> (x, w)", {1, 2, 1, 1}), "with 0");
  CheckSays(fail("Conv <strides = [1]> (x, w)", {1, 2, 1, 1}), "do not fit");
  CheckSays(fail("Conv <pads = [0, 0, -1, 0]> (x, w)", {1, 2, 1, 1}),
            "with -1");
  CheckSays(
      fail("Conv <pads = [0, 0, 9223372036854775807, 0]> (x, w)", {1, 2, 1, 1}),
      "with 9223372036854775807");
  CheckSays(fail("Conv <kernel_shape = [3, 3]> (x, w)", {1, 2, 1, 1}),
            "do not fit");
  CheckSays(fail("Conv <auto_pad = \"ROUND\"> (x, w)", {1, 2, 1, 1}),
            "'ROUND'");
  CheckSays(fail("ConvTranspose(x, w)", {3, 1, 1, 1}), "does not fit weights");
  CheckSays(fail("ConvTranspose <output_padding = [1]> (x, w)", {2, 1, 1, 1}),
            "2 entries");
  CheckSays(fail("ConvTranspose <output_padding = [9223372036854775807, 0]> "
                 "(x, w)",
                 {2, 1, 1, 1}),
            "overflows");
  CheckSays(fail("ConvTranspose <pads = [9, 9, 9, 9]> (x, w)", {2, 1, 1, 1}),
            "leave nothing");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

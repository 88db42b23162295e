#include "zeropoint/passes/channel_scales.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace zeropoint {
namespace {

/// Channels of the given widths, read by `rows` rows of normal weights.
ChannelProblem Problem(const std::vector<float>& widths, std::size_t rows) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  ChannelProblem problem;
  ChannelReader& reader = problem.readers.emplace_back();
  reader.rows = rows;
  reader.greatest.resize(rows * widths.size());
  reader.weight_squares.assign(widths.size(), 0.0);
  for (const float half : widths) {
    problem.ranges.push_back({-half, half});
    const auto width = static_cast<double>(half);
    reader.input_squares.push_back(width * width / 9.0);
  }
  for (std::size_t i = 0; i < reader.greatest.size(); ++i) {
    const float weight = std::abs(normal(random));
    reader.greatest[i] = weight;
    reader.weight_squares[i % widths.size()] +=
        static_cast<double>(weight) * static_cast<double>(weight);
  }
  return problem;
}

BOOST_AUTO_TEST_SUITE(channel_scales)

BOOST_AUTO_TEST_CASE(TheNoiseIsThatOfTheFormula) {
  ChannelProblem problem;
  problem.activation_steps = 255.0;
  problem.weight_steps = 127.0;
  problem.ranges = {{-1.0f, 4.1f}, {0.0f, 2.0f}};
  ChannelReader& reader = problem.readers.emplace_back();
  reader.rows = 1;
  reader.greatest = {1.27f, 0.5f};
  reader.weight_squares = {2.0, 3.0};
  reader.input_squares = {5.0, 7.0};
  BOOST_TEST(
      ChannelNoise(problem) == (0.02 * 0.02 * 5.0 + 0.01 * 0.01 * 12.0) / 12.0,
      boost::test_tools::tolerance(1e-5));
  // x / 2 lies in [-0.5, 2.05], and the other channel in [0, 2].
  const std::vector<double> scales = {2.0, 1.0};
  BOOST_TEST(ChannelNoise(problem, scales) ==
                 (0.01 * 0.01 * 11.0 + 0.02 * 0.02 * (5.0 / 4.0 + 7.0)) / 12.0,
             boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(AWideChannelIsDivided) {
  std::vector<float> widths(64, 1.0f);
  widths[5] = 40.0f;
  const ChannelProblem problem = Problem(widths, 64);
  const std::vector<double> scales = ChooseChannelScales(problem);
  BOOST_REQUIRE(scales.size() == widths.size());
  BOOST_TEST(scales[5] > 4.0);
  for (const double scale : scales) {
    BOOST_TEST(scale >= 1.0);
    BOOST_TEST(scale <= scales[5]);
  }
  BOOST_TEST(ChannelNoise(problem, scales) < ChannelNoise(problem) / 10.0);
}

BOOST_AUTO_TEST_CASE(WhatIsChosenIsNeverWorse) {
  std::mt19937 random(7);
  std::lognormal_distribution<float> width(0.0f, 1.5f);
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::vector<float> widths(16);
    for (float& w : widths) w = width(random);
    const ChannelProblem problem = Problem(widths, 8);
    const std::vector<double> scales = ChooseChannelScales(problem);
    if (scales.empty()) continue;
    BOOST_TEST(ChannelNoise(problem, scales) < ChannelNoise(problem));
  }
}

BOOST_AUTO_TEST_CASE(ChannelsWithoutValuesOrWeightsStay) {
  std::vector<float> widths(32, 1.0f);
  widths[3] = 50.0f;
  widths[4] = 0.0f;
  widths[6] = 60.0f;
  ChannelProblem problem = Problem(widths, 8);
  for (std::size_t row = 0; row < 8; ++row) {
    problem.readers[0].greatest[row * 32 + 6] = 0.0f;
  }
  problem.readers[0].weight_squares[6] = 0.0;
  const std::vector<double> scales = ChooseChannelScales(problem);
  if (!scales.empty()) {
    BOOST_TEST(scales[4] == 1.0);
    BOOST_TEST(scales[6] == 1.0);
  }
}

BOOST_AUTO_TEST_CASE(NothingToDoIsNothing) {
  ChannelProblem zeros = Problem(std::vector<float>(8, 0.0f), 4);
  BOOST_TEST(ChooseChannelScales(zeros).empty());
  ChannelProblem one = Problem({3.0f}, 4);
  BOOST_TEST(ChooseChannelScales(one).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

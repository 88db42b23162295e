#include "zeropoint/flow/tune.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace zeropoint {
namespace {

/// A network in which each node adds noise of its own.
struct Network {
  std::vector<TunableNode> nodes;
  std::map<std::string, double> noise;
  double nearest = 0.02;      // what nearest rounding adds
  double uncorrected = 0.01;  // what the missing bias correction adds
  double form = 0.0;          // what the placement for a form adds
  std::size_t calls = 0;

  explicit Network(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "n" + std::to_string(i);
      const double share = 1.0 / static_cast<double>(count);
      nodes.push_back({name, share, share});
      noise[name] = 1e-5;
    }
  }

  Result<TuningResult> Run(const TuneOptions& options = {},
                           const QuantizationChoice& start = {}) {
    return Tune(
        options, start, nodes,
        [&](const QuantizationChoice& choice,
            bool quick) -> Result<SampleScores> {
          ++calls;
          double sum = choice.second_order_rounding ? 0.0 : nearest;
          sum += choice.correct_bias ? 0.0 : uncorrected;
          sum += choice.placed_for_form ? form : 0.0;
          for (const auto& [name, own] : noise) {
            const auto& real = choice.float_nodes;
            if (std::find(real.begin(), real.end(), name) == real.end()) {
              sum += own;
            }
          }
          SampleScores scores;
          for (std::size_t i = 0; i < (quick ? 2U : 4U); ++i) {
            // Samples differ by far more than choices do.
            scores.push_back(-10.0 * std::log10(sum) +
                             10.0 * static_cast<double>(i));
          }
          return scores;
        },
        [](const QuantizationChoice&, const SampleScores& scores)
            -> Result<double> { return MeanOf(scores); });
  }
};

BOOST_AUTO_TEST_SUITE(tune)

BOOST_AUTO_TEST_CASE(RemediesThatHelpStay) {
  const auto tuned = Network(50).Run();
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(tuned->choice.second_order_rounding);
  BOOST_TEST(tuned->choice.correct_bias);
  BOOST_TEST(tuned->choice.float_nodes.empty());
}

BOOST_AUTO_TEST_CASE(RemediesThatHurtGo) {
  Network network(50);
  network.nearest = -2e-4;
  network.uncorrected = -1e-4;
  const auto tuned = network.Run();
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(!tuned->choice.second_order_rounding);
  BOOST_TEST(!tuned->choice.correct_bias);
}

BOOST_AUTO_TEST_CASE(APlacementForTheFormMayCostNothing) {
  for (const double cost : {-1e-5, 1e-5}) {
    Network network(50);
    network.form = cost;
    const auto tuned = network.Run({}, {.placed_for_form = true});
    BOOST_REQUIRE(tuned.ok());
    BOOST_TEST(tuned->choice.placed_for_form == (cost < 0));
  }
}

BOOST_AUTO_TEST_CASE(TheWorstNodesReturnToFloatInFewTrials) {
  Network network(100);
  network.noise["n13"] = 1e-2;
  network.noise["n87"] = 5e-3;
  const auto tuned = network.Run();
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(
      tuned->choice.float_nodes == (std::vector<std::string>{"n13", "n87"}),
      boost::test_tools::per_element());
  BOOST_TEST(network.calls < 60u);
  BOOST_TEST(tuned->steps.front().what == "as configured");
}

BOOST_AUTO_TEST_CASE(NodesThatTakeMuchTimeStayQuantized) {
  Network network(10);
  network.noise["n3"] = 1e-1;
  network.nodes[3].float_cost = 0.9;
  const auto tuned = network.Run();
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(tuned->choice.float_nodes.empty());
  TuneOptions options;
  options.float_share = 1.0;
  const auto free = network.Run(options);
  BOOST_REQUIRE(free.ok());
  BOOST_TEST(free->choice.float_nodes.front() == "n3");
}

BOOST_AUTO_TEST_CASE(AGainIsMeasuredSampleBySample) {
  const ScoreGain steady = GainOf({10, 50, 90}, {11, 51, 91});
  BOOST_TEST(steady.mean_db == 1.0);
  BOOST_TEST(steady.standard_error_db == 0.0);
  BOOST_TEST(steady.IsAtLeast(0.5));
  BOOST_TEST(!steady.IsAtLeast(1.0));
  // One sample alone decides nothing.
  const ScoreGain lucky = GainOf({10, 50, 90, 20}, {10, 50, 90, 32});
  BOOST_TEST(lucky.mean_db == 3.0);
  BOOST_TEST(lucky.standard_error_db == 3.0);
  BOOST_TEST(!lucky.IsAtLeast(0.5));
  // Fewer samples are the first ones.
  BOOST_TEST(GainOf({10, 20, 30}, {12}).mean_db == 2.0);
}

BOOST_AUTO_TEST_CASE(ANodePaysForTheTimeItTakes) {
  Network network(10);
  network.noise["n3"] = 1e-4;  // of 1.9e-4: 3.2 dB
  TuneOptions options;
  options.least_gain_db_of_all_time = 30.0;  // a tenth of it: 3 dB
  const auto tuned = network.Run(options);
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(tuned->choice.float_nodes == (std::vector<std::string>{"n3"}),
             boost::test_tools::per_element());
  options.least_gain_db_of_all_time = 35.0;
  const auto dearer = network.Run(options);
  BOOST_REQUIRE(dearer.ok());
  BOOST_TEST(dearer->choice.float_nodes.empty());
}

BOOST_AUTO_TEST_CASE(ARemedyIsJudgedOnceTheWorstNodesAreOut) {
  // Beside n13 nobody sees what nearest rounding costs.
  Network network(50);
  network.noise["n13"] = 10.0;
  network.nearest = 1e-3;
  const auto tuned = network.Run();
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(tuned->choice.float_nodes.front() == "n13");
  BOOST_TEST(tuned->choice.second_order_rounding);
  BOOST_TEST(tuned->steps.back().what == "no bias correction");
}

BOOST_AUTO_TEST_CASE(TwoNodesMayBeWorthItOnlyTogether) {
  // The first one alone makes it worse: its noise hid that of the second.
  std::vector<TunableNode> nodes;
  for (int i = 0; i < 30; ++i) {
    nodes.push_back({"n" + std::to_string(i), 1.0 / 30.0, 1.0 / 30.0});
  }
  const auto tuned =
      Tune({}, {}, nodes,
           [](const QuantizationChoice& choice, bool) -> Result<SampleScores> {
             const auto is_float = [&](const char* name) {
               const auto& real = choice.float_nodes;
               return std::find(real.begin(), real.end(), name) != real.end();
             };
             double noise = 1e-4;
             if (is_float("n3") != is_float("n4")) noise = 1.5e-2;
             if (!is_float("n3") && !is_float("n4")) noise = 1e-2;
             return SampleScores(4, -10.0 * std::log10(noise));
           });
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(tuned->choice.float_nodes.size() == 2U);
}

BOOST_AUTO_TEST_CASE(ATargetIsReachedWithTheFewestNodes) {
  Network network(100);
  network.noise["n13"] = 1e-2;
  network.noise["n40"] = 5e-3;
  network.noise["n87"] = 2e-3;
  TuneOptions options;
  // 15 dB are the samples' own.
  options.target = {{.measure = QualityMeasure::kSqnr, .least = 15.0 + 25.0}};
  const auto tuned = network.Run(options);
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(
      tuned->choice.float_nodes == (std::vector<std::string>{"n13", "n40"}),
      boost::test_tools::per_element());
  options.target->least = 15.0 + 15.0;
  const auto easy = network.Run(options);
  BOOST_REQUIRE(easy.ok());
  BOOST_TEST(easy->choice.float_nodes.empty());
}

BOOST_AUTO_TEST_CASE(ATargetTakesNodesThatAreDearIfItMust) {
  Network network(10);
  network.noise["n3"] = 1e-1;
  network.nodes[3].float_cost = 0.9;
  TuneOptions options;
  options.target = {{.measure = QualityMeasure::kSqnr, .least = 15.0 + 30.0}};
  const auto tuned = network.Run(options);
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(tuned->choice.float_nodes == (std::vector<std::string>{"n3"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ATargetThatNoChoiceReachesIsAnError) {
  TuneOptions options;
  options.target = {{.measure = QualityMeasure::kMetric, .least = 0.9}};
  const auto tuned = Tune(
      options, {}, {{"n0", 0.5, 0.5}, {"n1", 0.5, 0.5}},
      [](const QuantizationChoice&, bool) -> Result<SampleScores> {
        return SampleScores(4, 20.0);
      },
      [](const QuantizationChoice&, const SampleScores&) -> Result<double> {
        return 0.8;
      });
  BOOST_REQUIRE(!tuned.ok());
  BOOST_TEST(tuned.status().message().find("cannot be reached") !=
             std::string::npos);
  BOOST_TEST(tuned.status().message().find("0.8") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(TargetsAreReadFromText) {
  std::string command;
  const auto sqnr = ParseQualityTarget("sqnr:25.5", command);
  BOOST_REQUIRE(sqnr.ok());
  BOOST_TEST(sqnr->least == 25.5);
  const auto metric =
      ParseQualityTarget("metric:0.71:./score.sh --top 1:5", command);
  BOOST_REQUIRE(metric.ok());
  BOOST_TEST((metric->measure == QualityMeasure::kMetric));
  BOOST_TEST(metric->least == 0.71);
  BOOST_TEST(command == "./score.sh --top 1:5");
  for (const char* wrong : {"", "sqnr", "sqnr:", "sqnr:x", "agreement:1.5",
                            "metric:1", "metric:1:", "decibel:3"}) {
    BOOST_TEST(!ParseQualityTarget(wrong, command).ok(), wrong);
  }
}

BOOST_AUTO_TEST_CASE(AFailedTrialIsAnError) {
  const ScoreFunction fails = [](const QuantizationChoice&,
                                 bool) -> Result<SampleScores> {
    return InvalidData("no");
  };
  BOOST_TEST(!Tune({}, {}, {}, fails).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

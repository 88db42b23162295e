#include "zeropoint/flow/tune.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
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
      nodes.push_back({name, 1.0});
      noise[name] = 1e-5;
    }
  }

  Result<TuningResult> Run(const TuneOptions& options = {},
                           const QuantizationChoice& start = {}) {
    return Tune(
        options, start, nodes,
        [&](const QuantizationChoice& choice, bool) -> Result<double> {
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
          return sum;
        });
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
  BOOST_TEST(network.calls < 45u);
  BOOST_TEST(tuned->steps.front().what == "as configured");
}

BOOST_AUTO_TEST_CASE(NodesWithMuchWorkStayQuantized) {
  Network network(10);
  network.noise["n3"] = 1e-1;
  network.nodes[3].macs = 100.0;
  const auto tuned = network.Run();
  BOOST_REQUIRE(tuned.ok());
  BOOST_TEST(tuned->choice.float_nodes.empty());
  TuneOptions options;
  options.float_share = 1.0;
  const auto free = network.Run(options);
  BOOST_REQUIRE(free.ok());
  BOOST_TEST(free->choice.float_nodes.front() == "n3");
}

BOOST_AUTO_TEST_CASE(AFailedTrialIsAnError) {
  const NoiseFunction fails = [](const QuantizationChoice&,
                                 bool) -> Result<double> {
    return InvalidData("no");
  };
  BOOST_TEST(!Tune({}, {}, {}, fails).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

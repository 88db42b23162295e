#include "zeropoint/flow/measure_sensitivity.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>

#include "tests/flow/sample_source.h"
#include "tests/graph/parse_model.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/profiles/generic.h"

namespace zeropoint {
namespace {

// The second product's input has one wide channel, and its weights are small
// there: eight bits leave little of the narrow one.
constexpr const char* kNetwork = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 4] x) => (float[1, 2] y)
  <float[4, 2] even = {0.5, 0.4, -0.3, 0.6, 0.7, -0.2, 0.1, 0.9},
   float[2] spread = {1000.0, 1.0},
   float[2, 2] odd = {0.001, 0.0, 0.0, 1.0},
   float[2, 2] last = {0.6, 0.4, -0.3, 0.8}>
  {
    [first] a = MatMul (x, even)
    t = Tanh (a)
    w = Mul (t, spread)
    [second] b = MatMul (w, odd)
    u = Tanh (b)
    [third] y = MatMul (u, last)
  })";

Result<SensitivityReport> Measure(std::size_t samples) {
  Model model = Model::FromProto(testing::ParseProto(kNetwork)).value();
  testing::SampleSource source("x", {1, 4}, samples, testing::Waves(4));
  StaticQuantizationOptions options;
  options.target = Generic::Spec();
  options.selection.op_types_to_quantize = {"MatMul"};
  options.threads = 1;
  return MeasureSensitivity(model, source, options);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(measure_sensitivity)

BOOST_AUTO_TEST_CASE(TheNodeThatCostsMostComesFirst) {
  const auto report = Measure(32);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  BOOST_TEST(report->samples == 8U);
  BOOST_REQUIRE(report->nodes.size() == 3U);
  BOOST_TEST(report->nodes[0].node == "second");
  BOOST_TEST(report->nodes[0].op_type == "MatMul");
  // It makes nearly all the noise: alone as much as all, and without it little.
  BOOST_TEST(report->nodes[0].alone_db < report->all_db + 1.0);
  BOOST_TEST(report->nodes[0].without_db > report->all_db + 6.0);
  for (const NodeSensitivity& other : {report->nodes[1], report->nodes[2]}) {
    BOOST_TEST(other.alone_db > report->nodes[0].alone_db + 6.0);
    BOOST_TEST(other.without_db < report->all_db + 1.0);
  }
  double share = 0.0;
  for (const NodeSensitivity& node : report->nodes) share += node.work_share;
  BOOST_TEST(share == 1.0, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(TooFewSamplesAreAnError) {
  const auto report = Measure(7);
  BOOST_REQUIRE(!report.ok());
  BOOST_TEST(report.status().message().find("at least 8 samples") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

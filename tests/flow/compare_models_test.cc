#include "zeropoint/flow/compare_models.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "tests/flow/sample_source.h"
#include "tests/graph/parse_model.h"
#include "zeropoint/flow/layers_alone.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {
namespace {

constexpr const char* kFloat = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 4] x) => (float[1, 4] y)
  {
    a = Neg (x)
    b = Neg (a)
    y = Neg (b)
  })";

// a has steps of 1/2, b of 1/32: what b is off by comes from a.
constexpr const char* kQuantized = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 4] x) => (float[1, 4] y)
  <float coarse = {0.5}, float fine = {0.03125}, int8 zero = {0}>
  {
    a = Neg (x)
    aq = QuantizeLinear (a, coarse, zero)
    ad = DequantizeLinear (aq, coarse, zero)
    b = Neg (ad)
    bq = QuantizeLinear (b, fine, zero)
    bd = DequantizeLinear (bq, fine, zero)
    y = Neg (bd)
  })";

Model Parsed(const char* text) {
  return Model::FromProto(testing::ParseProto(text)).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compare_models)

BOOST_AUTO_TEST_CASE(ALayerAloneHasNoneOfTheNoiseBeforeIt) {
  Model real = Parsed(kFloat);
  Model quantized = Parsed(kQuantized);
  testing::SampleSource source("x", {1, 4}, 6, testing::Waves(4));
  const auto report = CompareModels(real, quantized, source, {.threads = 1});
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  BOOST_REQUIRE(report->layers.size() == 2U);
  BOOST_REQUIRE(report->layers_alone.size() == 2U);
  BOOST_TEST(report->layers_alone[1].name == "b");
  // The first layer has nothing before it.
  BOOST_TEST(report->layers[0].measures.sqnr_db() ==
             report->layers_alone[0].measures.sqnr_db());
  BOOST_TEST(report->layers[1].measures.sqnr_db() + 20.0 <
             report->layers_alone[1].measures.sqnr_db());
}

BOOST_AUTO_TEST_CASE(SamplesAndTimesAreReported) {
  Model real = Parsed(kFloat);
  Model quantized = Parsed(kQuantized);
  testing::SampleSource source("x", {1, 4}, 6, testing::Waves(4));
  const auto report = CompareModels(real, quantized, source, {.threads = 1});
  BOOST_REQUIRE(report.ok());
  BOOST_REQUIRE(report->samples_db.size() == 6U);
  BOOST_TEST(*std::ranges::min_element(report->samples_db) ==
             report->outputs[0].measures.worst_sample_db());
  BOOST_TEST(report->float_milliseconds > 0.0);
  BOOST_TEST(report->quantized_milliseconds > 0.0);
}

BOOST_AUTO_TEST_CASE(ALayerWithoutAPairCannotBeCut) {
  Model quantized = Parsed(kFloat);
  const std::vector<TensorPair> layers = {{"a", "a"}};
  const auto cut = CutAtLayers(quantized, layers);
  BOOST_REQUIRE(!cut.ok());
  BOOST_TEST(cut.status().message().find("'a'") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

#include "zeropoint/flow/quantize_weight_only.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/flow/sample_source.h"
#include "tests/graph/parse_model.h"
#include "zeropoint/flow/compare_models.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {
namespace {

constexpr std::size_t kInputs = 48;

/// Two products with something between them.
Model Network() {
  onnx::ModelProto proto = testing::ParseProto(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[8, 48] x) => (float[8, 20] y)
    {
      [up] a = MatMul (x, w1)
      [act] b = Tanh (a)
      [down] y = Gemm (b, w2, c)
    })");
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.0f, 0.2f);
  const std::vector<std::pair<std::string, Dims>> weights = {
      {"w1", {48, 64}}, {"w2", {64, 20}}, {"c", {20}}};
  for (const auto& [name, dims] : weights) {
    Tensor tensor(DataType::kFloat, dims);
    for (float& value : tensor.MutableAs<float>()) value = normal(random);
    *proto.mutable_graph()->add_initializer() =
        EncodeTensor(name, tensor.view());
  }
  return Model::FromProto(std::move(proto)).value();
}

/// Neighbouring inputs move together, as those of real layers do.
testing::SampleSource Samples(std::size_t count) {
  return {"x",
          {8, static_cast<std::int64_t>(kInputs)},
          count,
          [](std::size_t sample) {
            std::vector<float> values = testing::Waves(8 * kInputs)(sample);
            for (std::size_t i = 1; i < values.size(); ++i) {
              values[i] += 0.9f * values[i - 1];
            }
            return values;
          }};
}

struct Quantized {
  Model model;
  QuantizationReport report;
};

Quantized Quantize(const WeightOnlyOptions& options) {
  Quantized done{Network(), {}};
  testing::SampleSource source = Samples(64);
  auto report = QuantizeWeightOnly(
      done.model, options,
      options.spec.rounding == BlockRounding::kSecondOrder ? &source : nullptr);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  done.report = std::move(*report);
  return done;
}

/// Of the output, on samples that the rounding has not seen.
double Sqnr(Model& quantized) {
  Model real = Network();
  testing::SampleSource source = Samples(80);
  for (int i = 0; i < 64; ++i) BOOST_REQUIRE(source.Next().ok());
  const auto report = CompareModels(real, quantized, source, {});
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  return report->outputs.front().measures.sqnr_db();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(quantize_weight_only)

BOOST_AUTO_TEST_CASE(EachRoundingIsBetterThanTheOneBefore) {
  for (const WeightFormat format :
       {WeightFormat::kMatMulNBits, WeightFormat::kQdq}) {
    std::vector<double> sqnr;
    for (const BlockRounding rounding :
         {BlockRounding::kNearest, BlockRounding::kMse,
          BlockRounding::kSecondOrder}) {
      WeightOnlyOptions options;
      options.spec.format = format;
      options.spec.rounding = rounding;
      options.spec.block = 16;
      Quantized done = Quantize(options);
      BOOST_TEST(done.report.quantized.nodes ==
                     std::vector<std::string>({"up", "down"}),
                 boost::test_tools::per_element());
      sqnr.push_back(Sqnr(done.model));
    }
    BOOST_TEST(sqnr[0] > 15.0);
    BOOST_TEST(sqnr[1] > sqnr[0]);
    BOOST_TEST(sqnr[2] > sqnr[1] + 1.0);
  }
}

BOOST_AUTO_TEST_CASE(MoreBitsAreMoreExact) {
  double before = -100.0;
  for (const int bits : {2, 4, 8}) {
    WeightOnlyOptions options;
    options.spec.bits = bits;
    Quantized done = Quantize(options);
    const double sqnr = Sqnr(done.model);
    BOOST_TEST(sqnr > before + 8.0);
    before = sqnr;
  }
  BOOST_TEST(before > 40.0);
}

BOOST_AUTO_TEST_CASE(TheThreadsDoNotShowInTheResult) {
  WeightOnlyOptions options;
  options.spec.rounding = BlockRounding::kSecondOrder;
  options.threads = 1;
  const Quantized one = Quantize(options);
  options.threads = 3;
  const Quantized three = Quantize(options);
  BOOST_TEST((one.model.proto().SerializeAsString() ==
              three.model.proto().SerializeAsString()));
}

BOOST_AUTO_TEST_CASE(TheReportHasEveryNode) {
  WeightOnlyOptions options;
  options.selection.nodes_to_exclude = {"re:^do"};
  const Quantized done = Quantize(options);
  const QuantizationReport& report = done.report;
  BOOST_TEST(report.form == "weights");
  BOOST_TEST(report.profile == "matmulnbits");
  BOOST_TEST(report.activations == "float");
  BOOST_TEST(report.weights == FormatWeightOnly(options.spec));
  BOOST_TEST(report.nodes == 3u);
  BOOST_TEST(report.quantized.nodes == std::vector<std::string>({"up"}));
  BOOST_REQUIRE(report.float_nodes.size() == 2u);
  BOOST_TEST(report.float_nodes[0].node == "act");
  BOOST_TEST(report.float_nodes[1].node == "down");
  BOOST_TEST(report.float_nodes[1].reason == "it is excluded");
}

BOOST_AUTO_TEST_CASE(OnlyPairsRaiseTheOpset) {
  WeightOnlyOptions options;
  BOOST_TEST(Quantize(options).model.opset() == 17);
  options.spec.format = WeightFormat::kQdq;
  const Quantized pairs = Quantize(options);
  BOOST_TEST(pairs.model.opset() == 21);
  BOOST_TEST(pairs.model.proto().ir_version() >= 10);
}

BOOST_AUTO_TEST_CASE(SecondOrderWantsSamples) {
  Model model = Network();
  WeightOnlyOptions options;
  options.spec.rounding = BlockRounding::kSecondOrder;
  const auto report = QuantizeWeightOnly(model, options);
  BOOST_REQUIRE(!report.ok());
  BOOST_TEST(report.status().message().find("samples") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(ATypeWithoutWeightsIsAMistake) {
  Model model = Network();
  WeightOnlyOptions options;
  options.selection.op_types_to_quantize = {"Conv"};
  const auto report = QuantizeWeightOnly(model, options);
  BOOST_REQUIRE(!report.ok());
  BOOST_TEST(report.status().message().find("Gather, Gemm, MatMul") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

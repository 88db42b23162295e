#include "zeropoint/flow/quantize_static.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/flow/sample_source.h"
#include "tests/graph/parse_model.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/run_samples.h"
#include "zeropoint/graph/onnx_tools.h"
#include "zeropoint/profiles/generic.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint {
namespace {

// Batch norm to fold, a hard-swish in pieces, a branch that stays float.
constexpr const char* kNetwork = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 2, 8, 8] x) => (float[1, 2, 8, 8] y)
  <float[2, 2, 3, 3] w = {
     0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
     -0.1, 0.2, -0.3, 0.4, -0.5, 0.6, -0.7, 0.8, -0.9,
     0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1,
     0.05, 0.04, 0.03, 0.02, 0.01, 0.0, 0.1, 0.2, 0.3},
   float[2] scale = {1.5, 0.5}, float[2] shift = {0.1, -0.2},
   float[2] mean = {0.3, 0.1}, float[2] variance = {1.0, 2.0},
   float three = {3.0}, float zero = {0.0}, float six = {6.0},
   float[2, 2, 1, 1] v = {0.7, -0.4, 0.3, 0.9}>
  {
    [first] c = Conv <pads = [1, 1, 1, 1]> (x, w)
    [norm] b = BatchNormalization (c, scale, shift, mean, variance)
    [add] p = Add (b, three)
    [clip] q = Clip (p, zero, six)
    [mul] m = Mul (b, q)
    [div] h = Div (m, six)
    [second] s = Conv (h, v)
    [last] y = Relu (s)
  })";

Model Network() {
  return Model::FromProto(testing::ParseProto(kNetwork)).value();
}

testing::SampleSource Samples(std::size_t count = 4) {
  return {"x", {1, 2, 8, 8}, count, testing::Waves(128)};
}

Result<QuantizationReport> Quantize(
    Model& model, const StaticQuantizationOptions& options = {},
    std::size_t samples = 4) {
  auto source = Samples(samples);
  return QuantizeStatic(model, source, options);
}

std::vector<float> OutputOf(const Model& model) {
  auto executor = BuiltinExecutor::Create(model, {.threads = 1});
  BOOST_REQUIRE_MESSAGE(executor.ok(), executor.status().message());
  auto source = Samples();
  const std::vector<std::string> taps = {"y"};
  KeepingSink sink(1);
  const auto feeds = source.Next();
  const Status run = executor->Run(**feeds, taps, sink);
  BOOST_REQUIRE_MESSAGE(run.ok(), run.message());
  const auto y = sink.tensors()[0].As<float>();
  return {y.begin(), y.end()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(quantize_static)

BOOST_AUTO_TEST_CASE(TheQuantizedModelIsValidAndClose) {
  Model model = Network();
  const std::vector<float> real = OutputOf(model);
  const auto report = Quantize(model);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  BOOST_TEST(CheckModel(model).ok());
  const std::vector<float> quantized = OutputOf(model);
  double signal = 0.0;
  double noise = 0.0;
  for (std::size_t i = 0; i < real.size(); ++i) {
    signal += static_cast<double>(real[i]) * real[i];
    noise += std::pow(static_cast<double>(real[i] - quantized[i]), 2);
  }
  BOOST_TEST(noise > 0.0);  // it is quantized
  BOOST_TEST(10 * std::log10(signal / noise) > 35.0);
}

BOOST_AUTO_TEST_CASE(TheCleanUpFusesUnitsBeforeTheyCanBeCut) {
  Model model = Network();
  BOOST_REQUIRE(Quantize(model).ok());
  bool hard_swish = false;
  for (const auto& node : model.proto().graph().node()) {
    BOOST_TEST(node.op_type() != "BatchNormalization");
    hard_swish = hard_swish || node.op_type() == "HardSwish";
  }
  BOOST_TEST(hard_swish);
}

BOOST_AUTO_TEST_CASE(TheSameBytesWhateverTheThreads) {
  std::string bytes[2];
  for (const int threads : {1, 3}) {
    Model model = Network();
    StaticQuantizationOptions options;
    options.threads = threads;
    BOOST_REQUIRE(Quantize(model, options).ok());
    bytes[threads == 1 ? 0 : 1] = model.proto().SerializeAsString();
  }
  BOOST_TEST((bytes[0] == bytes[1]));
}

BOOST_AUTO_TEST_CASE(ExcludedNodesStayFloatAndSayWhy) {
  Model model = Network();
  StaticQuantizationOptions options;
  options.selection.nodes_to_exclude = {"second"};
  const auto report = Quantize(model, options);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  bool said = false;
  for (const Declined& node : report->float_nodes) {
    said = said || (node.node == "second" && node.reason == "it is excluded");
  }
  BOOST_TEST(said);
}

BOOST_AUTO_TEST_CASE(WideSchemesRaiseTheOpsetAndTheIrVersion) {
  Model model = Network();
  StaticQuantizationOptions options;
  options.activation_scheme = ParseScheme("u16:asym").value();
  const auto report = Quantize(model, options);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  BOOST_TEST(model.opset() == 21);
  BOOST_TEST(model.proto().ir_version() >= 10);
  BOOST_TEST(CheckModel(model).ok());
}

BOOST_AUTO_TEST_CASE(MistakesInOptionsAreErrors) {
  Model model = Network();
  StaticQuantizationOptions options;
  options.selection.nodes_to_exclude = {"nowhere"};
  BOOST_TEST(Quantize(model, options).status().message().find("nowhere") !=
             std::string::npos);
  options.selection = {};
  options.activation_scheme = ParseScheme("u8:asym:channel").value();
  BOOST_TEST(!Quantize(model, options).ok());
}

BOOST_AUTO_TEST_CASE(NoSampleIsAnError) {
  Model model = Network();
  BOOST_TEST(
      (Quantize(model, {}, 0).status().code() == StatusCode::kInvalidData));
}

BOOST_AUTO_TEST_CASE(NonFiniteSamplesAreReportedAndKeptOutOfTheRanges) {
  Model model = Network();
  testing::SampleSource source("x", {1, 2, 8, 8}, 2, [](std::size_t sample) {
    auto values = testing::Waves(128)(sample);
    if (sample == 1) values[5] = std::numeric_limits<float>::infinity();
    return values;
  });
  const auto report = QuantizeStatic(model, source, {});
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  bool named = false;
  for (const NonFiniteTensor& tensor : report->findings.non_finite) {
    named = named || (tensor.name == "x" && tensor.infinite == 1);
  }
  BOOST_TEST(named);
  for (const QuantizedActivation& tensor : report->quantized.activations) {
    BOOST_TEST(std::isfinite(tensor.params.scale));
  }
  BOOST_TEST(QuantizationToText(*report).find("infinite") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(TheReportHasItsKeys) {
  Model model = Network();
  const auto report = Quantize(model);
  BOOST_REQUIRE(report.ok());
  const Json json = QuantizationToJson(*report, "out.onnx", 100, 50, 1);
  BOOST_TEST(json["output"] == "out.onnx");
  BOOST_TEST(json["form"] == "qdq");
  BOOST_TEST(json["nodes"]["total"].get<std::size_t>() >=
             json["nodes"]["quantized"].get<std::size_t>());
  BOOST_TEST(json["nodes"]["float"][0].contains("reason"));
  for (const char* key :
       {"name", "lo", "hi", "scale", "zero_point", "scheme", "why"}) {
    BOOST_TEST(json["tensors"][0].contains(key));
  }
  BOOST_TEST(json["seconds"].contains("calibration"));
}

BOOST_AUTO_TEST_CASE(TheGenericProfileQuantizesElementwiseOperatorsToo) {
  Model model = Model::FromProto(testing::ParseProto(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 2, 8, 8] x) => (float[1, 2, 8, 8] y)
    <float[2, 2, 1, 1] v = {0.7, -0.4, 0.3, 0.9}>
    { a = Conv (x, v)
      b = Sigmoid (a)
      c = Mul (a, b)
      y = Add (c, x) })"))
                    .value();
  StaticQuantizationOptions options;
  options.target = Generic::Spec();
  const auto report = Quantize(model, options);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  BOOST_TEST(report->quantized.nodes.size() == 4u);
  BOOST_TEST(CheckModel(model).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

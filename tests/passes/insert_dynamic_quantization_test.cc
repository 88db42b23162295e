#include "zeropoint/passes/insert_dynamic_quantization.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/passes/quantize_bench.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/onnx_tools.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {
namespace {

struct DynamicBench : testing::QuantizeBench {
  explicit DynamicBench(const char* text)
      : QuantizeBench(text, OnnxRuntimeCpu::Spec()) {
    // Codes that are easily read.
    target.dynamic_weights = ParseScheme("i8:sym:channel:narrow").value();
  }

  Status Try() {
    auto graph = GraphView::Over(model);
    BOOST_REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    const Status typed = InferTypes(*graph);
    BOOST_REQUIRE_MESSAGE(typed.ok(), typed.message());
    return InsertDynamicQuantization{}.Run(*graph, context).status();
  }
  void Insert() {
    const Status done = Try();
    BOOST_REQUIRE_MESSAGE(done.ok(), done.message());
    const Status checked = CheckModel(model);
    BOOST_TEST(checked.ok(), checked.message());
  }
};

constexpr const char* kGemm = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[2, 3] x) => (float[2, 2] y)
  <float[2, 3] w = {127, 0, -127, 1.27, 0.64, 0.01}, float[2] c = {1, 2}>
  { [fc] y = Gemm <alpha = -0.5, beta = 4.0, transA = 0, transB = 1> (x, w, c) })";

}  // namespace

BOOST_AUTO_TEST_SUITE(insert_dynamic_quantization)

BOOST_AUTO_TEST_CASE(AlphaGoesIntoTheScalesAndBetaIntoTheBias) {
  DynamicBench bench(kGemm);
  bench.Insert();
  const Tensor codes = bench.Initializer("w_quantized");
  BOOST_TEST(codes.dims() == Dims({3, 2}), boost::test_tools::per_element());
  const int expected[] = {127, 127, 0, 64, -127, 1};
  for (std::size_t i = 0; i < 6; ++i) {
    BOOST_TEST(int{codes.As<std::int8_t>()[i]} == expected[i]);
  }
  const Tensor scale = bench.Initializer("w_scale");
  BOOST_TEST(scale.As<float>()[0] == -0.5f);
  BOOST_TEST(scale.As<float>()[1] == -0.5f * (1.27f / 127.0f));
  const Tensor bias = bench.Initializer("c_added");
  BOOST_TEST(bias.As<float>()[0] == 4.0f);
  BOOST_TEST(bias.As<float>()[1] == 8.0f);
  BOOST_TEST(bench.context.quantized.nodes == std::vector<std::string>({"fc"}));
}

BOOST_AUTO_TEST_CASE(IntegerOperatorsAreNotTouchedAgain) {
  DynamicBench bench(kGemm);
  bench.Insert();
  const std::string once = bench.model.proto().SerializeAsString();
  bench.Insert();
  BOOST_TEST((once == bench.model.proto().SerializeAsString()));
}

BOOST_AUTO_TEST_CASE(WhatStaysFloatSaysWhy) {
  DynamicBench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[2, 2] x, float[2, 2] v) => (float[2, 2] y)
    <float[2, 2] w = {1, 2, 3, 4}>
    { [two] a = MatMul (x, v)
      [first] b = MatMul (w, a)
      [out] c = MatMul (b, w)
      [relu] y = Relu (c) })");
  bench.selection.nodes_to_exclude = {"out"};
  bench.Insert();
  BOOST_TEST(bench.ReasonFor("two") == "its weights are not constant");
  BOOST_TEST(bench.ReasonFor("first") ==
             "its first operand is the constant one");
  BOOST_TEST(bench.ReasonFor("out") == "it is excluded");
  BOOST_TEST(bench.ReasonFor("relu").find("has no form of it") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(ASlowerOperatorIsTakenOnlyByNameAndNoted) {
  constexpr const char* kConv = R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {2}>
    { [conv] y = Conv (x, w) })";
  DynamicBench bench(kConv);
  bench.Insert();
  BOOST_TEST(bench.ReasonFor("conv").find("slower") != std::string::npos);
  bench.selection.op_types_to_quantize = {"Conv"};
  bench.Insert();
  BOOST_TEST(bench.Count("ConvInteger") == 1u);
  BOOST_TEST(bench.context.quantized.notes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(AZeroPointAChannelIsNotGivenToAnOperatorThatRefusesIt) {
  DynamicBench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {2}>
    { [conv] y = Conv (x, w) })");
  bench.selection.op_types_to_quantize = {"Conv"};
  bench.target.dynamic_weights = ParseScheme("u8:asym:channel").value();
  bench.Insert();
  BOOST_TEST(bench.ReasonFor("conv").find("one zero point") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(AnLstmHasAScaleForEachRow) {
  DynamicBench bench(R"(
    <ir_version: 8, opset_import: ["" : 14]>
    g (float[5, 2, 1] x) => (float[5, 1, 2, 1] y)
    <float[1, 4, 1] w = {1, 2, -3, 4}, float[1, 4, 1] r = {0, 1, 1, 1}>
    { [lstm] y = LSTM <hidden_size = 1> (x, w, r) })");
  const Status done = bench.Try();
  BOOST_REQUIRE_MESSAGE(done.ok(), done.message());
  BOOST_TEST(bench.Count("DynamicQuantizeLSTM") == 1u);
  BOOST_TEST(bench.model.opset("com.microsoft") == 1);
  const Tensor codes = bench.Initializer("w_quantized");
  BOOST_TEST(codes.dims() == Dims({1, 1, 4}), boost::test_tools::per_element());
  BOOST_TEST(int{codes.As<std::int8_t>()[2]} == -127);
  const Tensor scale = bench.Initializer("w_scale");
  BOOST_TEST(scale.dims() == Dims({1, 4}), boost::test_tools::per_element());
  BOOST_TEST(scale.As<float>()[3] == 4.0f / 127.0f);
  BOOST_TEST(bench.Initializer("r_scale").As<float>()[0] == 1.0f);
}

BOOST_AUTO_TEST_CASE(HostileModelsAreErrorsOrStayFloat) {
  DynamicBench infinite(kGemm);
  for (auto& tensor :
       *infinite.model.proto().mutable_graph()->mutable_initializer()) {
    if (tensor.name() != "w") continue;
    tensor.clear_raw_data();
    tensor.clear_float_data();
    for (int i = 0; i < 6; ++i) {
      tensor.add_float_data(std::numeric_limits<float>::infinity());
    }
  }
  BOOST_TEST(infinite.Try().message().find("'w'") != std::string::npos);

  DynamicBench wide(kGemm);
  wide.target.dynamic_weights = ParseScheme("i16:sym:channel").value();
  BOOST_TEST(wide.Try().message().find("8-bit") != std::string::npos);
  wide.target.dynamic_weights = ParseScheme("i8:sym:axis=0").value();
  BOOST_TEST(wide.Try().message().find("axis") != std::string::npos);
  wide.context.target = nullptr;
  BOOST_TEST((wide.Try().code() == StatusCode::kInvalidArgument));

  DynamicBench old(kGemm);
  old.model.ImportOpset("", 12);
  BOOST_TEST((old.Try().code() == StatusCode::kUnsupported));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

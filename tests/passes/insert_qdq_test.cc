#include "zeropoint/passes/insert_qdq.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <string>

#include "tests/passes/quantize_bench.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/profiles/generic.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"
#include "zeropoint/profiles/open_vino.h"

namespace zeropoint {
namespace {

using Bench = testing::QuantizeBench;

constexpr const char* kConvRelu = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1, 1, 4, 4] x) => (float[1, 2, 4, 4] y)
  <float[2, 1, 1, 1] w = {1.0, -0.5}, float[2] b = {0.5, 100.0}>
  {
    c = Conv (x, w, b)
    r = Relu (c)
    y = MaxPool <kernel_shape = [1, 1]> (r)
  })";

}  // namespace

BOOST_AUTO_TEST_SUITE(insert_qdq)

BOOST_AUTO_TEST_CASE(QuantizesBehindTheActivationAndFoldsIt) {
  Bench bench(kConvRelu);
  bench.Range("x", -1, 1);
  bench.Range("c", -2, 2);
  bench.Range("r", 0, 2);
  bench.Range("y", 0, 2);
  bench.Run();
  BOOST_TEST(bench.Count("Relu") == 0u);
  BOOST_TEST(bench.Count("QuantizeLinear") == 3u);  // x, r, y
  BOOST_TEST(bench.Initializer("r_scale").As<float>()[0] == 2.0f / 255.0f);
  BOOST_TEST(int{bench.Initializer("r_zero_point").As<std::uint8_t>()[0]} == 0);
}

BOOST_AUTO_TEST_CASE(WeightsGetAScaleForEachOutputChannel) {
  Bench bench(kConvRelu);
  for (const char* name : {"x", "c", "r", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  const Tensor scale = bench.Initializer("w_scale");
  BOOST_TEST(scale.dims() == Dims{2}, boost::test_tools::per_element());
  BOOST_TEST(scale.As<float>()[0] == 1.0f / 127.0f);
  BOOST_TEST(scale.As<float>()[1] == 0.5f / 127.0f);
  const Tensor codes = bench.Initializer("w_quantized");
  BOOST_TEST(int{codes.As<std::int8_t>()[0]} == 127);
  BOOST_TEST(int{codes.As<std::int8_t>()[1]} == -127);
}

BOOST_AUTO_TEST_CASE(BiasIsInUnitsOfTheAccumulator) {
  Bench bench(kConvRelu);
  bench.Range("x", 0, 255);  // scale 1
  for (const char* name : {"c", "r", "y"}) bench.Range(name, 0, 1);
  bench.Run();
  const Tensor bias = bench.Initializer("b_quantized");
  const Tensor scale = bench.Initializer("b_scale");
  BOOST_TEST(scale.As<float>()[0] == 1.0f / 127.0f);
  BOOST_TEST(bias.As<std::int32_t>()[0] == 64);  // 63.5 to even
  BOOST_TEST(bias.As<std::int32_t>()[1] == 25400);
}

BOOST_AUTO_TEST_CASE(ABiasTooLargeForInt32EnlargesItsWeightScale) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 2, 2, 2] y)
    <float[2, 1, 1, 1] w = {1.0, 0.000001}, float[2] b = {1.0, 50.0}>
    { y = Conv (x, w, b) })");
  bench.Range("x", 0, 0.01f);
  bench.Range("y", 0, 100);
  bench.Run();
  // 50 / (0.01 / 255 * 1e-6 / 127) is above 2^31.
  const auto bias = bench.Initializer("b_quantized");
  const auto scale = bench.Initializer("b_scale");
  for (const std::size_t i : {0u, 1u}) {
    const double real =
        static_cast<double>(scale.As<float>()[i]) * bias.As<std::int32_t>()[i];
    // Half of int32 is left to the sum of products.
    BOOST_TEST(bias.As<std::int32_t>()[i] <= 1 << 30);
    BOOST_TEST(real == (i == 0 ? 1.0 : 50.0),
               boost::test_tools::tolerance(1e-6));
  }
  BOOST_TEST(bench.Initializer("w_quantized").size() == 2u);
}

BOOST_AUTO_TEST_CASE(ASharedBiasGetsOneCopyForEachScale) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y, float[1, 1, 2, 2] z)
    <float[1, 1, 1, 1] v = {1.0}, float[1, 1, 1, 1] w = {100.0},
     float[1] b = {3.0}>
    { y = Conv (x, v, b)
      z = Conv (x, w, b) })");
  for (const char* name : {"x", "y", "z"}) bench.Range(name, 0, 255);
  bench.Run();
  BOOST_TEST(bench.Initializer("b_quantized").As<std::int32_t>()[0] == 381);
  std::size_t copies = 0;
  for (const auto& tensor : bench.model.proto().graph().initializer()) {
    copies += tensor.data_type() == onnx::TensorProto::INT32 &&
                      tensor.dims_size() == 1
                  ? 1
                  : 0;
  }
  BOOST_TEST(copies >= 2u);
}

BOOST_AUTO_TEST_CASE(AReluWithASecondReaderStays) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y, float[1, 1, 2, 2] z)
    <float[1, 1, 1, 1] w = {1.0}>
    { c = Conv (x, w)
      y = Relu (c)
      z = Neg (c) })");
  for (const char* name : {"x", "c", "y", "z"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Count("Relu") == 1u);
  BOOST_TEST(bench.Initializer("c_scale").size() == 1u);
}

BOOST_AUTO_TEST_CASE(AReluBehindAGraphOutputStays) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] c, float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { c = Conv (x, w)
      y = Relu (c) })");
  for (const char* name : {"x", "c", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Count("Relu") == 1u);
  BOOST_TEST(bench.model.proto().graph().output(0).name() == "c");
  BOOST_TEST(bench.model.proto().graph().output(1).name() == "y");
}

BOOST_AUTO_TEST_CASE(AClipAboveZeroIsNotSaturation) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] z)
    <float[1, 1, 1, 1] w = {1.0}, float one = {1.0}>
    { c = Conv (x, w)
      y = Clip (c, one)
      z = MaxPool <kernel_shape = [1, 1]> (y) })");
  for (const char* name : {"x", "c"}) bench.Range(name, -1, 3);
  bench.Range("y", 1, 3);
  bench.Range("z", 1, 3);
  bench.Run();
  BOOST_TEST(bench.Count("Clip") == 1u);
}

BOOST_AUTO_TEST_CASE(SymmetricActivationsKeepTheRelu) {
  Bench bench(kConvRelu);
  bench.target.activations = ParseScheme("i8:sym").value();
  for (const char* name : {"x", "c", "r", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Count("Relu") == 1u);
}

BOOST_AUTO_TEST_CASE(CodeMovingOperatorsShareParameters) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 4, 4] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { c = Conv (x, w)
      p = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (c)
      y = Conv (p, w) })");
  bench.Range("x", -1, 1);
  bench.Range("c", -2, 2);
  bench.Range("p", 0, 1);  // narrower: the codes of c must do
  bench.Range("y", -1, 1);
  bench.Run();
  BOOST_TEST(bench.Initializer("p_scale").As<float>()[0] ==
             bench.Initializer("c_scale").As<float>()[0]);
}

BOOST_AUTO_TEST_CASE(ConcatUnifiesTheRangesOfItsInputs) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] v = {1.0}, float[1, 2, 1, 1] w = {1.0, 1.0}>
    { a = Conv (x, v)
      b = Conv (x, v)
      c = Concat <axis = 1> (a, b)
      y = Conv (c, w) })");
  bench.Range("x", -1, 1);
  bench.Range("a", 0, 3);
  bench.Range("b", -1, 1);
  bench.Range("c", -1, 3);
  bench.Range("y", -1, 1);
  bench.Run();
  for (const char* name : {"a_scale", "b_scale", "c_scale"}) {
    BOOST_TEST(bench.Initializer(name).As<float>()[0] == 4.0f / 255.0f);
  }
}

BOOST_AUTO_TEST_CASE(AConcatOfOneQuantizedAndOneFloatTensorStaysFloat) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] v = {1.0}, float[1, 2, 1, 1] w = {1.0, 1.0}>
    { a = Conv (x, v)
      b = Exp (x)
      c = Concat <axis = 1> (a, b)
      y = Conv (c, w) })",
              OnnxRuntimeCpu::Spec());
  const Dims large = {1, 1, 1000, 1000};
  for (const char* name : {"x", "a", "b", "c", "y"}) {
    bench.Range(name, -1, 1, large);
  }
  bench.Run();
  BOOST_TEST(bench.context.quantized.activations.size() == 4u);  // x a c y
  BOOST_TEST(bench.ReasonFor("c") == "its neighbours are not quantized");
}

BOOST_AUTO_TEST_CASE(RangesEndWhereTheConsumerIsConstant) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 14]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { c = Conv (x, w)
      y = HardSwish (c) })");
  bench.Range("x", -1, 1);
  bench.Range("c", -60, 7.2f);
  bench.Range("y", -1, 7);
  bench.Run();
  BOOST_TEST(bench.Initializer("c_scale").As<float>()[0] ==
                 static_cast<float>((7.2 + 3.0) / 255),
             boost::test_tools::tolerance(1e-6f));
}

BOOST_AUTO_TEST_CASE(SoftmaxHasItsRangeByDefinition) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 4] x) => (float[1, 4] y)
    { y = Softmax (x) })");
  bench.Range("x", -1, 1);
  bench.Range("y", 0.1f, 0.4f);
  bench.Run();
  BOOST_TEST(bench.Initializer("y_scale").As<float>()[0] == 1.0f / 255.0f);
}

BOOST_AUTO_TEST_CASE(ConvTransposeScalesItsSecondAxis) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x) => (float[1, 4, 2, 2] y)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0},
     float[4] b = {1.0, 1.0, 1.0, 1.0}>
    { y = ConvTranspose <group = 2> (x, w, b) })");
  bench.Range("x", 0, 255);
  bench.Range("y", -1, 1);
  bench.Run();
  BOOST_TEST(bench.Initializer("w_scale").As<float>()[0] == 3.0f / 127.0f);
  BOOST_TEST(bench.Initializer("w_scale").As<float>()[1] == 4.0f / 127.0f);
  // Output channels of both groups take the scales in turn.
  const Tensor bias = bench.Initializer("b_quantized");
  BOOST_TEST(bias.As<std::int32_t>()[0] == bias.As<std::int32_t>()[2]);
  BOOST_TEST(bias.As<std::int32_t>()[1] == 32);  // 127 / 4 = 31.75
}

BOOST_AUTO_TEST_CASE(GemmBetaGoesIntoTheBias) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1] x) => (float[1, 1] y)
    <float[1, 1] w = {127.0}, float[1] b = {8.0}>
    { y = Gemm <beta = 0.5> (x, w, b) })");
  bench.Range("x", 0, 255);
  bench.Range("y", 0, 1);
  bench.Run();
  BOOST_TEST(bench.Initializer("b_quantized").As<std::int32_t>()[0] == 4);
  for (const auto& node : bench.model.proto().graph().node()) {
    if (node.op_type() == "Gemm") BOOST_TEST(GetFloat(node, "beta", 0) == 1.0f);
  }
}

BOOST_AUTO_TEST_CASE(TransposedGemmWeightsScaleTheirRows) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2] x) => (float[1, 3] y)
    <float[3, 2] w = {1.0, 0.0, 2.0, 0.0, 3.0, 0.0}>
    { y = Gemm <transB = 1> (x, w) })");
  bench.Range("x", 0, 1);
  bench.Range("y", 0, 1);
  bench.Run();
  BOOST_TEST(bench.Initializer("w_scale").size() == 3u);
}

BOOST_AUTO_TEST_CASE(GraphOutputsKeepTheirNames) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { y = Conv (x, w) })");
  bench.Range("x", -1, 1);
  bench.Range("y", -1, 1);
  bench.Run();
  const auto& graph = bench.model.proto().graph();
  BOOST_TEST(graph.output(0).name() == "y");
  BOOST_TEST(graph.node(graph.node_size() - 1).op_type() == "DequantizeLinear");
}

BOOST_AUTO_TEST_CASE(NewNamesAvoidThoseOfTheModel) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y,
                                float[1, 1, 2, 2] x_quantized)
    <float[1, 1, 1, 1] w = {1.0}, float[1] w_scale = {5.0}>
    { y = Conv (x, w)
      x_quantized = Mul (x, w_scale) })");
  bench.target = OpenVino::Spec();
  for (const char* name : {"x", "y", "x_quantized"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Initializer("w_scale").As<float>()[0] == 5.0f);
}

BOOST_AUTO_TEST_CASE(OnnxRuntimeLeavesADepthwiseConvolutionBetweenFloatsAlone) {
  constexpr const char* kModel = R"(
    <ir_version: 8, opset_import: ["" : 14]>
    g (float[1, 2, 8, 8] x) => (float[1, 2, 8, 8] y)
    <float[2, 2, 1, 1] w = {1.0, 0.5, 0.5, 1.0},
     float[2, 1, 1, 1] d = {1.0, 0.5}>
    { a = Conv (x, w)
      h = Neg (a)
      e = Conv <group = 2> (h, d)
      k = Neg (e)
      f = Conv (k, w)
      g = Conv <group = 2> (f, d)
      y = Conv (g, w) })";
  Bench bench(kModel, OnnxRuntimeCpu::Spec());
  const Dims large = {1, 1000, 1000, 1};
  for (const char* name : {"x", "a", "h", "e", "k", "f", "g", "y"}) {
    bench.Range(name, -1, 1, large);
  }
  bench.Run();
  BOOST_TEST(bench.ReasonFor("e") ==
             "grouped convolutions are slower in int8 next to float "
             "neighbours");
  BOOST_TEST(bench.ReasonFor("g") == "");  // between integers
}

BOOST_AUTO_TEST_CASE(SmallModelsAreQuantizedAllTheSameAndSaySo) {
  Bench bench(kConvRelu, OnnxRuntimeCpu::Spec());
  for (const char* name : {"x", "c", "r", "y"}) {
    bench.Range(name, 0, 1, {1, 2, 4, 4});
  }
  bench.Run();
  BOOST_TEST(bench.context.quantized.nodes.size() >= 1u);
  BOOST_TEST(bench.context.quantized.notes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(AnExcludedConvolutionBetweenPairsIsShielded) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { a = Conv (x, w)
      [middle] b = Conv (a, w)
      y = Conv (b, w) })",
              OnnxRuntimeCpu::Spec());
  bench.selection.nodes_to_exclude = {"middle"};
  const Dims large = {1, 1000, 1000, 2};
  for (const char* name : {"x", "a", "b", "y"}) bench.Range(name, -1, 1, large);
  bench.Run();
  BOOST_TEST(bench.Count("Clip") == 1u);
  BOOST_TEST(bench.ReasonFor("middle") == "it is excluded");
}

BOOST_AUTO_TEST_CASE(BiasCorrectionTakesBackTheMeanShift) {
  // 0.4 of a step is rounded away in each of two taps.
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 2, 1, 1] w = {127.0, 1.4}, float[1] b = {1.0}>
    { y = Conv (x, w, b) })",
              OpenVino::Spec());
  bench.Range("x", 0, 255, {1, 2, 2, 2}, {10.0, 100.0});
  bench.Range("y", 0, 1, {1, 1, 2, 2});
  bench.Run(/*correct_bias=*/true);
  const Tensor bias = bench.Initializer("b_corrected_quantized");
  BOOST_TEST(bias.As<std::int32_t>()[0] == 41);  // 1 + 0.4 * 100
}

BOOST_AUTO_TEST_CASE(NonFiniteWeightsAndRangesAreErrorsThatNameThem) {
  Bench bench(kConvRelu);
  for (const char* name : {"x", "c", "r", "y"}) bench.Range(name, 0, 1);
  bench.Range("x", 0, std::numeric_limits<float>::infinity());
  BOOST_TEST(bench.TryInsert().message().find("'x'") != std::string::npos);

  Bench weights(kConvRelu);
  for (const char* name : {"x", "c", "r", "y"}) weights.Range(name, 0, 1);
  for (auto& tensor :
       *weights.model.proto().mutable_graph()->mutable_initializer()) {
    if (tensor.name() != "w") continue;
    const float values[] = {std::numeric_limits<float>::quiet_NaN(), 1.0f};
    const std::int64_t dims[] = {2, 1, 1, 1};
    tensor = EncodeValues<float>("w", dims, values);
  }
  const std::string message = weights.TryInsert().message();
  BOOST_TEST(message.find("'w'") != std::string::npos);
  BOOST_TEST(message.find("NaN") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(WithoutATargetItRefuses) {
  Bench bench(kConvRelu);
  bench.context.target = nullptr;
  BOOST_TEST(!bench.TryInsert().ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

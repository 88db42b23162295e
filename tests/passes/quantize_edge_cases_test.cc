// What is rare or hostile: values with two roles, subgraphs, omitted inputs and
// outputs, attributes and parameters that no exporter writes.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <string>

#include "tests/passes/quantize_bench.h"
#include "zeropoint/passes/calibration_targets.h"
#include "zeropoint/profiles/generic.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"
#include "zeropoint/profiles/open_vino.h"

namespace zeropoint {
namespace {

using Bench = testing::QuantizeBench;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

constexpr const char* kConv = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1, 2, 2, 2] x) => (float[1, 2, 2, 2] y)
  <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}, float[2] b = {1.0, 2.0}>
  { y = Conv (x, w, b) })";

onnx::NodeProto& Node(Bench& bench, const std::string& op_type) {
  for (auto& node : *bench.model.proto().mutable_graph()->mutable_node()) {
    if (node.op_type() == op_type) return node;
  }
  BOOST_REQUIRE_MESSAGE(false, "no node " + op_type);
  std::abort();
}

onnx::TensorProto& Stored(Bench& bench, const std::string& name) {
  auto& graph = *bench.model.proto().mutable_graph();
  for (auto& tensor : *graph.mutable_initializer()) {
    if (tensor.name() == name) return tensor;
  }
  BOOST_REQUIRE_MESSAGE(false, "no initializer " + name);
  std::abort();
}

// The only pass under test; the result is checked by onnx.
template <class P>
PassReport RunAlone(Bench& bench) {
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  const auto report = P{}.Run(*graph, bench.context);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  return *report;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(quantize_edge_cases)

// --- Activations that only look like saturation
// -------------------------------

BOOST_AUTO_TEST_CASE(AClipWithBoundsOfTheRunStays) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[2] x, float lo, float hi) => (uint8[2] y)
    <float s = {0.1}, uint8 z = {0}>
    { c = Clip (x, lo, hi)
      y = QuantizeLinear (c, s, z) })");
  BOOST_TEST(RunAlone<FoldActivation>(bench).rewrites == 0u);
  BOOST_TEST(bench.Count("Clip") == 1u);
}

BOOST_AUTO_TEST_CASE(AClipWhoseBoundsAreNotNumbersInOrderStays) {
  // ONNX: where min > max, the result is max everywhere.
  for (const auto& [lo, hi] :
       {std::pair{3.0f, 1.0f}, {kNan, 1.0f}, {0.0f, kNan}}) {
    Bench bench(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (uint8[2] y)
      <float s = {0.1}, uint8 z = {0}, float lo = {0.0}, float hi = {0.0}>
      { c = Clip (x, lo, hi)
        y = QuantizeLinear (c, s, z) })");
    Stored(bench, "lo") = EncodeScalar<float>("lo", lo);
    Stored(bench, "hi") = EncodeScalar<float>("hi", hi);
    BOOST_TEST(RunAlone<FoldActivation>(bench).rewrites == 0u);
  }
}

BOOST_AUTO_TEST_CASE(AReluBeforeAScaleThatIsNoNumberStays) {
  for (const float scale : {0.0f, -1.0f, kNan, kInfinity}) {
    Bench bench(R"(
      <ir_version: 8, opset_import: ["" : 13]>
      g (float[2] x) => (uint8[2] y)
      <float s = {0.1}, uint8 z = {0}>
      { c = Relu (x)
        y = QuantizeLinear (c, s, z) })");
    Stored(bench, "s") = EncodeScalar<float>("s", scale);
    BOOST_TEST(RunAlone<FoldActivation>(bench).rewrites == 0u);
  }
}

BOOST_AUTO_TEST_CASE(AConsumerConstantNowhereOrEverywhereLimitsNoRange) {
  for (const float beta : {kNan, kInfinity, -kInfinity}) {
    Bench bench(R"(
      <ir_version: 8, opset_import: ["" : 14]>
      g (float[1, 2, 2, 2] x) => (float[1, 2, 2, 2] y)
      <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
      { c = Conv (x, w)
        y = HardSigmoid (c) })");
    SetAttribute(Node(bench, "HardSigmoid"), "beta", beta);
    for (const char* name : {"x", "c", "y"}) bench.Range(name, -1, 1);
    bench.Run();
    BOOST_TEST(bench.Initializer("c_scale").As<float>()[0] == 2.0f / 255.0f);
  }
}

// --- Ranges
// -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(ANodeWithAnOutputWithoutARangeStaysFloat) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x) => (float[1, 1, 2, 2] p, float[1, 1, 2, 2] q)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
    { c = Conv (x, w)
      [split] p, q = Split <axis = 1> (c) })");
  bench.selection.op_types_to_quantize = {"Split"};
  for (const char* name : {"x", "c", "p"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(Contains(bench.ReasonFor("split"),
                      "its output 'q' has no calibrated range"));
}

BOOST_AUTO_TEST_CASE(AReluWithoutARangeIsNotTakenIn) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x) => (float[1, 2, 2, 2] y)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
    { c = Conv (x, w)
      y = Relu (c) })");
  for (const char* name : {"x", "c"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Count("QuantizeLinear") == 2u);
  BOOST_TEST(bench.Initializer("c_scale").size() == 1u);
}

BOOST_AUTO_TEST_CASE(AnOmittedFirstOutputIsNoTensor) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x) => (float[1, 1, 2, 2] q)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
    { c = Conv (x, w)
      p, q = Split <axis = 1> (c) })");
  Node(bench, "Split").set_output(0, "");
  for (const char* name : {"x", "c", "q"}) bench.Range(name, -1, 1);
  BOOST_TEST(bench.TryInsert().ok());
}

BOOST_AUTO_TEST_CASE(IntegersAreNotQuantizedWhateverTheTableSays) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (int64[2] x) => (int64[2] y)
    { y = Add (x, x) })");
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Count("QuantizeLinear") == 0u);
  BOOST_TEST(Contains(bench.ReasonFor("y"), "int64"));
}

BOOST_AUTO_TEST_CASE(AMaskOfMinusInfinityStaysFloat) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[2] x) => (float[2] y)
    <float[2] mask = {0.0, 0.0}>
    { y = Add (x, mask) })");
  const float values[] = {0.0f, -kInfinity};
  const std::int64_t dims[] = {2};
  Stored(bench, "mask") = EncodeValues<float>("mask", dims, values);
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(Contains(bench.ReasonFor("y"), "'mask'"));
}

// --- Weights
// ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(ImpossibleGroupsStayFloat) {
  for (const std::int64_t group :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{3},
        std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    for (const char* op_type : {"Conv", "ConvTranspose"}) {
      Bench bench(kConv);
      Node(bench, "Conv").set_op_type(op_type);
      SetAttribute(Node(bench, op_type), "group", group);
      bench.Range("x", -1, 1, {1, 2, 2, 2}, {0.1, 0.2});
      bench.Range("y", -1, 1, {1, 2, 2, 2});
      BOOST_TEST(bench.TryInsert().ok());
      BOOST_TEST(Contains(bench.ReasonFor("y"), "group"));
    }
  }
}

BOOST_AUTO_TEST_CASE(HugeStridesAndShapesDoNotWrap) {
  Bench bench(kConv, OnnxRuntimeCpu::Spec());
  Node(bench, "Conv").set_op_type("ConvTranspose");
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  SetAttribute(Node(bench, "ConvTranspose"), "strides",
               std::vector<std::int64_t>{kHuge, kHuge, -5});
  for (const char* name : {"x", "y"}) {
    bench.Range(name, -1, 1, {1, 2, kHuge / 2, kHuge / 2});
  }
  BOOST_TEST(bench.TryInsert().ok());
}

BOOST_AUTO_TEST_CASE(WeightsOfAnImpossibleShapeStayFloat) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 40;
  for (const Dims& dims : {Dims{kHuge, kHuge, 1, 1}, Dims{-1, -1, 1, 1},
                           Dims{2, 2}, Dims{4}, Dims{}, Dims{0, 2, 1, 1}}) {
    Bench bench(kConv);
    auto& weights = Stored(bench, "w");
    weights.clear_dims();
    for (const std::int64_t dim : dims) weights.add_dims(dim);
    for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
    BOOST_TEST(bench.TryInsert().ok());
    BOOST_TEST(Contains(bench.ReasonFor("y"), "unexpected shape"));
  }
}

BOOST_AUTO_TEST_CASE(WeightsThatTheCallerMayReplaceStayFloat) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x, float[2, 2, 1, 1] w) => (float[1, 2, 2, 2] y)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
    { y = Conv (x, w) })");
  for (const char* name : {"x", "y", "w"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Count("QuantizeLinear") == 0u);
  BOOST_TEST(Contains(bench.ReasonFor("y"), "not constant"));
}

BOOST_AUTO_TEST_CASE(WeightsThatAreAGraphOutputKeepTheirValue) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x) => (float[1, 2, 2, 2] y, float[2, 2, 1, 1] w)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
    { y = Conv (x, w) })");
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Initializer("w").As<float>()[3] == 4.0f);
  BOOST_TEST((bench.Initializer("w_quantized").type() == DataType::kInt8));
}

BOOST_AUTO_TEST_CASE(OneConstantUnderTwoSchemesHasTwoSetsOfCodes) {
  // As weights it is symmetric, as an operand of Add asymmetric: both int8 with
  // one scale for the tensor.
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[2, 2] x) => (float[2, 2] y, float[2, 2] z)
    <float[2, 2] w = {1.0, 2.0, 3.0, 4.0}>
    { y = MatMul (x, w)
      z = Add (x, w) })");
  bench.target.activations = ParseScheme("i8:asym").value();
  bench.target.weights = ParseScheme("i8:sym").value();
  for (const char* name : {"x", "y", "z"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(int{bench.Initializer("w_zero_point").As<std::int8_t>()[0]} == 0);
  BOOST_TEST(int{bench.Initializer("w_zero_point_1").As<std::int8_t>()[0]} ==
             -128);
}

// --- Values with two roles
// ----------------------------------------------------

BOOST_AUTO_TEST_CASE(AValueMayBeGraphInputAndOutput) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x) => (float[1, 2, 2, 2] x, float[1, 2, 2, 2] y)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
    { y = Conv (x, w) })");
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Count("QuantizeLinear") == 2u);
  BOOST_TEST(bench.model.proto().graph().output(0).name() == "x");
}

BOOST_AUTO_TEST_CASE(OneValueMayBeBothOperands) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[2] x) => (float[2] y)
    { y = Add (x, x) })");
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Count("QuantizeLinear") == 2u);
}

BOOST_AUTO_TEST_CASE(BiasCorrectionKnowsAnInputThatIsAGraphOutput) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x) => (float[1, 2, 2, 2] a, float[1, 1, 2, 2] y)
    <float[2, 2, 1, 1] v = {1.0, 1.0, 1.0, 1.0},
     float[1, 2, 1, 1] w = {127.0, 1.4}, float[1] b = {1.0}>
    { a = Conv (x, v)
      y = Conv (a, w, b) })");
  bench.Range("x", 0, 255);
  bench.Range("a", 0, 255, {1, 2, 2, 2}, {10.0, 100.0});
  bench.Range("y", 0, 1);
  bench.Run(/*correct_bias=*/true);
  const Tensor bias = bench.Initializer("b_corrected_quantized");
  BOOST_TEST(bias.As<std::int32_t>()[0] == 41);  // 1 + 0.4 * 100
}

BOOST_AUTO_TEST_CASE(AShieldedInputMayBeAGraphOutput) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] a, float[1, 1, 2, 2] y)
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
}

// --- Operators of other domains
// ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(AForeignOperatorOfTheSameNameIsNoActivation) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13, "mine" : 1]>
    g (float[1, 2, 2, 2] x) => (float[1, 2, 2, 2] y)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
    { c = Conv (x, w)
      y = mine.Relu (c) })");
  const auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(graph.ok());
  BOOST_TEST(CalibrationTargets(*graph, bench.target, bench.selection).size() ==
             2u);
}

// --- Opsets
// -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(AnOpsetWithoutTheParametersIsRefused) {
  Bench old(R"(
    <ir_version: 6, opset_import: ["" : 11]>
    g (float[1, 2, 2, 2] x) => (float[1, 2, 2, 2] y)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
    { y = Conv (x, w) })");
  for (const char* name : {"x", "y"}) old.Range(name, -1, 1);
  BOOST_TEST(Contains(old.TryInsert().message(), "opset 13"));

  Bench wide(kConv);
  wide.target.activations = ParseScheme("u16").value();
  for (const char* name : {"x", "y"}) wide.Range(name, -1, 1);
  BOOST_TEST(Contains(wide.TryInsert().message(), "opset 21"));
}

// --- quantize-bias on models of others
// ----------------------------------------

constexpr const char* kQuantizedConv = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (uint8[1, 2, 2, 2] x) => (float[1, 2, 2, 2] y)
  <float s = {0.1}, float[2] t = {0.1, 0.2}, int8[2, 2, 1, 1] w = {1, 2, 3, 4},
   float[2] b = {1.0, 2.0}>
  { a = DequantizeLinear (x, s)
    v = DequantizeLinear <axis = 0> (w, t)
    y = Conv (a, v, b) })";

BOOST_AUTO_TEST_CASE(ABiasIsQuantizedInSomeoneElsesModel) {
  Bench bench(kQuantizedConv);
  BOOST_TEST(RunAlone<QuantizeBias>(bench).rewrites == 1u);
  BOOST_TEST(bench.Initializer("b_quantized").As<std::int32_t>()[0] == 100);
  BOOST_TEST(RunAlone<QuantizeBias>(bench).rewrites == 0u);  // idempotent
}

BOOST_AUTO_TEST_CASE(ScalesThatAreNoNumbersKeepTheBiasFloat) {
  const std::int64_t dims[] = {2};
  for (const float scale : {0.0f, -0.1f, -1e9f, kNan, kInfinity, 1e-40f}) {
    Bench input(kQuantizedConv);
    Stored(input, "s") = EncodeScalar<float>("s", scale);
    BOOST_TEST(RunAlone<QuantizeBias>(input).rewrites == 0u);
    BOOST_TEST(Contains(input.ReasonFor("y"), "its bias stays float"));

    Bench weights(kQuantizedConv);
    const float scales[] = {0.1f, scale};
    Stored(weights, "t") = EncodeValues<float>("t", dims, scales);
    BOOST_TEST(RunAlone<QuantizeBias>(weights).rewrites == 0u);
  }
}

BOOST_AUTO_TEST_CASE(ScalesWhoseProductUnderflowsKeepTheBiasFloat) {
  Bench bench(kQuantizedConv);
  const std::int64_t dims[] = {2};
  const float small[] = {1e-20f, 1e-20f};
  const float bias[] = {0.0f, 0.0f};
  Stored(bench, "s") = EncodeScalar<float>("s", 1e-30f);
  Stored(bench, "t") = EncodeValues<float>("t", dims, small);
  Stored(bench, "b") = EncodeValues<float>("b", dims, bias);
  BOOST_TEST(RunAlone<QuantizeBias>(bench).rewrites == 0u);
}

BOOST_AUTO_TEST_CASE(AWrongNumberOfScalesKeepsTheBiasFloat) {
  Bench bench(kQuantizedConv);
  const std::int64_t four[] = {4};
  const float scales[] = {0.1f, 0.1f, 0.1f, 0.1f};
  const float bias[] = {1e12f, 1e12f, 1e12f, 1e12f};
  Stored(bench, "t") = EncodeValues<float>("t", four, scales);
  Stored(bench, "b") = EncodeValues<float>("b", four, bias);
  BOOST_TEST(RunAlone<QuantizeBias>(bench).rewrites == 0u);
}

BOOST_AUTO_TEST_CASE(BlockedScalesKeepTheBiasFloat) {
  Bench bench(kQuantizedConv);
  const std::int64_t dims[] = {2, 1, 1, 1};
  const float scales[] = {0.1f, 0.1f};
  Stored(bench, "t") = EncodeValues<float>("t", dims, scales);
  BOOST_TEST(RunAlone<QuantizeBias>(bench).rewrites == 0u);
}

BOOST_AUTO_TEST_CASE(ALargeBiasOverCodesOfTheRunStaysFloat) {
  // As after quantization-aware training: the codes are computed.
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (uint8[1, 2, 2, 2] x) => (float[1, 2, 2, 2] y)
    <float s = {0.1}, float[2] t = {0.1, 0.2}, int8[2] z = {0, 0},
     float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}, float[2] b = {1.0, 2.0}>
    { a = DequantizeLinear (x, s)
      q = QuantizeLinear <axis = 0> (w, t, z)
      v = DequantizeLinear <axis = 0> (q, t, z)
      y = Conv (a, v, b) })");
  Bench large(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (uint8[1, 2, 2, 2] x) => (float[1, 2, 2, 2] y)
    <float s = {0.1}, float[2] t = {0.1, 0.2}, int8[2] z = {0, 0},
     float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}, float[2] b = {1e12, 2.0}>
    { a = DequantizeLinear (x, s)
      q = QuantizeLinear <axis = 0> (w, t, z)
      v = DequantizeLinear <axis = 0> (q, t, z)
      y = Conv (a, v, b) })");
  for (Bench* each : {&bench, &large}) {
    auto& info = *each->model.proto().mutable_graph()->add_value_info();
    info.set_name("q");
    auto& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::INT8);
    for (const int dim : {2, 2, 1, 1}) {
      type.mutable_shape()->add_dim()->set_dim_value(dim);
    }
  }
  BOOST_TEST(RunAlone<QuantizeBias>(bench).rewrites == 1u);
  BOOST_TEST(RunAlone<QuantizeBias>(large).rewrites == 0u);
  BOOST_TEST(Contains(large.ReasonFor("y"), "int32"));
}

BOOST_AUTO_TEST_CASE(ABiasThatNoFloatScaleHoldsStaysFloat) {
  Bench bench(kQuantizedConv);
  const float bias[] = {std::numeric_limits<float>::max(), 1.0f};
  const std::int64_t dims[] = {2};
  Stored(bench, "b") = EncodeValues<float>("b", dims, bias);
  Stored(bench, "s") = EncodeScalar<float>("s", 1e-37f);
  BOOST_TEST(RunAlone<QuantizeBias>(bench).rewrites == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

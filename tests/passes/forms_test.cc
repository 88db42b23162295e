// Every edge between the forms: what becomes what, what stays, and how equal
// the two sides compute.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/passes/forms_bench.h"
#include "tests/testing.h"
#include "zeropoint/passes/fold_qdq.h"
#include "zeropoint/passes/lower_to_integer.h"
#include "zeropoint/passes/lower_to_qoperator.h"
#include "zeropoint/passes/raise_to_qdq.h"

namespace zeropoint {
namespace {

using testing::Difference;
using testing::FormsBench;
using testing::MakeFeeds;
using testing::Ramp;

// x -> Q -> DQ -> Conv with a scale a channel and an int32 bias -> Q -> DQ -> y
constexpr const char* kConv = R"(
  g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
  <float x_scale = {0.02}, uint8 x_zero = {100},
   int8[2, 2, 3, 3] w = {3, -7, 20, 11, 5, -127, 64, 2, 9, 1, 1, -3, 40, 8, -60,
     77, 13, -21, 90, -4, 33, -12, 127, 6, -50, 25, 14, 7, -8, 45, 2, -99, 31,
     18, -16, 29},
   float[2] w_scale = {0.01, 0.003}, int8[2] w_zero = {0, 0},
   int32[2] b = {500, -900}, float[2] b_scale = {0.0002, 0.00006},
   int32[2] b_zero = {0, 0}, float y_scale = {0.05}, uint8 y_zero = {121}>
  {
    xq = QuantizeLinear (x, x_scale, x_zero)
    xd = DequantizeLinear (xq, x_scale, x_zero)
    wd = DequantizeLinear <axis = 0> (w, w_scale, w_zero)
    bd = DequantizeLinear <axis = 0> (b, b_scale, b_zero)
    c = Conv <pads = [1, 1, 1, 1]> (xd, wd, bd)
    yq = QuantizeLinear (c, y_scale, y_zero)
    y = DequantizeLinear (yq, y_scale, y_zero)
  })";
constexpr float kConvStep = 0.05f;

// An operator between pairs: `body` computes c from a, whose codes are aq.
std::string Unit(const std::string& body, const std::string& c_scale = "0.03",
                 const std::string& c_zero = "90",
                 const std::string& more = "") {
  return R"(g (float[1, 2, 4, 4] a) => (float[N, C, H, W] y)
    <float a_scale = {0.02}, uint8 a_zero = {100}, float c_scale = {)" +
         c_scale + "}, uint8 c_zero = {" + c_zero + "}" + more + R"(>
    {
      aq = QuantizeLinear (a, a_scale, a_zero)
      ad = DequantizeLinear (aq, a_scale, a_zero)
      )" +
         body + R"(
      cq = QuantizeLinear (c, c_scale, c_zero)
      y = DequantizeLinear (cq, c_scale, c_zero)
    })";
}

Feeds Input(const std::string& name) {
  return MakeFeeds(Ramp(name, {1, 2, 4, 4}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lower_to_qoperator)

BOOST_AUTO_TEST_CASE(AConvolutionKeepsItsParameters) {
  FormsBench bench(kConv);
  const auto before = bench.Outputs(Input("x"));
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 1u);
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear QLinearConv DequantizeLinear");
  const onnx::NodeProto& conv = bench.Node("QLinearConv");
  const std::vector<std::string> inputs(conv.input().begin(),
                                        conv.input().end());
  const std::vector<std::string> expected = {
      "xq", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero"};
  BOOST_REQUIRE_EQUAL(inputs.size(), 9u);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(inputs[i] == expected[i]);
  }
  BOOST_TEST(Difference(before, bench.Outputs(Input("x"))) <=
             1.001f * kConvStep);
}

BOOST_AUTO_TEST_CASE(ABiasWithAnotherScaleIsQuantizedAgain) {
  std::string text = kConv;
  text.replace(text.find("{0.0002, 0.00006}"), 17, "{0.0004, 0.00012}");
  FormsBench bench(text);
  bench.Apply(LowerToQOperator{});
  const Tensor bias = bench.Initializer(bench.Node("QLinearConv").input(8));
  BOOST_TEST(bias.As<std::int32_t>()[0] == 1000);
  BOOST_TEST(bias.As<std::int32_t>()[1] == -1800);
}

BOOST_AUTO_TEST_CASE(ABiasBeyondInt32Declines) {
  std::string text = kConv;
  text.replace(text.find("{0.0002, 0.00006}"), 17, "{2000000.0, 1.0}");
  FormsBench bench(text);
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
  BOOST_TEST(bench.Says("exceeds int32"));
}

BOOST_AUTO_TEST_CASE(LoweringTwiceChangesNothing) {
  FormsBench bench(kConv);
  bench.Apply(LowerToQOperator{});
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
}

BOOST_AUTO_TEST_CASE(ARoundTripRestoresCodesAndParameters) {
  FormsBench bench(kConv);
  const auto before = bench.Outputs(Input("x"));
  bench.Apply(LowerToQOperator{});
  bench.Apply(RaiseToQdq{});
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear DequantizeLinear DequantizeLinear "
             "DequantizeLinear Conv QuantizeLinear DequantizeLinear");
  BOOST_TEST(Difference(before, bench.Outputs(Input("x"))) == 0.0f);
  for (const char* name : {"x_scale", "w", "w_scale", "y_scale", "y_zero"}) {
    BOOST_TEST(bench.Initializer(name).size() > 0u);
  }
  // The bias has its scale again, as the product of the other two.
  for (const auto& node : bench.model.proto().graph().node()) {
    if (node.op_type() != "Conv") continue;
    for (const auto& dq : bench.model.proto().graph().node()) {
      if (dq.output(0) != node.input(2)) continue;
      const Tensor scale = bench.Initializer(dq.input(1));
      BOOST_TEST(scale.As<float>()[0] == 0.02f * 0.01f);
      BOOST_TEST(scale.As<float>()[1] == 0.02f * 0.003f);
    }
  }
}

BOOST_AUTO_TEST_CASE(AFloatOutputDeclines) {
  FormsBench bench(R"(
    g (float[1, 3] a) => (float[1, 2] y)
    <float a_scale = {0.02}, uint8 a_zero = {100}, int8[3, 2] w = {1, 2, 3, 4,
     5, 6}, float w_scale = {0.1}, int8 w_zero = {0}>
    { aq = QuantizeLinear (a, a_scale, a_zero)
      ad = DequantizeLinear (aq, a_scale, a_zero)
      wd = DequantizeLinear (w, w_scale, w_zero)
      y = MatMul (ad, wd) })");
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
  BOOST_TEST(bench.Says("its output is not quantized"));
}

BOOST_AUTO_TEST_CASE(AReluThatTheCodesDoNotImplyStays) {
  std::string text = kConv;
  text.replace(text.find("yq = QuantizeLinear (c,"), 23,
               "r = Relu (c)\n yq = QuantizeLinear (r,");
  FormsBench bench(text);
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
  BOOST_TEST(bench.Says("the Relu behind it"));

  text.replace(text.find("y_zero = {121}"), 14, "y_zero = {0}");
  FormsBench implied(text);
  const auto before = implied.Outputs(Input("x"));
  BOOST_TEST(implied.Apply(LowerToQOperator{}) == 1u);
  BOOST_TEST(Difference(before, implied.Outputs(Input("x"))) <=
             1.001f * kConvStep);
}

BOOST_AUTO_TEST_CASE(Int8ActivationsWantInt8Weights) {
  FormsBench bench(R"(
    g (float[1, 3] a) => (float[1, 2] y)
    <float a_scale = {0.02}, int8 a_zero = {5}, uint8[3, 2] w = {1, 2, 3, 4,
     5, 6}, float w_scale = {0.1}, uint8 w_zero = {3}, float y_scale = {0.1}>
    { aq = QuantizeLinear (a, a_scale, a_zero)
      ad = DequantizeLinear (aq, a_scale, a_zero)
      wd = DequantizeLinear (w, w_scale, w_zero)
      c = MatMul (ad, wd)
      yq = QuantizeLinear (c, y_scale, a_zero)
      y = DequantizeLinear (yq, y_scale, a_zero) })");
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
  BOOST_TEST(bench.Says("does not combine"));
}

BOOST_AUTO_TEST_CASE(WeightsScaledAlongAnotherAxisDecline) {
  FormsBench bench(R"(
    g (float[1, 2] a) => (float[1, 2] y)
    <float a_scale = {0.02}, uint8 a_zero = {5}, int8[2, 2] w = {1, 2, 3, 4},
     float[2] w_scale = {0.1, 0.2}, int8[2] w_zero = {0, 0}>
    { aq = QuantizeLinear (a, a_scale, a_zero)
      ad = DequantizeLinear (aq, a_scale, a_zero)
      wd = DequantizeLinear <axis = 0> (w, w_scale, w_zero)
      c = MatMul (ad, wd)
      yq = QuantizeLinear (c, a_scale, a_zero)
      y = DequantizeLinear (yq, a_scale, a_zero) })");
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
  BOOST_TEST(bench.Says("another axis"));
}

BOOST_AUTO_TEST_CASE(CodesMoveWithoutPairs) {
  for (const char* body :
       {"c = MaxPool <kernel_shape = [2, 2]> (ad)",
        "c = Transpose <perm = [0, 1, 3, 2]> (ad)", "c = Pad (ad, pads)",
        "c = Relu (ad)", "c = Clip (ad, low, high)",
        "c = Concat <axis = 1> (ad, ad)", "c = Identity (ad)"}) {
    BOOST_TEST_CONTEXT(body) {
      FormsBench bench(Unit(body, "0.02", "100",
                            ", int64[8] pads = {0, 0, 1, 1, 0, 0, 1, 1}"
                            ", float low = {-0.51}, float high = {1.0}"));
      const auto before = bench.Outputs(Input("a"));
      BOOST_TEST(bench.Apply(LowerToQOperator{}) == 1u);
      BOOST_TEST(bench.model.proto().graph().node_size() == 3);
      BOOST_TEST(Difference(before, bench.Outputs(Input("a"))) == 0.0f);
      bench.Apply(RaiseToQdq{});
      BOOST_TEST(bench.model.proto().graph().node_size() == 5);
      BOOST_TEST(Difference(before, bench.Outputs(Input("a"))) == 0.0f);
    }
  }
}

BOOST_AUTO_TEST_CASE(CodesWithAnotherScaleDoNotMove) {
  FormsBench bench(Unit("c = Identity (ad)"));
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
  BOOST_TEST(bench.Says("another scale"));
}

BOOST_AUTO_TEST_CASE(UnitsOfTheMicrosoftDomainComputeTheSame) {
  const std::string more =
      ", uint8[1, 2, 1, 1] k = {7, 200}, float k_scale = {0.011}"
      ", uint8 k_zero = {88}, bool[1, 1, 4, 4] choice = {1, 0, 1, 0, 1, 1, 0, "
      "0, 0, 1, 1, 1, 0, 0, 1, 0}";
  const std::string kd = "kd = DequantizeLinear (k, k_scale, k_zero)\n";
  for (const std::string& body :
       {kd + "c = Add (ad, kd)", kd + "c = Mul (ad, kd)",
        std::string("c = Add (ad, ad)"), std::string("c = Sigmoid (ad)"),
        std::string("c = LeakyRelu <alpha = 0.1> (ad)"),
        std::string("c = GlobalAveragePool (ad)"),
        std::string("c = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, "
                    "1], strides = [2, 2]> (ad)"),
        kd + "c = Where (choice, ad, kd)"}) {
    BOOST_TEST_CONTEXT(body) {
      FormsBench bench(Unit(body, "0.03", "90", more));
      BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
      BOOST_TEST(bench.Says("com.microsoft"));
      const auto before = bench.Outputs(Input("a"));
      BOOST_TEST(bench.Apply(LowerToQOperator{.microsoft = true}) == 1u);
      BOOST_TEST(bench.model.proto().graph().node_size() == 3);
      BOOST_TEST(Difference(before, bench.Outputs(Input("a"))) == 0.0f);
      bench.Apply(RaiseToQdq{});
      BOOST_TEST(Difference(before, bench.Outputs(Input("a"))) == 0.0f);
      BOOST_TEST(bench.Operators().find("QLinear") == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(AConcatOfDifferentScalesIsQLinearConcat) {
  FormsBench bench(
      Unit("kd = DequantizeLinear (k, k_scale, a_zero)\n"
           "c = Concat <axis = 3> (ad, kd)",
           "0.02", "100",
           ", uint8[1, 2, 4, 1] k = {0, 9, 99, 255, 1, 2, 3, 4}"
           ", float k_scale = {0.5}"));
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
  const auto before = bench.Outputs(Input("a"));
  BOOST_TEST(bench.Apply(LowerToQOperator{.microsoft = true}) == 1u);
  BOOST_TEST(bench.Node("QLinearConcat").input_size() == 8);
  BOOST_TEST(Difference(before, bench.Outputs(Input("a"))) == 0.0f);
}

BOOST_AUTO_TEST_CASE(ASoftmaxConvertsWithTheScaleOfQLinearSoftmaxAlone) {
  FormsBench other(Unit("c = Softmax <axis = 1> (ad)", "0.003921569", "0"));
  BOOST_TEST(other.Apply(LowerToQOperator{.microsoft = true}) == 0u);
  BOOST_TEST(other.Says("1/256"));
  FormsBench bench(Unit("c = Softmax <axis = 1> (ad)", "0.00390625", "0"));
  const auto before = bench.Outputs(Input("a"));
  BOOST_TEST(bench.Apply(LowerToQOperator{.microsoft = true}) == 1u);
  BOOST_TEST(Difference(before, bench.Outputs(Input("a"))) == 0.0f);
}

BOOST_AUTO_TEST_CASE(AGemmTakesAlphaAndBetaIntoItsBias) {
  FormsBench bench(R"(
    g (float[2, 3] a) => (float[2, 2] y)
    <float a_scale = {0.02}, uint8 a_zero = {100},
     int8[2, 3] w = {10, -20, 30, 44, 50, -60}, float[2] w_scale = {0.1, 0.25},
     int8[2] w_zero = {0, 0}, float[2] b = {3.0, -7.0}, float y_scale = {0.25},
     uint8 y_zero = {128}>
    { aq = QuantizeLinear (a, a_scale, a_zero)
      ad = DequantizeLinear (aq, a_scale, a_zero)
      wd = DequantizeLinear <axis = 0> (w, w_scale, w_zero)
      c = Gemm <transB = 1, alpha = 2.0, beta = 0.5> (ad, wd, b)
      yq = QuantizeLinear (c, y_scale, y_zero)
      y = DequantizeLinear (yq, y_scale, y_zero) })");
  const Feeds feeds = MakeFeeds(Ramp("a", {2, 3}));
  const auto before = bench.Outputs(feeds);
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 0u);
  BOOST_TEST(bench.Apply(LowerToQOperator{.microsoft = true}) == 1u);
  const Tensor bias = bench.Initializer(bench.Node("QGemm").input(6));
  BOOST_TEST(bias.As<std::int32_t>()[0] == 375);   // 0.5 * 3 / (2 * 0.002)
  BOOST_TEST(bias.As<std::int32_t>()[1] == -350);  // 0.5 * -7 / (2 * 0.005)
  BOOST_TEST(Difference(before, bench.Outputs(feeds)) <= 0.2501f);
  bench.Apply(RaiseToQdq{});
  BOOST_TEST(bench.Operators().find("QGemm") == std::string::npos);
  BOOST_TEST(Difference(before, bench.Outputs(feeds)) <= 0.2501f);
  bench.Apply(LowerToQOperator{.microsoft = true});
  const Tensor again = bench.Initializer(bench.Node("QGemm").input(6));
  BOOST_TEST(again.As<std::int32_t>()[0] == 375);
  BOOST_TEST(again.As<std::int32_t>()[1] == -350);
}

BOOST_AUTO_TEST_CASE(CodesThatOthersReadKeepTheirPair) {
  FormsBench bench(
      Unit("z = Neg (ad)\n u = Identity (ad)\n c = MaxPool "
           "<kernel_shape = [1, 1]> (u)\n"
           "d = Add (z, z)",
           "0.02", "100"));
  bench.Apply(LowerToQOperator{});
  // Identity's output has no pair, so both stay; nothing is broken.
  BOOST_TEST(bench.Outputs(Input("a")).size() == 32u);
}

BOOST_AUTO_TEST_CASE(BodiesAreEntered) {
  FormsBench bench(R"(
    g (float[1, 3] a, bool flag) => (float[1, 2] y)
    <float a_scale = {0.02}, uint8 a_zero = {100}, int8[3, 2] w = {1, 2, 3, 4,
     5, 6}, float w_scale = {0.1}, int8 w_zero = {0}, float y_scale = {0.1}>
    { aq = QuantizeLinear (a, a_scale, a_zero)
      ad = DequantizeLinear (aq, a_scale, a_zero)
      y = If (flag) <
        then_branch = t () => (float[1, 2] p) {
          wd = DequantizeLinear (w, w_scale, w_zero)
          c = MatMul (ad, wd)
          pq = QuantizeLinear (c, y_scale, a_zero)
          p = DequantizeLinear (pq, y_scale, a_zero) },
        else_branch = e () => (float[1, 2] q) {
          we = DequantizeLinear (w, w_scale, w_zero)
          q = MatMul (ad, we) }> })");
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 1u);
  BOOST_TEST(bench.Apply(LowerToInteger{}) == 1u);
  BOOST_TEST(bench.Apply(RaiseToQdq{}) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(lower_to_integer)

BOOST_AUTO_TEST_CASE(AConvolutionIsRescaledByChannel) {
  FormsBench bench(kConv);
  const auto before = bench.Outputs(Input("x"));
  BOOST_TEST(bench.Apply(LowerToInteger{}) == 1u);
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear ConvInteger Cast Mul Add QuantizeLinear "
             "DequantizeLinear");
  // Symmetric weights: no zero point, which some runtimes take as a scalar.
  BOOST_TEST(bench.Node("ConvInteger").input_size() == 3);
  const Tensor multiplier = bench.Initializer(bench.Node("Mul").input(1));
  BOOST_TEST(multiplier.dims() == (Dims{2, 1, 1}),
             boost::test_tools::per_element());
  BOOST_TEST(multiplier.As<float>()[1] == 0.02f * 0.003f);
  BOOST_TEST(Difference(before, bench.Outputs(Input("x"))) <=
             1.001f * kConvStep);
}

BOOST_AUTO_TEST_CASE(TheWayBackKeepsCodesAndTheProductsOfScales) {
  FormsBench bench(kConv);
  bench.Apply(LowerToInteger{});
  BOOST_TEST(bench.Apply(RaiseToQdq{}) == 1u);
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear DequantizeLinear DequantizeLinear Conv "
             "QuantizeLinear DequantizeLinear");
  for (const auto& node : bench.model.proto().graph().node()) {
    if (node.op_type() != "DequantizeLinear" || node.input(0) != "w") continue;
    const Tensor scale = bench.Initializer(node.input(1));
    BOOST_TEST(0.02f * scale.As<float>()[0] == 0.02f * 0.01f);
    BOOST_TEST(0.02f * scale.As<float>()[1] == 0.02f * 0.003f);
  }
}

BOOST_AUTO_TEST_CASE(AnInt8InputOfAConvolutionBecomesUint8) {
  FormsBench bench(R"(
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float s = {0.02}, int8 z = {-5}, int8[1, 1, 1, 1] w = {9}, int8 wz = {2}>
    { xq = QuantizeLinear (x, s, z)
      xd = DequantizeLinear (xq, s, z)
      wd = DequantizeLinear (w, s, wz)
      y = Conv (xd, wd) })");
  const Feeds feeds = MakeFeeds(Ramp("x", {1, 1, 2, 2}));
  const auto before = bench.Outputs(feeds);
  BOOST_TEST(bench.Apply(LowerToInteger{}) == 1u);
  BOOST_TEST(bench.Operators() == "QuantizeLinear ConvInteger Cast Mul");
  const onnx::NodeProto& sum = bench.Node("ConvInteger");
  BOOST_TEST(sum.input_size() == 4);
  BOOST_TEST(int{bench.Initializer(sum.input(2)).As<std::uint8_t>()[0]} == 123);
  BOOST_TEST(Difference(before, bench.Outputs(feeds)) <= 1e-6f);
}

BOOST_AUTO_TEST_CASE(AGemmIsTransposedAndScaledHere) {
  FormsBench bench(R"(
    g (float[2, 3] a) => (float[2, 2] y)
    <float a_scale = {0.02}, uint8 a_zero = {100},
     int8[2, 3] w = {10, -20, 30, 44, 50, -60}, float[2] w_scale = {0.1, 0.25},
     int8[2] w_zero = {0, 0}, float[2] b = {3.0, -7.0}>
    { aq = QuantizeLinear (a, a_scale, a_zero)
      ad = DequantizeLinear (aq, a_scale, a_zero)
      wd = DequantizeLinear <axis = 0> (w, w_scale, w_zero)
      y = Gemm <transB = 1, alpha = 2.0, beta = 0.5> (ad, wd, b) })");
  const Feeds feeds = MakeFeeds(Ramp("a", {2, 3}));
  const auto before = bench.Outputs(feeds);
  BOOST_TEST(bench.Apply(LowerToInteger{}) == 1u);
  BOOST_TEST(bench.Operators() == "QuantizeLinear MatMulInteger Cast Mul Add");
  BOOST_TEST(Difference(before, bench.Outputs(feeds)) <= 1e-5f);
}

BOOST_AUTO_TEST_CASE(DynamicScalesComeFromTheRealInput) {
  FormsBench bench(kConv);
  const auto before = bench.Outputs(Input("x"));
  LowerToInteger lower;
  lower.dynamic = true;
  BOOST_TEST(bench.Apply(lower) == 1u);
  BOOST_TEST(bench.Node("DynamicQuantizeLinear").input(0) == "x");
  BOOST_TEST(Difference(before, bench.Outputs(Input("x"))) <=
             2.001f * kConvStep);
  // What is computed at run time has no static pair.
  BOOST_TEST(bench.Apply(RaiseToQdq{}) == 0u);
  BOOST_TEST(bench.Says("computed at run time"));
}

BOOST_AUTO_TEST_CASE(TwoActivationsMultiplyToo) {
  FormsBench bench(R"(
    g (float[2, 3] a, float[3, 2] b) => (float[2, 2] y)
    <float s = {0.02}, uint8 z = {100}, float t = {0.03}, uint8 u = {90}>
    { aq = QuantizeLinear (a, s, z)
      ad = DequantizeLinear (aq, s, z)
      bq = QuantizeLinear (b, t, u)
      bd = DequantizeLinear (bq, t, u)
      y = MatMul (ad, bd) })");
  const Feeds feeds = MakeFeeds(Ramp("a", {2, 3}), Ramp("b", {3, 2}));
  const auto before = bench.Outputs(feeds);
  BOOST_TEST(bench.Apply(LowerToInteger{}) == 1u);
  BOOST_TEST(Difference(before, bench.Outputs(feeds)) <= 1e-5f);
  BOOST_TEST(bench.Apply(RaiseToQdq{}) == 1u);
  BOOST_TEST(Difference(before, bench.Outputs(feeds)) == 0.0f);
}

BOOST_AUTO_TEST_CASE(OnlyTheNodesThatAreAskedFor) {
  FormsBench bench(kConv);
  bench.model.proto().mutable_graph()->mutable_node(4)->set_name("conv");
  LowerToInteger excluded;
  excluded.selection.nodes_to_exclude = {"conv"};
  BOOST_TEST(bench.Apply(excluded) == 0u);
  LowerToInteger unknown;
  unknown.selection.nodes_to_quantize = {"conv", "cnov"};
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(graph.ok());
  CheckError(unknown.Run(*graph, bench.context).status(),
             StatusCode::kInvalidArgument, {"cnov"});
  LowerToInteger named;
  named.selection.nodes_to_quantize = {"conv"};
  BOOST_TEST(bench.Apply(named) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(raise_to_qdq)

BOOST_AUTO_TEST_CASE(WhatIsNotUnderstoodStays) {
  // Scales that are fed, a triple that is cut short, weights that are no codes.
  for (const char* body :
       {"y = QLinearMatMul (a, s, z, a, s, z, fed, z)",
        "y = QLinearMatMul (a, s, z)", "y = com.microsoft.QLinearConcat (s)",
        "y = com.microsoft.QGemm (a, s, z, w, s, z)"}) {
    BOOST_TEST_CONTEXT(body) {
      auto model = Model::FromProto(testing::ParseProto(
          std::string("<ir_version: 8, opset_import: [\"\" : 17, "
                      "\"com.microsoft\" : 1]> g (uint8[2, 2] a, float fed) "
                      "=> (uint8[2, 2] y) <float s = {0.5}, uint8 z = {3}, "
                      "float[2, 2] w = {1, 2, 3, 4}> { ") +
          body + " }"));
      REQUIRE_OK(model);
      auto graph = GraphView::Over(*model);
      REQUIRE_OK(graph);
      PassContext context;
      const auto report = RaiseToQdq{}.Run(*graph, context);
      REQUIRE_OK(report);
      BOOST_TEST(report->rewrites == 0u);
      BOOST_TEST(context.declined.size() == 1u);
    }
  }
}

BOOST_AUTO_TEST_CASE(AnIntegerSumOnFloatsIsLeftAlone) {
  auto model = Model::FromProto(testing::ParseProto(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[2, 2] x) => (float[2, 2] y)
    <float s = {0.5}, uint8 z = {3}, float[2, 2] w = {1, 2, 3, 4}>
    { xq = QuantizeLinear (x, s, z)
      c = MatMulInteger (xq, w, z)
      f = Cast <to = 1> (c)
      y = Mul (f, s) })"));
  REQUIRE_OK(model);
  auto graph = GraphView::Over(*model);
  REQUIRE_OK(graph);
  PassContext context;
  const auto report = RaiseToQdq{}.Run(*graph, context);
  REQUIRE_OK(report);
  BOOST_TEST(report->rewrites == 0u);
}

BOOST_AUTO_TEST_CASE(AnotherZeroPointThanTheCodesHaveDeclines) {
  auto model = Model::FromProto(testing::ParseProto(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[2, 2] x) => (float[2, 2] y)
    <float s = {0.5}, uint8 z = {3}, uint8 other = {4},
     int8[2, 2] w = {1, 2, 3, 4}>
    { xq = QuantizeLinear (x, s, z)
      c = MatMulInteger (xq, w, other)
      f = Cast <to = 1> (c)
      y = Mul (f, s) })"));
  REQUIRE_OK(model);
  auto graph = GraphView::Over(*model);
  REQUIRE_OK(graph);
  PassContext context;
  const auto report = RaiseToQdq{}.Run(*graph, context);
  REQUIRE_OK(report);
  BOOST_TEST(report->rewrites == 0u);
  BOOST_REQUIRE_EQUAL(context.declined.size(), 1u);
  BOOST_TEST(context.declined[0].reason.find("zero point") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(fold_qdq)

BOOST_AUTO_TEST_CASE(WeightsAreTheOnesThatTheCodesStandFor) {
  FormsBench bench(kConv);
  const auto before = bench.Outputs(Input("x"));
  BOOST_TEST(bench.Apply(FoldQdq{}) == 4u);
  BOOST_TEST(bench.Operators() == "Clip Conv Clip");
  const onnx::NodeProto& conv = bench.Node("Conv");
  const Tensor weights = bench.Initializer(conv.input(1));
  BOOST_TEST(weights.As<float>()[5] == -127.0f * 0.01f);
  BOOST_TEST(bench.Initializer(conv.input(2)).As<float>()[1] ==
             -900.0f * 0.00006f);
  // Half a step of the output, and what half a step of the input becomes.
  const auto after = bench.Outputs(Input("x"));
  BOOST_TEST(Difference(before, after) <= kConvStep);
  BOOST_TEST(Difference(before, after) > 0.0f);
}

BOOST_AUTO_TEST_CASE(SaturationStaysUnlessItIsDropped) {
  const std::string text =
      Unit("c = MaxPool <kernel_shape = [1, 1]> (ad)", "0.02", "100");
  FormsBench kept(text);
  kept.Apply(FoldQdq{});
  BOOST_TEST(kept.Operators() == "Clip MaxPool");  // its limits are the same
  const Tensor lo = kept.Initializer(kept.Node("Clip").input(1));
  const Tensor hi = kept.Initializer(kept.Node("Clip").input(2));
  BOOST_TEST(lo.As<float>()[0] == -100.0f * 0.02f);
  BOOST_TEST(hi.As<float>()[0] == 155.0f * 0.02f);
  FormsBench dropped(text);
  dropped.Apply(FoldQdq{.keep_limits = false});
  BOOST_TEST(dropped.Operators() == "MaxPool");
}

BOOST_AUTO_TEST_CASE(CodesThatAreFedStay) {
  FormsBench bench(R"(
    g (uint8[2] a) => (float[2] y) <float s = {0.02}, uint8 z = {100}>
    { d = DequantizeLinear (a, s, z)
      y = Relu (d) })");
  BOOST_TEST(bench.Apply(FoldQdq{}) == 0u);
  BOOST_TEST(bench.Says("fed as codes"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

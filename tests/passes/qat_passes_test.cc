// The passes of quantization-aware training; tests/interop/qat_test.py runs
// what they make in ONNX Runtime.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>

#include "tests/graph/parse_model.h"
#include "tests/passes/quantize_bench.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/eliminate_redundant_qdq.h"
#include "zeropoint/passes/fold_batch_norm_qdq.h"
#include "zeropoint/passes/fold_quantize.h"
#include "zeropoint/passes/fuse_fake_quantize.h"
#include "zeropoint/passes/propagate_codes.h"
#include "zeropoint/passes/propagate_qdq.h"

namespace zeropoint {
namespace {

/// The bench, with passes of one's choice.
struct QatBench : testing::QuantizeBench {
  using QuantizeBench::QuantizeBench;

  template <class P>
  std::size_t Apply(P pass) {
    auto graph = GraphView::Over(model);
    BOOST_REQUIRE_MESSAGE(graph.ok(), graph.status().message());
    BOOST_REQUIRE(InferTypes(*graph).ok());
    context.evaluate = NodeEvaluation(model);
    const auto report = pass.Run(*graph, context);
    BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
    BOOST_REQUIRE(EliminateDead{}.Run(*graph, context).ok());
    const Status checked = CheckModel(model);
    BOOST_TEST(checked.ok(), checked.message());
    return report->rewrites;
  }
};

std::string FakeQuantizeOf(const char* bounds, const char* zero = "3.0") {
  return std::string(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[2, 2] x) => (float[2, 2] y)
    <float s = {0.3}, float z = {)") +
         zero + "}, " + bounds + R"(>
    { a = Div (x, s)
      b = Round (a)
      c = Add (b, z)
      d = Clip (c, lo, hi)
      e = Sub (d, z)
      [last] y = Mul (s, e) })";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qat_passes)

BOOST_AUTO_TEST_CASE(FakeQuantizationBecomesAPairWithTheSameNumbers) {
  QatBench bench(
      FakeQuantizeOf("float lo = {-128.0}, float hi = {127.0}").c_str());
  BOOST_TEST(bench.Apply(FuseFakeQuantize{}) == 1u);
  BOOST_TEST(bench.model.proto().graph().node_size() == 2);
  BOOST_TEST(bench.Initializer("x_scale").As<float>()[0] == 0.3f);
  BOOST_TEST(int{bench.Initializer("x_zero_point").As<std::int8_t>()[0]} == 3);
  BOOST_TEST(bench.Apply(FuseFakeQuantize{}) == 0u);
}

BOOST_AUTO_TEST_CASE(OtherLimitsStayAsTheyAre) {
  QatBench bits(FakeQuantizeOf("float lo = {0.0}, float hi = {15.0}").c_str());
  BOOST_TEST(bits.Apply(FuseFakeQuantize{}) == 0u);
  BOOST_TEST(bits.ReasonFor("last").find("0..15") != std::string::npos);
  QatBench wide(
      FakeQuantizeOf("float lo = {0.0}, float hi = {65535.0}").c_str());
  BOOST_TEST(wide.Apply(FuseFakeQuantize{}) == 0u);
  BOOST_TEST(wide.ReasonFor("last").find("opset 21") != std::string::npos);
  QatBench outside(
      FakeQuantizeOf("float lo = {0.0}, float hi = {255.0}", "300.0").c_str());
  BOOST_TEST(outside.Apply(FuseFakeQuantize{}) == 0u);
  QatBench fraction(
      FakeQuantizeOf("float lo = {0.0}, float hi = {255.0}", "0.5").c_str());
  BOOST_TEST(fraction.Apply(FuseFakeQuantize{}) == 0u);
}

BOOST_AUTO_TEST_CASE(ALimitThatAnotherNodeReadsStays) {
  std::string text = FakeQuantizeOf("float lo = {-128.0}, float hi = {127.0}");
  text.replace(text.find("=> (float[2, 2] y)"), 18,
               "=> (float[2, 2] y, float[2, 2] d)");
  QatBench bench(text.c_str());
  BOOST_TEST(bench.Apply(FuseFakeQuantize{}) == 0u);
}

BOOST_AUTO_TEST_CASE(WeightsBecomeCodesAsTheOperatorSays) {
  QatBench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 3] x) => (float[1, 2] y)
    <float[3, 2] w = {0.5, 1.5, 2.5, -0.5, 9.0, -9.0}, float[2] s = {1, 1},
     int8[2] z = {0, 0}, int8 lo = {-7}, int8 hi = {7}>
    { q = QuantizeLinear <axis = 1> (w, s, z)
      c = Clip (q, lo, hi)
      d = DequantizeLinear <axis = 1> (c, s, z)
      y = MatMul (x, d) })");
  BOOST_TEST(bench.Apply(FoldQuantize{}) == 1u);
  const Tensor codes = bench.Initializer("c");
  const int expected[] = {0, 2, 2, 0, 7, -7};  // ties to even, then the Clip
  for (std::size_t i = 0; i < 6; ++i) {
    BOOST_TEST(int{codes.As<std::int8_t>()[i]} == expected[i]);
  }
  BOOST_TEST(bench.Count("QuantizeLinear") == 0u);
}

BOOST_AUTO_TEST_CASE(ScalesTakeTheFactorOfANormalization) {
  const char* text = R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 1, 1] x) => (float[1, 3, 1, 1] y)
    <int8[3, 1, 1, 1] w = {10, -20, 30}, float s = {0.5}, int8 z = {0},
     int32[3] b = {4, 8, 0}, float bs = {0.25}, int32 bz = {0},
     float[3] gamma = {2, -4, 0}, float[3] beta = {1, 1, 7},
     float[3] mean = {0.5, 0, 3}, float[3] var = {4, 4, 4}>
    { d = DequantizeLinear (w, s, z)
      e = DequantizeLinear (b, bs, bz)
      c = Conv (x, d, e)
      [norm] y = BatchNormalization <epsilon = 0.0> (c, gamma, beta, mean, var)
    })";
  QatBench bench(text);
  BOOST_TEST(bench.Apply(FoldBatchNormQdq{}) == 1u);
  const Tensor scale = bench.Initializer("w_scale");
  BOOST_TEST(scale.As<float>()[0] == 0.5f);  // 2 / 2 * 0.5
  BOOST_TEST(scale.As<float>()[1] == 1.0f);  // |-4 / 2| * 0.5
  BOOST_TEST(scale.As<float>()[2] == 1.0f);  // any: its codes are 0
  const Tensor codes = bench.Initializer("w_1");
  BOOST_TEST(int{codes.As<std::int8_t>()[0]} == 10);
  BOOST_TEST(int{codes.As<std::int8_t>()[1]} == 20);
  BOOST_TEST(int{codes.As<std::int8_t>()[2]} == 0);
  const Tensor bias = bench.Initializer("w_bias");
  BOOST_TEST(bias.As<float>()[0] == 1.5f);   // 1 * (1 - 0.5) + 1
  BOOST_TEST(bias.As<float>()[1] == -3.0f);  // -2 * 2 + 1
  BOOST_TEST(bias.As<float>()[2] == 7.0f);

  std::string lowest = text;
  lowest.replace(lowest.find("-20"), 3, "-128");
  QatBench declines(lowest.c_str());
  BOOST_TEST(declines.Apply(FoldBatchNormQdq{}) == 0u);
  BOOST_TEST(declines.ReasonFor("norm").find("no negative") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(CodesMoveThroughATranspose) {
  QatBench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2] x) => (float[1, 3] y)
    <int8[3, 2] w = {1, 2, 3, 4, 5, 6}, float[3] s = {1, 2, 3},
     int8[3] z = {0, 0, 0}>
    { d = DequantizeLinear <axis = 0> (w, s, z)
      t = Transpose <perm = [1, 0]> (d)
      y = MatMul (x, t) })");
  BOOST_TEST(bench.Apply(PropagateCodes{}) == 1u);
  BOOST_TEST(bench.Count("Transpose") == 0u);
  const Tensor codes = bench.Initializer("w_moved");
  BOOST_TEST(codes.dims() == Dims({2, 3}), boost::test_tools::per_element());
  BOOST_TEST(int{codes.As<std::int8_t>()[1]} == 3);
  for (const auto& node : bench.model.proto().graph().node()) {
    if (node.op_type() != "DequantizeLinear") continue;
    BOOST_TEST(GetInt(node, "axis", 0) == 1);
  }
}

BOOST_AUTO_TEST_CASE(PairsAreHandedOnInBothDirections) {
  QatBench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 4, 4] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1}, float s = {0.5}, uint8 z = {7},
     float t = {0.25}, uint8 n = {9}>
    { q = QuantizeLinear (x, s, z)
      d = DequantizeLinear (q, s, z)
      m = MaxPool <kernel_shape = [1, 1]> (d)
      c = Conv (m, w)
      p = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (c)
      r = QuantizeLinear (p, t, n)
      y = DequantizeLinear (r, t, n) })");
  BOOST_TEST(bench.Apply(PropagateQdq{}) == 2u);
  const auto& nodes = bench.model.proto().graph().node();
  std::string order;
  for (const auto& node : nodes) order += node.op_type()[0];
  BOOST_TEST(order == "QDMQDCQDMQD");
  BOOST_TEST(nodes[3].input(1) == "s");
  BOOST_TEST(nodes[6].input(1) == "t");
  BOOST_TEST(bench.Apply(PropagateQdq{}) == 0u);
}

BOOST_AUTO_TEST_CASE(RepeatedPairsGo) {
  QatBench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[2] x) => (float[2] y, float[2] u)
    <float s = {0.5}, uint8 z = {7}, float s2 = {0.5}, uint8 z2 = {7},
     float other = {0.25}>
    { q = QuantizeLinear (x, s, z)
      d = DequantizeLinear (q, s, z)
      r = QuantizeLinear (d, s2, z2)
      e = DequantizeLinear (r, s2, z2)
      a = QuantizeLinear (x, s2, z2)
      b = DequantizeLinear (a, s2, z2)
      k = QuantizeLinear (e, other, z)
      l = DequantizeLinear (k, other, z)
      y = Add (e, b)
      u = Relu (l) })");
  BOOST_TEST(bench.Apply(EliminateRedundantQdq{}) == 3u);
  BOOST_TEST(bench.Count("QuantizeLinear") == 2u);  // another scale stays
  BOOST_TEST(bench.Count("DequantizeLinear") == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

// Models of float16 and bfloat16: quantized with scales of their own type, or
// with float pairs between casts.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/graph/half_model.h"
#include "tests/passes/quantize_bench.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/passes/fold_affine.h"
#include "zeropoint/passes/fold_batch_norm.h"
#include "zeropoint/passes/fuse_fake_quantize.h"
#include "zeropoint/passes/fuse_hard_swish.h"
#include "zeropoint/passes/insert_dynamic_quantization.h"
#include "zeropoint/passes/integer_io.h"

namespace zeropoint {
namespace {

using testing::InHalf;
using testing::ParseProto;
using Bench = testing::QuantizeBench;

constexpr auto kFloat16 = DataType::kFloat16;
constexpr auto kBfloat16 = DataType::kBfloat16;

std::string Conv(int opset) {
  return "<ir_version: 9, opset_import: [\"\" : " + std::to_string(opset) +
         R"(]>
    g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
    <float[2, 2, 1, 1] w = {0.7, -0.4, 0.003, 0.00009},
     float[2] b = {0.5, -0.25}>
    {
      [conv] c = Conv (x, w, b)
      [relu] y = Relu (c)
    })";
}

std::string MatMul(int opset) {
  return "<ir_version: 9, opset_import: [\"\" : " + std::to_string(opset) +
         R"(]>
    g (float[1, 3] x) => (float[1, 2] y)
    <float[3, 2] w = {0.7, -0.4, 0.3, 0.9, 0.11, -0.13}>
    { [product] y = MatMul (x, w) })";
}

/// Bench with ranges for x and y that no half precision scale fits exactly.
Bench HalfBench(const std::string& text, DataType type,
                bool half_pairs = true) {
  TargetSpec target = Generic::Spec();
  target.half_pairs = half_pairs;
  Bench bench(InHalf(ParseProto(text), type), target);
  for (const char* name : {"x", "c", "y"}) bench.Range(name, -1.03f, 3.11f);
  return bench;
}

std::vector<float> Reals(const Tensor& stored) {
  Tensor scratch;
  const auto values = AsFloat(stored.view(), scratch)->As<float>();
  return {values.begin(), values.end()};
}

/// The operators in the order of the file.
std::string Operators(const Bench& bench) {
  std::string all;
  for (const auto& node : bench.model.proto().graph().node()) {
    all += (all.empty() ? "" : " ") + node.op_type();
  }
  return all;
}

/// Checks that each code of `w` is that of its real under the stored scale.
void CheckWeightCodes(const Bench& bench, const std::vector<float>& reals,
                      std::size_t channels, bool channels_last) {
  const std::vector<float> scales = Reals(bench.Initializer("w_scale"));
  BOOST_REQUIRE_EQUAL(scales.size(), channels);
  const Tensor quantized = bench.Initializer("w_quantized");
  const auto codes = quantized.As<std::int8_t>();
  BOOST_REQUIRE_EQUAL(codes.size(), reals.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t c =
        channels_last ? i % channels : i / (reals.size() / channels);
    BOOST_TEST(codes[i] == reference::Quantize(reals[i], {scales[c], 0},
                                               CodeRange{-127, 127}));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(half_precision)

BOOST_AUTO_TEST_CASE(ScalesHaveTheTypeOfTheModelAndCodesFollowFromThem) {
  Bench bench = HalfBench(Conv(19), kFloat16);
  bench.Run();
  // CheckModel has compared all types; here the numbers.
  BOOST_TEST(Operators(bench) ==
             "QuantizeLinear DequantizeLinear DequantizeLinear Conv Relu "
             "QuantizeLinear DequantizeLinear");
  BOOST_TEST((bench.Initializer("x_scale").type() == kFloat16));
  const float scale = Reals(bench.Initializer("x_scale")).front();
  BOOST_TEST(scale == RoundTo(kFloat16, static_cast<float>(4.14 / 255)));
  BOOST_TEST(bench.Initializer("x_zero_point").As<std::uint8_t>()[0] ==
             static_cast<int>(std::nearbyint(1.03f / scale)));
  const std::vector<float> weights = {
      RoundTo(kFloat16, 0.7f), RoundTo(kFloat16, -0.4f),
      RoundTo(kFloat16, 0.003f), RoundTo(kFloat16, 0.00009f)};
  CheckWeightCodes(bench, weights, 2, false);
  // 0.003 / 127 would be subnormal.
  BOOST_TEST(Reals(bench.Initializer("w_scale"))[1] == 0x1p-14f);
}

BOOST_AUTO_TEST_CASE(TheBiasStaysHalf) {
  Bench bench = HalfBench(Conv(19), kFloat16);
  bench.Run();
  BOOST_TEST((bench.Initializer("b").type() == kFloat16));
  BOOST_TEST(bench.ReasonFor("conv").find("half precision has no room") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(ACorrectedBiasStaysHalfToo) {
  Bench bench = HalfBench(Conv(19), kFloat16);
  bench.Range("x", -1.03f, 3.11f, {1, 2, 4, 4}, {0.8, 0.9});
  bench.Run(/*correct_bias=*/true);
  BOOST_TEST((bench.Initializer("b_corrected").type() == kFloat16));
}

BOOST_AUTO_TEST_CASE(BfloatScalesToo) {
  Bench bench = HalfBench(MatMul(19), kBfloat16);
  bench.Run();
  BOOST_TEST((bench.Initializer("x_scale").type() == kBfloat16));
  BOOST_TEST((bench.Initializer("w_scale").type() == kBfloat16));
  std::vector<float> weights;
  for (const float w : {0.7f, -0.4f, 0.3f, 0.9f, 0.11f, -0.13f}) {
    weights.push_back(RoundTo(kBfloat16, w));
  }
  CheckWeightCodes(bench, weights, 2, true);
}

BOOST_AUTO_TEST_CASE(PairsOfHalfPrecisionNeedOpset19) {
  Bench bench = HalfBench(Conv(17), kFloat16);
  const Status refused = bench.TryInsert();
  BOOST_TEST((refused.code() == StatusCode::kUnsupported));
  BOOST_TEST(refused.message().find("need opset 19") != std::string::npos,
             refused.message());
}

BOOST_AUTO_TEST_CASE(SixteenBitCodesNeedOpset21) {
  Bench bench = HalfBench(Conv(21), kFloat16);
  bench.model.proto().set_ir_version(10);
  bench.target.activations = ParseScheme("u16:asym").value();
  bench.Run();
  BOOST_TEST((bench.Initializer("x_scale").type() == kFloat16));
  BOOST_TEST((bench.Initializer("x_zero_point").type() == DataType::kUint16));
}

BOOST_AUTO_TEST_CASE(AFloatIslandKeepsFloatScales) {
  auto proto = InHalf(ParseProto(R"(
    <ir_version: 9, opset_import: ["" : 19]>
    g (float[1, 3] x) => (float[1, 2] y)
    <float[3, 3] v = {0.7, -0.4, 0.3, 0.9, 0.11, -0.13, 0.5, 0.4, 0.3}>
    {
      [half] a = MatMul (x, v)
      b = Cast <to = 1> (a)
      [whole] c = MatMul (b, w)
      y = Cast <to = 1> (c)
    })"),
                      kFloat16);
  // The first Cast and the weights behind it stay float.
  proto.mutable_graph()->mutable_node(1)->mutable_attribute(0)->set_i(1);
  *proto.mutable_graph()->add_initializer() = EncodeValues<float>(
      "w", std::vector<std::int64_t>{3, 2},
      std::vector<float>{0.7f, -0.4f, 0.3f, 0.9f, 0.11f, -0.13f});
  Bench bench(std::move(proto));
  for (const char* name : {"x", "a", "b", "c", "y"}) {
    bench.Range(name, -1.03f, 3.11f);
  }
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(InferTypes(*graph).ok());
  BOOST_REQUIRE(InsertQdq{}.Run(*graph, bench.context).ok());
  const Status checked = CheckModel(bench.model);
  BOOST_TEST(checked.ok(), checked.message());
  BOOST_TEST((bench.Initializer("v_scale").type() == kFloat16));
  BOOST_TEST((bench.Initializer("w_scale").type() == DataType::kFloat));
  BOOST_TEST((bench.Initializer("b_scale").type() == DataType::kFloat));
}

BOOST_AUTO_TEST_CASE(ScalesThatCannotBeStoredAreRefused) {
  Bench bench = HalfBench(MatMul(19), kFloat16);
  TensorOverrides overrides;
  overrides["x"].channels.emplace_back().params = QParams{1e-6f, 0};
  bench.context.overrides = &overrides;
  const Status refused = bench.TryInsert();
  BOOST_TEST((refused.code() == StatusCode::kInvalidArgument));
  BOOST_TEST(refused.message().find("float16") != std::string::npos,
             refused.message());
}

BOOST_AUTO_TEST_CASE(CodesAtTheInputAndOutput) {
  Bench bench = HalfBench(MatMul(19), kFloat16);
  bench.Run();
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(InferTypes(*graph).ok());
  BOOST_REQUIRE(IntegerIo{}.Run(*graph, bench.context).ok());
  const Status checked = CheckModel(bench.model);
  BOOST_TEST(checked.ok(), checked.message());
  const auto& ports = bench.context.quantized.integer_io;
  BOOST_REQUIRE_EQUAL(ports.size(), 2u);
  BOOST_TEST(ports[0].params.scale ==
             Reals(bench.Initializer("x_scale")).front());
}

BOOST_AUTO_TEST_CASE(CastsLetTheQuantizedOperatorsComputeInFloat) {
  Bench pairs = HalfBench(Conv(19), kFloat16);
  pairs.Run();
  // Below opset 19, since the pairs are float.
  Bench bench = HalfBench(Conv(17), kFloat16, /*half_pairs=*/false);
  bench.Run();
  BOOST_TEST(Operators(bench) ==
             "Cast QuantizeLinear DequantizeLinear DequantizeLinear "
             "DequantizeLinear Conv Relu QuantizeLinear DequantizeLinear "
             "Cast");
  for (const char* codes : {"w_quantized", "x_zero_point", "y_zero_point"}) {
    const Tensor one = pairs.Initializer(codes);
    const Tensor other = bench.Initializer(codes);
    BOOST_REQUIRE_EQUAL(one.bytes(), other.bytes());
    BOOST_TEST(std::memcmp(one.data(), other.data(), one.bytes()) == 0);
  }
  // The same numbers, wider; and the bias has room for its own.
  std::size_t float_scales = 0;
  for (const auto& tensor : bench.model.proto().graph().initializer()) {
    float_scales += tensor.name().find("scale") != std::string::npos &&
                            ElementType(tensor) == DataType::kFloat
                        ? 1
                        : 0;
  }
  BOOST_TEST(float_scales >= 4u);
  BOOST_TEST(bench.ReasonFor("conv") == "");
}

BOOST_AUTO_TEST_CASE(OtherReadersGetHalfPrecisionBack) {
  TargetSpec target = Generic::Spec();
  target.half_pairs = false;
  Bench bench(InHalf(ParseProto(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 3] x, float[1, 3] t) => (float[1, 2] y, float[1, 3] z)
    <float[3, 3] v = {0.7, -0.4, 0.3, 0.9, 0.11, -0.13, 0.5, 0.4, 0.3},
     float[3, 2] w = {0.7, -0.4, 0.3, 0.9, 0.11, -0.13},
     float[1, 3] a>
    {
      [first] a = MatMul (x, v)
      [second] y = MatMul (a, w)
      [sum] z = Add (a, t)
    })"),
                     kFloat16),
              target);
  for (const char* name : {"x", "a", "y"}) bench.Range(name, -1.03f, 3.11f);
  bench.Run();
  const auto& nodes = bench.model.proto().graph().node();
  std::map<std::string, std::string> producer;
  for (const auto& node : nodes) producer[node.output(0)] = node.op_type();
  for (const auto& node : nodes) {
    if (node.op_type() == "Add") {
      BOOST_TEST(producer[node.input(0)] == "Cast");
    }
    if (node.op_type() == "MatMul") {
      BOOST_TEST(producer[node.input(0)] == "DequantizeLinear");
    }
  }
}

BOOST_AUTO_TEST_CASE(BatchNormalizationFoldsIntoHalfWeights) {
  constexpr const char* kText = R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
    <float[2, 2, 1, 1] w = {0.7, -0.4, 0.3, 0.9},
     float[2] s = {1.5, 0.7}, float[2] t = {0.1, 0.2},
     float[2] m = {0.3, -0.1}, float[2] v = {1.1, 0.9},
     float[1, 2, 1, 1] more = {0.6, 1.1}>
    {
      c = Conv (x, w)
      n = BatchNormalization (c, s, t, m, v)
      y = Mul (n, more)
    })";
  Bench bench(InHalf(ParseProto(kText), kFloat16));
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(InferTypes(*graph).ok());
  BOOST_TEST(FoldBatchNorm{}.Run(*graph, bench.context)->rewrites == 1u);
  const auto h = [](float x) {
    return static_cast<double>(RoundTo(kFloat16, x));
  };
  const double a = h(1.5f) / std::sqrt(h(1.1f) + static_cast<double>(1e-5f));
  const Tensor folded = bench.Initializer("w");
  BOOST_REQUIRE((folded.type() == kFloat16));
  BOOST_TEST(Reals(folded)[0] == NearestOf(kFloat16, a * h(0.7f)));
  BOOST_TEST(FoldAffine{}.Run(*graph, bench.context)->rewrites == 1u);
  BOOST_TEST(Operators(bench) == "Conv");
  const Status checked = CheckModel(bench.model);
  BOOST_TEST(checked.ok(), checked.message());
}

BOOST_AUTO_TEST_CASE(CodesAtTheInputAndOutputBehindCasts) {
  Bench bench = HalfBench(MatMul(17), kFloat16, /*half_pairs=*/false);
  bench.Run();
  BOOST_TEST(bench.Count("Cast") == 2u);
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(InferTypes(*graph).ok());
  BOOST_REQUIRE(IntegerIo{}.Run(*graph, bench.context).ok());
  const Status checked = CheckModel(bench.model);
  BOOST_TEST(checked.ok(), checked.message());
  BOOST_TEST(Operators(bench) ==
             "DequantizeLinear DequantizeLinear MatMul QuantizeLinear");
}

BOOST_AUTO_TEST_CASE(ACastThatCutsNumbersStays) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[2] x) => (float[2] y)
    <float s = {1.0}, uint8 z = {0}>
    {
      whole = Cast <to = 6> (x)
      q = QuantizeLinear (whole, s, z)
      r = Identity (q)
      y = DequantizeLinear (r, s, z)
    })");
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(InferTypes(*graph).ok());
  BOOST_REQUIRE(IntegerIo{}.Run(*graph, bench.context).ok());
  BOOST_TEST(Operators(bench) == "Cast QuantizeLinear Identity");
}

BOOST_AUTO_TEST_CASE(FakeQuantizationInHalfPrecisionKeepsItsScales) {
  Bench bench(InHalf(ParseProto(R"(
    <ir_version: 9, opset_import: ["" : 19]>
    g (float[1, 2] x) => (float[1, 2] y)
    <float s = {0.3}, float z = {3}, float lo = {0}, float hi = {255},
     float[2, 2] w = {0.5, -1, 0.25, 1}, float[2] t = {0.0078, 0.03},
     float l = {-127}, float h = {127}>
    {
      a = Div (x, s)   b = Round (a)   c = Add (b, z)
      d = Clip (c, lo, hi)   e = Sub (d, z)   f = Mul (e, s)
      p = Div (w, t)   q = Round (p)   r = Clip (q, l, h)   v = Mul (r, t)
      y = MatMul (f, v)
    })"),
                     kFloat16));
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(InferTypes(*graph).ok());
  BOOST_TEST(FuseFakeQuantize{}.Run(*graph, bench.context)->rewrites == 2u);
  const Status checked = CheckModel(bench.model);
  BOOST_TEST(checked.ok(), checked.message());
  BOOST_TEST((bench.Initializer("x_scale").type() == kFloat16));
  BOOST_TEST(Reals(bench.Initializer("x_scale")).front() ==
             RoundTo(kFloat16, 0.3f));
  const std::vector<float> scales = Reals(bench.Initializer("w_scale"));
  BOOST_REQUIRE_EQUAL(scales.size(), 2u);
  const Tensor quantized = bench.Initializer("w_quantized");
  const auto codes = quantized.As<std::int8_t>();
  BOOST_TEST(codes[3] == static_cast<int>(std::nearbyint(1.0f / scales[1])));
}

BOOST_AUTO_TEST_CASE(FakeQuantizationOfHalvesNeedsOpset19) {
  Bench bench(InHalf(ParseProto(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 2] x) => (float[1, 2] y)
    <float s = {0.3}, float lo = {-128}, float hi = {127}>
    {
      a = Div (x, s)   b = Round (a)   c = Clip (b, lo, hi)
      [last] y = Mul (c, s)
    })"),
                     kFloat16));
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(InferTypes(*graph).ok());
  BOOST_TEST(FuseFakeQuantize{}.Run(*graph, bench.context)->rewrites == 0u);
  BOOST_TEST(bench.ReasonFor("last").find("needs opset 19") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(DynamicProductsOfHalvesComputeInFloat) {
  for (const DataType type : {kFloat16, kBfloat16}) {
    Bench bench = HalfBench(MatMul(17), type);
    bench.target.dynamic_weights = ParseScheme("i8:sym:channel:narrow").value();
    auto graph = GraphView::Over(bench.model);
    BOOST_REQUIRE(InferTypes(*graph).ok());
    const auto report = InsertDynamicQuantization{}.Run(*graph, bench.context);
    BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
    BOOST_TEST(report->rewrites == 1u);
    const Status checked = CheckModel(bench.model);
    BOOST_TEST(checked.ok(), checked.message());
    BOOST_TEST(bench.Count("Cast") == 3u);  // of x, of the sums, to y
  }
}

BOOST_AUTO_TEST_CASE(ASixthInHalfPrecisionIsASixth) {
  for (const DataType type : {kFloat16, kBfloat16}) {
    Bench bench(InHalf(ParseProto(R"(
      <ir_version: 8, opset_import: ["" : 17]>
      g (float[1, 3] x) => (float[1, 3] y)
      <float three = {3.0}, float zero = {0.0}, float six = {6.0},
       float sixth = {0.16666667}>
      {
        p = Add (x, three)
        q = Clip (p, zero, six)
        m = Mul (x, q)
        y = Mul (m, sixth)
      })"),
                       type));
    auto graph = GraphView::Over(bench.model);
    BOOST_REQUIRE(InferTypes(*graph).ok());
    BOOST_REQUIRE(FuseHardSwish{}.Run(*graph, bench.context).ok());
    BOOST_TEST(Operators(bench) == "HardSwish");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

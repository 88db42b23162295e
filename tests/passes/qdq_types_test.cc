// Types of codes: 16 and 4 bits, blocks; and models that take and give codes.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/passes/quantize_bench.h"
#include "zeropoint/passes/integer_io.h"
#include "zeropoint/passes/quantize_tensor.h"
#include "zeropoint/profiles/generic.h"

namespace zeropoint {
namespace {

using Bench = testing::QuantizeBench;

const onnx::TensorProto& Stored(const Bench& bench, const std::string& name) {
  for (const auto& tensor : bench.model.proto().graph().initializer()) {
    if (tensor.name() == name) return tensor;
  }
  BOOST_REQUIRE_MESSAGE(false, "no initializer " + name);
  std::abort();
}

std::vector<std::int64_t> DimsOfStored(const Bench& bench,
                                       const std::string& name) {
  const auto& dims = Stored(bench, name).dims();
  return {dims.begin(), dims.end()};
}

const onnx::NodeProto& Node(const Bench& bench, const std::string& op_type) {
  for (const auto& node : bench.model.proto().graph().node()) {
    if (node.op_type() == op_type) return node;
  }
  BOOST_REQUIRE_MESSAGE(false, "no node " + op_type);
  std::abort();
}

constexpr const char* kMatMul = R"(
  <ir_version: 10, opset_import: ["" : 21]>
  g (float[1, 5] x) => (float[1, 1] y)
  <float[5, 1] w = {7.0, -7.0, 3.0, 0.5, 1.5}>
  { y = MatMul (x, w) })";

}  // namespace

BOOST_AUTO_TEST_SUITE(qdq_types)

BOOST_AUTO_TEST_CASE(FourBitWeightsArePackedLowNibbleFirst) {
  Bench bench(kMatMul);
  bench.target.weights = ParseScheme("i4:sym:channel:narrow").value();
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  // Scale 1: codes 7 -7 3 0 2 (half to even), the odd one alone.
  const onnx::TensorProto& codes = Stored(bench, "w_quantized");
  BOOST_TEST(codes.data_type() == onnx::TensorProto::INT4);
  const std::string& raw = codes.raw_data();
  BOOST_REQUIRE(raw.size() == 3u);
  BOOST_TEST((raw[0] & 0xFF) == 0x97);
  BOOST_TEST((raw[1] & 0xFF) == 0x03);
  BOOST_TEST((raw[2] & 0xFF) == 0x02);
  BOOST_TEST(Stored(bench, "w_zero_point").data_type() ==
             onnx::TensorProto::INT4);
}

BOOST_AUTO_TEST_CASE(FullFourBitRangeDividesByFifteen) {
  Bench bench(kMatMul);
  bench.target.weights = ParseScheme("i4:sym").value();
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Initializer("w_scale").As<float>()[0] == 14.0f / 15.0f);
  // 7 / (14 / 15) = 7.5 saturates at 7; its negative rounds to -8.
  BOOST_TEST((Stored(bench, "w_quantized").raw_data()[0] & 0xFF) == 0x87);
}

BOOST_AUTO_TEST_CASE(UnsignedFourBitWeightsHaveAZeroPoint) {
  Bench bench(kMatMul);
  bench.target.weights = ParseScheme("u4:asym").value();
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  const onnx::TensorProto& zero = Stored(bench, "w_zero_point");
  BOOST_TEST(zero.data_type() == onnx::TensorProto::UINT4);
  BOOST_TEST((zero.raw_data()[0] & 0xFF) == 8);  // 7.5 to even
}

BOOST_AUTO_TEST_CASE(BlocksHaveOneScaleEachAndTheLastMayBeShort) {
  Bench bench(kMatMul);
  bench.target.weights = ParseScheme("i4:sym:block=2:narrow").value();
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(
      DimsOfStored(bench, "w_scale") == (std::vector<std::int64_t>{3, 1}),
      boost::test_tools::per_element());
  const Tensor scale = bench.Initializer("w_scale");
  BOOST_TEST(scale.As<float>()[0] == 1.0f);
  BOOST_TEST(scale.As<float>()[1] == 3.0f / 7.0f);
  BOOST_TEST(scale.As<float>()[2] == 1.5f / 7.0f);
  for (const auto& node : bench.model.proto().graph().node()) {
    if (node.output(0) != "w_dequantized") continue;
    BOOST_TEST(GetInt(node, "block_size", 0) == 2);
    BOOST_TEST(GetInt(node, "axis", 9) == 0);
  }
}

BOOST_AUTO_TEST_CASE(BlocksLieAlongTheAxisThatIsSummedOver) {
  const auto scale_dims = [](const char* text) {
    Bench bench(text);
    bench.target.weights = ParseScheme("i8:sym:block=2").value();
    for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
    bench.Run();
    return DimsOfStored(bench, "w_scale");
  };
  using DimList = std::vector<std::int64_t>;
  BOOST_TEST(scale_dims(R"(<ir_version: 10, opset_import: ["" : 21]>
      g (float[1, 3] x) => (float[1, 2] y)
      <float[2, 3] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}>
      { y = Gemm <transB = 1> (x, w) })") == (DimList{2, 2}),
             boost::test_tools::per_element());
  BOOST_TEST(scale_dims(R"(<ir_version: 10, opset_import: ["" : 21]>
      g (float[1, 3, 4] x) => (float[1, 2, 4] y)
      <float[2, 3, 1] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}>
      { y = Conv (x, w) })") == (DimList{2, 2, 1}),
             boost::test_tools::per_element());
  // Depthwise: nothing to block, one scale a channel.
  BOOST_TEST(scale_dims(R"(<ir_version: 10, opset_import: ["" : 21]>
      g (float[1, 2, 4] x) => (float[1, 2, 4] y)
      <float[2, 1, 1] w = {1.0, 2.0}>
      { y = Conv <group = 2> (x, w) })") == DimList{2},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(BlockedCodesComeBackWithinHalfAStep) {
  std::vector<float> values(std::size_t{5} * 7 * 3);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50);
  }
  const Tensor real = Tensor::Of<float>({5, 7, 3}, values);
  for (const char* text :
       {"i4:sym:block=3:narrow", "u4:block=2", "i8:block=7", "u16:block=100"}) {
    const SchemeSpec scheme = ParseScheme(text).value();
    const auto quantized = QuantizeConstant(real.view(), scheme, 1);
    BOOST_REQUIRE(quantized.ok());
    const auto blocks =
        static_cast<std::size_t>((7 + scheme.block - 1) / scheme.block);
    BOOST_TEST(quantized->params.channels.size() == 5 * blocks * 3);
    const Tensor back = DequantizeConstant(*quantized);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t row =
          i / 3 % 7 / static_cast<std::size_t>(scheme.block);
      const QParams& params =
          quantized->params.channels[(i / 21 * blocks + row) * 3 + i % 3];
      BOOST_TEST(std::abs(back.As<float>()[i] - values[i]) <=
                 params.scale * 0.5001f);
    }
  }
}

BOOST_AUTO_TEST_CASE(FourBitCodesAndBlocksNeedOpset21) {
  for (const char* text : {"i4:sym", "i8:sym:block=32", "i16:sym"}) {
    Bench bench(R"(
      <ir_version: 8, opset_import: ["" : 17]>
      g (float[1, 1] x) => (float[1, 1] y) <float[1, 1] w = {1.0}>
      { y = MatMul (x, w) })");
    bench.target.weights = ParseScheme(text).value();
    for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
    BOOST_TEST(bench.TryInsert().message().find("opset 21") !=
               std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(ABiasTooLargeForFourBitWeightsStaysFloat) {
  Bench bench(R"(
    <ir_version: 10, opset_import: ["" : 21]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {0.000001}, float[1] b = {50.0}>
    { y = Conv (x, w, b) })");
  bench.target.weights = ParseScheme("i4:sym").value();
  bench.Range("x", 0, 0.01f);
  bench.Range("y", 0, 100);
  bench.Run();
  BOOST_TEST(Node(bench, "Conv").input(2) == "b");
}

// --- Integer inputs and outputs
// ---------------------------------------------------------

void MakeIntegerIo(Bench& bench) {
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(graph.ok());
  const auto report = IntegerIo{}.Run(*graph, bench.context);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  const Status checked = CheckModel(bench.model);
  BOOST_TEST(checked.ok(), checked.message());
}

constexpr const char* kConv = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
  <float[1, 1, 1, 1] w = {1.0}>
  { y = Conv (x, w) })";

BOOST_AUTO_TEST_CASE(IntegerModelsTakeAndGiveCodes) {
  Bench bench(kConv);
  bench.Range("x", -128, 127);
  bench.Range("y", 0, 4);
  bench.Run();
  MakeIntegerIo(bench);
  const auto& graph = bench.model.proto().graph();
  BOOST_TEST(graph.input(0).name() == "x");
  BOOST_TEST(graph.input(0).type().tensor_type().elem_type() ==
             onnx::TensorProto::UINT8);
  BOOST_TEST(graph.output(0).name() == "y");
  BOOST_TEST(graph.output(0).type().tensor_type().elem_type() ==
             onnx::TensorProto::UINT8);
  BOOST_TEST(bench.Count("QuantizeLinear") == 1u);
  BOOST_TEST(bench.Count("DequantizeLinear") == 2u);  // x, w
  const auto& ports = bench.context.quantized.integer_io;
  BOOST_REQUIRE(ports.size() == 2u);
  BOOST_TEST(ports[0].kind == "input");
  BOOST_TEST(ports[0].params.scale == 1.0f);
  BOOST_TEST(ports[0].params.zero_point == 128);
  BOOST_TEST(ports[1].kind == "output");
  BOOST_TEST(ports[1].params.scale == 4.0f / 255);
  BOOST_TEST(ports[1].params.zero_point == 0);
  MakeIntegerIo(bench);  // idempotent
  BOOST_TEST(bench.context.quantized.integer_io.size() == 2u);
}

BOOST_AUTO_TEST_CASE(DedicatedPairsOfAnInputGoTogether) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y, float[1, 1, 2, 2] z)
    <float[1, 1, 1, 1] w = {1.0}>
    { y = Conv (x, w)
      z = Conv (x, w) })");
  for (const char* name : {"x", "y", "z"}) bench.Range(name, -1, 1);
  bench.Run(/*correct_bias=*/false, PairSharing::kDedicated);
  MakeIntegerIo(bench);
  BOOST_TEST(bench.Count("QuantizeLinear") == 2u);  // y, z
}

BOOST_AUTO_TEST_CASE(AnOutputThatIsReadKeepsItsRealValueInside) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] a, float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { a = Conv (x, w)
      y = Conv (a, w) })");
  for (const char* name : {"x", "a", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  MakeIntegerIo(bench);
  BOOST_TEST(bench.context.quantized.integer_io.size() == 3u);
}

BOOST_AUTO_TEST_CASE(WhatIsNotQuantizedStaysFloatAndIsSaid) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y, float[1, 1, 2, 2] z)
    <float[1, 1, 1, 1] w = {1.0}>
    { y = Conv (x, w)
      z = Exp (x) })");
  for (const char* name : {"x", "y", "z"}) bench.Range(name, -1, 1);
  bench.Run();
  MakeIntegerIo(bench);
  BOOST_TEST(bench.context.quantized.integer_io.size() == 1u);  // y
  BOOST_REQUIRE(bench.context.quantized.notes.size() == 2u);
  BOOST_TEST(bench.context.quantized.notes[0].find("input 'x'") !=
             std::string::npos);
  BOOST_TEST(bench.context.quantized.notes[1].find("output 'z'") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

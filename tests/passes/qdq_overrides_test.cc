// Overrides of single tensors, and chains of two types.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/passes/quantize_bench.h"
#include "zeropoint/profiles/generic.h"

namespace zeropoint {
namespace {

struct Bench : testing::QuantizeBench {
  explicit Bench(const char* text) : QuantizeBench(text) {
    context.overrides = &overrides;
    for (const char* name : {"x", "a", "p", "y", "z"}) Range(name, -1, 1);
  }
  /// Replaces what is fixed for one tensor.
  QuantizationOverride& Fix(const std::string& name) {
    overrides[name].channels.assign(1, {});
    return overrides[name].channels[0];
  }
  const onnx::NodeProto& Writer(const std::string& value) const {
    for (const auto& node : model.proto().graph().node()) {
      for (const auto& output : node.output()) {
        if (output == value) return node;
      }
    }
    BOOST_REQUIRE_MESSAGE(false, "nothing writes " + value);
    std::abort();
  }
  const onnx::NodeProto& Named(const std::string& name) const {
    for (const auto& node : model.proto().graph().node()) {
      if (node.name() == name) return node;
    }
    BOOST_REQUIRE_MESSAGE(false, "no node " + name);
    std::abort();
  }
  DataType TypeOfZeroPoint(const onnx::NodeProto& node) const {
    return Initializer(node.input(2)).type();
  }

  TensorOverrides overrides;
};

constexpr const char* kChain = R"(
  <ir_version: 10, opset_import: ["" : 21]>
  g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y, float[1, 1, 2, 2] z)
  <float[2, 1, 1, 1] w = {1.0, 2.0}, float[1, 2, 1, 1] v = {1.0, 2.0}>
  { [first] a = Conv (x, w)
    [second] y = Conv (a, v)
    [third] z = Conv (a, v) })";

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qdq_overrides)

BOOST_AUTO_TEST_CASE(AnActivationMayHaveItsOwnTypeAndRange) {
  Bench bench(kChain);
  bench.Fix("a").quant_type = DataType::kUint16;
  bench.Fix("x").rmax = 4.0f;
  bench.Run();
  BOOST_TEST((bench.Initializer("a_zero_point").type() == DataType::kUint16));
  BOOST_TEST(bench.Initializer("a_scale").As<float>()[0] == 2.0f / 65535);
  BOOST_TEST(bench.Initializer("x_scale").As<float>()[0] == 5.0f / 255);
  BOOST_TEST((bench.Initializer("y_zero_point").type() == DataType::kUint8));
}

BOOST_AUTO_TEST_CASE(AScaleAndZeroPointAreTakenAsTheyAre) {
  Bench bench(kChain);
  bench.Fix("a").params = QParams{0.25f, 3};
  bench.Run();
  BOOST_TEST(bench.Initializer("a_scale").As<float>()[0] == 0.25f);
  BOOST_TEST(int{bench.Initializer("a_zero_point").As<std::uint8_t>()[0]} == 3);
}

BOOST_AUTO_TEST_CASE(SymmetryMayBeAskedForOneTensor) {
  Bench bench(kChain);
  bench.Fix("a").symmetric = true;
  bench.Range("a", 0, 1);
  bench.Run();
  BOOST_TEST(int{bench.Initializer("a_zero_point").As<std::uint8_t>()[0]} ==
             128);
}

BOOST_AUTO_TEST_CASE(WeightsTakeTypeReducedRangeAndChannels) {
  Bench bench(kChain);
  bench.Fix("w").reduce_range = true;
  bench.Run();
  BOOST_TEST(bench.Initializer("w_scale").As<float>()[0] == 1.0f / 64);
  BOOST_TEST(int{bench.Initializer("w_quantized").As<std::int8_t>()[0]} == 64);

  Bench channels(kChain);
  channels.overrides["w"].axis = 0;
  channels.overrides["w"].channels = {{.rmin = -8.0f, .rmax = 8.0f},
                                      {.params = QParams{0.5f, 0}}};
  channels.Run();
  BOOST_TEST(channels.Initializer("w_scale").As<float>()[0] == 8.0f / 127);
  BOOST_TEST(channels.Initializer("w_scale").As<float>()[1] == 0.5f);
  BOOST_TEST(int{channels.Initializer("w_quantized").As<std::int8_t>()[1]} ==
             4);

  Bench whole(kChain);
  whole.Fix("w").params = QParams{0.5f, 0};
  whole.Run();
  BOOST_TEST(whole.Initializer("w_scale").rank() == 0u);
}

BOOST_AUTO_TEST_CASE(WhatIsFixedHoldsAcrossOperatorsThatMoveCodes) {
  Bench bench(R"(
    <ir_version: 10, opset_import: ["" : 21]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { a = Conv (x, w)
      p = MaxPool <kernel_shape = [1, 1]> (a)
      y = Conv (p, w) })");
  bench.Fix("a").quant_type = DataType::kUint16;
  bench.Run();
  BOOST_TEST((bench.Initializer("p_zero_point").type() == DataType::kUint16));

  // Fixed apart, the operator requantizes.
  Bench apart(R"(
    <ir_version: 10, opset_import: ["" : 21]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { a = Conv (x, w)
      p = MaxPool <kernel_shape = [1, 1]> (a)
      y = Conv (p, w) })");
  apart.Fix("a").quant_type = DataType::kUint16;
  apart.Fix("p").quant_type = DataType::kInt8;
  apart.Run();
  BOOST_TEST((apart.Initializer("a_zero_point").type() == DataType::kUint16));
  BOOST_TEST((apart.Initializer("p_zero_point").type() == DataType::kInt8));
}

// Q1 -> DQ1 -> Q2 -> DQ2 -> node.
void CheckConverted(const Bench& bench, const std::string& node) {
  const auto& second = bench.Writer(bench.Named(node).input(0));
  BOOST_TEST((bench.TypeOfZeroPoint(second) == DataType::kUint8));
  const auto& quantize = bench.Writer(second.input(0));
  BOOST_TEST(quantize.op_type() == "QuantizeLinear");
  const auto& first = bench.Writer(quantize.input(0));
  BOOST_TEST(first.op_type() == "DequantizeLinear");
  BOOST_TEST((bench.TypeOfZeroPoint(first) == DataType::kUint16));
}

void CheckOriginal(const Bench& bench, const std::string& node) {
  const auto& only = bench.Writer(bench.Named(node).input(0));
  BOOST_TEST((bench.TypeOfZeroPoint(only) == DataType::kUint16));
}

BOOST_AUTO_TEST_CASE(AConversionServesTheReadersThatItNames) {
  Bench bench(kChain);
  bench.Fix("a").quant_type = DataType::kUint16;
  bench.overrides["a"].conversion = {{.quant_type = DataType::kUint8},
                                     {"second"}};
  bench.Run();
  CheckConverted(bench, "second");
  CheckOriginal(bench, "third");
}

BOOST_AUTO_TEST_CASE(AConversionWithoutReceiversServesAll) {
  Bench bench(kChain);
  bench.Fix("a").quant_type = DataType::kUint16;
  bench.overrides["a"].conversion = {{.quant_type = DataType::kUint8}, {}};
  bench.Run();
  CheckConverted(bench, "second");
  CheckConverted(bench, "third");
}

BOOST_AUTO_TEST_CASE(AConvertedGraphOutputKeepsTheFirstType) {
  Bench bench(R"(
    <ir_version: 10, opset_import: ["" : 21]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] a, float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { [first] a = Conv (x, w)
      [second] y = Conv (a, w) })");
  bench.Fix("a").quant_type = DataType::kUint16;
  bench.overrides["a"].conversion = {{.quant_type = DataType::kUint8}, {}};
  bench.Run();
  BOOST_TEST((bench.TypeOfZeroPoint(bench.Writer("a")) == DataType::kUint16));
  CheckConverted(bench, "second");
}

BOOST_AUTO_TEST_CASE(AnOverrideOfWhatStaysFloatIsSaid) {
  Bench bench(kChain);
  bench.Fix("a").symmetric = true;
  bench.selection.nodes_to_quantize = {"third"};
  bench.Fix("y").symmetric = true;
  bench.Run();
  BOOST_REQUIRE(bench.context.quantized.notes.size() == 1u);
  BOOST_TEST(Contains(bench.context.quantized.notes[0], "'y' has no effect"));
}

BOOST_AUTO_TEST_CASE(ErrorsNameTheTensorAndTheNearest) {
  const auto message = [](auto fix) {
    Bench bench(kChain);
    fix(bench);
    const Status status = bench.TryInsert();
    BOOST_TEST((status.code() == StatusCode::kInvalidArgument));
    return status.message();
  };
  const std::string unknown = message([](Bench& b) { b.Fix("ax"); });
  BOOST_TEST(Contains(unknown, "'ax'"));
  BOOST_TEST(Contains(unknown, "nearest: 'x'"));
  BOOST_TEST(Contains(message([](Bench& b) {
                        b.Fix("a").quant_type = DataType::kUint16;
                        b.overrides["a"].conversion = {
                            {.quant_type = DataType::kUint8}, {"secund"}};
                      }),
                      "nearest: 'second'"));
  BOOST_TEST(Contains(
      message([](Bench& b) {
        b.Fix("a");
        b.overrides["a"].conversion = {{.quant_type = DataType::kUint8}, {}};
      }),
      "the type that the tensor has"));
  BOOST_TEST(Contains(message([](Bench& b) {
                        b.overrides["w"].axis = 0;
                        b.overrides["w"].channels.resize(3);
                      }),
                      "3 entries for the 2 indices of axis 0"));
  BOOST_TEST(Contains(message([](Bench& b) {
                        b.Fix("w");
                        b.overrides["w"].axis = 7;
                      }),
                      "no axis 7"));
  BOOST_TEST(Contains(message([](Bench& b) {
                        b.Fix("a").params = QParams{1.0f, 256};
                      }),
                      "zero point 256"));
  BOOST_TEST(Contains(message([](Bench& b) { b.Fix("a").reduce_range = true; }),
                      "'reduce_range' is for constants"));
  BOOST_TEST(Contains(
      message([](Bench& b) { b.Fix("a").quant_type = DataType::kInt4; }),
      "8 or 16 bits"));
  BOOST_TEST(
      Contains(message([](Bench& b) { b.overrides["a"].channels.resize(2); }),
               "has one scale"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

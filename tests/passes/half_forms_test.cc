// The edges between the forms of a half precision model: operators on codes
// have float scales, sums are rescaled in float, the float form is half again.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/graph/half_model.h"
#include "tests/passes/forms_bench.h"
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

constexpr const char* kConv = R"(
  g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
  <float x_scale = {0.02}, uint8 x_zero = {100},
   int8[2, 2, 3, 3] w = {3, -7, 20, 11, 5, -127, 64, 2, 9, 1, 1, -3, 40, 8, -60,
     77, 13, -21, 90, -4, 33, -12, 127, 6, -50, 25, 14, 7, -8, 45, 2, -99, 31,
     18, -16, 29},
   float[2] w_scale = {0.01, 0.003}, int8[2] w_zero = {0, 0},
   float[2] b = {0.1, -0.05}, float y_scale = {0.05}, uint8 y_zero = {121}>
  {
    xq = QuantizeLinear (x, x_scale, x_zero)
    xd = DequantizeLinear (xq, x_scale, x_zero)
    wd = DequantizeLinear <axis = 0> (w, w_scale, w_zero)
    c = Conv <pads = [1, 1, 1, 1]> (xd, wd, b)
    yq = QuantizeLinear (c, y_scale, y_zero)
    y = DequantizeLinear (yq, y_scale, y_zero)
  })";

FormsBench HalfConv(DataType type = DataType::kFloat16, int opset = 19) {
  FormsBench bench(kConv, opset);
  bench.model =
      Model::FromProto(testing::InHalf(bench.model.proto(), type)).value();
  return bench;
}

std::vector<float> Outputs(const FormsBench& bench) {
  const auto outputs =
      testing::Run(bench.model, MakeFeeds(Ramp("x", {1, 2, 4, 4})));
  BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
  Tensor scratch;
  const auto values = AsFloat(outputs->front().view(), scratch)->As<float>();
  return {values.begin(), values.end()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(half_forms)

BOOST_AUTO_TEST_CASE(OperatorsOnCodesGetTheScalesAsFloat) {
  FormsBench bench = HalfConv();
  const auto before = Outputs(bench);
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 1u);
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear QLinearConv DequantizeLinear");
  BOOST_TEST(bench.Initializer("x_scale_float").As<float>()[0] ==
             RoundTo(DataType::kFloat16, 0.02f));
  BOOST_TEST(Difference(before, Outputs(bench)) <= 0.051f);
}

BOOST_AUTO_TEST_CASE(AnIntegerSumIsRescaledInFloat) {
  FormsBench bench = HalfConv();
  const auto before = Outputs(bench);
  BOOST_TEST(bench.Apply(LowerToInteger{}) == 1u);
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear ConvInteger Cast Mul Add Cast QuantizeLinear "
             "DequantizeLinear");
  BOOST_TEST(Difference(before, Outputs(bench)) <= 0.051f);
}

BOOST_AUTO_TEST_CASE(ScalesAtRunTimeComeFromFloat) {
  FormsBench bench = HalfConv();
  BOOST_TEST(bench.Apply(LowerToInteger{.dynamic = true, .selection = {}}) ==
             1u);
  BOOST_TEST(bench.Operators() ==
             "Cast DynamicQuantizeLinear ConvInteger Cast Mul Mul Add Cast "
             "QuantizeLinear DequantizeLinear");
}

BOOST_AUTO_TEST_CASE(TheFloatFormIsHalfAgain) {
  for (const auto& [type, opset] :
       {std::pair(DataType::kFloat16, 19), {DataType::kBfloat16, 22}}) {
    FormsBench bench = HalfConv(type, opset);
    const auto before = Outputs(bench);
    BOOST_TEST(bench.Apply(FoldQdq{}) == 3u);
    BOOST_TEST(bench.Operators() == "Clip Conv Clip");
    BOOST_TEST((bench.Initializer("wd").type() == type));
    BOOST_TEST(Difference(before, Outputs(bench)) <= 0.08f);
  }
}

BOOST_AUTO_TEST_CASE(WhatIsRaisedComputesInFloat) {
  FormsBench bench = HalfConv();
  const auto before = Outputs(bench);
  bench.Apply(LowerToQOperator{});
  BOOST_TEST(bench.Apply(RaiseToQdq{}) == 1u);
  BOOST_TEST(
      (bench.model.proto().graph().output(0).type().tensor_type().elem_type() ==
       onnx::TensorProto::FLOAT16));
  BOOST_TEST(Difference(before, Outputs(bench)) <= 0.051f);
  FormsBench chain = HalfConv();
  chain.Apply(LowerToInteger{});
  BOOST_TEST(chain.Apply(RaiseToQdq{}) == 1u);
  BOOST_TEST(Difference(before, Outputs(chain)) <= 0.051f);
}

BOOST_AUTO_TEST_CASE(PairsThatStayArePairsOfHalfPrecision) {
  FormsBench bench = HalfConv();
  const auto constants =
      static_cast<std::size_t>(bench.model.proto().graph().initializer_size());
  BOOST_TEST(bench.Apply(RaiseToQdq{}) == 0u);
  BOOST_TEST(static_cast<std::size_t>(
                 bench.model.proto().graph().initializer_size()) == constants);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

#include "zeropoint/flow/describe_weights.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/graph/parse_model.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {
namespace {

std::vector<WeightDescription> WeightsOf(const char* text) {
  Model model = Model::FromProto(testing::ParseProto(text)).value();
  const GraphView graph = GraphView::Over(model).value();
  return DescribeWeights(graph).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(describe_weights)

BOOST_AUTO_TEST_CASE(OfAPairBelongToTheNodeBehindIt) {
  const auto weights = WeightsOf(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 2] x) => (float[1, 3] y)
    <int8[2, 3] w = {-128, 0, 0, 127, 1, 0},
     float[3] scale = {0.5, 0.25, 2.0}, int8[3] zero = {0, 0, 0}>
    {
      [dequantize] r = DequantizeLinear <axis = 1> (w, scale, zero)
      [product] y = MatMul (x, r)
    })");
  BOOST_REQUIRE(weights.size() == 1U);
  BOOST_TEST(weights[0].name == "w");
  BOOST_TEST(weights[0].node == "product");
  BOOST_TEST((weights[0].type == DataType::kInt8));
  BOOST_TEST((weights[0].dims == Dims{2, 3}));
  BOOST_TEST((weights[0].scales == std::vector<float>{0.5f, 0.25f, 2.0f}));
  BOOST_REQUIRE(weights[0].code_counts.size() == 256U);
  BOOST_TEST(weights[0].code_counts[0] == 1U);
  BOOST_TEST(weights[0].code_counts[128] == 3U);
  BOOST_TEST(weights[0].code_counts[129] == 1U);
  BOOST_TEST(weights[0].code_counts[255] == 1U);
}

BOOST_AUTO_TEST_CASE(OfOperatorsOnCodesAreFoundOnce) {
  const auto weights = WeightsOf(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (uint8[1, 2] x) => (uint8[1, 2] y, uint8[1, 2] z, int32[1, 2] s)
    <uint8[2, 2] w = {0, 255, 255, 3}, float scale = {0.5}, uint8 zero = {1}>
    {
      [a] y = QLinearMatMul (x, scale, zero, w, scale, zero, scale, zero)
      [b] z = QLinearMatMul (x, scale, zero, w, scale, zero, scale, zero)
      [c] s = MatMulInteger (x, w)
    })");
  BOOST_REQUIRE(weights.size() == 1U);
  BOOST_TEST(weights[0].node == "a");
  BOOST_TEST((weights[0].scales == std::vector<float>{0.5f}));
  BOOST_TEST(weights[0].code_counts[255] == 2U);
}

BOOST_AUTO_TEST_CASE(OfAnIntegerProductHaveNoScaleBesideThem) {
  const auto weights = WeightsOf(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (uint8[1, 2] x) => (int32[1, 2] s)
    <int8[2, 2] w = {1, 2, 3, 4}>
    { [sum] s = MatMulInteger (x, w) })");
  BOOST_REQUIRE(weights.size() == 1U);
  BOOST_TEST(weights[0].node == "sum");
  BOOST_TEST(weights[0].scales.empty());
}

BOOST_AUTO_TEST_CASE(OfFourBitsAreCountedUnpacked) {
  onnx::ModelProto proto = testing::ParseProto(R"(
    <ir_version: 10, opset_import: ["" : 21]>
    g (float[1, 1] x) => (float[1, 3] y)
    <float scale = {0.5}>
    {
      r = DequantizeLinear (w, scale)
      y = MatMul (x, r)
    })");
  // The text form of a model has no 4-bit constants.
  onnx::TensorProto& w = *proto.mutable_graph()->add_initializer();
  w.set_name("w");
  w.set_data_type(onnx::TensorProto::INT4);
  w.add_dims(1);
  w.add_dims(3);
  w.set_raw_data(std::string("\x78\x07", 2));  // -8, 7, 7
  Model model = Model::FromProto(std::move(proto)).value();
  const GraphView graph = GraphView::Over(model).value();
  const auto weights = DescribeWeights(graph).value();
  BOOST_REQUIRE(weights.size() == 1U);
  BOOST_REQUIRE(weights[0].code_counts.size() == 16U);
  BOOST_TEST(weights[0].code_counts.front() == 1U);
  BOOST_TEST(weights[0].code_counts.back() == 2U);
  BOOST_TEST(std::accumulate(weights[0].code_counts.begin(),
                             weights[0].code_counts.end(),
                             std::uint64_t{0}) == 3U);
}

BOOST_AUTO_TEST_CASE(BiasesAndZeroPointsAreNone) {
  BOOST_TEST(WeightsOf(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[2] x) => (float[2] y)
    <int32[2] bias = {3, 4}, float scale = {0.5}, int8 one = {2}>
    {
      b = DequantizeLinear (bias, scale)
      v = DequantizeLinear (one, scale)
      t = Mul (x, v)
      y = Add (t, b)
    })")
                 .empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

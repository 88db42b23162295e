// Conversions of some nodes: what the selection leaves out stays as it is.
#include <boost/test/unit_test.hpp>
#include <string>

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

// x -> pair -> first -> Relu -> pair -> pool -> pair -> second -> pair -> y
constexpr const char* kChain = R"(
  g (float[1, 2, 4, 4] x) => (float[1, 2, 2, 2] y)
  <float s = {0.02}, uint8 z = {100}, float r = {0.03}, uint8 zero = {0},
   int8[2, 2, 1, 1] w = {3, -70, 120, 11}, float w_scale = {0.01},
   int8 w_zero = {0}>
  {
    xq = QuantizeLinear (x, s, z)
    xd = DequantizeLinear (xq, s, z)
    wd = DequantizeLinear (w, w_scale, w_zero)
    [first] a = Conv (xd, wd)
    [relu] b = Relu (a)
    bq = QuantizeLinear (b, r, zero)
    bd = DequantizeLinear (bq, r, zero)
    [pool] c = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (bd)
    cq = QuantizeLinear (c, r, zero)
    cd = DequantizeLinear (cq, r, zero)
    [second] d = Conv (cd, wd)
    [last] e = Relu (d)
    dq = QuantizeLinear (e, s, zero)
    y = DequantizeLinear (dq, s, zero)
  })";

/// The chain, with one node selected.
struct SelectedBench : FormsBench {
  explicit SelectedBench(const std::string& node) : FormsBench(kChain) {
    Select(node);
  }
  void Select(const std::string& node) {
    selection.nodes_to_quantize = {node};
    context.selection = &selection;
  }
  std::vector<float> Values() const {
    return Outputs(MakeFeeds(Ramp("x", {1, 2, 4, 4})));
  }
  NodeSelection selection;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(selected_forms)

BOOST_AUTO_TEST_CASE(OnlyTheSelectedNodeComputesOnCodes) {
  SelectedBench bench("second");
  const auto before = bench.Values();
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 1u);
  // The Relu behind the other convolution stays too.
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear DequantizeLinear DequantizeLinear Conv Relu "
             "QuantizeLinear DequantizeLinear MaxPool QuantizeLinear "
             "QLinearConv DequantizeLinear");
  BOOST_TEST(Difference(before, bench.Values()) <= 0.021f);
}

BOOST_AUTO_TEST_CASE(AMoverOfCodesCanBeSelected) {
  SelectedBench bench("pool");
  const auto before = bench.Values();
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 1u);
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear DequantizeLinear DequantizeLinear Conv Relu "
             "QuantizeLinear MaxPool DequantizeLinear Conv Relu "
             "QuantizeLinear DequantizeLinear");
  BOOST_TEST(Difference(before, bench.Values()) == 0.0f);
}

BOOST_AUTO_TEST_CASE(OnlyTheSelectedSumIsOfIntegers) {
  SelectedBench bench("first");
  BOOST_TEST(bench.Apply(LowerToInteger{}) == 1u);
  BOOST_TEST(bench.Node("ConvInteger").name() == "first");
  BOOST_TEST(bench.Node("Conv").name() == "second");
}

BOOST_AUTO_TEST_CASE(OnlyTheSelectedNodeIsRaised) {
  SelectedBench bench("first");
  bench.context.selection = nullptr;
  BOOST_TEST(bench.Apply(LowerToQOperator{}) == 3u);
  const auto before = bench.Values();
  // The pool reads the codes of a node that stays.
  bench.Select("pool");
  BOOST_TEST(bench.Apply(RaiseToQdq{}) == 1u);
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear QLinearConv DequantizeLinear MaxPool "
             "QuantizeLinear QLinearConv DequantizeLinear");
  BOOST_TEST(Difference(before, bench.Values()) == 0.0f);
  bench.Select("second");
  BOOST_TEST(bench.Apply(RaiseToQdq{}) == 1u);
  BOOST_TEST(bench.Node("QLinearConv").name() == "first");
  BOOST_TEST(bench.Node("Conv").name() == "second");
}

BOOST_AUTO_TEST_CASE(OnlyTheSelectedNodeReadsReals) {
  SelectedBench bench("second");
  const auto before = bench.Values();
  // Its input and its weights, which the first convolution reads as codes.
  BOOST_TEST(bench.Apply(FoldQdq{}) == 2u);
  BOOST_TEST(bench.Operators() ==
             "QuantizeLinear DequantizeLinear DequantizeLinear Conv Relu "
             "QuantizeLinear DequantizeLinear MaxPool Clip Conv Relu "
             "QuantizeLinear DequantizeLinear");
  BOOST_TEST((bench.Initializer("w").type() == DataType::kInt8));
  BOOST_TEST(Difference(before, bench.Values()) <= 0.021f);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

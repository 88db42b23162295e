#include "zeropoint/passes/float_units.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/passes/quantize_bench.h"
#include "zeropoint/core/form.h"
#include "zeropoint/profiles/for_form.h"
#include "zeropoint/profiles/generic.h"

namespace zeropoint {
namespace {

using Bench = testing::QuantizeBench;

constexpr const char* kSilu = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[2, 4] x) => (float[2, 4] y)
  <float[4, 4] w = {1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1}>
  {
    c = MatMul (x, w)
    s = Sigmoid (c)
    y = Mul (c, s)
  })";

Bench Quantized(const char* text, const std::vector<std::string>& tensors,
                TargetSpec target = Generic::Spec()) {
  Bench bench(text, std::move(target));
  for (const std::string& name : tensors) bench.Range(name, -1, 2);
  bench.Run();
  return bench;
}

bool HasPair(const Bench& bench, const std::string& tensor) {
  for (const onnx::TensorProto& each :
       bench.model.proto().graph().initializer()) {
    if (each.name() == tensor + "_scale") return true;
  }
  return false;
}

/// x and y have pairs, and nothing in between.
void CheckWhole(const char* text, const std::vector<std::string>& inner) {
  std::vector<std::string> tensors = inner;
  tensors.insert(tensors.end(), {"x", "y"});
  const Bench bench = Quantized(text, tensors);
  for (const std::string& name : inner) BOOST_TEST(!HasPair(bench, name), name);
  BOOST_TEST(HasPair(bench, "x"));
  BOOST_TEST(HasPair(bench, "y"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(float_units)

BOOST_AUTO_TEST_CASE(SiluIsNotCut) {
  const Bench bench = Quantized(kSilu, {"x", "c", "s", "y"});
  BOOST_TEST(HasPair(bench, "c"));
  BOOST_TEST(!HasPair(bench, "s"));
  BOOST_TEST(HasPair(bench, "y"));
  // Both nodes read the same dequantized value.
  BOOST_TEST(bench.Count("Sigmoid") == 1u);
  BOOST_TEST(bench.Count("QuantizeLinear") == 3u);
}

BOOST_AUTO_TEST_CASE(SpellingsOfGates) {
  for (const char* gate :
       {"s = Sigmoid (c)", "k = Mul (c, scale) s = Sigmoid (k)",
        "k = Mul (scale, c) s = Sigmoid (k)",
        "k = Softplus (c) s = Tanh (k)"}) {
    for (const char* product : {"y = Mul (c, s)", "y = Mul (s, c)"}) {
      const std::string text =
          std::string(R"(<ir_version: 8, opset_import: ["" : 13]>
          g (float[2, 4] x) => (float[2, 4] y) <float scale = {1.702}>
          { c = Neg (x) )") +
          gate + " " + product + " }";
      const Bench bench = Quantized(text.c_str(), {"x", "c", "k", "s", "y"});
      BOOST_TEST(!HasPair(bench, "s"), text);
      BOOST_TEST(!HasPair(bench, "k"), text);
      BOOST_TEST(HasPair(bench, "c"), text);
      BOOST_TEST(HasPair(bench, "y"), text);
    }
  }
}

BOOST_AUTO_TEST_CASE(OtherProductsAreQuantizedPieceByPiece) {
  for (const char* nodes :
       {"s = Sigmoid (x) y = Mul (c, s)",              // gates another value
        "s = Sigmoid (c) y = Mul (c, s) z = Neg (s)",  // another reader
        "s = Tanh (c) y = Mul (c, s)"}) {
    const std::string text =
        std::string(R"(<ir_version: 8, opset_import: ["" : 13]>
        g (float[2, 4] x) => (float[2, 4] y) { c = Neg (x) )") +
        nodes + " }";
    BOOST_TEST(HasPair(Quantized(text.c_str(), {"x", "c", "s", "y", "z"}), "s"),
               text);
  }
}

BOOST_AUTO_TEST_CASE(GeluBelowItsOpsetIsNotCut) {
  CheckWhole(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[2, 4] x) => (float[2, 4] y)
    <float root = {1.4142135}, float one = {1.0}, float half = {0.5}>
    {
      d = Div (x, root)
      e = Erf (d)
      a = Add (e, one)
      m = Mul (x, a)
      y = Mul (m, half)
    })",
             {"d", "e", "a", "m", "root", "one", "half"});
}

BOOST_AUTO_TEST_CASE(ANormalizationBelowItsOpsetIsNotCut) {
  CheckWhole(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[2, 4] x) => (float[2, 4] y)
    <float two = {2.0}, float epsilon = {1e-5},
     float[4] scale = {1, 2, 3, 4}, float[4] bias = {1, 1, 1, 1}>
    {
      mean = ReduceMean <axes = [-1]> (x)
      d = Sub (x, mean)
      square = Pow (d, two)
      variance = ReduceMean <axes = [-1]> (square)
      shifted = Add (variance, epsilon)
      deviation = Sqrt (shifted)
      n = Div (d, deviation)
      scaled = Mul (n, scale)
      y = Add (scaled, bias)
    })",
             {"mean", "d", "square", "variance", "shifted", "deviation", "n",
              "scaled"});
}

BOOST_AUTO_TEST_CASE(AFormOnCodesCutsThem) {
  const Bench bench =
      Quantized(kSilu, {"x", "c", "s", "y"},
                ForForm(Generic::Spec(), Form::kQOperator, /*microsoft=*/true));
  BOOST_TEST(HasPair(bench, "s"));
}

BOOST_AUTO_TEST_CASE(ASelectionOfAPieceIsThatPiece) {
  Bench bench(kSilu);
  for (const char* name : {"x", "c", "s", "y"}) bench.Range(name, -1, 2);
  bench.selection.op_types_to_quantize = {"MatMul", "Sigmoid"};
  bench.Run();
  BOOST_TEST(HasPair(bench, "s"));
  BOOST_TEST(!HasPair(bench, "y"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

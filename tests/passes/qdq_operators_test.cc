// Every operator of the generic profile, one small model each: which of its
// tensors pass through pairs, which become codes, what shares a scale.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "tests/passes/quantize_bench.h"
#include "zeropoint/profiles/generic.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {
namespace {

using Bench = testing::QuantizeBench;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// x: float[1, 4, 4, 4] in -0.75..0.75, v: the same in -2..2; y is the output.
struct Case {
  const char* op_type;
  const char* node;
  /// Activations with a pair, in the order of their names.
  const char* pairs;
  /// Constants that become codes.
  const char* constants = "";
  /// The output has the scale of x.
  bool shares = false;
  const char* initializers = "";
  const char* output = "float[p, q, r, s] y";
};

constexpr const char* kRow = "float[4] k = {1.0, 2.0, 3.0, 4.0}";
constexpr const char* kNorm =
    "float[4] k = {1.0, 2.0, 3.0, 4.0}, float[4] b = {1.0, 2.0, 3.0, 4.0}";
constexpr const char* kBatchNorm =
    "float[4] k = {1.0, 2.0, 3.0, 4.0}, float[4] b = {1.0, 2.0, 3.0, 4.0}, "
    "float[4] m = {0.0, 0.0, 0.0, 0.0}, float[4] s = {1.0, 1.0, 1.0, 1.0}";
constexpr const char* kAxes = "int64[1] i = {1}";
constexpr const char* kIndices = "int64[1] i = {1}";

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"Abs", "y = Abs (x)", "x y"},
      {"Add", "y = Add (x, v)", "v x y"},
      {"Add", "y = Add (x, k)", "x y", "k", false, kRow},
      {"ArgMax", "y = ArgMax (x)", "x", "", false, "", "int64[p, q, r, s] y"},
      {"ArgMin", "y = ArgMin (x)", "x", "", false, "", "int64[p, q, r, s] y"},
      {"AveragePool", "y = AveragePool <kernel_shape = [2, 2]> (x)", "x y"},
      {"BatchNormalization", "y = BatchNormalization (x, k, b, m, s)", "x y",
       "b k", false, kBatchNorm},
      {"Celu", "y = Celu (x)", "x y"},
      {"Clip", "y = Clip (x, lo)", "x y", "", false, "float lo = {-0.5}"},
      {"Concat", "y = Concat <axis = 1> (x, v)", "v x y"},
      {"Conv", "y = Conv (x, k, b)", "x y", "b k", false,
       "float[1, 4, 1, 1] k = {1.0, 2.0, 3.0, 4.0}, float[1] b = {1.0}"},
      {"ConvTranspose", "y = ConvTranspose (x, k, b)", "x y", "b k", false,
       "float[4, 1, 1, 1] k = {1.0, 2.0, 3.0, 4.0}, float[1] b = {1.0}"},
      {"CumSum", "y = CumSum (x, i)", "x y", "", false, "int64 i = {1}"},
      {"DepthToSpace", "y = DepthToSpace <blocksize = 2> (x)", "x y", "", true},
      {"Div", "y = Div (x, k)", "x y", "k", false, kRow},
      {"Elu", "y = Elu (x)", "x y"},
      {"Erf", "y = Erf (x)", "x y"},
      {"Expand", "y = Expand (x, i)", "x y", "", true, kAxes},
      {"Flatten", "y = Flatten (x)", "x y", "", true, "", "float[p, q] y"},
      {"Gather", "y = Gather (x, i)", "x y", "", true, kIndices},
      {"Gather", "y = Gather (k, j)", "y", "k", false, kRow, "float[p] y"},
      {"GatherElements", "y = GatherElements (x, i)", "x y", "", true,
       "int64[1, 1, 1, 1] i = {0}"},
      {"GatherND", "y = GatherND (x, i)", "x y", "", true, "int64[1] i = {0}",
       "float[p, q, r] y"},
      {"Gelu", "y = Gelu (x)", "x y"},
      {"GlobalAveragePool", "y = GlobalAveragePool (x)", "x y"},
      {"GlobalMaxPool", "y = GlobalMaxPool (x)", "x y", "", true},
      {"HardSigmoid", "y = HardSigmoid (x)", "x y"},
      {"HardSwish", "y = HardSwish (x)", "x y"},
      {"Identity", "y = Identity (x)", "x y", "", true},
      {"InstanceNormalization", "y = InstanceNormalization (x, k, b)", "x y",
       "b k", false, kNorm},
      {"LayerNormalization", "y = LayerNormalization (x, k, b)", "x y", "b k",
       false, kNorm},
      {"LayerNormalization", "y = LayerNormalization <axis = 2> (x, k)", "x y",
       "k", false,
       "float[4, 4] k = {1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0, "
       "3.0, 4.0, 1.0, 2.0, 3.0, 4.0}"},
      {"LeakyRelu", "y = LeakyRelu (x)", "x y"},
      {"LogSoftmax", "y = LogSoftmax (x)", "x y"},
      {"MatMul", "y = MatMul (x, v)", "v x y"},
      {"MatMul", "y = MatMul (k, x)", "x y", "k", false,
       "float[1, 4] k = {1.0, 2.0, 3.0, 4.0}"},
      {"Max", "y = Max (x, v)", "v x y"},
      {"MaxPool", "y = MaxPool <kernel_shape = [2, 2]> (x)", "x y", "", true},
      {"Mean", "y = Mean (x, v)", "v x y"},
      {"Min", "y = Min (x, v)", "v x y"},
      {"Mish", "y = Mish (x)", "x y"},
      {"Mul", "y = Mul (x, v)", "v x y"},
      {"Neg", "y = Neg (x)", "x y"},
      {"PRelu", "y = PRelu (x, k)", "x y", "k", false, kRow},
      {"Pad", "y = Pad (x, i)", "x y", "", true,
       "int64[8] i = {0, 0, 1, 1, 0, 0, 1, 1}"},
      {"Pad", "y = Pad (x, i, f)", "x y", "", false,
       "int64[8] i = {0, 0, 1, 1, 0, 0, 1, 1}, float f = {0.5}"},
      {"Pad", "y = Pad <mode = \"edge\"> (x, i)", "x y", "", true,
       "int64[8] i = {0, 0, 1, 1, 0, 0, 1, 1}"},
      {"ReduceL2", "y = ReduceL2 (x, i)", "x y", "", false, kAxes},
      {"ReduceMax", "y = ReduceMax (x, i)", "x y", "", true, kAxes},
      {"ReduceMean", "y = ReduceMean (x, i)", "x y", "", false, kAxes},
      {"ReduceMin", "y = ReduceMin (x, i)", "x y", "", true, kAxes},
      {"ReduceSum", "y = ReduceSum (x, i)", "x y", "", false, kAxes},
      {"Relu", "y = Relu (x)", "x y"},
      {"Reshape", "y = Reshape (x, i)", "x y", "", true, "int64[1] i = {64}",
       "float[p] y"},
      {"Resize", "y = Resize (x, , r)", "x y", "", true,
       "float[4] r = {1.0, 1.0, 2.0, 2.0}"},
      {"Resize", "y = Resize <mode = \"linear\"> (x, , r)", "x y", "", false,
       "float[4] r = {1.0, 1.0, 2.0, 2.0}"},
      {"Resize", "y = Resize <mode = \"cubic\"> (x, , r)", "x y", "", false,
       "float[4] r = {1.0, 1.0, 2.0, 2.0}"},
      {"Selu", "y = Selu (x)", "x y"},
      {"Sigmoid", "y = Sigmoid (x)", "x y"},
      {"Slice", "y = Slice (x, i, e)", "x y", "", true,
       "int64[1] i = {0}, int64[1] e = {1}"},
      {"Softmax", "y = Softmax (x)", "x y"},
      {"Softplus", "y = Softplus (x)", "x y"},
      {"Softsign", "y = Softsign (x)", "x y"},
      {"SpaceToDepth", "y = SpaceToDepth <blocksize = 2> (x)", "x y", "", true},
      {"Split", "y, z = Split <axis = 1, num_outputs = 2> (x)", "x y z", "",
       true},
      {"Sqrt", "y = Sqrt (x)", "x y"},
      {"Squeeze", "y = Squeeze (x)", "x y", "", true, "", "float[p, q, r] y"},
      {"Sub", "y = Sub (x, v)", "v x y"},
      {"Sum", "y = Sum (x, v)", "v x y"},
      {"Tanh", "y = Tanh (x)", "x y"},
      {"ThresholdedRelu", "y = ThresholdedRelu (x)", "x y"},
      {"Tile", "y = Tile (x, i)", "x y", "", true, "int64[4] i = {1, 1, 1, 2}"},
      {"TopK", "y, n = TopK (x, i)", "x y", "", true, kAxes},
      {"Transpose", "y = Transpose (x)", "x y", "", true},
      {"Unsqueeze", "y = Unsqueeze (x, i)", "x y", "", true, kAxes,
       "float[p, q, r, s, t] y"},
      {"Where", "y = Where (c, x, v)", "v x y"},
      {"Where", "y = Where (c, x, k)", "x y", "k", false, kRow},
      {"Gemm", "t = Flatten (x) y = Gemm (t, k, b)", "t x y", "b k", false,
       "float[64, 1] k, float[1] b = {1.0}", "float[p, q] y"},
  };
  return cases;
}

std::string ModelText(const Case& c) {
  std::string initializers = c.initializers;
  const std::size_t open = initializers.find("float[64, 1] k");
  if (open == 0) {
    std::string values = " = {1.0";
    for (int i = 1; i < 64; ++i) values += ", 1.0";
    initializers.insert(std::string("float[64, 1] k").size(), values + "}");
  }
  return "<ir_version: 10, opset_import: [\"\" : 20]>\n"
         "g (float[1, 4, 4, 4] x, float[1, 4, 4, 4] v, bool[4] c, int64[1] j)"
         " => (" +
         std::string(c.output) + ")\n<" + initializers + ">\n{ " + c.node +
         " }";
}

std::string Joined(const std::set<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qdq_operators)

BOOST_AUTO_TEST_CASE(EveryOperatorOfTheGenericProfileIsQuantized) {
  std::set<std::string_view> tested;
  for (const Case& c : Cases()) {
    BOOST_TEST_CONTEXT(c.node) {
      tested.insert(c.op_type);
      Bench bench(ModelText(c).c_str());
      bench.Range("x", -0.75f, 0.75f);
      bench.Range("v", -2, 2);
      const bool real = std::string_view(c.output).starts_with("float");
      if (real) bench.Range("y", -0.5f, 0.5f);
      for (const char* name : {"z", "t"}) bench.Range(name, -0.5f, 0.5f);
      bench.Run();
      std::set<std::string> pairs;
      for (const auto& activation : bench.context.quantized.activations) {
        pairs.insert(activation.name);
      }
      BOOST_TEST(Joined(pairs) == c.pairs);
      std::set<std::string> constants;
      for (const auto& tensor : bench.model.proto().graph().initializer()) {
        const std::string& name = tensor.name();
        if (name.ends_with("_quantized")) {
          constants.insert(name.substr(0, name.find('_')));
        }
      }
      BOOST_TEST(Joined(constants) == c.constants);
      if (c.shares) {
        BOOST_TEST(bench.Initializer("y_scale").As<float>()[0] ==
                   bench.Initializer("x_scale").As<float>()[0]);
      } else if (pairs.contains("x") && pairs.contains("y") &&
                 std::string_view(c.op_type) != "Concat" &&
                 std::string_view(c.op_type) != "Gemm") {
        BOOST_TEST(bench.Initializer("y_scale").As<float>()[0] !=
                   bench.Initializer("x_scale").As<float>()[0]);
      }
    }
  }
  for (const OperatorRule& rule : Generic::Spec().operators) {
    BOOST_TEST(tested.contains(rule.op_type), rule.op_type << " has no case");
  }
}

// The axis of the scales, or none for one scale.
std::vector<std::int64_t> ScaleDims(const char* text) {
  Bench bench(text);
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  for (const auto& tensor : bench.model.proto().graph().initializer()) {
    if (tensor.name() == "w_scale") {
      return {tensor.dims().begin(), tensor.dims().end()};
    }
  }
  return {-1};
}

BOOST_AUTO_TEST_CASE(WeightsHaveOneScaleForEachOutputChannel) {
  const auto dims = [](std::int64_t n) { return std::vector{n}; };
  BOOST_TEST(ScaleDims(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1, 1, 2] x) => (float[p, q, r] y) <float[3, 1, 1] w = {1.0, 2.0, 3.0}>
      { y = Conv (x, w) })") == dims(3));
  BOOST_TEST(ScaleDims(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1, 1, 2] x) => (float[p, q, r] y) <float[1, 3, 1] w = {1.0, 2.0, 3.0}>
      { y = ConvTranspose (x, w) })") == dims(3));
  // Two groups: an index of axis 1 stands for a channel of each.
  BOOST_TEST(ScaleDims(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1, 2, 2] x) => (float[p, q, r] y)
      <float[2, 3, 1] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}>
      { y = ConvTranspose <group = 2> (x, w) })") == dims(3));
  BOOST_TEST(ScaleDims(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1, 1] x) => (float[p, q] y) <float[1, 3] w = {1.0, 2.0, 3.0}>
      { y = Gemm (x, w) })") == dims(3));
  BOOST_TEST(ScaleDims(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[1, 1] x) => (float[p, q] y) <float[3, 1] w = {1.0, 2.0, 3.0}>
      { y = Gemm <transB = 1> (x, w) })") == dims(3));
  // ONNX Runtime takes no scales for the columns of a stack of matrices.
  BOOST_TEST(ScaleDims(R"(<ir_version: 8, opset_import: ["" : 13]>
      g (float[2, 1, 1] x) => (float[p, q, r] y)
      <float[2, 1, 3] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}>
      { y = MatMul (x, w) })") == std::vector<std::int64_t>());
  BOOST_TEST(ScaleDims(R"(<ir_version: 8, opset_import: ["" : 17]>
      g (float[1, 3] x) => (float[p, q] y) <float[3] w = {1.0, 2.0, 3.0}>
      { y = LayerNormalization (x, w) })") == dims(3));
}

BOOST_AUTO_TEST_CASE(ANormalizationsBiasIsInUnitsOfInputTimesScale) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 4] x) => (float[1, 2, 4] y)
    <float[2] w = {127.0, 254.0}, float[2] b = {10.0, 11.0}>
    { y = InstanceNormalization (x, w, b) })");
  bench.Range("x", 0, 255);
  bench.Range("y", -1, 1);
  bench.Run(/*correct_bias=*/true);
  BOOST_TEST(bench.Initializer("b_quantized").As<std::int32_t>()[0] == 10);
  BOOST_TEST(bench.Initializer("b_quantized").As<std::int32_t>()[1] == 6);
}

BOOST_AUTO_TEST_CASE(APadWithMinusInfinityStaysFloat) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[4] x) => (float[6] y)
    <int64[2] pads = {1, 1}, float fill = {0.0}>
    { y = Pad (x, pads, fill) })");
  for (auto& tensor :
       *bench.model.proto().mutable_graph()->mutable_initializer()) {
    if (tensor.name() != "fill") continue;
    tensor =
        EncodeScalar<float>("fill", -std::numeric_limits<float>::infinity());
  }
  for (const char* name : {"x", "y"}) bench.Range(name, -1, 1);
  bench.Run();
  BOOST_TEST(bench.Count("QuantizeLinear") == 0u);
  BOOST_TEST(Contains(bench.ReasonFor("y"), "pads with another value"));
}

BOOST_AUTO_TEST_CASE(AnIslandHoldsNothingThatComputesNewCodes) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 4, 4] x) => (float[p, q, r, s] y)
    <float[1, 1, 1, 1] w = {1.0}, float[4] r = {1.0, 1.0, 2.0, 2.0}>
    { a = Conv (x, w)
      b = Resize <mode = "linear"> (a, , r)
      y = Conv (b, w) })",
              OnnxRuntimeCpu::Spec());
  const Dims large = {1, 1, 1000, 1000};
  for (const char* name : {"x", "a", "b", "y"}) bench.Range(name, -1, 1, large);
  bench.Run();
  BOOST_TEST(Contains(bench.ReasonFor("b"), "interpolation"));
}

// --- Concat
// -------------------------------------------------------------------

// A detector's head: boxes in pixels, scores below 1.
constexpr const char* kHead = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1, 2, 4, 4] x) => (float[1, 5, 4, 4] y)
  <float[4, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0},
   float[1, 2, 1, 1] v = {1.0, 2.0}>
  { boxes = Conv (x, w)
    logits = Conv (x, v)
    scores = Sigmoid (logits)
    y = Concat <axis = 1> (boxes, scores) })";

BOOST_AUTO_TEST_CASE(BoxesAndScoresDoNotShareOneScale) {
  Bench bench(kHead);
  bench.Range("x", -1, 1);
  bench.Range("boxes", 0, 640);
  bench.Range("logits", -8, 8);
  bench.Range("scores", 0, 1);
  bench.Range("y", 0, 640);
  bench.Run();
  BOOST_TEST(bench.Initializer("scores_scale").As<float>()[0] == 1.0f / 255);
  BOOST_TEST(bench.Initializer("boxes_scale").As<float>()[0] == 640.0f / 255);
  BOOST_TEST(Contains(bench.ReasonFor("y"), "ranges of 1 and 640"));
  BOOST_TEST(bench.model.proto().graph().output(0).name() == "y");
}

BOOST_AUTO_TEST_CASE(HowFarRangesMayBeApartIsData) {
  Bench bench(kHead);
  bench.target.unify_within = 1000.0f;
  bench.Range("x", -1, 1);
  bench.Range("logits", -8, 8);
  bench.Range("boxes", 0, 640);
  bench.Range("scores", 0, 1);
  bench.Range("y", 0, 640);
  bench.Run();
  BOOST_TEST(bench.Initializer("scores_scale").As<float>()[0] == 640.0f / 255);
}

BOOST_AUTO_TEST_CASE(AConcatOfItsOwnRangeRequantizes) {
  Bench bench(kHead);
  for (OperatorRule& rule : bench.target.operators) {
    if (rule.op_type == "Concat") rule.output = OutputKind::kOwnRange;
  }
  bench.Range("x", -1, 1);
  bench.Range("logits", -8, 8);
  bench.Range("boxes", 0, 640);
  bench.Range("scores", 0, 1);
  bench.Range("y", 0, 640);
  bench.Run();
  BOOST_TEST(bench.ReasonFor("y").empty());
  BOOST_TEST(bench.Initializer("scores_scale").As<float>()[0] == 1.0f / 255);
  BOOST_TEST(bench.Initializer("y_scale").As<float>()[0] == 640.0f / 255);
}

BOOST_AUTO_TEST_CASE(AChainOfConcatsDoesNotCreepApart) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1] a, float[1] b, float[1] c) => (float[3] y)
    { [first] ab = Concat <axis = 0> (a, b)
      t = Identity (ab)
      [second] y = Concat <axis = 0> (t, c) })");
  bench.Range("a", 0, 1);
  bench.Range("b", 0, 4);
  bench.Range("ab", 0, 4);
  bench.Range("t", 0, 4);
  bench.Range("c", 0, 16);
  bench.Range("y", 0, 16);
  bench.Run();
  BOOST_TEST(bench.ReasonFor("first").empty());
  BOOST_TEST(Contains(bench.ReasonFor("second"), "ranges of 1 and 16"));
}

// --- Relu and Clip before a QuantizeLinear
// -----------------------------------------------

// Whether "Clip" between two convolutions with these ranges is left out.
bool Folds(const char* activation, float lo, float hi,
           const char* scheme = "u8:asym") {
  Bench bench((std::string(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] z)
    <float[1, 1, 1, 1] w = {1.0}, float zero = {0.0}, float one = {1.0},
     float six = {6.0}, float low = {-6.0}>
    { c = Conv (x, w)
      y = )") + activation +
               R"(
      z = Conv (y, w) })")
                  .c_str());
  bench.target.activations = ParseScheme(scheme).value();
  for (const char* name : {"x", "c", "z"}) bench.Range(name, -6, 6);
  bench.Range("y", lo, hi);
  bench.Run();
  return bench.Count("Relu") + bench.Count("Clip") == 0;
}

BOOST_AUTO_TEST_CASE(AnActivationFoldsWhereTheCodesEndAtItsBounds) {
  BOOST_TEST(Folds("Relu (c)", 0, 5));
  BOOST_TEST(Folds("Clip (c, zero, six)", 0, 6));
  BOOST_TEST(Folds("Clip (c, zero)", 0, 5));
  BOOST_TEST(Folds("Clip (c, low, six)", -6, 6));
  // The codes say more than the bounds let through.
  BOOST_TEST(!Folds("Relu (c)", -1, 5));
  BOOST_TEST(!Folds("Clip (c, one, six)", 1, 6));
  BOOST_TEST(!Folds("Clip (c, zero, one)", 0, 6));
  // Symmetric codes go as far below zero as above.
  BOOST_TEST(!Folds("Relu (c)", 0, 5, "i8:sym"));
  BOOST_TEST(!Folds("Relu (c)", 0, 5, "u8:sym"));
  BOOST_TEST(Folds("Relu (c)", 0, 5, "i8:asym"));
}

BOOST_AUTO_TEST_CASE(AnActivationThatABodyReadsTooStays) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x, bool cond)
      => (float[1, 1, 2, 2] z, float[1, 1, 2, 2] u)
    <float[1, 1, 1, 1] w = {1.0}>
    { c = Conv (x, w)
      y = Relu (c)
      z = Conv (y, w)
      u = If (cond) <
        then_branch = t () => (float[1, 1, 2, 2] p) { p = Exp (c) },
        else_branch = e () => (float[1, 1, 2, 2] q) { q = Exp (c) }> })");
  for (const char* name : {"x", "c", "z"}) bench.Range(name, -6, 6);
  bench.Range("y", 0, 6);
  bench.Run();
  // c has a pair of its own, with negative values, and the body reads it.
  BOOST_TEST(bench.Initializer("c_scale").As<float>()[0] == 12.0f / 255);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

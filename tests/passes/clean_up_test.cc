// The clean-up passes: what they turn into what, that outputs stay as they
// were, that a second run changes nothing, and where they must keep off.
#include <algorithm>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tests/graph/parse_model.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/exec/evaluate_node.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/onnx_tools.h"
#include "zeropoint/passes/builtin_passes.h"
#include "zeropoint/passes/pipeline_text.h"

namespace zeropoint {
namespace {

struct Case {
  const char* name;
  const char* pipeline;
  /// Operators left, in file order.
  const char* left;
  /// The graph after the header; its float input is x.
  const char* graph;
  int opset = 17;
};
std::ostream& operator<<(std::ostream& stream, const Case& test) {
  return stream << test.name;
}

Model MakeModel(const Case& test) {
  const std::string header =
      "<ir_version: 9, opset_import: [\"\" : " + std::to_string(test.opset) +
      "]>";
  return Model::FromProto(testing::ParseProto(header + test.graph)).value();
}

std::string OperatorsOf(const Model& model) {
  std::string operators;
  for (const auto& node : model.proto().graph().node()) {
    operators += (operators.empty() ? "" : " ") + node.op_type();
  }
  return operators;
}

std::size_t RunPasses(Model& model, const char* text) {
  PassRegistry registry;
  BOOST_REQUIRE(AddBuiltinPasses(registry).ok());
  auto pipeline = ParsePipeline(text, registry);
  BOOST_REQUIRE_MESSAGE(pipeline.ok(), pipeline.status().message());
  auto graph = GraphView::Over(model);
  BOOST_REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  const Status typed = InferTypes(*graph);
  BOOST_REQUIRE_MESSAGE(typed.ok(), typed.message());
  PassContext context;
  context.evaluate = NodeEvaluation(model);
  const auto report = pipeline->Run(*graph, context);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  return report->rewrites;
}

class Collect final : public TensorSink {
 public:
  Status Consume(std::size_t, const TensorView& tensor) override {
    if (tensor.type() != DataType::kFloat) return Status();
    const auto values = tensor.As<float>();
    all.insert(all.end(), values.begin(), values.end());
    return Status();
  }
  std::vector<float> all;
};

/// All float outputs for one input, the same at every call.
std::vector<float> OutputsOf(const Model& model) {
  const auto& info = model.proto().graph().input(0);
  Dims dims;
  for (const auto& dim : info.type().tensor_type().shape().dim()) {
    dims.push_back(dim.has_dim_value() ? dim.dim_value() : 2);
  }
  Tensor x(DataType::kFloat, dims);
  std::uint32_t state = 7;
  for (float& value : x.MutableAs<float>()) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 2097152.0f - 4.0f;  // [-4, 4)
  }
  Feeds feeds;
  feeds.push_back({info.name(), std::move(x)});
  std::vector<std::string> taps;
  for (const auto& output : model.proto().graph().output()) {
    taps.push_back(output.name());
  }
  auto executor = BuiltinExecutor::Create(model, {.threads = 1});
  BOOST_REQUIRE_MESSAGE(executor.ok(), executor.status().message());
  Collect sink;
  const Status run = executor->Run(feeds, taps, sink);
  BOOST_REQUIRE_MESSAGE(run.ok(), run.message());
  return sink.all;
}

const Case kCases[] = {
    {"a batch norm goes into the convolution", "fold-batch-norm", "Conv",
     R"(g (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
        <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}, float[2] b = {1.0, -1.0},
         float[2] s = {2.0, 0.5}, float[2] t = {0.1, 0.2},
         float[2] m = {0.3, -0.4}, float[2] v = {1.5, 0.7}>
        { c = Conv (x, w, b)
          y = BatchNormalization (c, s, t, m, v) })"},
    {"a batch norm behind a transposed convolution", "fold-batch-norm",
     "ConvTranspose",
     R"(g (float[1, 2, 4, 4] x) => (float[1, 4, 4, 4] y)
        <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0},
         float[4] s = {2.0, 0.5, 1.0, 3.0}, float[4] t = {0.1, 0.2, 0.3, 0.4},
         float[4] m = {0.3, -0.4, 0.0, 1.0}, float[4] v = {1.5, 0.7, 1.0, 2.0}>
        { c = ConvTranspose <group = 2> (x, w)
          y = BatchNormalization (c, s, t, m, v) })"},
    {"a batch norm stays when the convolution has another reader",
     "fold-batch-norm", "Conv BatchNormalization Neg",
     R"(g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y, float[1, 1, 2, 2] z)
        <float[1, 1, 1, 1] w = {2.0}, float[1] s = {2.0}, float[1] t = {0.1},
         float[1] m = {0.3}, float[1] v = {1.5}>
        { c = Conv (x, w)
          y = BatchNormalization (c, s, t, m, v)
          z = Neg (c) })"},
    {"a batch norm stays when the convolution is a graph output",
     "fold-batch-norm", "Conv BatchNormalization",
     R"(g (float[1, 1, 2, 2] x) => (float[1, 1, 2, 2] y, float[1, 1, 2, 2] c)
        <float[1, 1, 1, 1] w = {2.0}, float[1] s = {2.0}, float[1] t = {0.1},
         float[1] m = {0.3}, float[1] v = {1.5}>
        { c = Conv (x, w)
          y = BatchNormalization (c, s, t, m, v) })"},
    {"scales and shifts go into the weights", "fold-affine", "Conv",
     R"(g (float[1, 2, 3, 3] x) => (float[1, 2, 3, 3] y)
        <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}, float a = {0.5},
         float[1, 2, 1, 1] b = {1.0, -1.0}, float[2, 1, 1] d = {4.0, 2.0}>
        { c = Conv (x, w)
          e = Mul (a, c)
          f = Add (e, b)
          h = Div (f, d)
          y = Sub (a, h) })"},
    {"a shift along the width stays", "fold-affine", "Conv Add",
     R"(g (float[1, 2, 1, 2] x) => (float[1, 2, 1, 2] y)
        <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}, float[2] b = {1.0, -1.0}>
        { c = Conv (x, w)
          y = Add (c, b) })"},
    {"a shift that adds an axis stays", "fold-affine", "Conv Add",
     R"(g (float[1, 1, 2, 2] x) => (float[1, 1, 1, 2, 2] y)
        <float[1, 1, 1, 1] w = {2.0}, float[1, 1, 1, 1, 1] b = {1.0}>
        { c = Conv (x, w)
          y = Add (c, b) })"},
    {"hard-swish as exporters write it", "fuse-hard-swish", "HardSwish",
     R"(g (float[1, 8] x) => (float[1, 8] y)
        <float three = {3.0}, float zero = {0.0}, float six = {6.0}>
        { a = Add (x, three)
          b = Clip (a, zero, six)
          c = Mul (x, b)
          y = Div (c, six) })"},
    {"hard-swish by way of HardSigmoid", "fuse-hard-swish", "HardSwish",
     R"(g (float[1, 8] x) => (float[1, 8] y)
        { a = HardSigmoid <alpha = 0.16666667, beta = 0.5> (x)
          y = Mul (a, x) })"},
    {"no hard-swish below opset 14", "fuse-hard-swish", "HardSigmoid Mul",
     R"(g (float[1, 8] x) => (float[1, 8] y)
        { a = HardSigmoid <alpha = 0.16666667, beta = 0.5> (x)
          y = Mul (a, x) })",
     13},
    {"a clip at other bounds is no hard-swish", "fuse-hard-swish",
     "Add Clip Mul Div",
     R"(g (float[1, 8] x) => (float[1, 8] y)
        <float three = {3.0}, float zero = {0.0}, float six = {6.0},
         float five = {5.0}>
        { a = Add (x, three)
          b = Clip (a, zero, five)
          c = Mul (x, b)
          y = Div (c, six) })"},
    {"a hard-swish whose middle is read stays", "fuse-hard-swish",
     "Add Clip Mul Div",
     R"(g (float[1, 8] x) => (float[1, 8] y, float[1, 8] b)
        <float three = {3.0}, float zero = {0.0}, float six = {6.0}>
        { a = Add (x, three)
          b = Clip (a, zero, six)
          c = Mul (x, b)
          y = Div (c, six) })"},
    {"hard-sigmoid", "fuse-hard-sigmoid", "HardSigmoid",
     R"(g (float[1, 8] x) => (float[1, 8] y)
        <float three = {3.0}, float zero = {0.0}, float six = {6.0}>
        { a = Add (x, three)
          b = Clip (a, zero, six)
          y = Div (b, six) })"},
    {"layer normalization in pieces", "fuse-layer-norm", "LayerNormalization",
     R"(g (float[2, 3, 4] x) => (float[2, 3, 4] y)
        <float two = {2.0}, float eps = {0.00001},
         float[4] s = {1.0, 2.0, 3.0, 4.0}, float[4] b = {0.1, 0.2, 0.3, 0.4}>
        { m = ReduceMean <axes = [-1]> (x)
          d = Sub (x, m)
          p = Pow (d, two)
          v = ReduceMean <axes = [-1]> (p)
          e = Add (v, eps)
          r = Sqrt (e)
          n = Div (d, r)
          t = Mul (n, s)
          y = Add (t, b) })"},
    {"a mean over another axis is no layer normalization", "fuse-layer-norm",
     "ReduceMean Sub Pow ReduceMean Add Sqrt Div Mul Add",
     R"(g (float[2, 4, 4] x) => (float[2, 4, 4] y)
        <float two = {2.0}, float eps = {0.00001},
         float[4] s = {1.0, 2.0, 3.0, 4.0}, float[4] b = {0.1, 0.2, 0.3, 0.4}>
        { m = ReduceMean <axes = [1]> (x)
          d = Sub (x, m)
          p = Pow (d, two)
          v = ReduceMean <axes = [1]> (p)
          e = Add (v, eps)
          r = Sqrt (e)
          n = Div (d, r)
          t = Mul (n, s)
          y = Add (t, b) })"},
    {"gelu", "fuse-gelu", "Gelu",
     R"(g (float[1, 8] x) => (float[1, 8] y)
        <float root = {1.41421356}, float one = {1.0}, float half = {0.5}>
        { a = Div (x, root)
          b = Erf (a)
          c = Add (b, one)
          d = Mul (x, c)
          y = Mul (d, half) })",
     20},
    {"gelu stays below opset 20", "fuse-gelu", "Div Erf Add Mul Mul",
     R"(g (float[1, 8] x) => (float[1, 8] y)
        <float root = {1.41421356}, float one = {1.0}, float half = {0.5}>
        { a = Div (x, root)
          b = Erf (a)
          c = Add (b, one)
          d = Mul (x, c)
          y = Mul (d, half) })"},
    {"a product and a shift make a Gemm", "fuse-matmul-add", "Gemm",
     R"(g (float[2, 3] x) => (float[2, 2] y)
        <float[3, 2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0},
         float[2] b = {0.5, -0.5}>
        { c = MatMul (x, w)
          y = Add (b, c) })"},
    {"a product of rank 3 stays", "fuse-matmul-add", "MatMul Add",
     R"(g (float[1, 2, 3] x) => (float[1, 2, 2] y)
        <float[3, 2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0},
         float[2] b = {0.5, -0.5}>
        { c = MatMul (x, w)
          y = Add (c, b) })"},
    {"zeros around the image go into the convolution", "fuse-pad", "Conv",
     R"(g (float[1, 1, 4, 4] x) => (float[1, 1, 3, 3] y)
        <int64[8] pads = {0, 0, 0, 0, 0, 0, 1, 1},
         float[1, 1, 3, 3] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0}>
        { p = Pad (x, pads)
          y = Conv (p, w) })"},
    {"ones around the image stay", "fuse-pad", "Pad Conv",
     R"(g (float[1, 1, 4, 4] x) => (float[1, 1, 3, 3] y)
        <int64[8] pads = {0, 0, 0, 0, 0, 0, 1, 1}, float one = {1.0},
         float[1, 1, 3, 3] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0}>
        { p = Pad (x, pads, one)
          y = Conv (p, w) })"},
    {"what hands its input through goes", "eliminate-identity", "Relu",
     R"(g (float[2, 3] x) => (float[2, 3] y)
        <int64[2] same = {2, 3}, float zero = {0.0}, float one = {1.0}>
        { a = Identity (x)
          b = Dropout (a)
          c = Reshape (b, same)
          d = Add (c, zero)
          e = Mul (d, one)
          f = Transpose <perm = [0, 1]> (e)
          h = Cast <to = 1> (f)
          y = Relu (h) })"},
    {"an addition of 0 that broadcasts stays", "eliminate-identity", "Add",
     R"(g (float[1, 3] x) => (float[2, 3] y)
        <float[2, 1] zeros = {0.0, 0.0}>
        { y = Add (x, zeros) })"},
    {"an output keeps its name", "eliminate-identity", "Relu",
     R"(g (float[2, 3] x) => (float[2, 3] y)
        { a = Relu (x)
          y = Identity (a) })"},
    {"constants are computed once", "fold-constant", "Reshape",
     R"(g (float[2, 3] x) => (float[3, 2] y)
        { s = Shape (x)
          k = Constant <value_ints = [1]> ()
          z = Constant <value_ints = [0]> ()
          a = Gather (s, k)
          b = Gather (s, z)
          t = Concat <axis = 0> (a, b)
          y = Reshape (x, t) })"},
    {"weights that pass through a transposition", "fold-constant", "MatMul",
     R"(g (float[1, 2] x) => (float[1, 3] y)
        <float[3, 2] w = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}>
        { t = Transpose (w)
          y = MatMul (x, t) })"},
    {"dequantized weights stay codes", "fold-constant",
     "DequantizeLinear MatMul",
     R"(g (float[1, 2] x) => (float[1, 1] y)
        <int8[2, 1] q = {1, 2}, float s = {0.5}, int8 z = {0}>
        { w = DequantizeLinear (q, s, z)
          y = MatMul (x, w) })"},
    {"a constant that grows out of bounds stays", "fold-constant",
     "Expand ReduceSum Add",
     R"(g (float[1] x) => (float[1] y)
        <float one = {1.0}, int64[1] many = {100000000}, int64[1] axes = {0}>
        { e = Expand (one, many)
          r = ReduceSum <keepdims = 1> (e, axes)
          y = Add (x, r) })"},
    {"a default value may be overridden", "fold-constant", "Neg Add",
     R"(g (float[1] x, float[1] d = {2.0}) => (float[1] y)
        { n = Neg (d)
          y = Add (x, n) })"},
    {"what no output depends on goes", "eliminate-dead", "Relu",
     R"(g (float[2] x) => (float[2] y)
        <float[2] unused = {1.0, 2.0}>
        { a = Exp (x)
          b = Add (a, unused)
          y = Relu (x) })"},
    {"equal initializers become one", "eliminate-duplicate-initializer",
     "Add Add",
     R"(g (float[2] x) => (float[2] y)
        <float[2] a = {1.0, 2.0}, float[2] b = {1.0, 2.0}>
        { c = Add (x, a)
          y = Add (c, b) })"},
};

bool Costs(const Case& test) {  // seconds, and 400 MB
  return std::string(test.left).starts_with("Expand");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(clean_up)

BOOST_DATA_TEST_CASE(LeavesWhatItShouldAndTheSameOutputs,
                     boost::unit_test::data::make(kCases), test) {
  Model model = MakeModel(test);
  const std::vector<float> before =
      Costs(test) ? std::vector<float>() : OutputsOf(model);
  RunPasses(model, test.pipeline);
  BOOST_TEST(OperatorsOf(model) == test.left);
  const Status checked = CheckModel(model);
  BOOST_TEST(checked.ok(), checked.message());
  const std::vector<float> after =
      Costs(test) ? std::vector<float>() : OutputsOf(model);
  BOOST_REQUIRE(before.size() == after.size());
  float largest = 0.0f;
  for (const float value : before) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < before.size(); ++i) {
    BOOST_TEST(std::abs(before[i] - after[i]) <= 2e-6f * largest);
  }
}

BOOST_DATA_TEST_CASE(ASecondRunChangesNothing,
                     boost::unit_test::data::make(kCases), test) {
  Model model = MakeModel(test);
  RunPasses(model, test.pipeline);
  const std::string once = model.proto().SerializeAsString();
  BOOST_TEST(RunPasses(model, test.pipeline) == 0u);
  BOOST_TEST((model.proto().SerializeAsString() == once));
}

BOOST_AUTO_TEST_CASE(EqualInitializersAreStoredOnce) {
  Model model = Model::FromProto(testing::ParseProto(R"(
    <ir_version: 9, opset_import: ["" : 17]>
    g (float[2] x) => (float[2] y)
    <float[2] a = {1.0, 2.0}, float[2] b = {1.0, 2.0}>
    { c = Add (x, a)
      y = Add (c, b) })"))
                    .value();
  RunPasses(model, "eliminate-duplicate-initializer,eliminate-dead");
  BOOST_TEST(model.proto().graph().initializer_size() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

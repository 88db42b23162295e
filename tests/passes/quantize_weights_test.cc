#include "zeropoint/passes/quantize_weights.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/exec/run_model.h"
#include "tests/graph/half_model.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/builtin_passes.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/pipeline_text.h"

namespace zeropoint {
namespace {

using testing::MakeFeed;
using testing::MakeFeeds;

/// `graph` with random float initializers of these shapes.
Model ModelWith(const std::string& graph,
                const std::vector<std::pair<std::string, Dims>>& weights,
                int opset = 21) {
  Model model = testing::ParseGraph(graph, opset);
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  for (const auto& [name, dims] : weights) {
    Tensor tensor(DataType::kFloat, dims);
    for (float& value : tensor.MutableAs<float>()) value = normal(random);
    *model.proto().mutable_graph()->add_initializer() =
        EncodeTensor(name, tensor.view());
  }
  return model;
}

/// Runs the pass that `text` names; what it did.
PassContext Apply(Model& model, const std::string& text) {
  PassRegistry registry;
  BOOST_REQUIRE(AddBuiltinPasses(registry).ok());
  auto passes = ParsePipeline(text + ",eliminate-dead", registry);
  BOOST_REQUIRE_MESSAGE(passes.ok(), passes.status().message());
  auto graph = GraphView::Over(model);
  BOOST_REQUIRE(graph.ok());
  BOOST_REQUIRE(InferTypes(*graph).ok());
  PassContext context;
  const auto report = passes->Run(*graph, context);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  const Status verified = VerifyModel(*graph);
  BOOST_TEST(verified.ok(), verified.message());
  return context;
}

std::vector<std::string> Operators(const Model& model) {
  std::vector<std::string> types;
  for (const auto& node : model.proto().graph().node()) {
    types.push_back(node.op_type());
  }
  return types;
}

Tensor RandomInput(Dims dims) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  Tensor tensor(DataType::kFloat, std::move(dims));
  for (float& value : tensor.MutableAs<float>()) value = normal(random);
  return tensor;
}

Tensor Constant(const Model& model, const std::string& name) {
  for (const auto& tensor : model.proto().graph().initializer()) {
    if (tensor.name() == name) return DecodeTensor(tensor).value();
  }
  BOOST_FAIL("no initializer " << name);
  return {};
}

/// The float model with its weights replaced by what their codes stand for.
Tensor Expected(const std::string& graph,
                const std::vector<std::pair<std::string, Dims>>& weights,
                const std::string& weight, bool columns_first, float alpha,
                const std::string& scheme, const Feeds& feeds) {
  Model model = ModelWith(graph, weights);
  for (auto& tensor : *model.proto().mutable_graph()->mutable_initializer()) {
    if (tensor.name() != weight) continue;
    const Tensor real = DecodeTensor(tensor).value();
    const auto rows = static_cast<std::size_t>(real.dims()[columns_first]);
    const auto columns = static_cast<std::size_t>(real.dims()[!columns_first]);
    Tensor matrix(DataType::kFloat,
                  {real.dims()[columns_first], real.dims()[!columns_first]});
    const auto at = [&](std::size_t r, std::size_t c) {
      return columns_first ? c * rows + r : r * columns + c;
    };
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        matrix.MutableAs<float>()[r * columns + c] =
            alpha * real.As<float>()[at(r, c)];
      }
    }
    const Tensor rounded = DequantizeConstant(
        RoundBlocks(matrix.view(), ParseScheme(scheme).value(),
                    BlockRounding::kMse, nullptr, DispatchedKernels())
            .value());
    Tensor back(DataType::kFloat, real.dims());
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        back.MutableAs<float>()[at(r, c)] =
            rounded.As<float>()[r * columns + c] / alpha;
      }
    }
    tensor = EncodeTensor(weight, back.view());
  }
  auto outputs = testing::Run(model, feeds);
  BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
  return std::move(outputs->front());
}

void CheckClose(const Tensor& actual, const Tensor& expected) {
  BOOST_REQUIRE(actual.dims() == expected.dims());
  double most = 1.0;
  for (const float value : expected.As<float>()) {
    most = std::max(most, std::abs(static_cast<double>(value)));
  }
  for (std::size_t i = 0; i < actual.size(); ++i) {
    BOOST_TEST(std::abs(static_cast<double>(actual.As<float>()[i]) -
                        static_cast<double>(expected.As<float>()[i])) <=
               2e-6 * most);
  }
}

struct FormatCase {
  std::string options;
  std::string scheme;
};
const std::vector<FormatCase> kFormats = {
    {"bits=4,block=16,scheme=sym", "u4:sym:block=16"},
    {"bits=4,block=16", "u4:asym:block=16"},
    {"bits=8,block=32", "u8:asym:block=32"},
    {"bits=4,block=16,scheme=sym,format=qdq", "i4:sym:block=16"},
    {"bits=4,block=12,format=qdq", "u4:asym:block=12"},
    {"bits=4,block=0,scheme=sym,format=qdq", "i4:sym:channel"},
    {"bits=8,block=0,format=qdq", "u8:asym:channel"},
};

constexpr const char* kMatMul = R"(
  g (float[2, 3, 40] x) => (float[2, 3, 5] y) { [mm] y = MatMul (x, w) })";
constexpr const char* kTwoReaders = R"(
  g (float[2, 40] x) => (float[2, 5] y, float[2, 5] z) {
    [first] y = MatMul (x, w)
    [second] z = MatMul (x, w) })";

}  // namespace

BOOST_AUTO_TEST_SUITE(quantize_weights)

BOOST_AUTO_TEST_CASE(AMatMulComputesWithItsDequantizedWeights) {
  for (const FormatCase& each : kFormats) {
    BOOST_TEST_CONTEXT(each.options) {
      Model model = ModelWith(kMatMul, {{"w", {40, 5}}});
      const PassContext done =
          Apply(model, "quantize-weights{" + each.options + "}");
      BOOST_TEST(done.quantized.nodes == std::vector<std::string>({"mm"}));
      BOOST_TEST(done.declined.empty());
      const Feeds feeds = MakeFeeds({"x", RandomInput({2, 3, 40})});
      const auto outputs = testing::Run(model, feeds);
      BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
      CheckClose(outputs->front(), Expected(kMatMul, {{"w", {40, 5}}}, "w",
                                            true, 1.0f, each.scheme, feeds));
    }
  }
}

BOOST_AUTO_TEST_CASE(EveryGemmComputesWithItsDequantizedWeights) {
  for (const bool transposed : {false, true}) {
    for (const Dims& bias : {Dims{5}, Dims{1, 5}, Dims{}, Dims{4, 1}}) {
      for (const FormatCase& each : kFormats) {
        BOOST_TEST_CONTEXT(each.options << " transB " << transposed << " bias "
                                        << FormatDims(bias)) {
          const std::string graph =
              std::string(
                  "g (float[4, 40] x) => (float[4, 5] y) { y = Gemm "
                  "<alpha = -0.5, beta = 2.0, transB = ") +
              (transposed ? "1" : "0") + "> (x, w, c) }";
          const Dims dims = transposed ? Dims{5, 40} : Dims{40, 5};
          Model model = ModelWith(graph, {{"w", dims}, {"c", bias}});
          Apply(model, "quantize-weights{" + each.options + "}");
          const Feeds feeds = MakeFeeds({"x", RandomInput({4, 40})});
          const auto outputs = testing::Run(model, feeds);
          BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
          const bool folds_alpha =
              each.options.find("qdq") == std::string::npos;
          CheckClose(
              outputs->front(),
              Expected(graph, {{"w", dims}, {"c", bias}}, "w", !transposed,
                       folds_alpha ? -0.5f : 1.0f, each.scheme, feeds));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(ABiasThatIsComputedIsAddedBehind) {
  Model model = ModelWith(
      "g (float[4, 40] x, float[5] c) => (float[4, 5] y) "
      "{ y = Gemm <beta = 0.5> (x, w, c) }",
      {{"w", {40, 5}}});
  Apply(model, "quantize-weights");
  BOOST_TEST(Operators(model) ==
                 std::vector<std::string>({"MatMulNBits", "Mul", "Add"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ATableIsReadByGatherBlockQuantized) {
  constexpr const char* kGather =
      "g (int64[2, 3] i) => (float[2, 3, 40] y) { [look] y = Gather (t, i) }";
  for (const FormatCase& each : kFormats) {
    BOOST_TEST_CONTEXT(each.options) {
      Model model = ModelWith(kGather, {{"t", {7, 40}}});
      Apply(model, "quantize-weights{" + each.options + "}");
      const bool qdq = each.options.find("qdq") != std::string::npos;
      BOOST_TEST(Operators(model).back() ==
                 (qdq ? "Gather" : "GatherBlockQuantized"));
      const Feeds feeds =
          MakeFeeds(MakeFeed<std::int64_t>("i", {2, 3}, {0, 6, 3, -1, 2, 5}));
      const auto outputs = testing::Run(model, feeds);
      BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
      CheckClose(outputs->front(), Expected(kGather, {{"t", {7, 40}}}, "t",
                                            false, 1.0f, each.scheme, feeds));
    }
  }
}

BOOST_AUTO_TEST_CASE(TheNodeSaysWhatItsCodesAre) {
  Model model = ModelWith(kMatMul, {{"w", {40, 5}}});
  Apply(model, "quantize-weights{accuracy=4}");
  const onnx::NodeProto& node = model.proto().graph().node(0);
  BOOST_TEST(node.op_type() == "MatMulNBits");
  BOOST_TEST(node.domain() == "com.microsoft");
  BOOST_TEST(model.opset("com.microsoft") == 1);
  BOOST_TEST(GetInt(node, "K", 0) == 40);
  BOOST_TEST(GetInt(node, "N", 0) == 5);
  BOOST_TEST(GetInt(node, "bits", 0) == 4);
  BOOST_TEST(GetInt(node, "block_size", 0) == 32);
  BOOST_TEST(GetInt(node, "accuracy_level", 0) == 4);
  BOOST_TEST(Constant(model, node.input(1)).dims() == Dims({5, 2, 16}),
             boost::test_tools::per_element());
  BOOST_TEST(Constant(model, node.input(2)).dims() == Dims({5, 2}),
             boost::test_tools::per_element());
  BOOST_TEST(Constant(model, node.input(3)).dims() == Dims({5, 1}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(TheBytesAreThoseOfTheGuide) {
  Model model = testing::ParseGraph(
      R"(g (float[1, 6] x) => (float[1, 1] y)
         <float[6, 1] w = {-1.5, -0.5, 0, 0.5, 1, 6}> { y = MatMul (x, w) })");
  Apply(model, "quantize-weights{block=16,rounding=nearest}");
  const auto codes =
      testing::ValuesOf<std::uint8_t>(Constant(model, "w_quantized"));
  const std::vector<std::uint8_t> expected = {0x20, 0x43, 0xf5, 0x33,
                                              0x33, 0x33, 0x33, 0x33};
  BOOST_TEST((codes == expected));
  BOOST_TEST(Constant(model, "w_scale").As<float>()[0] == 0.5f);
  BOOST_TEST(int{Constant(model, "w_zero_point").As<std::uint8_t>()[0]} == 3);
}

BOOST_AUTO_TEST_CASE(ABlockIsNoLongerThanItsRow) {
  Model model =
      ModelWith("g (float[2, 20] x) => (float[2, 5] y) { y = MatMul (x, w) }",
                {{"w", {20, 5}}});
  Apply(model, "quantize-weights{block=256}");
  BOOST_TEST(GetInt(model.proto().graph().node(0), "block_size", 0) == 32);
}

BOOST_AUTO_TEST_CASE(WeightsOfSeveralNodesAreStoredOnce) {
  Model packed = ModelWith(kTwoReaders, {{"w", {40, 5}}});
  Apply(packed, "quantize-weights");
  const auto& nodes = packed.proto().graph().node();
  BOOST_TEST(nodes[0].input(1) == nodes[1].input(1));
  BOOST_TEST(packed.proto().graph().initializer_size() == 3);

  Model pairs = ModelWith(kTwoReaders, {{"w", {40, 5}}});
  Apply(pairs, "quantize-weights{format=qdq}");
  BOOST_TEST(Operators(pairs) == std::vector<std::string>(
                                     {"DequantizeLinear", "MatMul", "MatMul"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(FloatWeightsThatAnotherNodeReadsAreReported) {
  Model model = ModelWith(kTwoReaders, {{"w", {40, 5}}});
  const PassContext done = Apply(model, "quantize-weights{exclude=second}");
  BOOST_TEST(done.quantized.nodes == std::vector<std::string>({"first"}));
  BOOST_REQUIRE(done.declined.size() == 1);
  BOOST_TEST(done.declined[0].reason == "it is excluded");
  BOOST_REQUIRE(done.quantized.notes.size() == 1);
  testing::CheckSays(InvalidArgument(done.quantized.notes[0]),
                     "'second' reads them");
}

BOOST_AUTO_TEST_CASE(BodiesAreQuantizedInPlace) {
  for (const std::string format : {"matmulnbits", "qdq"}) {
    Model model = ModelWith(
        R"(g (bool b, float[2, 40] x) => (float[2, 5] y) {
             y = If (b) <then_branch = t () => (float[2, 5] p) {
                          p = MatMul (x, w) },
                        else_branch = e () => (float[2, 5] q) {
                          q = MatMul (x, w) }> })",
        {{"w", {40, 5}}});
    const PassContext done =
        Apply(model, "quantize-weights{format=" + format + "}");
    BOOST_TEST(done.quantized.nodes == std::vector<std::string>({"p", "q"}),
               boost::test_tools::per_element());
    const Tensor x = RandomInput({2, 40});
    Feeds feeds;
    Tensor flag(DataType::kBool, {});
    *static_cast<std::uint8_t*>(flag.mutable_data()) = 1;
    feeds.push_back({"b", std::move(flag)});
    feeds.push_back({"x", x.Clone()});
    const auto outputs = testing::Run(model, feeds);
    BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
    CheckClose(outputs->front(),
               Expected("g (float[2, 40] x) => (float[2, 5] y) "
                        "{ y = MatMul (x, w) }",
                        {{"w", {40, 5}}}, "w", true, 1.0f, "u4:asym:block=32",
                        MakeFeeds({"x", x.Clone()})));
  }
}

BOOST_AUTO_TEST_CASE(HalfPrecisionHasScalesOfItsOwnType) {
  for (const std::string format : {"matmulnbits", "qdq"}) {
    const Model real = ModelWith(kMatMul, {{"w", {40, 5}}});
    auto half =
        Model::FromProto(testing::InHalf(real.proto(), DataType::kFloat16));
    BOOST_REQUIRE(half.ok());
    Apply(*half, "quantize-weights{format=" + format + "}");
    BOOST_TEST((Constant(*half, "w_scale").type() == DataType::kFloat16));
  }
}

BOOST_AUTO_TEST_CASE(ASecondRunChangesNothing) {
  for (const std::string format : {"matmulnbits", "qdq"}) {
    const std::string text = "quantize-weights{format=" + format + "}";
    Model model = ModelWith(kTwoReaders, {{"w", {40, 5}}});
    Apply(model, text);
    const std::string once = model.proto().SerializeAsString();
    Apply(model, text);
    BOOST_TEST((once == model.proto().SerializeAsString()));
  }
}

BOOST_AUTO_TEST_CASE(WhatStaysFloatSaysWhy) {
  Model model = ModelWith(
      R"(g (float[40, 40] x, float[2, 40, 40] s, int64[1] i) =>
           (float[40, 40] a, float[2, 40, 5] b, float[40, 40] c,
            float[40, 5] d, float[40, 1] e, float[1, 7] f, float[40, 40] g) {
           [two] a = MatMul (x, x)
           [stack] b = MatMul (s, w3)
           [first] c = MatMul (w4, x)
           [turned] d = Gemm <transA = 1> (x, w)
           [columns] e = Gather <axis = 1> (w, i)
           [odd] f = Gather (t, i)
           [relu] g = Relu (x) })",
      {{"w", {40, 5}}, {"w3", {2, 40, 5}}, {"w4", {40, 40}}, {"t", {3, 7}}});
  const PassContext done = Apply(model, "quantize-weights");
  BOOST_TEST(done.quantized.nodes.empty());
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"two", "not constant"},
      {"stack", "of shape [2, 40, 5]"},
      {"first", "its first operand"},
      {"turned", "is transposed"},
      {"columns", "it looks up columns"},
      {"odd", "last byte"},
      {"relu", "no MatMul, Gemm or Gather"}};
  BOOST_REQUIRE(done.declined.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(done.declined[i].node == expected[i].first);
    testing::CheckSays(InvalidArgument(done.declined[i].reason),
                       expected[i].second);
  }
}

BOOST_AUTO_TEST_CASE(AnOldOpsetHasOneScaleAChannelOnly) {
  Model blocks = ModelWith(kMatMul, {{"w", {40, 5}}}, 13);
  const PassContext refused = Apply(blocks, "quantize-weights{format=qdq}");
  BOOST_REQUIRE(refused.declined.size() == 1);
  testing::CheckSays(InvalidArgument(refused.declined[0].reason),
                     "needs opset 21");
  Model channels = ModelWith(kMatMul, {{"w", {40, 5}}}, 13);
  const PassContext taken =
      Apply(channels, "quantize-weights{format=qdq,bits=8,block=0}");
  BOOST_TEST(taken.quantized.nodes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(OptionsThatTheFormatCannotSayAreErrors) {
  PassRegistry registry;
  BOOST_REQUIRE(AddBuiltinPasses(registry).ok());
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"bits=3", "2, 4 or 8 bits"},
      {"block=24", "need the format qdq"},
      {"block=0", "need the format qdq"},
      {"block=8", "need the format qdq"},
      {"bits=2,format=qdq", "need the format matmulnbits"},
      {"bits=2,block=512", "at most 256"},
      {"accuracy=5", "0 to 4"},
      {"scheme=both", "sym or asym"},
      {"rounding=up", "second-order"},
      {"format=packed", "matmulnbits, qdq"}};
  for (const auto& [options, words] : wrong) {
    const auto passes =
        ParsePipeline("quantize-weights{" + options + "}", registry);
    BOOST_REQUIRE_MESSAGE(!passes.ok(), options);
    testing::CheckSays(passes.status(), words);
  }
}

BOOST_AUTO_TEST_CASE(SecondOrderWithoutMomentsIsAnError) {
  Model model = ModelWith(kMatMul, {{"w", {40, 5}}});
  auto graph = GraphView::Over(model);
  BOOST_REQUIRE(graph.ok());
  QuantizeWeights pass;
  pass.spec.rounding = BlockRounding::kSecondOrder;
  PassContext context;
  testing::CheckSays(pass.Run(*graph, context).status(), "second moments");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

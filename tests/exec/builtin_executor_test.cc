#include "zeropoint/exec/builtin_executor.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/exec/run_model.h"
#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operator_registry.h"

namespace zeropoint {
namespace {

using testing::CheckNear;
using testing::CheckSays;
using testing::CheckTensor;
using testing::FailGraph;
using testing::KeepAll;
using testing::MakeFeed;
using testing::MakeFeeds;
using testing::ParseGraph;
using testing::Run;
using testing::RunGraph;

constexpr const char* kTwoSteps = R"(
  g (float[N, 2] x) => (float[N, 2] y)
  <float[2] w = {10, 20}> {
    a = Add(x, w)
    b = Relu(a)
    y = Mul(b, b)
  })";

Feeds Pair(std::vector<float> values) {
  const auto rows = static_cast<std::int64_t>(values.size() / 2);
  return MakeFeeds(MakeFeed<float>("x", {rows, 2}, std::move(values)));
}

BOOST_AUTO_TEST_SUITE(builtin_executor)

BOOST_AUTO_TEST_CASE(RunsAnyBatch) {
  const Model model = ParseGraph(kTwoSteps);
  auto executor = BuiltinExecutor::Create(model);
  BOOST_REQUIRE(executor.ok());
  const std::vector<std::string> taps{"y"};
  KeepAll sink(1);
  BOOST_TEST(executor->Run(Pair({1, 2}), taps, sink).ok());
  CheckTensor<float>(sink.tensors[0], {1, 2}, {121, 484});
  BOOST_TEST(executor->Run(Pair({1, 2, -11, -19}), taps, sink).ok());
  CheckTensor<float>(sink.tensors[0], {2, 2}, {121, 484, 0, 1});
}

BOOST_AUTO_TEST_CASE(HandsOverEveryKindOfTensorOnce) {
  const Model model = ParseGraph(kTwoSteps);
  auto executor = BuiltinExecutor::Create(model);
  BOOST_REQUIRE(executor.ok());
  const std::vector<std::string> taps{"y", "a", "x", "w", "a"};
  KeepAll sink(taps.size());
  BOOST_TEST(executor->Run(Pair({1, -30}), taps, sink).ok());
  CheckTensor<float>(sink.tensors[0], {1, 2}, {121, 0});
  CheckTensor<float>(sink.tensors[1], {1, 2}, {11, -10});
  CheckTensor<float>(sink.tensors[2], {1, 2}, {1, -30});
  CheckTensor<float>(sink.tensors[3], {2}, {10, 20});
  CheckTensor<float>(sink.tensors[4], {1, 2}, {11, -10});
  BOOST_TEST(sink.order.size() == 5);
  BOOST_TEST(sink.order.back() == 0);  // the output is made last
}

BOOST_AUTO_TEST_CASE(NamesATapThatIsNotThere) {
  const Model model = ParseGraph(kTwoSteps);
  const auto outputs = Run(model, Pair({1, 2}), {"nothing"});
  BOOST_TEST((outputs.status().code() == StatusCode::kNotFound));
  CheckSays(outputs.status(), "'nothing'");
}

BOOST_AUTO_TEST_CASE(ReturnsTheErrorOfTheSink) {
  class Refuse final : public TensorSink {
    Status Consume(std::size_t, const TensorView&) override {
      return IoError("full");
    }
  };
  const Model model = ParseGraph(kTwoSteps);
  auto executor = BuiltinExecutor::Create(model);
  BOOST_REQUIRE(executor.ok());
  const std::vector<std::string> taps{"a"};
  Refuse refuse;
  BOOST_TEST(executor->Run(Pair({1, 2}), taps, refuse).message() == "full");
  KeepAll sink(1);
  BOOST_TEST(executor->Run(Pair({1, 2}), taps, sink).ok());
}

BOOST_AUTO_TEST_CASE(RunsOnlyWhatTheTapsNeed) {
  const Model model = ParseGraph(R"(
    g (float[N] x) => (float[N] y) {
      a = Relu(x)
      b = NobodyKnows(a)
      y = Add(a, b)
    })");
  BOOST_TEST(
      Run(model, MakeFeeds(MakeFeed<float>("x", {1}, {-1})), {"a"}).ok());
  const auto outputs = Run(model, MakeFeeds(MakeFeed<float>("x", {1}, {-1})));
  BOOST_TEST((outputs.status().code() == StatusCode::kUnsupported));
  CheckSays(outputs.status(), "NobodyKnows");
  CheckSays(outputs.status(), "'b'");
  CheckSays(outputs.status(), "ai.onnx");
}

BOOST_AUTO_TEST_CASE(NamesTheDomainOfAnUnknownOperator) {
  onnx::ModelProto proto = ParseGraph(R"(
    g (float[N] x) => (float[N] y) { y = Relu(x) })")
                               .proto();
  proto.mutable_graph()->mutable_node(0)->set_domain("com.example");
  proto.mutable_graph()->mutable_node(0)->set_name("first");
  auto model = Model::FromProto(proto);
  BOOST_REQUIRE(model.ok());
  const auto outputs = Run(*model, MakeFeeds(MakeFeed<float>("x", {1}, {-1})));
  CheckSays(outputs.status(), "com.example");
  CheckSays(outputs.status(), "node 'first' (Relu)");
}

BOOST_AUTO_TEST_CASE(ChecksTheFeeds) {
  const Model model = ParseGraph(
      "g (float[N, 3] x, int64[2] k) => (float[N, 3] y) { y = Relu(x) }");
  const auto error = [&](const Feeds& feeds) {
    const auto outputs = Run(model, feeds);
    BOOST_TEST((outputs.status().code() == StatusCode::kInvalidData));
    return outputs.status();
  };
  const auto k = [] { return MakeFeed<std::int64_t>("k", {2}, {1, 2}); };
  const auto x = [] { return MakeFeed<float>("x", {1, 3}, {1, 2, 3}); };
  CheckSays(error(MakeFeeds(x())), "input 'k' of the model is missing");
  CheckSays(error(MakeFeeds(x(), k(), MakeFeed<float>("z", {}, {1}))), "'z'");
  CheckSays(error(MakeFeeds(MakeFeed<double>("x", {1, 3}, {1, 2, 3}), k())),
            "double in the data; the model expects float");
  CheckSays(error(MakeFeeds(MakeFeed<float>("x", {3}, {1, 2, 3}), k())),
            "'x' has shape [3] in the data; the model expects [N, 3]");
  CheckSays(error(MakeFeeds(MakeFeed<float>("x", {1, 2}, {1, 2}), k())),
            "expects [N, 3]");
  BOOST_TEST(Run(model, MakeFeeds(x(), k())).ok());
}

BOOST_AUTO_TEST_CASE(UsesTheDefaultOfAnInput) {
  const Model model = ParseGraph(R"(
    g (float[1] x, float[1] w = {5}) => (float[1] y) { y = Mul(x, w) })");
  const auto by_default = Run(model, MakeFeeds(MakeFeed<float>("x", {1}, {2})));
  BOOST_REQUIRE(by_default.ok());
  CheckTensor<float>((*by_default)[0], {1}, {10});
  const auto given = Run(model, MakeFeeds(MakeFeed<float>("x", {1}, {2}),
                                          MakeFeed<float>("w", {1}, {7})));
  BOOST_REQUIRE(given.ok());
  CheckTensor<float>((*given)[0], {1}, {14});
}

BOOST_AUTO_TEST_CASE(NamesTheNodeWhoseShapesDoNotFit) {
  const Status status =
      FailGraph(R"(
    g (float[N] x, float[M] z) => (float[K] y) { y = Add(x, z) })",
                MakeFeeds(MakeFeed<float>("x", {2}, {1, 2}),
                          MakeFeed<float>("z", {3}, {1, 2, 3})));
  CheckSays(status, "the node that makes 'y' (Add)");
  CheckSays(status, "[2] and [3]");
}

BOOST_AUTO_TEST_CASE(RefusesBrokenGraphs) {
  onnx::ModelProto twice =
      ParseGraph("g (float[N] x) => (float[N] y) { y = Relu(x) }").proto();
  *twice.mutable_graph()->add_node() = twice.graph().node(0);
  auto model = Model::FromProto(twice);
  BOOST_REQUIRE(model.ok());
  CheckSays(BuiltinExecutor::Create(*model).status(), "'y' is made twice");

  onnx::ModelProto early =
      ParseGraph("g (float[N] x) => (float[N] y) { y = Relu(x) }").proto();
  early.mutable_graph()->mutable_node(0)->set_input(0, "later");
  model = Model::FromProto(early);
  BOOST_REQUIRE(model.ok());
  CheckSays(BuiltinExecutor::Create(*model).status(), "'later'");
}

// Shared inputs, views and taps between steps that write in place.
BOOST_AUTO_TEST_CASE(OverwritesOnlyWhatIsDead) {
  const Model model = ParseGraph(R"(
    g (float[4] x) => (float[4] y, float[2, 2] z) {
      a = Neg(x)
      flat = Identity(a)
      square = Reshape(a, shape)
      b = Neg(flat)
      z = Neg(square)
      c = Add(b, b)
      d = Sub(c, a)
      y = Neg(d)
    })");
  onnx::ModelProto proto = model.proto();
  const std::vector<std::int64_t> shape{2, 2};
  const std::vector<std::int64_t> dims{2};
  *proto.mutable_graph()->add_initializer() =
      EncodeValues<std::int64_t>("shape", dims, shape);
  auto whole = Model::FromProto(proto);
  BOOST_REQUIRE(whole.ok());
  const Feeds feeds = MakeFeeds(MakeFeed<float>("x", {4}, {1, 2, 3, 4}));
  const auto outputs = Run(*whole, feeds, {"y", "z", "a", "c"});
  BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
  CheckTensor<float>((*outputs)[0], {4}, {-3, -6, -9, -12});
  CheckTensor<float>((*outputs)[1], {2, 2}, {1, 2, 3, 4});
  CheckTensor<float>((*outputs)[2], {4}, {-1, -2, -3, -4});
  CheckTensor<float>((*outputs)[3], {4}, {2, 4, 6, 8});
  CheckTensor<float>(feeds[0].tensor, {4}, {1, 2, 3, 4});
}

BOOST_AUTO_TEST_CASE(LimitsWithinAConvolutionOnlyWhenNobodySeesItsOutput) {
  const Model model = ParseGraph(R"(
    g (float[1, 1, 1, 3] x) => (float[1, 1, 1, 3] y)
    <float[1, 1, 1, 1] w = {2}, float lo = {-1}, float hi = {3}> {
      a = Conv(x, w)
      y = Clip(a, lo, hi)
    })");
  const Feeds feeds = MakeFeeds(MakeFeed<float>("x", {1, 1, 1, 3}, {-1, 1, 2}));
  const auto joined = Run(model, feeds);
  BOOST_REQUIRE(joined.ok());
  CheckTensor<float>((*joined)[0], {1, 1, 1, 3}, {-1, 2, 3});
  const auto apart = Run(model, feeds, {"a", "y"});
  BOOST_REQUIRE(apart.ok());
  CheckTensor<float>((*apart)[0], {1, 1, 1, 3}, {-2, 2, 4});
  CheckTensor<float>((*apart)[1], {1, 1, 1, 3}, {-1, 2, 3});
}

BOOST_AUTO_TEST_CASE(ResultsDoNotDependOnTheThreadCount) {
  const Model model = ParseGraph(R"(
    g (float[2, 8, 33, 37] x) => (float[2, 8, 33, 37] y)
    {
      w = ConstantOfShape <value = float[1] {0.11}> (shape)
      a = Conv <pads = [1, 1, 1, 1]> (x, w)
      b = Sigmoid(a)
      c = Softmax <axis = 1> (b)
      m = GlobalAveragePool(c)
      y = Mul(c, m)
    })");
  onnx::ModelProto proto = model.proto();
  const std::vector<std::int64_t> shape{8, 8, 3, 3};
  const std::vector<std::int64_t> dims{4};
  *proto.mutable_graph()->add_initializer() =
      EncodeValues<std::int64_t>("shape", dims, shape);
  auto whole = Model::FromProto(proto);
  BOOST_REQUIRE(whole.ok());
  std::vector<float> values(2 * 8 * 33 * 37);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i % 101) / 50.0f - 1.0f;
  }
  const Feeds feeds =
      MakeFeeds(MakeFeed<float>("x", {2, 8, 33, 37}, std::move(values)));
  const auto one = Run(*whole, feeds, {}, 1);
  BOOST_REQUIRE_MESSAGE(one.ok(), one.status().message());
  for (const int threads : {2, 3, 7}) {
    const auto more = Run(*whole, feeds, {}, threads);
    BOOST_REQUIRE(more.ok());
    BOOST_TEST(testing::ValuesOf<float>((*one)[0]) ==
               testing::ValuesOf<float>((*more)[0]));
  }
}

BOOST_AUTO_TEST_CASE(MemoryDoesNotGrowWithDepth) {
  std::string body = "a0 = Relu(x)\n";
  for (int i = 1; i < 200; ++i) {
    const std::string from = "a" + std::to_string(i - 1);
    body += "a" + std::to_string(i) + " = Transpose <perm = [1, 0]> (" + from +
            ")\n";
  }
  const Model model =
      ParseGraph("g (float[64, 64] x) => (float[64, 64] a199) {" + body + "}");
  auto executor = BuiltinExecutor::Create(model);
  BOOST_REQUIRE(executor.ok());
  const Feeds feeds = MakeFeeds(
      MakeFeed<float>("x", {64, 64}, std::vector<float>(64 * 64, 1.0f)));
  const std::vector<std::string> taps{"a199"};
  for (int run = 0; run < 3; ++run) {
    KeepAll sink(1);
    BOOST_REQUIRE(executor->Run(feeds, taps, sink).ok());
    BOOST_TEST(executor->peak_bytes() == 2 * 64 * 64 * sizeof(float));
  }
}

BOOST_AUTO_TEST_CASE(RefusesATensorThatNoMemoryHolds) {
  const Status status = FailGraph(
      R"(g (int64[2] shape) => (float[N, M] y) { y = ConstantOfShape(shape) })",
      MakeFeeds(MakeFeed<std::int64_t>("shape", {2}, {1 << 22, 1 << 22})));
  CheckSays(status, "no memory for a tensor of shape");
  const Status negative = FailGraph(
      R"(g (int64[2] shape) => (float[N, M] y) { y = ConstantOfShape(shape) })",
      MakeFeeds(MakeFeed<std::int64_t>("shape", {2}, {2, -1})));
  CheckSays(negative, "[2, -1] is not possible");
}

BOOST_AUTO_TEST_CASE(RunsAUsersOwnOperator) {
  class Halve final : public Operator {
    Status Run(OpContext& context) override {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<float>(0));
      ZEROPOINT_ASSIGN_OR_RETURN(
          float* y, context.Output<float>(0, ToDims(context.input(0).dims())));
      for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] / 2;
      return Status();
    }
  };
  onnx::ModelProto proto =
      ParseGraph("g (float[N] x) => (float[N] y) { y = Halve(x) }").proto();
  proto.mutable_graph()->mutable_node(0)->set_domain("mine");
  auto* import = proto.add_opset_import();
  import->set_domain("mine");
  import->set_version(1);
  auto model = Model::FromProto(proto);
  BOOST_REQUIRE(model.ok());
  OperatorRegistry registry;
  AddBuiltinOperators(registry);
  registry.Add("mine", "Halve", {},
               [](const OperatorInit&) -> Result<std::unique_ptr<Operator>> {
                 return std::unique_ptr<Operator>(std::make_unique<Halve>());
               });
  auto executor = BuiltinExecutor::Create(*model, {.operators = &registry});
  BOOST_REQUIRE(executor.ok());
  const std::vector<std::string> taps{"y"};
  KeepAll sink(1);
  BOOST_TEST(
      executor->Run(MakeFeeds(MakeFeed<float>("x", {1}, {3})), taps, sink)
          .ok());
  CheckTensor<float>(sink.tensors[0], {1}, {1.5f});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

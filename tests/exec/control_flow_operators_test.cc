// If, Loop, Scan, sequences, functions: graphs inside graphs.
#include <boost/test/unit_test.hpp>

#include "tests/exec/run_model.h"

namespace zeropoint::testing {
namespace {

const char* const kDoubleUntil = R"(
    g (float[1] x, int64 n) => (float[1] y, float[k, 1] all) {
      yes = Constant <value = bool {1}> ()
      two = Constant <value = float[1] {2}> ()
      y, all = Loop (n, yes, x) <body = b (int64 i, bool c, float[1] a)
                 => (bool d, float[1] twice, float[1] seen) {
        d = Identity (c)
        twice = Mul (a, two)
        seen = Identity (a)
      }>
    })";

// Counts deliveries and keeps what was delivered, first values only.
class Record final : public TensorSink {
 public:
  Status Consume(std::size_t, const TensorView& tensor) override {
    values.push_back(tensor.As<float>()[0]);
    return Status();
  }
  std::vector<float> values;
};

BOOST_AUTO_TEST_SUITE(control_flow)

BOOST_AUTO_TEST_CASE(IfRunsOneBranchAndSeesOuterValues) {
  const std::string graph = R"(
      g (bool c, float[2] x) => (float[2] y) {
        h = Add (x, x)
        y = If (c) <then_branch = t () => (float[2] a) { a = Neg (h) },
                    else_branch = e () => (float[2] b) { b = Add (h, x) }>
      })";
  const auto run = [&](bool condition) {
    return RunGraph(graph, MakeFeeds(MakeFeed<bool>("c", {}, {condition}),
                                     MakeFeed<float>("x", {2}, {1, 2})));
  };
  CheckTensor<float>(run(true)[0], {2}, {-2, -4});
  CheckTensor<float>(run(false)[0], {2}, {3, 6});
}

BOOST_AUTO_TEST_CASE(LoopCarriesValuesAndStacksWhatItScans) {
  const auto outputs =
      RunGraph(kDoubleUntil, MakeFeeds(MakeFeed<float>("x", {1}, {3}),
                                       MakeFeed<std::int64_t>("n", {}, {3})));
  CheckTensor<float>(outputs[0], {1}, {24});
  CheckTensor<float>(outputs[1], {3, 1}, {3, 6, 12});
}

BOOST_AUTO_TEST_CASE(TapsInABodyAreDeliveredEachRound) {
  const Model model = ParseGraph(kDoubleUntil);
  auto executor = BuiltinExecutor::Create(model);
  BOOST_REQUIRE(executor.ok());
  const Feeds feeds = MakeFeeds(MakeFeed<float>("x", {1}, {3}),
                                MakeFeed<std::int64_t>("n", {}, {3}));
  Record record;
  const std::vector<std::string> taps = {"twice"};
  BOOST_TEST(executor->Run(feeds, taps, record).ok());
  BOOST_TEST(record.values == (std::vector<float>{6, 12, 24}),
             boost::test_tools::per_element());
  // A body's input is a value of its own.
  Record inputs;
  BOOST_TEST(executor->Run(feeds, std::vector<std::string>{"a"}, inputs).ok());
  BOOST_TEST(inputs.values == (std::vector<float>{3, 6, 12}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(AnUnusedBranchDeliversNothing) {
  const Model model = ParseGraph(R"(
      g (bool c, float[1] x) => (float[1] y) {
        y = If (c) <then_branch = t () => (float[1] a) { a = Neg (x) },
                    else_branch = e () => (float[1] b) { b = Abs (x) }>
      })");
  auto executor = BuiltinExecutor::Create(model);
  BOOST_REQUIRE(executor.ok());
  const Feeds feeds = MakeFeeds(MakeFeed<bool>("c", {}, {true}),
                                MakeFeed<float>("x", {1}, {3}));
  Record record;
  BOOST_TEST(executor->Run(feeds, std::vector<std::string>{"b"}, record).ok());
  BOOST_TEST(record.values.empty());
  BOOST_TEST(executor->Run(feeds, std::vector<std::string>{"a"}, record).ok());
  BOOST_TEST(record.values == (std::vector<float>{-3}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ALoopThatNeverEndsIsAnError) {
  const Model model = ParseGraph(R"(
      g (float[1] x) => (float[1] y) {
        yes = Constant <value = bool {1}> ()
        y = Loop ("", yes, x) <body = b (int64 i, bool c, float[1] a)
              => (bool d, float[1] e) { d = Identity (c) e = Neg (a) }>
      })");
  auto executor = BuiltinExecutor::Create(model, {.max_loop_iterations = 100});
  BOOST_REQUIRE(executor.ok());
  KeepAll sink(1);
  const Status status = executor->Run(MakeFeeds(MakeFeed<float>("x", {1}, {3})),
                                      std::vector<std::string>{"y"}, sink);
  BOOST_TEST(!status.ok());
  CheckSays(status, "limit on loop iterations");
}

BOOST_AUTO_TEST_CASE(ALoopThatEatsMemoryIsAnError) {
  const Model model = ParseGraph(R"(
      g (float[n] x) => (float[m] y) {
        yes = Constant <value = bool {1}> ()
        y = Loop ("", yes, x) <body = b (int64 i, bool c, float[k] a)
              => (bool d, float[l] e) {
                d = Identity (c)
                e = Concat <axis = 0> (a, a)
              }>
      })");
  auto executor = BuiltinExecutor::Create(model, {.max_tensor_bytes = 1 << 20});
  BOOST_REQUIRE(executor.ok());
  KeepAll sink(1);
  const Status status = executor->Run(MakeFeeds(MakeFeed<float>("x", {1}, {3})),
                                      std::vector<std::string>{"y"}, sink);
  BOOST_TEST(!status.ok());
  CheckSays(status, "no memory");
}

BOOST_AUTO_TEST_CASE(ScanWalksAnAxisBackward) {
  const auto outputs = RunGraph(
      R"(g (float[1] s, float[3, 1] x) => (float[1] t, float[3, 1] y) {
           t, y = Scan <num_scan_inputs = 1, scan_input_directions = [1],
             body = b (float[1] a, float[1] e) => (float[1] sum, float[1] z) {
               sum = Add (a, e)
               z = Identity (sum)
             }> (s, x)
         })",
      MakeFeeds(MakeFeed<float>("s", {1}, {0}),
                MakeFeed<float>("x", {3, 1}, {1, 2, 4})));
  CheckTensor<float>(outputs[0], {1}, {7});
  CheckTensor<float>(outputs[1], {3, 1}, {4, 6, 7});
}

BOOST_AUTO_TEST_CASE(SequencesAreMadeChangedAndJoined) {
  const auto outputs = RunGraph(
      R"(g (float[2] x, float[2] y) => (float[2, 2] z, int64 n) {
           first = Constant <value = int64 {0}> ()
           a = SequenceConstruct (x, y)
           b = SequenceInsert (a, y, first)
           c = SequenceErase (b)
           z = ConcatFromSequence <axis = 0, new_axis = 1> (c)
           n = SequenceLength (b)
         })",
      MakeFeeds(MakeFeed<float>("x", {2}, {1, 2}),
                MakeFeed<float>("y", {2}, {3, 4})));
  CheckTensor<float>(outputs[0], {2, 2}, {3, 4, 1, 2});
  CheckTensor<std::int64_t>(outputs[1], {}, {3});
}

// A model with a function of its own.
Model ParseModel(const std::string& text) {
  onnx::ModelProto proto;
  const auto parsed = onnx::OnnxParser::Parse(proto, text.c_str());
  BOOST_REQUIRE_MESSAGE(parsed.IsOK(), parsed.ErrorMessage());
  auto model = Model::FromProto(std::move(proto));
  BOOST_REQUIRE(model.ok());
  return std::move(*model);
}

BOOST_AUTO_TEST_CASE(FunctionsOfTheModelTakeTheirAttributes) {
  const Model model = ParseModel(R"(
      <ir_version: 9, opset_import: ["" : 17, "own" : 1]>
      g (float[2] x) => (float[2] y) {
        y = own.Leaky <slope = 0.5> (x)
      }
      <domain: "own", opset_import: ["" : 17]>
      Leaky <slope> (a) => (b) {
        b = LeakyRelu <alpha: float = @slope> (a)
      })");
  const auto outputs =
      Run(model, MakeFeeds(MakeFeed<float>("x", {2}, {-2, 3})));
  BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
  CheckTensor<float>((*outputs)[0], {2}, {-1, 3});
}

BOOST_AUTO_TEST_CASE(AFunctionThatCallsItselfIsAnError) {
  const Model model = ParseModel(R"(
      <ir_version: 9, opset_import: ["" : 17, "own" : 1]>
      g (float[2] x) => (float[2] y) { y = own.F (x) }
      <domain: "own", opset_import: ["" : 17, "own" : 1]>
      F (a) => (b) { c = Neg (a) b = own.F (c) })");
  const auto outputs =
      Run(model, MakeFeeds(MakeFeed<float>("x", {2}, {-2, 3})));
  BOOST_TEST(!outputs.ok());
  CheckSays(outputs.status(), "does a function call itself");
}

BOOST_AUTO_TEST_CASE(BodiesNestedWithoutEndAreAnError) {
  onnx::ModelProto proto;
  proto.set_ir_version(9);
  proto.add_opset_import()->set_version(17);
  onnx::GraphProto* graph = proto.mutable_graph();
  auto* input = graph->add_input();
  input->set_name("c");
  input->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::BOOL);
  graph->add_output()->set_name("y0");
  for (int depth = 0; depth < 1'000; ++depth) {
    onnx::NodeProto* node = graph->add_node();
    node->set_op_type("If");
    node->add_input("c");
    node->add_output("y" + std::to_string(depth));
    auto* other = node->add_attribute();
    other->set_name("else_branch");
    other->mutable_g()->add_output()->set_name("c");
    auto* body = node->add_attribute();
    body->set_name("then_branch");
    graph = body->mutable_g();
    graph->add_output()->set_name("y" + std::to_string(depth + 1));
  }
  auto model = Model::FromProto(std::move(proto));
  if (!model.ok()) return;  // refused when it is read: as good
  const auto outputs = Run(*model, MakeFeeds(MakeFeed<bool>("c", {}, {true})));
  BOOST_TEST(!outputs.ok());
  CheckSays(outputs.status(), "deep");
}

BOOST_AUTO_TEST_CASE(HalfFloatsRunInFloatWhereThereIsNoRule) {
  const auto outputs = RunGraph(
      R"(g (float[3] x) => (float[3] y) {
           h = Cast <to = 10> (x)
           e = Exp (h)
           y = Cast <to = 1> (e)
         })",
      MakeFeeds(MakeFeed<float>("x", {3}, {0, 1, -1})));
  CheckNear(outputs[0], {3}, {1.0f, 2.71875f, 0.36791992f}, 1e-7f);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint::testing

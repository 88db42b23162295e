#include "zeropoint/graph/rewriter.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/graph/parse_model.h"
#include "tests/testing.h"

namespace zeropoint {
namespace {

using testing::ParseModel;

std::vector<std::string> OutputsInFileOrder(const onnx::GraphProto& graph) {
  std::vector<std::string> names;
  for (const auto& node : graph.node()) names.push_back(node.output(0));
  return names;
}

// Puts Q and DQ behind every output of every node, as a quantizer does.
void QuantizeEveryOutput(GraphView& view) {
  Rewriter rewriter(view);
  for (const NodeId node : view.nodes()) {
    const ScopeId scope = view.scope(node);
    const ValueId value = view.output(node, 0);
    const ValueId scale =
        rewriter.AddInitializer(EncodeScalar("scale", 0.1F), scope);
    const ValueId zero =
        rewriter.AddInitializer(EncodeScalar("zero", std::uint8_t{0}), scope);
    const ValueId quantized = rewriter.NewValue("quantized", scope);
    const ValueId real = rewriter.NewValue("real", scope);
    rewriter.ReplaceUses(value, real);
    rewriter.Add("QuantizeLinear", {value, scale, zero}, {quantized}, scope);
    rewriter.Add("DequantizeLinear", {quantized, scale, zero}, {real}, scope);
  }
  const Status finished = rewriter.Finish();
  BOOST_REQUIRE_MESSAGE(finished.ok(), finished.message());
}

BOOST_AUTO_TEST_SUITE(rewriter)

BOOST_AUTO_TEST_CASE(PlacesAddedNodesBeforeTheirFirstUser) {
  Model model = ParseModel(R"(
    g (float[N] x) => (float[N] y) {
      a = Relu(x)
      b = Relu(a)
      y = Relu(b)
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  QuantizeEveryOutput(*view);
  const std::vector<std::string> expected = {"a",       "quantized",   "real",
                                             "b",       "quantized_1", "real_1",
                                             "y_inner", "quantized_2", "y"};
  BOOST_TEST(OutputsInFileOrder(model.proto().graph()) == expected,
             boost::test_tools::per_element());
  BOOST_TEST(GraphView::Over(model).ok());
}

BOOST_AUTO_TEST_CASE(FollowsUsesIntoBodies) {
  Model model = ParseModel(R"(
    g (float[N] x, bool c) => (float[N] z) {
      a = Relu(x)
      z = If (c) <
        then_branch = g1 () => (float[N] t) { t = Add(a, a) },
        else_branch = g2 () => (float[N] t) { t = Neg(a) }>
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  QuantizeEveryOutput(*view);
  const auto& then_branch = model.proto().graph().node(3).attribute(0).g();
  BOOST_TEST(then_branch.node(0).input(0) == "real");
  BOOST_TEST(then_branch.output(0).name() == "t");
  BOOST_TEST(GraphView::Over(model).ok());
}

BOOST_AUTO_TEST_CASE(NewNamesAreUniqueInAllScopes) {
  Model model = ParseModel(R"(
    g (float[N] x, bool c) => (float[N] z) {
      [taken_1] a = Relu(x)
      z = If (c) <
        then_branch = g1 () => (float[N] t) { taken = Relu(a) t = Neg(taken) },
        else_branch = g2 () => (float[N] t) { t = Neg(a) }>
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  Rewriter rewriter(*view);
  const ScopeId body = view->bodies(view->nodes_of_type("If")[0])[1];
  BOOST_TEST(view->name(rewriter.NewValue("taken")) == "taken_2");
  BOOST_TEST(view->name(rewriter.NewValue("taken", body)) == "taken_3");
  BOOST_TEST(view->name(rewriter.NewValue("free")) == "free");
  BOOST_TEST(view->name(rewriter.NewValue("free", body)) == "free_1");
  const ValueId weight =
      rewriter.AddInitializer(EncodeScalar("free", 1.0F), body);
  BOOST_TEST(view->name(weight) == "free_2");
}

BOOST_AUTO_TEST_CASE(IndexIsTrueBeforeFinish) {
  Model model = ParseModel(R"(
    g (float[N] x) => (float[N] y) {
      a = Relu(x)
      b = Neg(a)
      y = Add(a, b)
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  Rewriter rewriter(*view);
  const ValueId a = view->Find("a");
  const ValueId b = view->Find("b");
  const NodeId neg = view->producer(b);
  const NodeId add = view->producer(view->Find("y"));
  rewriter.ReplaceUses(b, a);
  rewriter.Erase(neg);
  BOOST_TEST(!view->alive(neg));
  BOOST_TEST(view->uses(a).size() == 2U);
  BOOST_TEST((view->producer(b) == kNoNode));
  BOOST_TEST((view->input(add, 1) == a));
  BOOST_TEST(view->nodes_of_type("Neg").empty());
  BOOST_TEST(view->nodes().size() == 2U);
  BOOST_TEST(rewriter.Finish().ok());
  BOOST_TEST(model.proto().graph().node_size() == 2);
  BOOST_TEST(model.proto().graph().node(1).input(1) == "a");
}

BOOST_AUTO_TEST_CASE(InputsGrowAndShrink) {
  Model model = ParseModel(R"(
    g (float[N] x, float low, float high) => (float[N] y) { y = Clip(x, low) })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  Rewriter rewriter(*view);
  const NodeId clip = view->nodes()[0];
  rewriter.SetInput(clip, 2, view->Find("high"));
  rewriter.SetInput(clip, 1, kNoValue);
  const auto& node = view->node(clip);
  BOOST_REQUIRE(node.input_size() == 3);
  BOOST_TEST(node.input(1).empty());
  BOOST_TEST(node.input(2) == "high");
  BOOST_TEST(view->uses(view->Find("low")).empty());
  rewriter.SetInput(clip, 2, kNoValue);
  BOOST_TEST(node.input_size() == 1);
  BOOST_TEST(rewriter.Finish().ok());
}

BOOST_AUTO_TEST_CASE(OrphansAreErrorsThatNameTheReader) {
  Model model = ParseModel(R"(
    g (float[N] x) => (float[N] y) {
      a = Relu(x)
      [reader] y = Neg(a)
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  Rewriter rewriter(*view);
  rewriter.Erase(view->producer(view->Find("a")));
  CheckError(rewriter.Finish(), StatusCode::kInvalidModel,
             {"reader", "\"a\"", "nothing produces"});
}

BOOST_AUTO_TEST_CASE(CyclesAreErrors) {
  Model model = ParseModel(R"(
    g (float[N] x) => (float[N] y) {
      a = Relu(x)
      y = Neg(a)
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  Rewriter rewriter(*view);
  rewriter.SetInput(view->producer(view->Find("a")), 0, view->Find("y"));
  CheckError(rewriter.Finish(), StatusCode::kInvalidModel, {"cycle"});
}

BOOST_AUTO_TEST_CASE(ErasedBodiesGoWithTheirNode) {
  Model model = ParseModel(R"(
    g (float[N] x, bool c) => (float[N] y) {
      a = Relu(x)
      y = If (c) <
        then_branch = g1 () => (float[N] t) { t = Neg(a) },
        else_branch = g2 () => (float[N] t) { t = Abs(a) }>
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  Rewriter rewriter(*view);
  const ValueId y = view->Find("y");
  rewriter.Erase(view->producer(y));
  BOOST_TEST(view->uses(view->Find("a")).empty());
  rewriter.Add("Neg", {view->Find("a")}, {y});
  BOOST_TEST(rewriter.Finish().ok());
  BOOST_TEST(model.proto().graph().node_size() == 2);
  BOOST_TEST(view->nodes().size() == 2U);
}

// The output is also read inside: its name stays with what the caller gets.
BOOST_AUTO_TEST_CASE(OutputsKeepTheirNames) {
  Model model = ParseModel(R"(
    g (float[N] x) => (float[N] y, float[N] x2, float[N] z) {
      y = Relu(x)
      x2 = Neg(y)
      z = Abs(x)
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  {
    Rewriter rewriter(*view);
    // A value of this scope takes the name over ...
    const ValueId y = view->Find("y");
    const ValueId scaled = rewriter.NewValue("scaled");
    rewriter.ReplaceUses(y, scaled);
    rewriter.Add("Abs", {y}, {scaled});
    BOOST_TEST(view->name(scaled) == "y");
    BOOST_TEST(view->is_graph_output(scaled));
    // ... a graph input cannot: Identity does.
    rewriter.ReplaceUses(view->Find("z"), view->Find("x"));
    BOOST_TEST(rewriter.Finish().ok());
  }
  const auto& graph = model.proto().graph();
  BOOST_TEST(graph.output(0).name() == "y");
  BOOST_TEST(graph.output(1).name() == "x2");
  BOOST_TEST(graph.output(2).name() == "z");
  BOOST_TEST(view->nodes_of_type("Identity").size() == 1U);
  BOOST_TEST(GraphView::Over(model).ok());
}

BOOST_AUTO_TEST_CASE(AddedNodesMayHaveBodies) {
  Model model = ParseModel(R"(
    g (float[N] x, bool c) => (float[N] y) { y = Relu(x) })");
  const Model donor = ParseModel(R"(
    g (float[N] x, bool c) => (float[N] w) { w = If (c) <
      then_branch = g1 () => (float[N] t) { t = Neg(x) },
      else_branch = g2 () => (float[N] t) { t = Abs(x) }> })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  Rewriter rewriter(*view);
  const NodeId added = rewriter.Add(donor.proto().graph().node(0));
  BOOST_TEST(view->bodies(added).size() == 2U);
  BOOST_TEST(view->uses(view->Find("x")).size() == 3U);
  BOOST_TEST(rewriter.Finish().ok());
  BOOST_TEST(GraphView::Over(model).ok());
}

BOOST_AUTO_TEST_CASE(SetInitializerKeepsNameAndReaders) {
  Model model = ParseModel(R"(
    g (float[2] x) => (float[2] y)
    <float[2] w = {1, 2}, float[2] c> {
      c = Constant <value = float[2] {3, 4}> ()
      a = Mul(x, w)
      y = Add(a, c)
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  Rewriter rewriter(*view);
  const ValueId w = view->Find("w");
  const ValueId c = view->Find("c");
  rewriter.SetInitializer(w, EncodeScalar("ignored", 5.0F));
  rewriter.Erase(view->producer(c));
  rewriter.SetInitializer(c, EncodeScalar("", 6.0F));
  BOOST_TEST(rewriter.Finish().ok());

  for (const ValueId value : {w, c}) {
    BOOST_TEST(view->IsConstant(value));
    BOOST_TEST(view->uses(value).size() == 1U);
    BOOST_TEST(view->shape(value)->empty());
  }
  BOOST_TEST(view->Constant(w)->As<float>()[0] == 5.0F);
  BOOST_TEST(view->Constant(c)->As<float>()[0] == 6.0F);
  const auto& graph = model.proto().graph();
  BOOST_TEST(graph.node_size() == 2);
  BOOST_TEST(graph.initializer(0).name() == "w");
  BOOST_TEST(graph.initializer(1).name() == "c");
  BOOST_TEST(graph.value_info(0).type().tensor_type().shape().dim_size() == 0);
}

BOOST_AUTO_TEST_CASE(ReplacementMayTakeTheNameOfAnErasedNode) {
  Model model = ParseModel(R"(
    g (float[N] x) => (float[N] y) {
      [act] y = Relu(x)
    })");
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  Rewriter rewriter(*view);
  const ValueId y = view->Find("y");
  rewriter.Erase(view->producer(y));
  onnx::NodeProto node;
  node.set_op_type("Neg");
  node.set_name("act");
  node.add_input("x");
  node.add_output("y");
  rewriter.Add(node);
  BOOST_TEST(rewriter.Finish().ok());
  BOOST_TEST(model.proto().graph().node(0).name() == "act");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

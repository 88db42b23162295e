#include "zeropoint/graph/rewriter.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/graph/parse_model.h"

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

#include "zeropoint/graph/graph_view.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/graph/parse_model.h"
#include "tests/testing.h"

namespace zeropoint {
namespace {

using testing::ParseModel;

constexpr char kBranches[] = R"(
  g (float[2] x, bool c) => (float[2] z)
  <float[2] w = {1, 2}> {
    a = Relu(x)
    z = If (c) <
      then_branch = g1 () => (float[2] t) <float[2] k = {3, 4}> {
        m = Mul(a, k)
        t = Add(m, w)
      },
      else_branch = g2 () => (float[2] e) {
        e = If (c) <
          then_branch = g3 () => (float[2] f) { f = Neg(a) },
          else_branch = g4 () => (float[2] h) { h = Identity(w) }>
      }>
  })";

std::vector<std::string> NamesOfUsers(const GraphView& view, ValueId value) {
  std::vector<std::string> users;
  for (const Use& use : view.uses(value)) {
    users.push_back(view.node(use.node).op_type());
  }
  return users;
}

BOOST_AUTO_TEST_SUITE(graph_view)

BOOST_AUTO_TEST_CASE(ChainsBodiesToTheirParents) {
  Model model = ParseModel(kBranches);
  auto view = GraphView::Over(model);
  REQUIRE_OK(view);
  BOOST_TEST(view->scope_count() == 5U);
  const auto outer = view->nodes_of_type("If")[0];
  BOOST_REQUIRE(view->bodies(outer).size() == 2U);
  const ScopeId then_branch = view->bodies(outer)[0];
  const ScopeId else_branch = view->bodies(outer)[1];
  BOOST_TEST((view->parent(then_branch) == kMainScope));
  BOOST_TEST((view->owner(then_branch) == outer));
  BOOST_TEST((view->parent(kMainScope) == kNoScope));
  const auto inner = view->nodes(else_branch)[0];
  BOOST_TEST((view->parent(view->bodies(inner)[0]) == else_branch));
  BOOST_TEST(view->nodes().size() == 7U);
  BOOST_TEST(view->nodes(then_branch).size() == 2U);
}

BOOST_AUTO_TEST_CASE(UsesInBodiesCountForOuterValues) {
  Model model = ParseModel(kBranches);
  auto view = GraphView::Over(model);
  REQUIRE_OK(view);
  const std::vector<std::string> of_a = {"Mul", "Neg"};
  const std::vector<std::string> of_w = {"Add", "Identity"};
  BOOST_TEST(NamesOfUsers(*view, view->Find("a")) == of_a,
             boost::test_tools::per_element());
  BOOST_TEST(NamesOfUsers(*view, view->Find("w")) == of_w,
             boost::test_tools::per_element());
  BOOST_TEST(!view->has_single_use(view->Find("a")));
}

BOOST_AUTO_TEST_CASE(NamesAreSeenFromWithinOnly) {
  Model model = ParseModel(kBranches);
  auto view = GraphView::Over(model);
  REQUIRE_OK(view);
  const auto bodies = view->bodies(view->nodes_of_type("If")[0]);
  BOOST_TEST((view->Find("k") == kNoValue));
  BOOST_TEST((view->Find("k", bodies[0]) != kNoValue));
  BOOST_TEST((view->Find("k", bodies[1]) == kNoValue));
  BOOST_TEST((view->Find("a", bodies[1]) == view->Find("a")));
  const ValueId t = view->Find("t", bodies[0]);
  BOOST_TEST(view->is_graph_output(t));
  BOOST_TEST((view->scope(t) == bodies[0]));
}

BOOST_AUTO_TEST_CASE(KnowsWhatIsConstant) {
  Model model = ParseModel(R"(
    g (float[2] x, float[2] d) => (float[2] y)
    <float[2] w = {1, 2}, float[2] d = {5, 6}> {
      c = Constant <value_floats = [3.0, 4.0]> ()
      a = Sum(x, d, w, c)
      y = Relu(a)
    })");
  auto view = GraphView::Over(model);
  REQUIRE_OK(view);
  BOOST_TEST(view->IsConstant(view->Find("w")));
  BOOST_TEST(view->IsConstant(view->Find("c")));
  BOOST_TEST(!view->IsConstant(view->Find("d")), "a default, not a constant");
  BOOST_TEST(!view->IsConstant(view->Find("x")));
  BOOST_TEST(!view->IsConstant(kNoValue));
  BOOST_TEST(view->Constant(view->Find("c"))->As<float>()[1] == 4.0F);
  BOOST_TEST((view->shape(view->Find("c")) == Dims{2}));
  CheckError(view->Constant(view->Find("d")).status(),
             StatusCode::kInvalidArgument, {"\"d\""});
  // Before IR version 4 every initializer was an input.
  model.proto().set_ir_version(3);
  BOOST_TEST(view->IsConstant(view->Find("d")));
}

BOOST_AUTO_TEST_CASE(OmittedInputsHaveNoValue) {
  Model model = ParseModel(R"(
    g (float[2] x, float h) => (float[2] y) { y = Clip(x, , h) })");
  auto view = GraphView::Over(model);
  REQUIRE_OK(view);
  const NodeId clip = view->nodes()[0];
  BOOST_TEST(view->inputs(clip).size() == 3U);
  BOOST_TEST((view->input(clip, 1) == kNoValue));
  BOOST_TEST((view->input(clip, 2) == view->Find("h")));
  BOOST_TEST((view->input(clip, 9) == kNoValue));
}

struct Fault {
  const char* graph;
  std::initializer_list<std::string_view> words;
};

// onnx's parser takes all of these: it does not look at names.
BOOST_AUTO_TEST_CASE(FaultsNameTheOffender) {
  const Fault faults[] = {
      {"g (float[N] x) => (float[N] y) { [first] y = Relu(x) "
       "[second] y = Neg(x) }",
       {"\"y\" is defined twice", "first", "second"}},
      {"g (float[N] x) => (float[N] x) { [again] x = Relu(x) }",
       {"\"x\" is defined twice", "a graph input", "again"}},
      {"g (float[N] x) => (float[N] y) <float w = {1}> "
       "{ [again] w = Relu(x) y = Neg(w) }",
       {"\"w\" is defined twice", "an initializer", "again"}},
      {"g (float[N] x, float[N] x) => (float[N] y) { y = Relu(x) }",
       {"two inputs called \"x\""}},
      {"g (float[N] x) => (float[N] y) { [reader] y = Relu(ghost) }",
       {"reader", "\"ghost\"", "nothing produces"}},
      {"g (float[N] x) => (float[N] ghost) { y = Relu(x) }",
       {"the output \"ghost\"", "nothing produces"}},
      {"g (float[N] x) => (float[N] y) { [early] y = Relu(a) "
       "[late] a = Neg(x) }",
       {"early", "\"a\"", "late", "sorted topologically"}},
      {"g (float[N] x) => (float[N] y) { [one] a = Add(x, b) "
       "[two] b = Neg(a) y = Relu(b) }",
       {"one", "\"b\"", "a cycle"}},
      {"g (float[N] x) => (float[N] y) { [self] y = Add(x, y) }",
       {"self", "produces itself", "a cycle"}},
      {"g (float[N] x, bool c) => (float[N] y) { [branch] y = If (c) <"
       "then_branch = g1 () => (float[N] t) { [inner] t = Relu(late) },"
       "else_branch = g2 () => (float[N] e) { e = Relu(x) }> "
       "late = Neg(x) }",
       {"inner", "\"late\"", "later node"}},
      {"g (float[N] x, bool c) => (float[N] y) { y = If (c) <"
       "then_branch = g1 () => (float[N] t) { [inner] x = Relu(x) "
       "t = Neg(x) },"
       "else_branch = g2 () => (float[N] e) { e = Relu(x) }> }",
       {"\"x\" is defined twice", "inner"}},
      {"g (float[N] x, bool c) => (float[N] y) { [branch] y = If (c) <"
       "then_branch = g1 () => (float[N] ghost) { t = Relu(x) },"
       "else_branch = g2 () => (float[N] e) { e = Relu(x) }> }",
       {"\"g1\" in node \"branch\"", "\"ghost\""}},
  };
  for (const Fault& fault : faults) {
    BOOST_TEST_CONTEXT(fault.graph) {
      Model model = ParseModel(fault.graph);
      CheckError(GraphView::Over(model).status(), StatusCode::kInvalidModel,
                 fault.words);
    }
  }
}

BOOST_AUTO_TEST_CASE(RefusesBodiesWithoutEnd) {
  onnx::ModelProto proto;
  onnx::GraphProto* graph = proto.mutable_graph();
  for (int depth = 0; depth <= kMaxScopeDepth; ++depth) {
    auto& attribute = *graph->add_node()->add_attribute();
    attribute.set_name("body");
    attribute.set_type(onnx::AttributeProto::GRAPH);
    graph = attribute.mutable_g();
    graph->set_name("body_" + std::to_string(depth));
  }
  CheckError(Model::FromProto(proto).status(), StatusCode::kUnsupported,
             {"body_64", "nested deeper"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

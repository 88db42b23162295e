#include "zeropoint/passes/node_selection.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/graph/parse_model.h"
#include "zeropoint/passes/fuse_matmul_add.h"

namespace zeropoint {
namespace {

using Names = std::vector<std::string>;

constexpr std::array<std::string_view, 3> kTypes = {"Conv", "MatMul", "Gemm"};

constexpr const char* kNetwork = R"(
  g (float[4, 4] x, bool b) => (float[4, 4] y)
  <float[4, 4] w = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1},
   float[4] c = {1, 2, 3, 4}>
  {
    ["/block1/fc"] p = MatMul (x, w)
    ["/block1/add"] q = Add (p, c)
    ["/block2/fc"] r = MatMul (q, w)
    s = MatMul (r, w)
    ["/block2/if"] t = If (b) <
      then_branch = u () => (float[4, 4] ty) { ["/inner/fc"] ty = MatMul (s, w) },
      else_branch = v () => (float[4, 4] ey) { ey = Identity (s) }>
    ["/last"] y = MatMul (t, w)
  })";

struct Fixture {
  Model model = testing::ParseModel(kNetwork);
  GraphView graph = GraphView::Over(model).value();
  NodeSelection selection;

  Result<NodeSelection> Resolve() {
    return ResolveSelection(selection, graph, kTypes, "test");
  }
  /// The labels of the MatMul nodes that are selected.
  Names Selected() {
    const auto resolved = Resolve();
    BOOST_REQUIRE_MESSAGE(resolved.ok(), resolved.status().message());
    Names names;
    for (const NodeId node : graph.nodes_of_type("MatMul")) {
      if (resolved->ReasonAgainst(graph.node(node)).empty()) {
        names.emplace_back(NodeSelection::Label(graph.node(node)));
      }
    }
    return names;
  }
  std::string Error() {
    const auto resolved = Resolve();
    return resolved.ok() ? "" : resolved.status().message();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(node_selection, Fixture)

BOOST_AUTO_TEST_CASE(AnEmptySelectionSelectsEverything) {
  BOOST_TEST(Selected() ==
             Names({"/block1/fc", "/block2/fc", "s", "/last", "/inner/fc"}));
}

BOOST_AUTO_TEST_CASE(NamesAndPatternsSelect) {
  selection.nodes_to_quantize = {"/last", "re:^/block[12]/"};
  BOOST_TEST(Selected() == Names({"/block1/fc", "/block2/fc", "/last"}));
  selection.nodes_to_exclude = {"re:2"};
  BOOST_TEST(Selected() == Names({"/block1/fc", "/last"}));
}

BOOST_AUTO_TEST_CASE(ANodeWithoutANameGoesByItsFirstOutput) {
  selection.nodes_to_quantize = {"s"};
  BOOST_TEST(Selected() == Names({"s"}));
}

BOOST_AUTO_TEST_CASE(ASubgraphIsWhatLiesBetweenItsTensors) {
  selection.subgraphs_to_quantize = {{{"q"}, {"s"}}};
  BOOST_TEST(Selected() == Names({"/block2/fc", "s"}));
  selection.subgraphs_to_quantize = {{{"s"}, {"t"}}};  // in a body
  BOOST_TEST(Selected() == Names({"/inner/fc"}));
  selection.subgraphs_to_quantize = {{{"x"}, {"p"}}, {{"t"}, {"y"}}};
  BOOST_TEST(Selected() == Names({"/block1/fc", "/last"}));
}

BOOST_AUTO_TEST_CASE(APredicateSelects) {
  selection.quantize_if = [](const GraphView& view, NodeId node) {
    return view.scope(node) != kMainScope;
  };
  BOOST_TEST(Selected() == Names({"/inner/fc"}));
}

BOOST_AUTO_TEST_CASE(AllThatIsGivenMustHold) {
  selection.nodes_to_quantize = {"re:fc"};
  selection.subgraphs_to_quantize = {{{"q"}, {"y"}}};
  selection.nodes_to_exclude = {"/inner/fc"};
  BOOST_TEST(Selected() == Names({"/block2/fc"}));
  selection.subgraphs_to_quantize = {{{"t"}, {"y"}}};
  BOOST_TEST(Error().find("no node is in all") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(TheSelectionOutlivesTheCleanUp) {
  selection.nodes_to_exclude = {"/block1/fc"};
  const auto resolved = Resolve();
  BOOST_REQUIRE(resolved.ok());
  PassContext context;
  BOOST_REQUIRE(FuseMatMulAdd{}.Run(graph, context).ok());
  const auto gemms = graph.nodes_of_type("Gemm");
  BOOST_REQUIRE(gemms.size() == 1u);
  BOOST_TEST(resolved->ReasonAgainst(graph.node(gemms[0])) == "it is excluded");
}

BOOST_AUTO_TEST_CASE(WhatMatchesNothingIsAnErrorWithTheNearestNames) {
  selection.nodes_to_quantize = {"/block1/fd"};
  BOOST_TEST(Error().find("nearest: '/block1/fc'") != std::string::npos);
  selection.nodes_to_quantize = {"re:^/blok1/"};
  BOOST_TEST(Error().find("'/block1/fc'") != std::string::npos);
  selection.nodes_to_quantize = {"re:("};
  BOOST_TEST(Error().find("position") != std::string::npos);
  selection.nodes_to_quantize.clear();
  selection.nodes_to_exclude = {""};
  BOOST_TEST(Error().find("no node named ''") != std::string::npos);
  selection.nodes_to_exclude.clear();
  selection.op_types_to_quantize = {"Convv"};
  BOOST_TEST(Error().find("nearest: 'Conv'") != std::string::npos);
  BOOST_TEST(Error().find("known: Conv, Gemm, MatMul") != std::string::npos);
  selection.op_types_to_quantize.clear();
  selection.subgraphs_to_quantize = {{{"qq"}, {"y"}}};
  BOOST_TEST(Error().find("no tensor named 'qq'; nearest: 'q'") !=
             std::string::npos);
  selection.subgraphs_to_quantize = {{{"y"}, {"x"}}};
  BOOST_TEST(Error().find("no node lies between") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(AnOperatorTypeThatTheModelLacksIsAnError) {
  selection.op_types_to_quantize = {"MatMul"};
  BOOST_TEST(CheckOperatorTypes(selection, graph).ok());
  selection.op_types_to_quantize = {"Gemm"};
  BOOST_TEST(CheckOperatorTypes(selection, graph)
                 .message()
                 .find("no node of type 'Gemm'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(TextIsSplitAtCommasOutsideBrackets) {
  BOOST_TEST(SplitNodeNames("a,,b(,c") == Names({"a", "b(", "c"}));
  BOOST_TEST(SplitNodeNames("re:x{1,2}[,],d,re:\\(,e") ==
             Names({"re:x{1,2}[,]", "d", "re:\\(", "e"}));
  const auto subgraph = ParseSubgraph("a,b->c");
  BOOST_REQUIRE(subgraph.ok());
  BOOST_TEST(subgraph->inputs == Names({"a", "b"}));
  BOOST_TEST(subgraph->outputs == Names({"c"}));
  for (const char* wrong : {"a", "a->", "->b", ""}) {
    BOOST_TEST(!ParseSubgraph(wrong).ok());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

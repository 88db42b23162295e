#include "zeropoint/flow/diff_models.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/graph/parse_model.h"
#include "zeropoint/flow/describe_constants.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/report/inspection_report.h"

namespace zeropoint {
namespace {

constexpr const char* kFirst = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 2] x) => (float[1, 2] y)
  <float[2, 2] w = {1.0, 2.0, 3.0, 4.0}, float[2] b = {0.5, 0.25}>
  {
    [product] p = MatMul (x, w)
    [sum] s = Add (p, b)
    [act] y = LeakyRelu <alpha = 0.1> (s)
  })";

// Another weight, another slope, no addition, an opset more.
constexpr const char* kSecond = R"(
  <ir_version: 8, opset_import: ["" : 18]>
  g (float[1, 2] x) => (float[1, 2] y)
  <float[2, 2] w = {1.0, 2.0, 3.0, 4.5}, float[2, 1] v = {1.0, 1.0}>
  {
    [product] p = MatMul (x, w)
    [other] q = MatMul (p, v)
    [act] y = LeakyRelu <alpha = 0.2> (q)
  })";

Model Parsed(const char* text) {
  return Model::FromProto(testing::ParseProto(text)).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(diff_models)

BOOST_AUTO_TEST_CASE(AModelDoesNotDifferFromItself) {
  Model first = Parsed(kFirst);
  Model same = Parsed(kFirst);
  const auto difference = DiffModels(first, same);
  BOOST_REQUIRE(difference.ok());
  BOOST_TEST(difference->empty());
  BOOST_TEST(DifferenceToText(*difference) == "no difference\n");
}

BOOST_AUTO_TEST_CASE(SaysWhatIsOnlyInOneAndWhatChanged) {
  Model first = Parsed(kFirst);
  Model second = Parsed(kSecond);
  const auto difference = DiffModels(first, second);
  BOOST_REQUIRE(difference.ok());
  BOOST_REQUIRE(difference->only_in_first.size() == 1U);
  BOOST_TEST(difference->only_in_first[0].name == "sum");
  BOOST_REQUIRE(difference->only_in_second.size() == 1U);
  BOOST_TEST(difference->only_in_second[0].name == "other");
  BOOST_TEST(difference->operators.at("MatMul").second == 2U);
  BOOST_TEST(difference->operators.at("Add").second == 0U);
  BOOST_TEST(difference->opsets.at("ai.onnx").first == 17);
  BOOST_REQUIRE(difference->changed.size() == 1U);
  BOOST_TEST(difference->changed[0].node == "act");
  BOOST_TEST(difference->changed[0].what ==
                 (std::vector<std::string>{"inputs", "attributes"}),
             boost::test_tools::per_element());
  BOOST_TEST(
      difference->constants_only_in_first == std::vector<std::string>{"b"},
      boost::test_tools::per_element());
  BOOST_REQUIRE(difference->changed_constants.size() == 1U);
  BOOST_TEST(difference->changed_constants[0].name == "w");
  BOOST_TEST(*difference->changed_constants[0].max_abs_difference == 0.5);
  const std::string text = DifferenceToText(*difference);
  for (const char* line :
       {"~ opset ai.onnx: 17 -> 18\n", "- node Add sum\n",
        "+ node MatMul other\n", "~ node LeakyRelu act: inputs attributes\n",
        "- constant b\n", "+ constant v\n",
        "~ constant w: float [2, 2], by at most 0.5\n"}) {
    BOOST_TEST(text.find(line) != std::string::npos, line);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(describe_constants)

BOOST_AUTO_TEST_CASE(MatricesAreMeasuredAndVectorsAreNot) {
  Model model = Parsed(kFirst);
  const auto graph = GraphView::Over(model);
  BOOST_REQUIRE(graph.ok());
  const auto constants = DescribeConstants(*graph);
  BOOST_REQUIRE(constants.ok());
  BOOST_REQUIRE(constants->size() == 1U);
  const ConstantDistribution& w = constants->front();
  BOOST_TEST(w.name == "w");
  BOOST_TEST(w.least == 1.0);
  BOOST_TEST(w.greatest == 4.0);
  BOOST_TEST(w.mean == 2.5);
  BOOST_TEST(w.standard_deviation * w.standard_deviation == 1.25,
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

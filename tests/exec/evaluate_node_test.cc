#include "zeropoint/exec/evaluate_node.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/exec/run_model.h"

namespace zeropoint {
namespace {

using testing::CheckSays;
using testing::CheckTensor;
using testing::ParseGraph;

BOOST_AUTO_TEST_SUITE(evaluate_node)

BOOST_AUTO_TEST_CASE(ComputesOneNode) {
  const Model model =
      ParseGraph("g (float[2] x) => (float[2] y) { y = Clip(x, , x) }");
  const NodeEvaluation evaluate(model);
  const std::vector<float> values{-1, 5};
  const Dims dims{2};
  const float limit = 3;
  const std::vector<TensorView> inputs{
      TensorView(DataType::kFloat, dims, values.data()), TensorView(),
      TensorView(DataType::kFloat, {}, &limit)};
  const auto outputs = evaluate(model.proto().graph().node(0), inputs);
  BOOST_REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
  BOOST_REQUIRE_EQUAL(outputs->size(), 1);
  CheckTensor<float>((*outputs)[0], {2}, {-1, 3});
}

BOOST_AUTO_TEST_CASE(UsesTheOpsetOfTheModel) {
  for (const int opset : {11, 13}) {
    const Model model =
        ParseGraph("g (float[1] x) => (float[1] y) { y = Softmax(x) }", opset);
    const NodeEvaluation evaluate(model);
    const std::vector<float> values{0, 0, 0, 0};
    const Dims dims{1, 2, 2};
    const std::vector<TensorView> inputs{
        TensorView(DataType::kFloat, dims, values.data())};
    const auto outputs = evaluate(model.proto().graph().node(0), inputs);
    BOOST_REQUIRE(outputs.ok());
    const float share = opset < 13 ? 0.25f : 0.5f;
    CheckTensor<float>((*outputs)[0], dims, {share, share, share, share});
  }
}

BOOST_AUTO_TEST_CASE(RefusesToBlowUpASmallConstant) {
  const Model model =
      ParseGraph("g (int64[1] n) => (float[N] y) { y = ConstantOfShape(n) }");
  const NodeEvaluation evaluate(model);
  const std::int64_t count = 100'000'000;
  const Dims dims{1};
  const std::vector<TensorView> inputs{
      TensorView(DataType::kInt64, dims, &count)};
  const auto outputs = evaluate(model.proto().graph().node(0), inputs);
  BOOST_REQUIRE(!outputs.ok());
  CheckSays(outputs.status(), "[100000000]");
}

BOOST_AUTO_TEST_CASE(NamesTheNodeItLacks) {
  const Model model =
      ParseGraph("g (float[1] x) => (float[1] y) { y = NobodyKnows(x) }");
  const auto outputs = NodeEvaluation(model)(model.proto().graph().node(0), {});
  BOOST_TEST((outputs.status().code() == StatusCode::kUnsupported));
  CheckSays(outputs.status(), "NobodyKnows");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

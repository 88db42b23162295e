// Bodies of If, Loop and Scan are quantized where they stand.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "tests/passes/quantize_bench.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/calibration_targets.h"
#include "zeropoint/profiles/generic.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {
namespace {

using Bench = testing::QuantizeBench;

const onnx::GraphProto& Body(const Bench& bench, const std::string& op_type,
                             int index = 0) {
  for (const auto& node : bench.model.proto().graph().node()) {
    if (node.op_type() != op_type) continue;
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g() && index-- == 0) return attribute.g();
    }
  }
  BOOST_REQUIRE_MESSAGE(false, "no body of " + op_type);
  std::abort();
}

std::size_t Count(const onnx::GraphProto& graph, const std::string& op_type) {
  return static_cast<std::size_t>(std::count_if(
      graph.node().begin(), graph.node().end(),
      [&](const auto& node) { return node.op_type() == op_type; }));
}

const onnx::NodeProto& Node(const onnx::GraphProto& graph,
                            const std::string& op_type) {
  for (const auto& node : graph.node()) {
    if (node.op_type() == op_type) return node;
  }
  BOOST_REQUIRE_MESSAGE(false, "no node " + op_type);
  std::abort();
}

void CollectNames(const onnx::GraphProto& graph,
                  std::vector<std::string>& names) {
  for (const auto& input : graph.input()) names.push_back(input.name());
  for (const auto& tensor : graph.initializer()) names.push_back(tensor.name());
  for (const auto& node : graph.node()) {
    for (const auto& output : node.output()) names.push_back(output);
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) CollectNames(attribute.g(), names);
    }
  }
}

// Names unique over all scopes, every value defined before it is read.
void CheckValid(Bench& bench) {
  std::vector<std::string> names;
  CollectNames(bench.model.proto().graph(), names);
  const std::set<std::string> unique(names.begin(), names.end());
  BOOST_TEST(unique.size() == names.size());
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  const Status verified = VerifyModel(*graph);
  BOOST_TEST(verified.ok(), verified.message());
}

constexpr const char* kIf = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1, 2, 2, 2] x, bool cond) => (float[1, 2, 2, 2] y)
  <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
  { c = Conv (x, w)
    y = If (cond) <
      then_branch = t () => (float[1, 2, 2, 2] p) { p = Relu (c) },
      else_branch = e () => (float[1, 2, 2, 2] q) { q = Conv (c, w) }> })";

}  // namespace

BOOST_AUTO_TEST_SUITE(qdq_subgraph)

BOOST_AUTO_TEST_CASE(BranchesReadTheDequantizedOuterValue) {
  Bench bench(kIf);
  for (const char* name : {"x", "c", "p", "q"}) bench.Range(name, -1, 1);
  bench.Run();
  CheckValid(bench);
  BOOST_TEST(bench.Count("QuantizeLinear") == 2u);  // x, c
  BOOST_TEST(Node(Body(bench, "If", 0), "Relu").input(0) == "c_dequantized");
  BOOST_TEST(Node(Body(bench, "If", 1), "Conv").input(0) == "c_dequantized");
}

BOOST_AUTO_TEST_CASE(PairsStandInTheScopeOfTheirValue) {
  Bench bench(kIf);
  for (const char* name : {"x", "c", "p", "q"}) bench.Range(name, -1, 1);
  bench.Run();
  for (const int branch : {0, 1}) {
    const onnx::GraphProto& body = Body(bench, "If", branch);
    BOOST_TEST(Count(body, "QuantizeLinear") == 1u);
    // The branch's output keeps its name.
    BOOST_TEST(body.output(0).name() == (branch == 0 ? "p" : "q"));
    BOOST_TEST(body.node(body.node_size() - 1).op_type() == "DequantizeLinear");
  }
  // One set of codes of w; a DequantizeLinear beside each convolution.
  BOOST_TEST(Count(Body(bench, "If", 1), "DequantizeLinear") == 2u);
  BOOST_TEST(Count(Body(bench, "If", 0), "DequantizeLinear") == 1u);
  const std::string weights = Node(Body(bench, "If", 1), "Conv").input(1);
  for (const auto& node : Body(bench, "If", 1).node()) {
    if (node.output(0) == weights) BOOST_TEST(node.input(0) == "w_quantized");
  }
}

BOOST_AUTO_TEST_CASE(TensorsOfBodiesAreObserved) {
  Bench bench(kIf);
  const auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE(graph.ok());
  std::string names;
  for (const auto& target :
       CalibrationTargets(*graph, bench.target, bench.selection)) {
    names += target.name + " ";
  }
  BOOST_TEST(names == "c p q x ");
}

BOOST_AUTO_TEST_CASE(ABodyThatWasNeverRunStaysFloat) {
  Bench bench(kIf);
  for (const char* name : {"x", "c", "p"}) bench.Range(name, -1, 1);
  bench.Run();
  CheckValid(bench);
  BOOST_TEST(Count(Body(bench, "If", 1), "QuantizeLinear") == 0u);
  BOOST_TEST(bench.ReasonFor("q") == "its output 'q' has no calibrated range");
}

BOOST_AUTO_TEST_CASE(SiblingsMayUseOneNameForTwoValues) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x, bool cond) => (float[1, 1, 2, 2] y)
    <float[1, 1, 1, 1] w = {1.0}>
    { y = If (cond) <
        then_branch = t () => (float[1, 1, 2, 2] p)
          { m = Conv (x, w)  p = Neg (m) },
        else_branch = e () => (float[1, 1, 2, 2] q)
          { m = Neg (x)  q = Conv (m, w) }> })");
  for (const char* name : {"x", "m", "p", "q"}) bench.Range(name, -1, 1);
  bench.Run();
  auto graph = GraphView::Over(bench.model);
  BOOST_REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  BOOST_TEST(Count(Body(bench, "If", 0), "QuantizeLinear") == 2u);
  BOOST_TEST(Count(Body(bench, "If", 1), "QuantizeLinear") == 2u);
}

constexpr const char* kLoop = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1, 2, 2, 2] x, int64 n, bool go) => (float[1, 2, 2, 2] y)
  { y = Loop (n, go, x) <
      body = b (int64 i, bool more, float[1, 2, 2, 2] state)
        => (bool again, float[1, 2, 2, 2] next)
        <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0},
         float[2] bias = {1.0, 2.0}>
        { again = Identity (more)
          c = Conv (state, w, bias)
          next = Relu (c) }> })";

BOOST_AUTO_TEST_CASE(ALoopsStateIsQuantizedInsideTheBody) {
  Bench bench(kLoop);
  bench.Range("state", -1, 1);
  bench.Range("c", -2, 2);
  bench.Range("next", 0, 2);
  bench.Run();
  CheckValid(bench);
  const onnx::GraphProto& body = Body(bench, "Loop");
  BOOST_TEST(bench.Count("QuantizeLinear") == 0u);
  BOOST_TEST(Count(body, "QuantizeLinear") == 2u);  // state, next
  BOOST_TEST(Count(body, "Relu") == 0u);            // folded there too
  BOOST_TEST(body.output(1).name() == "next");
  std::set<std::string> stored;
  for (const auto& tensor : body.initializer()) stored.insert(tensor.name());
  BOOST_TEST(stored.contains("w_quantized"));
  BOOST_TEST(stored.contains("bias_quantized"));
  BOOST_TEST(bench.model.proto().graph().initializer_size() == 0);
}

BOOST_AUTO_TEST_CASE(AnActivationInABodyBelongsToItsOwnScope) {
  // The Relu that reads c stands in a body: c itself carries the codes.
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 2, 2, 2] x, bool cond) => (float[1, 2, 2, 2] y)
    <float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
    { c = Conv (x, w)
      y = If (cond) <
        then_branch = t () => (float[1, 2, 2, 2] p) { p = Relu (c) },
        else_branch = e () => (float[1, 2, 2, 2] q) { q = Identity (x) }> })",
              OnnxRuntimeCpu::Spec());
  const Dims large = {1, 2, 1000, 1000};
  for (const char* name : {"x", "c", "p", "q"}) {
    bench.Range(name, -1, 1, large);
  }
  bench.Run();
  CheckValid(bench);
  BOOST_TEST(bench.Initializer("c_scale").size() == 1u);
  BOOST_TEST(Count(Body(bench, "If", 0), "Relu") == 1u);
}

// --- Dedicated pairs
// --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(DedicatedPairsBelongToOneReaderEach) {
  Bench bench(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (float[1, 1, 2, 2] x)
      => (float[1, 1, 2, 2] a, float[1, 1, 2, 2] y, float[1, 1, 2, 2] z)
    <float[1, 1, 1, 1] w = {1.0}>
    { a = Conv (x, w)
      y = Conv (a, w)
      z = Conv (a, w) })");
  for (const char* name : {"x", "a", "y", "z"}) bench.Range(name, -1, 1);
  bench.Run(/*correct_bias=*/false, PairSharing::kDedicated);
  CheckValid(bench);
  // x, and a as graph output and for y and for z, y, z.
  BOOST_TEST(bench.Count("QuantizeLinear") == 6u);
  std::set<std::string> read;
  for (const auto& node : bench.model.proto().graph().node()) {
    if (node.op_type() == "Conv") BOOST_TEST(read.insert(node.input(0)).second);
  }
  // The scales are stored once.
  std::size_t scales = 0;
  for (const auto& tensor : bench.model.proto().graph().initializer()) {
    scales += tensor.name().starts_with("a_scale") ? 1 : 0;
  }
  BOOST_TEST(scales == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

#include "zeropoint/passes/fastest_islands.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tests/passes/quantize_bench.h"
#include "zeropoint/core/cost_spec.h"
#include "zeropoint/passes/plan_quantization.h"
#include "zeropoint/passes/time_model.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"
#include "zeropoint/profiles/open_vino.h"

namespace zeropoint {
namespace {

using Bench = testing::QuantizeBench;

// A residual block, a pooling between, and a grouped convolution.
constexpr const char* kNetwork = R"(
  <ir_version: 8, opset_import: ["" : 13]>
  g (float[1, 4, 8, 8] x) => (float[1, 4, 4, 4] y)
  {
    a = Conv (x, w)
    b = Relu (a)
    c = Conv <group = 4, pads = [1, 1, 1, 1]> (b, d)
    e = Conv (c, w)
    f = Add (e, b)
    h = Conv (f, w)
    i = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (h)
    y = Conv (i, w)
  })";
constexpr std::string_view kConvolutions[] = {"a", "c", "e", "h", "y"};

void AddWeights(onnx::GraphProto& graph, const char* name,
                const std::vector<std::int64_t>& dims) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    tensor.add_dims(dim);
    count *= dim;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    tensor.add_float_data(0.1f * static_cast<float>(i % 7) - 0.3f);
  }
}

onnx::ModelProto Network() {
  onnx::ModelProto proto = testing::ParseProto(kNetwork);
  AddWeights(*proto.mutable_graph(), "w", {4, 4, 1, 1});
  AddWeights(*proto.mutable_graph(), "d", {4, 1, 3, 3});
  return proto;
}

/// Costs of one element each, in which 1/1000 is a microsecond.
CostSpec Costs(NodeCost real, NodeCost quantized, double conversion) {
  CostSpec costs;
  costs.operators.push_back(
      {.op_type = "Conv", .real = real, .quantized = quantized});
  costs.operators.push_back({.op_type = "Conv",
                             .grouped = true,
                             .real = {2.0, 0, 0},
                             .quantized = NodeCost{5.0, 0, 0}});
  costs.other = {2.0, 0, 0};
  costs.conversion = {conversion, 0, 0};
  return costs;
}

/// By what the planner takes int8 to be faster.
CostSpec WithoutDoubt(CostSpec costs) {
  for (OperatorCost& each : costs.operators) {
    if (!each.quantized) continue;
    each.quantized->node /= kBenefitOfDoubt;
    each.quantized->kilo_elements /= kBenefitOfDoubt;
  }
  return costs;
}

QuantizationPlan PlanFor(Bench& bench, const TargetSpec& target,
                         const NodeSelection& selection) {
  auto graph = GraphView::Over(bench.model).value();
  return PlanQuantization(graph, target, selection, bench.table).value();
}

double TimeOf(Bench& bench, const TargetSpec& target,
              const QuantizationPlan& plan) {
  auto graph = GraphView::Over(bench.model).value();
  return PredictTimes(graph, target, bench.table, plan).quantized;
}

void GiveRanges(Bench& bench) {
  for (const char* name : {"x", "a", "b", "c", "e", "f", "h"}) {
    bench.Range(name, -1, 1, {1, 4, 8, 8});
  }
  for (const char* name : {"i", "y"}) bench.Range(name, -1, 1, {1, 4, 4, 4});
}

/// The target, without bounds on what is quantized.
TargetSpec Unbounded(TargetSpec target, const CostSpec& costs) {
  target.costs = costs;
  for (OperatorRule& rule : target.operators) {
    rule.min_macs = 0;
    rule.grouped_in_islands = false;
  }
  return target;
}

void CheckAgainstAllChoices(const TargetSpec& profile, const CostSpec& costs) {
  Bench bench(Network());
  GiveRanges(bench);
  TargetSpec target = Unbounded(profile, costs);
  double least = std::numeric_limits<double>::infinity();
  for (unsigned bits = 0; bits < 32; ++bits) {
    NodeSelection selection;
    for (unsigned i = 0; i < 5; ++i) {
      if (((bits >> i) & 1U) == 0) {
        selection.Exclude(std::string(kConvolutions[i]));
      }
    }
    const double time =
        TimeOf(bench, target, PlanFor(bench, target, selection));
    least = std::min(least, time);
  }
  target.leave_slower_float = true;
  target.costs = WithoutDoubt(costs);
  const QuantizationPlan plan = PlanFor(bench, target, {});
  target.costs = costs;
  BOOST_TEST(TimeOf(bench, target, plan) == least,
             boost::test_tools::tolerance(1e-9));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fastest_islands)

BOOST_AUTO_TEST_CASE(NoOtherChoiceIsFaster) {
  for (const double quantized : {1.0, 2.0, 4.0, 6.0}) {
    for (const double conversion : {0.1, 0.5, 1.0, 2.0, 5.0}) {
      CostSpec costs = Costs({5.0, 0, 0}, {quantized, 0, 1.0}, conversion);
      BOOST_TEST_CONTEXT("int8 " << quantized << ", conversion "
                                 << conversion) {
        CheckAgainstAllChoices(OnnxRuntimeCpu::Spec(), costs);
        costs.quantizes_float_outputs = true;
        CheckAgainstAllChoices(OpenVino::Spec(), costs);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(WhatIsSlowerStaysFloatWithTheReason) {
  Bench bench(Network());
  GiveRanges(bench);
  TargetSpec target =
      Unbounded(OnnxRuntimeCpu::Spec(), Costs({5.0, 0, 0}, {9.0, 0, 0}, 1.0));
  target.leave_slower_float = true;
  const QuantizationPlan plan = PlanFor(bench, target, {});
  BOOST_TEST(plan.nodes.empty());
  BOOST_REQUIRE(plan.notes.size() == 1U);
  BOOST_TEST(plan.notes[0].find("left float") == 0U);
  BOOST_TEST(plan.declined[0].reason ==
             "in int8 it is predicted to be slower here");
}

BOOST_AUTO_TEST_CASE(WhatIsAskedForByNameIsQuantizedAtAnySpeed) {
  Bench bench(Network());
  GiveRanges(bench);
  TargetSpec target =
      Unbounded(OnnxRuntimeCpu::Spec(), Costs({5.0, 0, 0}, {9.0, 0, 0}, 1.0));
  target.leave_slower_float = true;
  NodeSelection selection;
  selection.op_types_to_quantize = {"Conv"};
  BOOST_TEST(PlanFor(bench, target, selection).nodes.size() == 5U);
  selection = {};
  selection.nodes_to_quantize = {"e"};
  BOOST_TEST(PlanFor(bench, target, selection).nodes.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(time_model)

BOOST_AUTO_TEST_CASE(CountsMultiplyAccumulatesAndElements) {
  Bench bench(Network());
  GiveRanges(bench);
  TargetSpec target = OnnxRuntimeCpu::Spec();
  target.costs = {};
  target.costs.operators.push_back(
      {.op_type = "Conv", .real = {1.0, 1e6, 1e3}});
  auto graph = GraphView::Over(bench.model).value();
  TimeModel times(graph, target.costs, bench.table);
  const NodeId first = graph.producer(graph.Find("a"));
  // 256 outputs of 4 products; 256 elements in and out.
  BOOST_TEST(times.RealTime(first) == 1.0 + 1024.0 + 512.0);
  BOOST_TEST(times.RealTime(graph.producer(graph.Find("b"))) == 0.0);  // Relu
}

BOOST_AUTO_TEST_CASE(NothingIsPredictedOfAnUnknownTarget) {
  Bench bench(Network());
  GiveRanges(bench);
  const TargetSpec target = Generic::Spec();
  auto graph = GraphView::Over(bench.model).value();
  const PredictedTimes times =
      PredictTimes(graph, target, bench.table, PlanFor(bench, target, {}));
  BOOST_TEST(times.quantized == 0.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

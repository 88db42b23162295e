#include "zeropoint/passes/equalize_channels.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/flow/sample_source.h"
#include "tests/graph/parse_model.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/calibrate.h"
#include "zeropoint/flow/run_samples.h"
#include "zeropoint/flow/second_moments.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/calibration_targets.h"
#include "zeropoint/profiles/generic.h"

namespace zeropoint {
namespace {

constexpr int kChannels = 16;

/// What a rewrite of channels that are `spread` times apart did.
struct Equalized {
  Model model;
  std::size_t tensors = 0;
  std::vector<std::string> added;

  std::size_t Count(std::string_view op_type) const {
    std::size_t count = 0;
    for (const auto& node : model.proto().graph().node()) {
      count += node.op_type() == op_type ? 1 : 0;
    }
    return count;
  }
};

void AddWeights(Model& model, const std::string& name,
                const std::vector<int>& dims, int wide_axis = -1) {
  onnx::TensorProto& tensor = *model.proto().mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  std::size_t size = 1;
  for (const int dim : dims) {
    tensor.add_dims(dim);
    size *= static_cast<std::size_t>(dim);
  }
  std::mt19937 random(static_cast<unsigned>(size) + dims.size());
  std::normal_distribution<float> normal;
  std::size_t inner = 1;
  for (auto i = static_cast<std::size_t>(wide_axis) + 1; i < dims.size(); ++i) {
    inner *= static_cast<std::size_t>(dims[i]);
  }
  for (std::size_t i = 0; i < size; ++i) {
    float value = normal(random);
    // Index 2 along the axis is wide.
    if (wide_axis >= 0 &&
        i / inner %
                static_cast<std::size_t>(
                    dims[static_cast<std::size_t>(wide_axis)]) ==
            2) {
      value *= 60.0f;
    }
    tensor.add_float_data(value);
  }
}

std::vector<std::vector<float>> OutputsOf(const Model& model,
                                          FeedSource& source,
                                          const std::string& output) {
  auto executor = BuiltinExecutor::Create(model, {.threads = 1}).value();
  BOOST_REQUIRE(source.Rewind().ok());
  const std::vector<std::string> taps = {output};
  std::vector<std::vector<float>> values;
  for (;;) {
    const auto feeds = source.Next();
    if (!*feeds) return values;
    KeepingSink sink(1);
    const Status run = executor.Run(**feeds, taps, sink);
    BOOST_REQUIRE_MESSAGE(run.ok(), run.message());
    const auto y = sink.tensors()[0].As<float>();
    values.emplace_back(y.begin(), y.end());
  }
}

/// Equalizes `model`, and checks that it computes what it did.
Equalized Equalize(Model model, Dims input,
                   const TensorOverrides& overrides = {}) {
  const std::size_t elements = *ElementCount(input);
  testing::SampleSource source("x", input, 8, testing::Waves(elements));
  const auto before = OutputsOf(model, source, "y");
  // What the runtime of integers wants for every operator.
  const TargetSpec target = Generic::Spec();
  const KernelTable& kernels = DispatchedKernels();
  Equalized result{.model = std::move(model), .tensors = 0, .added = {}};
  GraphView graph = GraphView::Over(result.model).value();
  BOOST_REQUIRE(InferTypes(graph).ok());
  NodeSelection selection;
  auto executor = BuiltinExecutor::Create(result.model, {.threads = 1}).value();
  const auto targets = CalibrationTargets(graph, target, selection);
  BOOST_REQUIRE(source.Rewind().ok());
  const auto calibrated =
      Calibrate(executor, source, targets, {}, target.activations, kernels);
  BOOST_REQUIRE_MESSAGE(calibrated.ok(), calibrated.status().message());
  const auto plan =
      PlanQuantization(graph, target, selection, calibrated->table, &overrides);
  BOOST_REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  BOOST_REQUIRE(source.Rewind().ok());
  const auto moments =
      CollectSecondMoments(executor, source, graph, *plan, kernels);
  BOOST_REQUIRE_MESSAGE(moments.ok(), moments.status().message());
  PassContext context;
  context.target = &target;
  context.selection = &selection;
  context.calibration = &calibrated->table;
  context.overrides = &overrides;
  context.second_moments = &*moments;
  EqualizeChannels equalize;
  const auto report = equalize.Run(graph, context);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  result.tensors = report->rewrites;
  result.added = equalize.added();
  const Status valid = VerifyModel(graph);
  BOOST_REQUIRE_MESSAGE(valid.ok(), valid.message());
  const auto after = OutputsOf(result.model, source, "y");
  for (std::size_t sample = 0; sample < before.size(); ++sample) {
    double error = 0.0;
    double signal = 0.0;
    for (std::size_t i = 0; i < before[sample].size(); ++i) {
      error += std::pow(before[sample][i] - after[sample][i], 2.0f);
      signal += std::pow(before[sample][i], 2.0f);
    }
    BOOST_TEST(error <= 1e-10 * signal);
  }
  return result;
}

Model Parse(const char* text) {
  return Model::FromProto(testing::ParseProto(text)).value();
}

BOOST_AUTO_TEST_SUITE(equalize_channels)

BOOST_AUTO_TEST_CASE(TheDivisionGoesIntoTheConvolutionBefore) {
  Model model = Parse(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 3, 6, 6] x) => (float[1, 8, 6, 6] y)
    { [first] c = Conv (x, w)  [relu] r = Relu (c)  [second] y = Conv (r, v) })");
  AddWeights(model, "w", {kChannels, 3, 1, 1}, 0);
  AddWeights(model, "v", {8, kChannels, 1, 1});
  const Equalized result = Equalize(std::move(model), {1, 3, 6, 6});
  BOOST_TEST(result.tensors == 1u);
  BOOST_TEST(result.added.size() == 1u);
  BOOST_TEST(result.Count("Mul") == 0u);  // folded
}

BOOST_AUTO_TEST_CASE(AClipIsLeftAlone) {
  Model model = Parse(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 3, 6, 6] x) => (float[1, 8, 6, 6] y)
    <float lo = {0}, float hi = {100}>
    { [first] c = Conv (x, w)  [clip] r = Clip (c, lo, hi)
      [second] y = Conv (r, v) })");
  AddWeights(model, "w", {kChannels, 3, 1, 1}, 0);
  AddWeights(model, "v", {8, kChannels, 1, 1});
  const Equalized result = Equalize(std::move(model), {1, 3, 6, 6});
  BOOST_TEST(result.tensors == 0u);
}

constexpr const char* kNormalized = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[5, 16] x) => (float[5, 8] y)
  { [norm] n = LayerNormalization (x, scale, shift)
    [first] a = MatMul (n, w) [second] b = MatMul (n, v) [sum] y = Add (a, b) })";

Model Normalized(const char* text = kNormalized) {
  Model model = Parse(text);
  AddWeights(model, "scale", {kChannels}, 0);
  AddWeights(model, "shift", {kChannels}, 0);
  AddWeights(model, "w", {kChannels, 8});
  AddWeights(model, "v", {kChannels, 8});
  return model;
}

BOOST_AUTO_TEST_CASE(TheDivisionGoesIntoTheConstantsOfANormalization) {
  const Equalized result = Equalize(Normalized(), {5, kChannels});
  BOOST_TEST(result.tensors == 1u);
  BOOST_TEST(result.added.empty());
}

BOOST_AUTO_TEST_CASE(WithAnotherReaderAMulStays) {
  Model model = Normalized(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[5, 16] x) => (float[5, 16] y)
    { [norm] n = LayerNormalization (x, scale, shift)
      [product] a = MatMul (n, u) [sum] y = Add (a, n) })");
  AddWeights(model, "u", {kChannels, kChannels});
  const Equalized result = Equalize(std::move(model), {5, kChannels});
  if (result.tensors == 0) {
    // The pair in front of the sum serves both readers.
    BOOST_TEST(result.Count("Mul") == 0u);
    return;
  }
  BOOST_TEST(result.Count("Mul") == 1u);
  for (const auto& node : result.model.proto().graph().node()) {
    if (node.name() == "sum") BOOST_TEST(node.input(1) == "n");
  }
}

BOOST_AUTO_TEST_CASE(AGateTakesTheDivision) {
  Model model = Parse(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 16, 4, 4] x) => (float[1, 8, 4, 4] y)
    { [pool] p = GlobalAveragePool (x) [squeeze] s = Conv (p, u)
      [gate] h = HardSigmoid (s) [wide] q = Mul (h, factor)
      [scale] z = Mul (x, q) [last] y = Conv (z, v) })");
  AddWeights(model, "u", {kChannels, kChannels, 1, 1});
  AddWeights(model, "factor", {kChannels, 1, 1}, 0);
  AddWeights(model, "v", {8, kChannels, 1, 1});
  const Equalized result = Equalize(std::move(model), {1, kChannels, 4, 4});
  for (const auto& node : result.model.proto().graph().node()) {
    // The large tensor is multiplied once, as before.
    if (node.name() == "scale") BOOST_TEST(node.output(0) == "z");
  }
}

BOOST_AUTO_TEST_CASE(WhatTheUserHasFixedStays) {
  for (const char* fixed : {"n", "w"}) {
    TensorOverrides overrides;
    overrides[fixed].channels.emplace_back();
    BOOST_TEST(Equalize(Normalized(), {5, kChannels}, overrides).tensors == 0u);
  }
}

BOOST_AUTO_TEST_CASE(ChannelsOfOneWidthStay) {
  Model model = Parse(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 16, 6, 6] x) => (float[1, 8, 6, 6] y)
    { [only] y = Conv (x, v) })");
  AddWeights(model, "v", {8, kChannels, 1, 1});
  const Equalized result = Equalize(std::move(model), {1, kChannels, 6, 6});
  BOOST_TEST(result.tensors == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

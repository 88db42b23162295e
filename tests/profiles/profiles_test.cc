#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/defs/schema.h"
#include "tests/graph/parse_model.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/insert_qdq.h"
#include "zeropoint/profiles/find_profile.h"
#include "zeropoint/profiles/generic.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"
#include "zeropoint/profiles/open_vino.h"
#include "zeropoint/profiles/profile.h"

namespace zeropoint {
namespace {

std::vector<TargetSpec> AllProfiles() {
  std::vector<TargetSpec> specs;
  for (const std::string_view name : ProfileNames()) {
    specs.push_back(FindProfile(name).value());
  }
  return specs;
}

// A profile of one's own: no registration, nothing to derive from. 16-bit
// activations, and only matrix products.
struct MyAccelerator {
  static constexpr std::string_view kName = "my-accelerator";
  using Activations = Affine<std::int16_t, Symmetric>;
  using Weights = Affine<std::int8_t, Symmetric, PerTensor, NarrowRange>;
  static TargetSpec Spec() {
    TargetSpec spec;
    spec.name = kName;
    spec.activations = SpecOf<Activations>();
    spec.weights = SpecOf<Weights>();
    spec.operators = {{.op_type = "MatMul", .output = OutputKind::kFloat}};
    return spec;
  }
};
static_assert(Profile<MyAccelerator>);

struct NoWeights {
  static constexpr std::string_view kName = "no-weights";
  using Activations = Affine<std::uint8_t>;
  static TargetSpec Spec();
};
static_assert(!Profile<NoWeights>);

BOOST_AUTO_TEST_SUITE(profiles)

BOOST_AUTO_TEST_CASE(EveryNameIsFoundAndUnique) {
  std::set<std::string_view> names;
  for (const std::string_view name : ProfileNames()) {
    BOOST_TEST(names.insert(name).second);
    const auto spec = FindProfile(name);
    BOOST_REQUIRE(spec.ok());
    BOOST_TEST(spec->name == name);
  }
  // What the command line takes when none is given.
  BOOST_TEST(ProfileNames().front() == "onnxruntime-cpu");
}

BOOST_AUTO_TEST_CASE(AnUnknownNameListsTheKnownOnes) {
  for (const char* name : {"", "tensorrt?", "OnnxRuntime-CPU"}) {
    const auto spec = FindProfile(name);
    BOOST_REQUIRE(!spec.ok());
    BOOST_TEST((spec.status().code() == StatusCode::kInvalidArgument));
    const std::string& message = spec.status().message();
    BOOST_TEST(message.find("'" + std::string(name) + "'") !=
               std::string::npos);
    for (const std::string_view known : ProfileNames()) {
      BOOST_TEST(message.find(known) != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(EachOperatorHasOneRule) {
  for (const TargetSpec& spec : AllProfiles()) {
    std::set<std::string_view> seen;
    for (const OperatorRule& rule : spec.operators) {
      BOOST_TEST(seen.insert(rule.op_type).second,
                 spec.name << " has two rules for " << rule.op_type);
      BOOST_TEST(spec.Find(rule.op_type) == &rule);
      BOOST_TEST(rule.min_macs >= 0);
    }
    BOOST_TEST(spec.Find("NoSuchOperator") == nullptr);
  }
}

// A misspelt operator would silently never match.
BOOST_AUTO_TEST_CASE(EveryOperatorIsOneOfOnnx) {
  for (const TargetSpec& spec : AllProfiles()) {
    for (const OperatorRule& rule : spec.operators) {
      BOOST_TEST((onnx::OpSchemaRegistry::Schema(std::string(rule.op_type)) !=
                  nullptr),
                 rule.op_type);
    }
    for (const FixedOutputRange& fixed : spec.fixed_ranges) {
      BOOST_TEST((onnx::OpSchemaRegistry::Schema(std::string(fixed.op_type)) !=
                  nullptr),
                 fixed.op_type);
    }
  }
}

BOOST_AUTO_TEST_CASE(SchemesAreLegal) {
  for (const TargetSpec& spec : AllProfiles()) {
    for (const SchemeSpec& scheme : {spec.activations, spec.weights}) {
      const auto parsed = ParseScheme(FormatScheme(scheme));
      BOOST_REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
      BOOST_TEST((*parsed == scheme));
    }
    BOOST_TEST(!spec.activations.per_channel);
  }
}

BOOST_AUTO_TEST_CASE(FixedRangesAreRangesAndUnique) {
  for (const TargetSpec& spec : AllProfiles()) {
    std::set<std::string_view> seen;
    for (const FixedOutputRange& fixed : spec.fixed_ranges) {
      BOOST_TEST(seen.insert(fixed.op_type).second);
      BOOST_TEST(IsValidRange(fixed.range));
      BOOST_TEST((spec.FixedRange(fixed.op_type) == fixed.range));
    }
    BOOST_TEST(!spec.FixedRange("Conv").has_value());
  }
}

BOOST_AUTO_TEST_CASE(EveryProfileKnowsTheOperatorsThatMatter) {
  for (const TargetSpec& spec : AllProfiles()) {
    for (const char* op_type :
         {"Conv", "ConvTranspose", "MatMul", "Gemm", "Add", "Mul", "MaxPool",
          "Concat", "Resize", "Reshape", "AveragePool", "GlobalAveragePool",
          "Sigmoid", "Softmax", "HardSigmoid"}) {
      BOOST_TEST(spec.Find(op_type) != nullptr, spec.name << ": " << op_type);
    }
  }
}

BOOST_AUTO_TEST_CASE(OnlyElementwiseOperatorsWaitToBeAskedForByName) {
  // Generic quantizes whatever has an integer form.
  for (const OperatorRule& rule : Generic::Spec().operators) {
    BOOST_TEST((rule.placement != Placement::kOnRequest), rule.op_type);
  }
  for (const TargetSpec& spec : {OnnxRuntimeCpu::Spec(), OpenVino::Spec()}) {
    BOOST_TEST((spec.Find("Conv")->placement == Placement::kAlways));
    BOOST_TEST((spec.Find("Add")->placement == Placement::kOnRequest));
    BOOST_TEST((spec.Find("Reshape")->placement == Placement::kIsland));
  }
}

BOOST_AUTO_TEST_CASE(AProfileOfOnesOwnDrivesThePasses) {
  Model model = Model::FromProto(testing::ParseProto(R"(
    <ir_version: 10, opset_import: ["" : 21]>
    g (float[2, 2] x) => (float[2, 2] z)
    <float[2, 2] w = {1.0, 2.0, 3.0, 4.0}>
    { y = MatMul (x, w)
      z = Relu (y) })"))
                    .value();
  auto graph = GraphView::Over(model);
  BOOST_REQUIRE(graph.ok());
  const TargetSpec target = MyAccelerator::Spec();
  CalibrationTable table;
  for (const char* name : {"x", "y", "z"}) {
    table[name] = {{-1.0f, 1.0f}, "given", {}, {}};
  }
  PassContext context;
  context.target = &target;
  context.calibration = &table;
  const auto report = InsertQdq().Run(*graph, context);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  BOOST_TEST(context.quantized.nodes == std::vector<std::string>{"y"},
             boost::test_tools::per_element());
  BOOST_REQUIRE(context.quantized.activations.size() == 1u);
  BOOST_TEST(context.quantized.activations[0].scheme == "i16:sym");
  BOOST_REQUIRE(context.declined.size() == 1u);
  BOOST_TEST(context.declined[0].reason.starts_with("my-accelerator"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

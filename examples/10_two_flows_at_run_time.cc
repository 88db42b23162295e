// Two flows that are fixed when the program is compiled, one of which a text
// chooses when it runs; and the same flow as a text alone.
// docs/concepts/pass.md explains it.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "onnx/defs/parser.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/passes/any_pass.h"
#include "zeropoint/passes/builtin_passes.h"
#include "zeropoint/passes/pipeline.h"
#include "zeropoint/passes/pipeline_text.h"
#include "zeropoint/profiles/generic.h"

namespace zp = zeropoint;

namespace {

constexpr const char* kModel = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 2] x) => (float[1, 2] y)
  <float[2, 2] w = {1, -0.5, 0.25, 2}>
  {
    ["fc"] y = MatMul (x, w)
  })";

// #region flows
using Pairs = zp::Pipeline<zp::InsertQdq, zp::EliminateDead>;
using Integers =
    zp::Pipeline<zp::InsertQdq, zp::LowerToInteger, zp::EliminateDead>;

/// The flow of that name, its type forgotten.
zp::Result<zp::AnyPass> FlowOf(std::string_view name) {
  if (name == "pairs") return zp::AnyPass(Pairs({}, {}));
  if (name == "integers") return zp::AnyPass(Integers({}, {}, {}));
  return zp::InvalidArgument("unknown flow '" + std::string(name) +
                             "'; known: pairs, integers");
}
// #endregion

// #region run
template <zp::Pass P>
zp::Result<zp::Model> Quantized(P& flow, std::string_view activations) {
  onnx::ModelProto proto;
  if (!onnx::OnnxParser::Parse(proto, kModel).IsOK()) {
    return zp::InvalidModel("the text does not parse");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(zp::Model model,
                             zp::Model::FromProto(std::move(proto)));
  zp::TargetSpec target = zp::Generic::Spec();
  ZEROPOINT_ASSIGN_OR_RETURN(target.activations, zp::ParseScheme(activations));
  zp::CalibrationTable ranges;
  ranges["x"].range = {-1.0f, 3.0f};
  ranges["y"].range = {-6.0f, 6.0f};
  zp::PassContext context;
  context.target = &target;
  context.calibration = &ranges;
  ZEROPOINT_ASSIGN_OR_RETURN(zp::GraphView graph, zp::GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(zp::InferTypes(graph));
  ZEROPOINT_RETURN_IF_ERROR(flow.Run(graph, context).status());
  return model;
}
// #endregion

void Print(const zp::Model& model) {
  for (const onnx::NodeProto& node : model.proto().graph().node()) {
    std::printf("  %s", node.op_type().c_str());
  }
  std::printf("\n");
}

zp::Status Run() {
  constexpr std::array<std::array<std::string_view, 2>, 4> kChoices = {
      {{"pairs", "u8:asym"},
       {"pairs", "i8:sym"},
       {"integers", "u8:asym"},
       {"shifts", "u8:asym"}}};
  for (const auto& [name, scheme] : kChoices) {
    std::printf("%s %s\n", std::string(name).c_str(),
                std::string(scheme).c_str());
    zp::Result<zp::AnyPass> flow = FlowOf(name);
    if (!flow.ok()) {
      std::printf("  %s\n", flow.status().message().c_str());
      continue;
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const zp::Model model, Quantized(*flow, scheme));
    Print(model);
  }
  // #region text
  zp::PassRegistry registry;
  ZEROPOINT_RETURN_IF_ERROR(zp::AddBuiltinPasses(registry));
  ZEROPOINT_ASSIGN_OR_RETURN(
      zp::AnyPipeline text,
      zp::ParsePipeline("insert-qdq,lower-to-integer,eliminate-dead",
                        registry));
  Integers compiled({}, {}, {});
  ZEROPOINT_ASSIGN_OR_RETURN(const zp::Model one, Quantized(text, "u8:asym"));
  ZEROPOINT_ASSIGN_OR_RETURN(const zp::Model two,
                             Quantized(compiled, "u8:asym"));
  std::printf("the text makes the same model: %s\n",
              one.proto().SerializeAsString() == two.proto().SerializeAsString()
                  ? "yes"
                  : "no");
  // #endregion
  return zp::Status();
}

}  // namespace

int main() { return Run().ok() ? 0 : 1; }

// A pass of one's own, by name beside the built-in ones: division by a power of
// two becomes multiplication. docs/guide/your-own-pass.md explains it.
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "onnx/defs/parser.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/pass_registry.h"
#include "zeropoint/passes/pipeline_text.h"
#include "zeropoint/passes/sweep.h"

namespace zp = zeropoint;

namespace {

constexpr const char* kModel = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[N, 4] x) => (float[N, 4] y)
  <float four = {4}, float three = {3}>
  {
    ["quarter"] h = Div (x, four)
    ["third"] y = Div (h, three)
  })";

// #region match
class MultiplyByPowers {
 public:
  static constexpr std::string_view kName = "multiply-by-powers";
  static constexpr std::string_view kHelp =
      "Turns division by a power of two into multiplication, which is exact";
  static constexpr std::string_view kSketch =
      "x -> Div(4) -> y\nx -> Mul(0.25) -> y";
  static constexpr std::array<std::string_view, 1> kRoots = {"Div"};

  struct Found {
    zp::NodeId div;
    zp::ValueId x;
    float factor;
  };

  // Looks at one node and changes nothing.
  zp::MatchResult<Found> Match(const zp::GraphView& graph,
                               zp::NodeId div) const {
    const zp::ValueId x = graph.input(div, 0);
    const std::optional<double> divisor =
        zp::ScalarBeside(graph, graph.input(div, 1), x);
    if (!divisor) return std::nullopt;
    int exponent = 0;
    if (std::abs(std::frexp(*divisor, &exponent)) != 0.5) {
      return zp::Decline{"the reciprocal of its divisor is not exact"};
    }
    return Found{div, x, static_cast<float>(1.0 / *divisor)};
  }
  // #endregion

  // #region rewrite
  // Edits what Match found.
  zp::Status Rewrite(const zp::GraphView& graph, const Found& found,
                     zp::Rewriter& rewriter) const {
    const std::array<zp::ValueId, 2> inputs = {
        found.x,
        rewriter.AddInitializer(zp::EncodeScalar("factor", found.factor),
                                graph.scope(found.div))};
    onnx::NodeProto mul;
    mul.set_op_type("Mul");
    zp::FuseNodes(graph, rewriter, {&found.div, 1}, std::move(mul), inputs,
                  graph.output(found.div, 0));
    return zp::Status();
  }

  zp::Result<zp::PassReport> Run(zp::GraphView& graph,
                                 zp::PassContext& context) {
    return zp::SweepRoots(*this, graph, context);
  }
  // #endregion
};

zp::Status Run(zp::Model& model) {
  // #region run
  zp::PassRegistry registry;
  ZEROPOINT_RETURN_IF_ERROR(registry.Add<MultiplyByPowers>());
  ZEROPOINT_RETURN_IF_ERROR(registry.Add<zp::EliminateDead>());
  ZEROPOINT_ASSIGN_OR_RETURN(
      zp::AnyPipeline pipeline,
      zp::ParsePipeline("multiply-by-powers,eliminate-dead", registry));
  ZEROPOINT_ASSIGN_OR_RETURN(zp::GraphView graph, zp::GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(zp::InferTypes(graph));
  zp::PassContext context;
  ZEROPOINT_RETURN_IF_ERROR(pipeline.Run(graph, context).status());
  ZEROPOINT_RETURN_IF_ERROR(zp::VerifyModel(graph));
  // #endregion
  for (const zp::NodeId node : graph.nodes()) {
    std::printf("%s: %s\n", graph.node(node).name().c_str(),
                graph.node(node).op_type().c_str());
  }
  for (const zp::Declined& declined : context.declined) {
    std::printf("%s stays: %s\n", declined.node.c_str(),
                declined.reason.c_str());
  }
  return zp::Status();
}

}  // namespace

int main() {
  onnx::ModelProto proto;
  if (!onnx::OnnxParser::Parse(proto, kModel).IsOK()) return 1;
  zp::Result<zp::Model> model = zp::Model::FromProto(std::move(proto));
  return model.ok() && Run(*model).ok() ? 0 : 1;
}

// A profile of one's own: what a small signal processor runs on codes, as data.
// docs/guide/your-own-profile.md explains it.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/defs/parser.h"
#include "zeropoint/data/data_reader.h"
#include "zeropoint/flow/quantize_static.h"
#include "zeropoint/profiles/profile.h"

namespace zp = zeropoint;

namespace {

// #region scheme
/// What Affine cannot say: four products of int8 activations and such weights
/// add up in 16 bits.
struct SevenBits {
  using Storage = std::int8_t;
  using Symmetry = zp::Symmetric;
  using Granularity = zp::PerTensor;
  static constexpr std::int32_t kQMin = -63;
  static constexpr std::int32_t kQMax = 63;
};
// #endregion

// #region profile
struct SmallProcessor {
  static constexpr std::string_view kName = "small-processor";
  using Activations = zp::Affine<std::int8_t, zp::Symmetric>;
  using Weights = SevenBits;

  static zp::TargetSpec Spec() {
    zp::TargetSpec spec;
    spec.name = kName;
    spec.activations = zp::SpecOf<Activations>();
    spec.weights = zp::SpecOf<Weights>();
    // Codes move without arithmetic: worth it between integer neighbours only.
    spec.operators = zp::CodeMovingOperators();
    // Below 500 products the transfer costs more than it saves.
    spec.operators.push_back({.op_type = "Conv", .min_macs = 500});
    // Its sums leave the processor as they are.
    spec.operators.push_back(
        {.op_type = "Gemm", .output = zp::OutputKind::kFloat});
    // It can, but rounds badly: for those who ask for it by name.
    spec.operators.push_back(
        {.op_type = "Add", .placement = zp::Placement::kOnRequest});
    return spec;
  }
};
static_assert(zp::Profile<SmallProcessor>);
// #endregion

constexpr const char* kModel = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 1, 8, 8] x) => (float[1, 2] y)
  <float[2, 1, 2, 2] w = {1, 2, -1, -2, 1, -1, 2, -2},
   float[2, 2, 1, 1] v = {0.5, -0.5, 0.25, 1},
   float[2, 8] u = {1, 2, 3, 4, 5, 6, 7, 8, 8, 7, 6, 5, 4, 3, 2, 1}>
  {
    ["edges"] a = Conv <pads = [0, 0, 1, 1]> (x, w)
    ["rectify"] b = Relu (a)
    ["pool"] c = MaxPool <kernel_shape = [4, 4], strides = [4, 4]> (b)
    ["mix"] d = Conv (c, v)
    ["skip"] e = Add (c, d)
    ["flat"] f = Flatten (e)
    ["score"] s = Gemm <transB = 1> (f, u)
    ["chance"] y = Softmax (s)
  })";

zp::Result<std::optional<zp::Feeds>> Picture(std::size_t number) {
  zp::Tensor x(zp::DataType::kFloat, {1, 1, 8, 8});
  auto phase = static_cast<float>(number);
  for (float& pixel : x.MutableAs<float>()) pixel = std::sin(phase += 0.7f);
  zp::Feeds feeds;
  feeds.push_back({"x", std::move(x)});
  return std::optional(std::move(feeds));
}

zp::Status Quantize(const std::vector<std::string>& op_types) {
  onnx::ModelProto proto;
  if (!onnx::OnnxParser::Parse(proto, kModel).IsOK()) {
    return zp::InvalidModel("the text does not parse");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(zp::Model model,
                             zp::Model::FromProto(std::move(proto)));
  zp::CallbackSource samples(Picture, /*samples=*/8);
  // #region quantize
  zp::StaticQuantizationOptions options;
  options.target = SmallProcessor::Spec();
  options.selection.op_types_to_quantize = op_types;
  options.tune = false;
  ZEROPOINT_ASSIGN_OR_RETURN(const zp::QuantizationReport report,
                             zp::QuantizeStatic(model, samples, options));
  for (const std::string& node : report.quantized.nodes) {
    std::printf("  %s: quantized\n", node.c_str());
  }
  for (const zp::Declined& node : report.float_nodes) {
    std::printf("  %s: float, %s\n", node.node.c_str(), node.reason.c_str());
  }
  // #endregion
  return zp::Status();
}

}  // namespace

int main() {
  std::printf("what the profile says\n");
  if (!Quantize({}).ok()) return 1;
  std::printf("with Add by name\n");
  return Quantize({"Add", "Conv", "Gemm", "MaxPool", "Flatten"}).ok() ? 0 : 1;
}

// Turns fake quantization, as a training framework exports it, into pairs.
#include <cstdio>
#include <string>
#include <utility>

#include "onnx/defs/parser.h"
#include "zeropoint/flow/quantize_qat.h"

namespace zp = zeropoint;

namespace {

// #region trained
// Codes 0..255 with the zero point 128 for x; -127..127 for the weights.
constexpr const char* kTrained = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[1, 1, 4, 4] x) => (float[1, 2, 3, 3] y)
  <float s = {0.1}, float z = {128}, float lo = {0}, float hi = {255},
   float[2, 1, 2, 2] w = {0.5, -1, 0.25, 1, 4, 2, -4, 1},
   float[2, 1, 1, 1] t = {0.0078125, 0.03125}, float l = {-127}, float h = {127},
   float[2] b = {0.5, -1}>
  {
    x1 = Div (x, s)   x2 = Round (x1)   x3 = Add (x2, z)
    x4 = Clip (x3, lo, hi)   x5 = Sub (x4, z)   x6 = Mul (x5, s)
    w1 = Div (w, t)   w2 = Round (w1)   w3 = Clip (w2, l, h)   w4 = Mul (w3, t)
    y = Conv (x6, w4, b)
  })";
// #endregion

void PrintNodes(const onnx::GraphProto& graph) {
  for (const onnx::NodeProto& node : graph.node()) {
    std::string inputs;
    for (const std::string& input : node.input()) inputs += " " + input;
    std::printf("  %-18s%s -> %s\n", node.op_type().c_str(), inputs.c_str(),
                node.output(0).c_str());
  }
}

}  // namespace

int main() {
  onnx::ModelProto proto;
  if (!onnx::OnnxParser::Parse(proto, kTrained).IsOK()) return 1;
  zp::Result<zp::Model> model = zp::Model::FromProto(std::move(proto));
  if (!model.ok()) return 1;
  std::printf("%d nodes before\n", model->proto().graph().node_size());

  // #region take-over
  const zp::Result<zp::QuantizationReport> report =
      zp::QuantizeQat(*model, zp::QatQuantizationOptions());
  if (!report.ok()) {
    std::fprintf(stderr, "%s\n", report.status().message().c_str());
    return 1;
  }
  for (const zp::QuantizedActivation& tensor : report->quantized.activations) {
    std::printf("%s: scale %.6f, zero point %d, %s\n", tensor.name.c_str(),
                tensor.params.scale, tensor.params.zero_point,
                tensor.why.c_str());
  }
  // #endregion
  PrintNodes(model->proto().graph());
  return 0;
}

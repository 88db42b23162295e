// Quantizes a layer without samples, and prints what it became.
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "onnx/defs/parser.h"
#include "zeropoint/flow/quantize_dynamic.h"

namespace zp = zeropoint;

namespace {

constexpr const char* kLayer = R"(
  <ir_version: 8, opset_import: ["" : 17]>
  g (float[N, 4] x) => (float[N, 2] y)
  <float[4, 2] w = {0.5, -20, 1, 10, -1, 5, 0.25, 40}, float[2] b = {1, 2}>
  {
    ["fc"] h = MatMul (x, w)
    ["bias"] y = Add (h, b)
  })";

void PrintNodes(const onnx::GraphProto& graph) {
  for (const onnx::NodeProto& node : graph.node()) {
    std::string inputs;
    for (const std::string& input : node.input()) inputs += " " + input;
    std::printf("  %-22s%s\n", node.op_type().c_str(), inputs.c_str());
  }
}

}  // namespace

int main() {
  onnx::ModelProto proto;
  if (!onnx::OnnxParser::Parse(proto, kLayer).IsOK()) return 1;
  zp::Result<zp::Model> model = zp::Model::FromProto(std::move(proto));
  if (!model.ok()) return 1;

  // #region quantize
  zp::DynamicQuantizationOptions options;
  // Every product of the model, but not one whose name says that it is the
  // head.
  options.selection.quantize_if = [](const zp::GraphView& graph,
                                     zp::NodeId node) {
    return graph.node(node).name().find("head") == std::string::npos;
  };
  const zp::Result<zp::QuantizationReport> report =
      zp::QuantizeDynamic(*model, options);
  if (!report.ok()) {
    std::fprintf(stderr, "%s\n", report.status().message().c_str());
    return 1;
  }
  // #endregion

  std::printf("quantized:");
  for (const std::string& node : report->quantized.nodes) {
    std::printf(" %s", node.c_str());
  }
  std::printf("\n");
  const onnx::GraphProto& graph = model->proto().graph();
  PrintNodes(graph);
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    const zp::Result<zp::Tensor> value = zp::DecodeTensor(tensor);
    if (!value.ok()) return 1;
    std::printf("%s:", tensor.name().c_str());
    if (value->type() == zp::DataType::kInt8) {
      for (const std::int8_t code : value->As<std::int8_t>()) {
        std::printf(" %d", int{code});
      }
    } else if (value->type() == zp::DataType::kFloat) {
      for (const float each : value->As<float>()) std::printf(" %.6f", each);
    }
    std::printf("\n");
  }
  return 0;
}

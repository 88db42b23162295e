#include "zeropoint/flow/layers_alone.h"

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/flow/trial.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

namespace {

/// The QuantizeLinear nodes of the main graph, by what they read.
std::map<std::string, onnx::NodeProto> QuantizersOf(
    const onnx::GraphProto& graph) {
  std::map<std::string, onnx::NodeProto> quantizers;
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.op_type() == "QuantizeLinear" && node.input_size() > 0) {
      quantizers.emplace(node.input(0), node);
    }
  }
  return quantizers;
}

/// From each real tensor of `inputs`, and from what its pairs dequantize it to,
/// to the input that takes its place.
std::map<std::string, std::string> PlacesToCut(
    const onnx::GraphProto& graph,
    const std::map<std::string, std::string>& inputs) {
  std::map<std::string, std::string> places = inputs;
  std::map<std::string, std::string> codes;
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.input_size() == 0 || node.output_size() == 0) continue;
    const auto real = inputs.find(node.input(0));
    if (node.op_type() == "QuantizeLinear" && real != inputs.end()) {
      codes.emplace(node.output(0), real->second);
    }
  }
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.op_type() != "DequantizeLinear" || node.input_size() == 0) {
      continue;
    }
    const auto of = codes.find(node.input(0));
    if (of != codes.end()) places.emplace(node.output(0), of->second);
  }
  return places;
}

/// Appends a copy of the pair at `quantizer`; returns what it dequantizes to.
std::string AppendPair(const onnx::NodeProto& quantizer,
                       const std::string& prefix, onnx::GraphProto& graph) {
  onnx::NodeProto* const quantize = graph.add_node();
  *quantize = quantizer;
  quantize->set_name(prefix + "_quantize");
  quantize->set_output(0, prefix + "_codes");
  onnx::NodeProto* const dequantize = graph.add_node();
  *dequantize = quantizer;
  dequantize->set_op_type("DequantizeLinear");
  dequantize->set_name(prefix + "_dequantize");
  // Attributes that only one of the two has.
  for (int i = dequantize->attribute_size() - 1; i >= 0; --i) {
    const std::string& name = dequantize->attribute(i).name();
    if (name != "axis" && name != "block_size") {
      dequantize->mutable_attribute()->DeleteSubrange(i, 1);
    }
  }
  dequantize->set_input(0, prefix + "_codes");
  dequantize->set_output(0, prefix + "_alone");
  return prefix + "_alone";
}

}  // namespace

Feeds LayersAlone::With(const Feeds& feeds,
                        std::span<const Tensor> real_layers) const {
  Feeds all;
  for (const Feed& feed : feeds) {
    all.push_back({feed.name, feed.tensor.Clone()});
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    all.push_back({inputs[i], real_layers[i].Clone()});
  }
  return all;
}

Result<LayersAlone> CutAtLayers(Model& quantized,
                                std::span<const TensorPair> layers) {
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, CloneModel(quantized));
  onnx::GraphProto& graph = *model.proto().mutable_graph();
  const auto quantizers = QuantizersOf(graph);
  std::vector<std::string> inputs;
  std::map<std::string, std::string> input_of;  // by the layer's tensor
  for (const TensorPair& layer : layers) {
    if (!quantizers.contains(layer.float_name)) {
      return InvalidArgument("'" + layer.float_name +
                             "' is read by no QuantizeLinear");
    }
    inputs.push_back("zeropoint_real_" + layer.float_name);
    input_of.emplace(layer.float_name, inputs.back());
    onnx::ValueInfoProto* const input = graph.add_input();
    input->set_name(inputs.back());
    input->mutable_type()->mutable_tensor_type()->set_elem_type(
        onnx::TensorProto::FLOAT);
  }
  const auto cut = PlacesToCut(graph, input_of);
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    for (std::string& name : *node.mutable_input()) {
      const auto to = cut.find(name);
      if (to != cut.end()) name = to->second;
    }
  }
  std::vector<std::string> taps;
  for (const TensorPair& layer : layers) {
    taps.push_back(AppendPair(quantizers.at(layer.float_name),
                              "zeropoint_" + layer.float_name, graph));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(Model checked,
                             Model::FromProto(std::move(model.proto())));
  return LayersAlone{std::move(checked), std::move(inputs), std::move(taps)};
}

}  // namespace zeropoint

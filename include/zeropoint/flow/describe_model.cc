#include "zeropoint/flow/describe_model.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

namespace {

std::string FormOf(const std::map<std::string, std::size_t>& operators) {
  std::string form;
  const auto add = [&form](const char* name) {
    form += (form.empty() ? "" : "+") + std::string(name);
  };
  bool qoperator = false;
  bool integer = false;
  for (const auto& [op_type, count] : operators) {
    qoperator = qoperator || op_type.find("QLinear") != std::string::npos ||
                op_type.find("QGemm") != std::string::npos;
    integer = integer || op_type == "ConvInteger" || op_type == "MatMulInteger";
  }
  if (qoperator) add("qoperator");
  if (integer) add("integer");
  // Q and DQ alone also stand at the border of the other forms.
  if (!qoperator && !integer && operators.contains("DequantizeLinear")) {
    add("qdq");
  }
  return form.empty() ? "float" : form;
}

}  // namespace

std::vector<NodeDescription> DescribeNodes(const GraphView& graph) {
  std::vector<NodeDescription> nodes;
  for (const NodeId id : graph.nodes()) {
    const onnx::NodeProto& proto = graph.node(id);
    NodeDescription& node = nodes.emplace_back();
    node.name = proto.name();
    node.op_type =
        (proto.domain().empty() ? "" : proto.domain() + ".") + proto.op_type();
    node.inputs.assign(proto.input().begin(), proto.input().end());
    node.outputs.assign(proto.output().begin(), proto.output().end());
  }
  return nodes;
}

Result<ModelDescription> DescribeModel(Model& model) {
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
  ModelDescription description;
  description.ir_version = model.proto().ir_version();
  for (const auto& import : model.proto().opset_import()) {
    description.opsets[import.domain().empty() ? "ai.onnx" : import.domain()] =
        import.version();
  }
  description.producer = model.proto().producer_name();
  description.inputs = DescribeInputs(model);
  description.outputs = OutputNames(model);
  const auto count = [&](DataType type, std::size_t elements) {
    StoredElements& stored =
        description.constants[std::string(DataTypeName(type))];
    ++stored.tensors;
    stored.bytes += BytesOf(type, elements);
  };
  description.nodes = DescribeNodes(graph);
  for (const NodeDescription& node : description.nodes) {
    ++description.operators[node.op_type];
  }
  for (const NodeId id : graph.nodes_of_type("Constant")) {
    const ValueId value = graph.output(id, 0);
    const auto shape = graph.shape(value);
    const auto elements = shape ? ElementCount(*shape) : std::nullopt;
    if (elements) count(graph.element_type(value), *elements);
  }
  for (std::size_t i = 0; i < graph.scope_count(); ++i) {
    for (const ValueId value : graph.initializers(static_cast<ScopeId>(i))) {
      const onnx::TensorProto* tensor = graph.initializer(value);
      const auto elements = ElementCount(DimsOf(*tensor));
      if (elements) count(ElementType(*tensor), *elements);
    }
  }
  description.form = FormOf(description.operators);
  return description;
}

}  // namespace zeropoint

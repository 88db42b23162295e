// What this library does not understand survives: a model that uses every field
// of the format comes back byte for byte.
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/testing.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/rewriter.h"

namespace zeropoint {
namespace {

// Field 2000, which no version of the format has, in every message. Appended
// bytes stand where a reader keeps what it does not know.
template <class Message>
void AddUnknown(Message& message) {
  message.mutable_unknown_fields()->append("\x82\x7d\x03new");
}

template <class Message>
void AddMetadata(Message& message) {
  auto& entry = *message.add_metadata_props();
  entry.set_key("key");
  entry.set_value("value");
  AddUnknown(entry);
  AddUnknown(message);
}

template <class Shape>
void FillShape(Shape& shape) {
  shape.add_dim()->set_dim_value(2);
  shape.add_dim()->set_dim_param("N");
  auto& any = *shape.add_dim();
  any.set_denotation("DATA_CHANNEL");
  AddUnknown(any);
  AddUnknown(shape);
}

onnx::TypeProto TensorType() {
  onnx::TypeProto type;
  type.mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  FillShape(*type.mutable_tensor_type()->mutable_shape());
  AddUnknown(*type.mutable_tensor_type());
  type.set_denotation("IMAGE");
  AddUnknown(type);
  return type;
}

// One of each kind of type.
template <class Field>
void FillTypes(Field& types) {
  *types.Add() = TensorType();
  *types.Add()->mutable_sequence_type()->mutable_elem_type() = TensorType();
  auto& map = *types.Add()->mutable_map_type();
  map.set_key_type(onnx::TensorProto::STRING);
  *map.mutable_value_type() = TensorType();
  *types.Add()->mutable_optional_type()->mutable_elem_type() = TensorType();
  auto& sparse = *types.Add()->mutable_sparse_tensor_type();
  sparse.set_elem_type(onnx::TensorProto::FLOAT);
  FillShape(*sparse.mutable_shape());
  auto& opaque = *types.Add()->mutable_opaque_type();
  opaque.set_domain("mine");
  opaque.set_name("Thing");
  AddUnknown(opaque);
}

// One of each typed field; each tensor has a name from `prefix`.
template <class Field>
void FillTensors(Field& tensors, const std::string& prefix) {
  const auto add = [&](int type, bool scalar) -> onnx::TensorProto& {
    onnx::TensorProto& tensor = *tensors.Add();
    tensor.set_name(prefix + std::to_string(tensors.size()));
    tensor.set_data_type(type);
    if (!scalar) tensor.add_dims(1);
    return tensor;
  };
  add(onnx::TensorProto::FLOAT, true).add_float_data(1.5F);
  add(onnx::TensorProto::INT8, false).add_int32_data(-3);
  add(onnx::TensorProto::STRING, false).add_string_data("text");
  add(onnx::TensorProto::INT64, false).add_int64_data(1LL << 40);
  add(onnx::TensorProto::DOUBLE, false).add_double_data(0.1);
  add(onnx::TensorProto::UINT64, false).add_uint64_data(~0ULL);
  add(onnx::TensorProto::UINT4, false).set_raw_data("\x05");
  add(99, false).set_raw_data("a type of tomorrow");
  onnx::TensorProto& last = add(onnx::TensorProto::FLOAT, false);
  last.set_raw_data(std::string("\x01\x02\x03\x7f", 4));
  last.set_doc_string("documentation");
  last.mutable_segment()->set_begin(0);
  last.mutable_segment()->set_end(1);
  last.set_data_location(onnx::TensorProto::DEFAULT);
  AddMetadata(last);
}

void FillSparse(onnx::SparseTensorProto& sparse, const std::string& name) {
  sparse.mutable_values()->set_name(name);
  sparse.mutable_values()->set_data_type(onnx::TensorProto::FLOAT);
  sparse.mutable_values()->add_dims(1);
  sparse.mutable_values()->add_float_data(7.0F);
  sparse.mutable_indices()->set_data_type(onnx::TensorProto::INT64);
  sparse.mutable_indices()->add_dims(1);
  sparse.mutable_indices()->add_int64_data(2);
  sparse.add_dims(4);
  AddUnknown(sparse);
}

void FillValue(onnx::ValueInfoProto& value, const std::string& name) {
  value.set_name(name);
  *value.mutable_type() = TensorType();
  value.set_doc_string("a value");
  AddMetadata(value);
}

void FillGraph(onnx::GraphProto& graph, const std::string& prefix, int depth);

void FillAttributes(onnx::NodeProto& node, const std::string& prefix,
                    int depth) {
  int count = 0;
  const auto add = [&](auto type) -> onnx::AttributeProto& {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name("attribute_" + std::to_string(count++));
    attribute.set_type(type);
    attribute.set_doc_string("an attribute");
    AddUnknown(attribute);
    return attribute;
  };
  using A = onnx::AttributeProto;
  add(A::FLOAT).set_f(0.25F);
  add(A::INT).set_i(-1);
  add(A::STRING).set_s(std::string("bytes\0\xff", 7));
  auto& floats = add(A::FLOATS);
  floats.add_floats(1.0F);
  floats.add_floats(-0.0F);
  add(A::INTS).add_ints(5);
  add(A::INTS);  // an empty list
  add(A::STRINGS).add_strings("s");
  onnx::GraphProto tensors;
  FillTensors(*tensors.mutable_initializer(), "attribute");
  *add(A::TENSOR).mutable_t() = tensors.initializer(8);
  add(A::TENSORS).mutable_tensors()->Swap(tensors.mutable_initializer());
  FillSparse(*add(A::SPARSE_TENSOR).mutable_sparse_tensor(), "");
  FillSparse(*add(A::SPARSE_TENSORS).add_sparse_tensors(), "");
  *add(A::TYPE_PROTO).mutable_tp() = TensorType();
  FillTypes(*add(A::TYPE_PROTOS).mutable_type_protos());
  if (depth == 0) return;
  FillGraph(*add(A::GRAPH).mutable_g(), prefix + "_g", depth - 1);
  auto& graphs = add(A::GRAPHS);
  FillGraph(*graphs.add_graphs(), prefix + "_gs0", depth - 1);
  FillGraph(*graphs.add_graphs(), prefix + "_gs1", depth - 1);
}

void FillNode(onnx::NodeProto& node, const std::string& prefix, int depth) {
  node.add_input(prefix + "_in");
  node.add_input("");
  node.add_output(prefix + "_out");
  node.add_output("");
  node.set_name(prefix + "_node");
  node.set_op_type("Strange");
  node.set_domain("mine");
  node.set_overload("v2");
  node.set_doc_string("a node");
  FillAttributes(node, prefix, depth);
  auto& device = *node.add_device_configurations();
  device.set_configuration_id("gpus");
  device.set_pipeline_stage(1);
  auto& sharding = *device.add_sharding_spec();
  sharding.set_tensor_name(prefix + "_in");
  sharding.add_device(0);
  auto& group = *sharding.add_index_to_device_group_map();
  group.set_key(1);
  group.add_value(2);
  auto& sharded = *sharding.add_sharded_dim();
  sharded.set_axis(0);
  sharded.add_simple_sharding()->set_dim_value(3);
  auto& simple = *sharded.add_simple_sharding();
  simple.set_dim_param("N");
  simple.set_num_shards(4);
  AddMetadata(node);
}

void FillGraph(onnx::GraphProto& graph, const std::string& prefix, int depth) {
  graph.set_name(prefix);
  graph.set_doc_string("a graph");
  FillValue(*graph.add_input(), prefix + "_in");
  FillNode(*graph.add_node(), prefix, depth);
  FillValue(*graph.add_output(), prefix + "_out");
  FillValue(*graph.add_value_info(), prefix + "_unknown_value");
  google::protobuf::RepeatedPtrField<onnx::TypeProto> types;
  FillTypes(types);
  for (const auto& type : types) {
    auto& info = *graph.add_value_info();
    info.set_name(prefix + "_other_" + std::to_string(graph.value_info_size()));
    *info.mutable_type() = type;
  }
  FillTensors(*graph.mutable_initializer(), prefix + "_weight_");
  FillSparse(*graph.add_sparse_initializer(), prefix + "_sparse");
  auto& annotation = *graph.add_quantization_annotation();
  annotation.set_tensor_name(prefix + "_out");
  auto& parameter = *annotation.add_quant_parameter_tensor_names();
  parameter.set_key("SCALE_TENSOR");
  parameter.set_value(prefix + "_weight_1");
  AddUnknown(annotation);
  AddMetadata(graph);
}

onnx::ModelProto EveryField() {
  onnx::ModelProto model;
  model.set_ir_version(14);
  model.set_producer_name("producer");
  model.set_producer_version("1.2");
  model.set_domain("org.example");
  model.set_model_version(7);
  model.set_doc_string("a model");
  model.add_opset_import()->set_version(28);
  auto& mine = *model.add_opset_import();
  mine.set_domain("mine");
  mine.set_version(3);
  AddUnknown(mine);
  FillGraph(*model.mutable_graph(), "main", 2);

  auto& training = *model.add_training_info();
  FillGraph(*training.mutable_initialization(), "initialization", 0);
  FillGraph(*training.mutable_algorithm(), "algorithm", 1);
  training.add_initialization_binding()->set_key("main_weight_1");
  training.add_update_binding()->set_value("main_weight_2");
  AddUnknown(training);

  auto& function = *model.add_functions();
  function.set_name("Strange");
  function.set_domain("mine");
  function.set_overload("v2");
  function.set_doc_string("a function");
  function.add_input("function_in");
  function.add_output("function_out");
  function.add_attribute("required");
  FillNode(*function.add_node(), "function", 1);
  auto& reference = *function.mutable_node(0)->add_attribute();
  reference.set_name("passed_on");
  reference.set_ref_attr_name("required");
  reference.set_type(onnx::AttributeProto::INT);
  *function.add_attribute_proto() = function.node(0).attribute(0);
  *function.add_opset_import() = mine;
  FillValue(*function.add_value_info(), "function_in");
  AddMetadata(function);

  auto& configuration = *model.add_configuration();
  configuration.set_name("gpus");
  configuration.set_num_devices(2);
  configuration.add_device("0");
  AddUnknown(configuration);
  AddMetadata(model);
  return model;
}

BOOST_AUTO_TEST_SUITE(fidelity)

BOOST_AUTO_TEST_CASE(LoadAndSaveKeepEveryByte) {
  const TempFolder folder;
  const std::string bytes = EveryField().SerializeAsString();
  const auto model = Model::Load(folder.Write("in.onnx", bytes));
  REQUIRE_OK(model);
  REQUIRE_OK(model->Save(folder.File("out.onnx")));
  BOOST_TEST((folder.Read("out.onnx") == bytes));
}

// External weights leave the proto for the time of a write, and return.
BOOST_AUTO_TEST_CASE(SavingDoesNotChangeTheModel) {
  const TempFolder folder;
  auto model = Model::FromProto(EveryField());
  REQUIRE_OK(model);
  const std::string bytes = model->proto().SerializeAsString();
  REQUIRE_OK(model->Save(folder.File("out.onnx"),
                         {.external_data = ExternalDataPolicy::kAlways,
                          .external_data_threshold = 1}));
  BOOST_TEST((model->proto().SerializeAsString() == bytes));
  BOOST_TEST((folder.Read("out.onnx") != bytes));
}

BOOST_AUTO_TEST_CASE(ViewAndIdleRewriterKeepEveryByte) {
  auto model = Model::FromProto(EveryField());
  REQUIRE_OK(model);
  const std::string bytes = model->proto().SerializeAsString();
  auto view = GraphView::Over(*model);
  REQUIRE_OK(view);
  BOOST_TEST(view->scope_count() == 1U + 3U + 9U);
  REQUIRE_OK(Rewriter(*view).Finish());
  BOOST_TEST((model->proto().SerializeAsString() == bytes));
}

// An edit leaves the rest alone: undoing it by hand gives the old bytes.
BOOST_AUTO_TEST_CASE(EditsTouchNothingElse) {
  auto model = Model::FromProto(EveryField());
  REQUIRE_OK(model);
  const std::string bytes = model->proto().SerializeAsString();
  auto view = GraphView::Over(*model);
  REQUIRE_OK(view);
  Rewriter rewriter(*view);
  rewriter.Add("Identity", {view->Find("main_out")},
               {rewriter.NewValue("copy")});
  REQUIRE_OK(rewriter.Finish());
  BOOST_TEST((model->proto().SerializeAsString() != bytes));
  model->proto().mutable_graph()->mutable_node()->RemoveLast();
  BOOST_TEST((model->proto().SerializeAsString() == bytes));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

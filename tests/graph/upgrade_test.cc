#include "zeropoint/graph/upgrade.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/graph/parse_model.h"

namespace zeropoint {
namespace {

using testing::ParseProto;

Model OldModel(const std::string& header, const std::string& graph) {
  auto model = Model::FromProto(ParseProto("<" + header + ">" + graph));
  BOOST_REQUIRE_MESSAGE(model.ok(), model.status().message());
  return std::move(model).value();
}

void Upgrade(Model& model, std::int64_t opset) {
  const Status upgraded = UpgradeOpset(model, opset);
  BOOST_REQUIRE_MESSAGE(upgraded.ok(), upgraded.message());
  const Status checked = CheckModel(model);
  BOOST_TEST(checked.ok(), checked.message());
  BOOST_TEST(model.opset() == opset);
}

const onnx::NodeProto* FindNode(const Model& model, std::string_view op_type) {
  for (const auto& node : model.proto().graph().node()) {
    if (node.op_type() == op_type) return &node;
  }
  return nullptr;
}

BOOST_AUTO_TEST_SUITE(upgrade)

BOOST_AUTO_TEST_CASE(LeavesWhatIsNewEnoughAlone) {
  Model model = OldModel("ir_version: 8, opset_import: [\"\" : 17]", R"(
    g (float[N] x) => (float[N] y) { y = Relu(x) })");
  const std::string before = model.proto().SerializeAsString();
  Upgrade(model, 17);
  BOOST_TEST(UpgradeOpset(model, 13).ok());
  BOOST_TEST(model.proto().SerializeAsString() == before);
}

BOOST_AUTO_TEST_CASE(RaisesTheIrVersionAlone) {
  Model model = OldModel("ir_version: 4, opset_import: [\"\" : 17]", R"(
    g (float[N] x) => (float[N] y) { y = Relu(x) })");
  Upgrade(model, 17);
  BOOST_TEST(model.proto().ir_version() == 8);
}

BOOST_AUTO_TEST_CASE(AttributeBecomesInput) {
  Model model = OldModel("ir_version: 6, opset_import: [\"\" : 11]", R"(
    g (float[2, 1, 3] x) => (float[2, 3] y) {
      [squeeze] y = Squeeze <axes = [1]> (x)
    })");
  Upgrade(model, 13);
  const onnx::NodeProto* squeeze = FindNode(model, "Squeeze");
  BOOST_REQUIRE(squeeze != nullptr);
  BOOST_TEST(squeeze->name() == "squeeze");
  BOOST_TEST(squeeze->input_size() == 2);
  BOOST_TEST(squeeze->attribute_size() == 0);
  BOOST_TEST(model.proto().ir_version() == 7);
}

// What the converter's own representation has no place for.
BOOST_AUTO_TEST_CASE(KeepsWhatTheConverterDrops) {
  Model model = OldModel(
      "ir_version: 6, opset_import: [\"\" : 11, \"my.domain\" : 3]", R"(
    g (float[2, 3] x) => (float[2, 3] y)
    <float[3] w = {1, 2, 3}> {
      c = Constant <value = float[2, 3] {1, 2, 3, 4, 5, 6}> ()
      a = my.domain.Strange <level = 7> (x)
      b = Add(a, w)
      d = Mul(b, c)
      [softmax] y = Softmax <axis = 1> (d)
    })");
  onnx::ModelProto& proto = model.proto();
  proto.set_producer_name("someone");
  proto.mutable_graph()->set_doc_string("about the graph");
  auto& annotation = *proto.mutable_graph()->add_quantization_annotation();
  annotation.set_tensor_name("b");
  auto& constant = *proto.mutable_graph()->mutable_node(0);
  constant.set_doc_string("about the constant");
  constant.mutable_attribute(0)->set_doc_string("about the attribute");
  constant.mutable_attribute(0)->mutable_t()->set_doc_string("and its tensor");
  constant.mutable_unknown_fields()->append("\xfa\x7f\x01z");
  auto& property =
      *proto.mutable_graph()->mutable_node(4)->add_metadata_props();
  property.set_key("scope");
  property.set_value("/classifier");
  proto.mutable_graph()->mutable_initializer(0)->set_doc_string("a weight");
  const std::string weight = proto.graph().initializer(0).SerializeAsString();
  const std::string constant_before = constant.SerializeAsString();
  const std::string strange = proto.graph().node(1).SerializeAsString();

  const Status upgraded = UpgradeOpset(model, 17);
  BOOST_REQUIRE_MESSAGE(upgraded.ok(), upgraded.message());
  BOOST_TEST(model.opset() == 17);
  BOOST_TEST(model.opset("my.domain") == 3);
  BOOST_TEST(proto.producer_name() == "someone");
  BOOST_TEST(proto.graph().doc_string() == "about the graph");
  BOOST_TEST(proto.graph().quantization_annotation_size() == 1);
  BOOST_TEST(proto.graph().initializer(0).SerializeAsString() == weight);
  BOOST_TEST(FindNode(model, "Constant")->SerializeAsString() ==
             constant_before);
  BOOST_TEST(FindNode(model, "Strange")->SerializeAsString() == strange);
  const onnx::NodeProto* softmax = FindNode(model, "Softmax");
  BOOST_TEST(softmax->name() == "softmax");
  BOOST_REQUIRE(softmax->metadata_props_size() == 1);
  BOOST_TEST(softmax->metadata_props(0).value() == "/classifier");
  BOOST_TEST(softmax->doc_string().empty());
}

BOOST_AUTO_TEST_CASE(LargeConstantsComeBack) {
  Model model = OldModel("ir_version: 6, opset_import: [\"\" : 11]", R"(
    g (float[1, 5000] x) => (float[1, 5000] y) {
      c = Constant <value = float[1] {1}> ()
      a = Add(x, c)
      y = Add(a, w)
    })");
  onnx::GraphProto& graph = *model.proto().mutable_graph();
  std::vector<float> values(5000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i);
  }
  const Dims dims = {1, 5000};
  *graph.add_initializer() = EncodeValues<float>("w", dims, values);
  *graph.mutable_node(0)->mutable_attribute(0)->mutable_t() =
      EncodeValues<float>("", dims, values);
  const std::string initializer = graph.initializer(0).SerializeAsString();
  const std::string constant = graph.node(0).SerializeAsString();
  Upgrade(model, 21);
  BOOST_TEST((graph.initializer(0).SerializeAsString() == initializer));
  BOOST_TEST((graph.node(0).SerializeAsString() == constant));
}

// A Softmax of opset 11 becomes three nodes, with new names in each scope.
BOOST_AUTO_TEST_CASE(BodiesAreUpgradedAndNamesStayUnique) {
  Model model = OldModel("ir_version: 6, opset_import: [\"\" : 11]", R"(
    g (float[2, 3, 4] x, bool c) => (float[2, 3, 4] y, float[2, 3, 4] z) {
      z = Softmax <axis = 1> (x)
      n = Neg(x)
      y = If (c) <
        then_branch = g1 () => (float[2, 3, 4] t) {
          k = Constant <value = float[1] {2}> ()
          m = Mul(n, k)
          t = Softmax <axis = 1> (m)
        },
        else_branch = g2 () => (float[2, 3, 4] e) {
          r = Softmax <axis = 1> (n)
          e = Softmax <axis = 2> (r)
        }>
    })");
  Upgrade(model, 13);
  auto view = GraphView::Over(model);
  BOOST_REQUIRE_MESSAGE(view.ok(), view.status().message());
  BOOST_TEST(view->nodes_of_type("Softmax").size() == 4U);
  BOOST_TEST(view->nodes_of_type("Flatten").size() == 3U);
  for (const NodeId node : view->nodes()) {
    BOOST_TEST(view->node(node).doc_string().empty());
  }
}

BOOST_AUTO_TEST_CASE(InitializersListedAsInputsStayConstants) {
  Model model = OldModel("ir_version: 3, opset_import: [\"\" : 8]", R"(
    g (float[2] x, float[2] w) => (float[2] y)
    <float[2] w = {1, 2}> { y = Add(x, w) })");
  Upgrade(model, 13);
  BOOST_TEST(model.proto().graph().input_size() == 1);
  auto view = GraphView::Over(model);
  BOOST_REQUIRE(view.ok());
  BOOST_TEST(view->IsConstant(view->Find("w")));
}

void Refuses(Model& model, std::string_view word) {
  const std::string before = model.proto().SerializeAsString();
  const Status status = UpgradeOpset(model, 17);
  BOOST_TEST(!status.ok());
  BOOST_TEST(status.message().find(word) != std::string::npos,
             status.message());
  BOOST_TEST((model.proto().SerializeAsString() == before));
}

BOOST_AUTO_TEST_CASE(RefusesWhatItWouldLeaveBehind) {
  const std::string header = "ir_version: 8, opset_import: [\"\" : 11]";
  const std::string graph = R"(
    g (float[N] x) => (float[N] y) { y = Relu(x) })";
  Model functions = OldModel(header, graph);
  functions.proto().add_functions()->set_name("my_function");
  Refuses(functions, "my_function");

  Model training = OldModel(header, graph);
  training.proto().add_training_info();
  Refuses(training, "training");

  Model sparse = OldModel(header, graph);
  auto& values = *sparse.proto()
                      .mutable_graph()
                      ->add_sparse_initializer()
                      ->mutable_values();
  values.set_name("s");
  Refuses(sparse, "sparse");

  Model unknown = OldModel(header, R"(
    g (float[N] x) => (float[N] y) { y = Nonsense(x) })");
  Refuses(unknown, "Nonsense");

  Model custom =
      OldModel("ir_version: 8, opset_import: [\"\" : 11, \"mine\" : 1]", R"(
    g (float[N] x) => (float[N] y) {
      [keeper] y = mine.Keep <body = b () => (float[N] t) { t = Relu(x) }> (x)
    })");
  Refuses(custom, "keeper");

  Model none = OldModel(header, graph);
  none.proto().mutable_opset_import(0)->set_domain("mine");
  Refuses(none, "default operator set");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

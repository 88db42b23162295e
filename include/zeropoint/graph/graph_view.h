// GraphView: an index over a Model: who produces a value, who uses it, what it
// is. The ModelProto stays the graph; Rewriter (rewriter.h) is the only way to
// edit it while a view exists.
//
// Every scope is indexed: the main graph and the bodies of If, Loop and Scan. A
// use inside a body counts as a use of the outer value. Local functions are
// opaque. Building is linear in the size of the graph.
#ifndef ZEROPOINT_GRAPH_GRAPH_VIEW_H_
#define ZEROPOINT_GRAPH_GRAPH_VIEW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/onnx_pb.h"
#include "zeropoint/core/assert.h"
#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_indexer.h"
#include "zeropoint/graph/graph_tables.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

class Rewriter;

/// Ids stay valid as long as the view, also those of erased nodes. The model
/// must outlive the view and be edited through Rewriter only.
class GraphView {
 public:
  /// Indexes `model`.
  /// Errors: kInvalidModel for a name that is defined twice or not at all,
  /// nodes out of topological order, a cycle; kUnsupported for bodies nested
  /// deeper than kMaxScopeDepth.
  static Result<GraphView> Over(Model& model) {
    GraphView view(model);
    ZEROPOINT_RETURN_IF_ERROR(
        internal::GraphIndexer(view.tables_).IndexModel(model.proto()));
    return view;
  }

  const Model& model() const { return *model_; }
  Model& model() { return *model_; }

  // --- Scopes ---------------------------------------------------------------

  /// Ids run from kMainScope; a scope whose node was erased has no nodes.
  std::size_t scope_count() const { return tables_.scopes.size(); }
  /// The bodies of a node, in attribute order; empty for most.
  std::span<const ScopeId> bodies(NodeId node) const {
    return tables_.at(node).bodies;
  }
  ScopeId scope(NodeId node) const { return tables_.at(node).scope; }
  ScopeId scope(ValueId value) const { return tables_.at(value).scope; }
  /// kNoScope for the main graph.
  ScopeId parent(ScopeId scope) const { return tables_.at(scope).parent; }
  /// The node whose body `scope` is; kNoNode for the main graph.
  NodeId owner(ScopeId scope) const { return tables_.at(scope).owner; }
  /// The formal inputs and outputs of a scope, in their order.
  std::span<const ValueId> graph_inputs(ScopeId scope = kMainScope) const {
    return tables_.at(scope).inputs;
  }
  std::span<const ValueId> graph_outputs(ScopeId scope = kMainScope) const {
    return tables_.at(scope).outputs;
  }
  /// The initializers that belong to a scope, in file order.
  std::vector<ValueId> initializers(ScopeId scope = kMainScope) const {
    std::vector<ValueId> found;
    for (const auto& tensor : tables_.at(scope).graph->initializer()) {
      const ValueId value = Find(tensor.name(), scope);
      if (initializer(value) == &tensor) found.push_back(value);
    }
    return found;
  }

  // --- Nodes ----------------------------------------------------------------

  /// Live nodes of one scope in topological order; those that a Rewriter added
  /// stand at the end until its Finish.
  std::vector<NodeId> nodes(ScopeId scope) const {
    return Live(tables_.at(scope).nodes);
  }
  /// Of all scopes, outer ones first.
  std::vector<NodeId> nodes() const {
    std::vector<NodeId> all;
    for (const auto& scope : tables_.scopes) {
      for (const NodeId node : scope.nodes) {
        if (alive(node)) all.push_back(node);
      }
    }
    return all;
  }
  /// Live nodes of an operator in all scopes, in the order of nodes(). The
  /// domain is "" (ai.onnx) or another's name.
  std::vector<NodeId> nodes_of_type(std::string_view op_type,
                                    std::string_view domain = "") const {
    const auto known = tables_.nodes_of_type.find(op_type);
    if (known == tables_.nodes_of_type.end()) return {};
    std::vector<NodeId> found = Live(known->second);
    std::erase_if(found, [&](NodeId id) {
      return !SameDomain(node(id).domain(), domain);
    });
    return found;
  }
  /// Requires: the node is alive.
  /// Ids run from 0; erased nodes are counted.
  std::size_t node_count() const { return tables_.nodes.size(); }
  const onnx::NodeProto& node(NodeId node) const {
    ZEROPOINT_ASSERT(alive(node), "GraphView::node needs a live node");
    return *tables_.at(node).proto;
  }
  bool alive(NodeId node) const { return tables_.at(node).alive; }
  /// kNoValue stands for an omitted optional one.
  std::span<const ValueId> inputs(NodeId node) const {
    return tables_.at(node).inputs;
  }
  std::span<const ValueId> outputs(NodeId node) const {
    return tables_.at(node).outputs;
  }
  /// Input `i`, kNoValue when the node has fewer.
  ValueId input(NodeId node, std::size_t i) const {
    const auto all = inputs(node);
    return i < all.size() ? all[i] : kNoValue;
  }
  ValueId output(NodeId node, std::size_t i) const {
    const auto all = outputs(node);
    return i < all.size() ? all[i] : kNoValue;
  }

  // --- Values ---------------------------------------------------------------

  std::size_t value_count() const { return tables_.values.size(); }
  std::string_view name(ValueId value) const { return tables_.at(value).name; }
  /// kNoNode for graph inputs, initializers and values that lost theirs.
  NodeId producer(ValueId value) const { return tables_.at(value).producer; }
  /// Inputs of live nodes that read the value, those in bodies included. A
  /// graph output is not a use: see is_graph_output.
  std::span<const Use> uses(ValueId value) const {
    return tables_.at(value).uses;
  }
  /// True when one node input and nothing else reads the value.
  bool has_single_use(ValueId value) const {
    return uses(value).size() == 1 && !is_graph_output(value);
  }
  /// Of the main graph or of a body.
  bool is_graph_output(ValueId value) const {
    return tables_.at(value).is_graph_output;
  }
  bool is_graph_input(ValueId value) const {
    return tables_.at(value).is_graph_input;
  }
  /// nullptr when there is none. See IsConstant.
  const onnx::TensorProto* initializer(ValueId value) const {
    return value == kNoValue ? nullptr : tables_.at(value).initializer;
  }
  /// True for the output of a Constant node that holds a tensor or numbers, and
  /// for an initializer, unless it is also a graph input: then it is a default
  /// that the caller may override (from IR version 4 on; before, every
  /// initializer had to be listed and none could be overridden).
  bool IsConstant(ValueId value) const {
    if (value == kNoValue) return false;
    if (initializer(value) != nullptr) {
      return !is_graph_input(value) || model_->proto().ir_version() < 4;
    }
    return ConstantAttribute(value) != nullptr;
  }
  /// The value of a constant; of a large one only a view, with `scratch` as in
  /// Model::Data.
  /// Errors: kInvalidArgument when it is none; Model::Data's.
  Result<TensorView> ConstantView(ValueId value, Tensor& scratch) const;
  /// A copy of it.
  Result<Tensor> Constant(ValueId value) const {
    Tensor scratch;
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView view,
                               ConstantView(value, scratch));
    if (scratch.data() != nullptr && view.data() == scratch.data()) {
      return scratch;
    }
    return Tensor::CopyOf(view);
  }
  /// Says that a constant is not read again soon; see Model::Forget.
  void ForgetConstant(ValueId value) const {
    if (initializer(value) != nullptr) model_->Forget(*initializer(value));
  }
  /// Declared in the model or set since (by inference or by a pass); nullptr
  /// when unknown. Initializers are declared only when they are also inputs or
  /// outputs: element_type and shape know the others too.
  const onnx::TypeProto* type(ValueId value) const {
    return tables_.at(value).type;
  }
  /// What inference found (infer_types.h). The model does not change.
  void NoteType(ValueId value, onnx::TypeProto type) {
    tables_.at(value).type = &tables_.own_types.emplace_back(std::move(type));
  }
  /// kUndefined when unknown or not a tensor.
  DataType element_type(ValueId value) const;
  /// All axes, when all are known; nothing otherwise.
  std::optional<Dims> shape(ValueId value) const;
  /// The value called `name` as `scope` sees it (its own or an outer scope's);
  /// kNoValue when there is none.
  ValueId Find(std::string_view name, ScopeId scope = kMainScope) const {
    return tables_.Find(name, scope);
  }

 private:
  friend class Rewriter;

  explicit GraphView(Model& model) : model_(&model) {}

  std::vector<NodeId> Live(const std::vector<NodeId>& all) const {
    std::vector<NodeId> live;
    live.reserve(all.size());
    for (const NodeId node : all) {
      if (alive(node)) live.push_back(node);
    }
    return live;
  }
  static bool SameDomain(std::string_view a, std::string_view b) {
    const auto shorten = [](std::string_view domain) {
      return domain == "ai.onnx" ? std::string_view() : domain;
    };
    return shorten(a) == shorten(b);
  }
  // The value attribute of the Constant node that produces `value`, or nullptr.
  const onnx::AttributeProto* ConstantAttribute(ValueId value) const;
  const onnx::TensorProto* ConstantTensor(ValueId value) const;

  Model* model_;
  internal::GraphTables tables_;
};

/// A view of a model that must not change: read access to a GraphView.
class ConstGraphView {
 public:
  static Result<ConstGraphView> Over(const Model& model) {
    // Indexing only reads; nothing but const access to the view is given out.
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView view,
                               GraphView::Over(const_cast<Model&>(model)));
    return ConstGraphView(std::move(view));
  }
  const GraphView& operator*() const { return view_; }
  const GraphView* operator->() const { return &view_; }

 private:
  explicit ConstGraphView(GraphView view) : view_(std::move(view)) {}
  GraphView view_;
};

inline const onnx::AttributeProto* GraphView::ConstantAttribute(
    ValueId value) const {
  const NodeId from = value == kNoValue ? kNoNode : producer(value);
  if (from == kNoNode || node(from).op_type() != "Constant" ||
      !SameDomain(node(from).domain(), "")) {
    return nullptr;
  }
  for (const char* name :
       {"value", "value_float", "value_floats", "value_int", "value_ints"}) {
    const onnx::AttributeProto* attribute = FindAttribute(node(from), name);
    // Inside a local function an attribute may only refer to the caller's.
    if (attribute != nullptr && attribute->ref_attr_name().empty()) {
      return attribute;
    }
  }
  return nullptr;
}

inline const onnx::TensorProto* GraphView::ConstantTensor(ValueId value) const {
  if (initializer(value) != nullptr) return initializer(value);
  const onnx::AttributeProto* attribute = ConstantAttribute(value);
  return attribute != nullptr && attribute->has_t() ? &attribute->t() : nullptr;
}

inline Result<TensorView> GraphView::ConstantView(ValueId value,
                                                  Tensor& scratch) const {
  if (!IsConstant(value)) {
    return InvalidArgument(value == kNoValue
                               ? std::string("an omitted input is no constant")
                               : "\"" + std::string(name(value)) +
                                     "\" is not a constant of the model");
  }
  if (const onnx::TensorProto* tensor = ConstantTensor(value)) {
    return model_->Data(*tensor, scratch);
  }
  const onnx::AttributeProto& attribute = *ConstantAttribute(value);
  if (attribute.name() == "value_float") {
    scratch = Tensor::Of<float>({}, std::array{attribute.f()});
  } else if (attribute.name() == "value_int") {
    scratch = Tensor::Of<std::int64_t>({}, std::array{attribute.i()});
  } else if (attribute.name() == "value_floats") {
    scratch =
        Tensor::Of<float>({attribute.floats_size()},
                          {attribute.floats().data(),
                           static_cast<std::size_t>(attribute.floats_size())});
  } else if (attribute.name() == "value_ints") {
    scratch = Tensor::Of<std::int64_t>(
        {attribute.ints_size()},
        {attribute.ints().data(),
         static_cast<std::size_t>(attribute.ints_size())});
  } else {
    return InvalidModel(NodeLabel(node(producer(value))) +
                        " has no tensor in its attribute \"value\"");
  }
  return scratch.view();
}

inline DataType GraphView::element_type(ValueId value) const {
  if (value == kNoValue) return DataType::kUndefined;
  if (const onnx::TypeProto* declared = type(value)) {
    return static_cast<DataType>(declared->tensor_type().elem_type());
  }
  if (const onnx::TensorProto* tensor = ConstantTensor(value)) {
    return ElementType(*tensor);
  }
  const onnx::AttributeProto* attribute = ConstantAttribute(value);
  if (attribute == nullptr) return DataType::kUndefined;
  return attribute->name().starts_with("value_float") ? DataType::kFloat
                                                      : DataType::kInt64;
}

inline std::optional<Dims> GraphView::shape(ValueId value) const {
  if (value == kNoValue) return std::nullopt;
  if (const onnx::TensorProto* tensor = ConstantTensor(value)) {
    return Dims(tensor->dims().begin(), tensor->dims().end());
  }
  if (const onnx::TypeProto* declared = type(value)) {
    if (!declared->tensor_type().has_shape()) return std::nullopt;
    Dims dims;
    for (const auto& dim : declared->tensor_type().shape().dim()) {
      if (!dim.has_dim_value()) return std::nullopt;
      dims.push_back(dim.dim_value());
    }
    return dims;
  }
  const onnx::AttributeProto* attribute = ConstantAttribute(value);
  if (attribute == nullptr) return std::nullopt;
  if (attribute->name() == "value_floats") {
    return Dims{attribute->floats_size()};
  }
  if (attribute->name() == "value_ints") return Dims{attribute->ints_size()};
  return Dims{};
}

}  // namespace zeropoint

#endif  // ZEROPOINT_GRAPH_GRAPH_VIEW_H_

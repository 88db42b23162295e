// DynamicQuantizer: what the rewrites of dynamic quantization share.
#ifndef ZEROPOINT_PASSES_DYNAMIC_QUANTIZER_H_
#define ZEROPOINT_PASSES_DYNAMIC_QUANTIZER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/form.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/integer_constants.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

/// What DynamicQuantizeLinear makes of a tensor.
struct DynamicActivation {
  ValueId codes = kNoValue;
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
};

/// Edits one graph. Nodes that it adds for a node are called after it.
class DynamicQuantizer {
 public:
  DynamicQuantizer(GraphView& graph, const SchemeSpec& weights,
                   const WeightRounder* rounder = nullptr)
      : graph_(graph),
        weights_(weights),
        rewriter_(graph),
        constants_(graph, rewriter_, rounder) {}

  const GraphView& graph() const { return graph_; }
  Rewriter& rewriter() { return rewriter_; }
  IntegerConstants& constants() { return constants_; }
  /// The scheme of weights; without channels for a tensor with one scale.
  const SchemeSpec& weights() const { return weights_; }

  /// The codes of `real`, quantized by its own range at run time: one
  /// DynamicQuantizeLinear a tensor, in the scope where the tensor is made,
  /// whoever reads it. `half` precision is cast first: the operator takes
  /// float.
  DynamicActivation Activation(ValueId real, bool half) {
    const auto known = activations_.find(real);
    if (known != activations_.end()) return known->second;
    const std::string name(graph_.name(real));
    const ScopeId scope = graph_.scope(real);
    const ValueId source =
        half ? Cast(name, real, DataType::kFloat, scope) : real;
    DynamicActivation made;
    made.codes = rewriter_.NewValue(name + "_quantized", scope);
    made.scale = rewriter_.NewValue(name + "_scale", scope);
    made.zero_point = rewriter_.NewValue(name + "_zero_point", scope);
    Add("DynamicQuantizeLinear", name + "_DynamicQuantizeLinear", {source},
        {made.codes, made.scale, made.zero_point}, scope);
    activations_.emplace(real, made);
    return made;
  }

  ValueId Cast(const std::string& name, ValueId value, DataType to,
               ScopeId scope) {
    const ValueId cast = rewriter_.NewValue(name + "_cast", scope);
    CastTo(name, value, to, cast, scope);
    return cast;
  }
  void CastTo(const std::string& name, ValueId value, DataType to,
              ValueId output, ScopeId scope) {
    const NodeId node = Add("Cast", name + "_Cast", {value}, {output}, scope);
    SetAttribute(rewriter_.MutableNode(node), "to",
                 static_cast<std::int64_t>(to));
  }

  /// Adds a node and returns the value that it makes, called after its name.
  ValueId AddValue(std::string_view op_type, const std::string& name,
                   const std::vector<ValueId>& inputs, ScopeId scope) {
    const ValueId output = rewriter_.NewValue(name + "_output", scope);
    Add(op_type, name, inputs, {output}, scope);
    return output;
  }

  NodeId Add(std::string_view op_type, const std::string& name,
             const std::vector<ValueId>& inputs,
             const std::vector<ValueId>& outputs, ScopeId scope,
             std::string_view domain = "") {
    onnx::NodeProto node;
    node.set_op_type(std::string(op_type));
    node.set_name(name);
    if (!domain.empty()) {
      node.set_domain(std::string(domain));
      Model& model = graph_.model();
      if (model.opset(domain) == 0) model.ImportOpset(domain, 1);
    }
    const auto text = [this](ValueId value) {
      return value == kNoValue ? std::string()
                               : std::string(graph_.name(value));
    };
    for (const ValueId input : inputs) node.add_input(text(input));
    for (const ValueId output : outputs) node.add_output(text(output));
    return rewriter_.Add(std::move(node), scope);
  }

 private:
  GraphView& graph_;
  SchemeSpec weights_;
  Rewriter rewriter_;
  IntegerConstants constants_;
  std::map<ValueId, DynamicActivation> activations_;
};

/// `scheme` with one scale for the whole tensor.
constexpr SchemeSpec PerTensorScheme(SchemeSpec scheme) {
  scheme.per_channel = false;
  scheme.axis = kOperatorAxis;
  return scheme;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_DYNAMIC_QUANTIZER_H_

// insert-qdq: puts QuantizeLinear/DequantizeLinear pairs where the target wants
// them.
#ifndef ZEROPOINT_PASSES_INSERT_QDQ_H_
#define ZEROPOINT_PASSES_INSERT_QDQ_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/reference.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/correct_bias.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/plan_quantization.h"
#include "zeropoint/passes/qdq_nodes.h"
#include "zeropoint/passes/quantization_plan.h"
#include "zeropoint/passes/quantize_tensor.h"

namespace zeropoint {

namespace internal {

/// Carries a plan out.
class QdqInserter {
 public:
  QdqInserter(GraphView& graph, PassContext& context, bool correct_bias)
      : graph_(graph),
        context_(context),
        correct_bias_(correct_bias),
        rewriter_(graph) {}

  Result<PassReport> Run(const QuantizationPlan& plan) {
    for (const PlannedNode& node : plan.nodes) {
      for (const int i : node.operands.activations) {
        quantized_inputs_.insert({node.node, i});
      }
    }
    PassReport report;
    for (const auto& [value, tensor] : plan.tensors) {
      InsertPair(value, tensor);
      ++report.rewrites;
    }
    for (const PlannedNode& node : plan.nodes) {
      ZEROPOINT_RETURN_IF_ERROR(QuantizeOperands(node).WithContext(
          "node '" + NodeLabel(graph_, node.node) + "'"));
      context_.quantized.nodes.push_back(NodeLabel(graph_, node.node));
    }
    for (const NodeId node : plan.absorbed) {
      context_.quantized.nodes.push_back(NodeLabel(graph_, node));
    }
    for (const NodeId node : plan.shielded) Shield(node, plan);
    ZEROPOINT_RETURN_IF_ERROR(rewriter_.Finish());
    return report;
  }

 private:
  const SchemeSpec& activations() const { return context_.target->activations; }

  void InsertPair(ValueId value, const PlannedTensor& tensor) {
    const std::string name(graph_.name(value));
    const std::vector<Use> uses(graph_.uses(value).begin(),
                                graph_.uses(value).end());
    const QdqParams params =
        AddParams(rewriter_, name, {{tensor.params}, TensorQParams::kPerTensor},
                  activations().storage);
    const bool renames =
        tensor.produced_quantized && graph_.is_graph_output(value);
    ValueId real = value;
    ValueId dequantized = value;
    if (renames) {
      // A graph output keeps its name: the pair goes in front of it.
      real = rewriter_.NewValue(name + "_real");
      const NodeId producer = graph_.producer(value);
      const auto outputs = graph_.outputs(producer);
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i] == value) {
          rewriter_.SetOutput(producer, static_cast<int>(i), real);
          break;
        }
      }
    } else {
      dequantized = rewriter_.NewValue(name + "_dequantized");
    }
    const ValueId codes = AddQuantize(rewriter_, name, real, params);
    AddDequantize(rewriter_, name, codes, params, dequantized);
    planned_as_[dequantized] = value;
    for (const Use& use : uses) {
      if (!renames && (tensor.produced_quantized ||
                       quantized_inputs_.contains({use.node, use.input}))) {
        rewriter_.SetInput(use.node, use.input, dequantized);
      }
    }
    context_.quantized.activations.push_back({name, tensor.range, tensor.params,
                                              FormatScheme(activations()),
                                              tensor.why});
  }

  Status QuantizeOperands(const PlannedNode& node) {
    for (const int i : node.operands.constants) {
      ZEROPOINT_RETURN_IF_ERROR(
          ReplaceByCodes(node, i, activations(), TensorQParams::kPerTensor));
    }
    if (node.operands.weight == Operands::kNone) return Status();
    const SchemeSpec& scheme = context_.target->weights;
    int axis = TensorQParams::kPerTensor;
    if (scheme.per_channel) {
      axis = scheme.axis == kOperatorAxis ? node.operands.weight_axis
                                          : scheme.axis;
      const auto rank = static_cast<int>(
          graph_.shape(graph_.input(node.node, 1)).value_or(Dims{}).size());
      if (axis < 0) axis += rank;
      if (axis < 0 || axis >= rank) {
        return InvalidArgument(
            "the weights have no axis " + std::to_string(scheme.axis) +
            "; leave the axis to the operator: " + "i8:sym:channel");
      }
    }
    return ReplaceByCodes(node, node.operands.weight, scheme, axis);
  }

  /// Replaces a constant input by DequantizeLinear of its codes; one for all
  /// nodes that read it in the same way.
  Status ReplaceByCodes(const PlannedNode& node, int input,
                        const SchemeSpec& scheme, int axis) {
    const ValueId value =
        graph_.input(node.node, static_cast<std::size_t>(input));
    const std::string name(graph_.name(value));
    Tensor scratch;
    ZEROPOINT_ASSIGN_OR_RETURN(const TensorView real,
                               graph_.ConstantView(value, scratch));
    const Key key{value, axis, static_cast<int>(scheme.storage), scheme.qmin,
                  scheme.symmetric};
    auto known = constants_.find(key);
    std::optional<QuantizedTensor> quantized;
    if (known == constants_.end() || CorrectsBias(node, input)) {
      Result<QuantizedTensor> made = QuantizeConstant(real, scheme, axis);
      ZEROPOINT_RETURN_IF_ERROR(
          made.status().WithContext("constant '" + name + "'"));
      quantized = std::move(made).value();
    }
    if (CorrectsBias(node, input)) {
      CorrectBias(node, real, DequantizeConstant(*quantized).view());
    }
    if (known == constants_.end()) {
      const QdqParams params =
          AddParams(rewriter_, name, quantized->params, scheme.storage);
      const ValueId codes = rewriter_.AddInitializer(
          EncodeTensor(name + "_quantized", quantized->codes.view()));
      const ValueId dequantized = rewriter_.NewValue(name + "_dequantized");
      AddDequantize(rewriter_, name, codes, params, dequantized);
      known = constants_.emplace(key, dequantized).first;
    }
    graph_.ForgetConstant(value);
    rewriter_.SetInput(node.node, input, known->second);
    return Status();
  }

  bool CorrectsBias(const PlannedNode& node, int input) const {
    if (!correct_bias_ || input != node.operands.weight ||
        node.operands.bias == Operands::kNone) {
      return false;
    }
    const onnx::NodeProto& proto = graph_.node(node.node);
    if (proto.op_type() == "Gemm" && (GetFloat(proto, "alpha", 1.0f) != 1.0f ||
                                      GetFloat(proto, "beta", 1.0f) != 1.0f)) {
      return false;
    }
    const ValueId bias = graph_.input(node.node, 2);
    return bias == kNoValue || graph_.IsConstant(bias);
  }

  void CorrectBias(const PlannedNode& node, const TensorView& real,
                   const TensorView& rounded) {
    const auto calibrated = context_.calibration->find(
        graph_.name(PlannedAs(graph_.input(node.node, 0))));
    if (calibrated == context_.calibration->end()) return;
    const std::vector<double> correction = BiasCorrection(
        real, rounded, node.operands, calibrated->second.channel_means);
    if (correction.empty()) return;
    std::vector<float> bias(correction.begin(), correction.end());
    std::string name = NodeLabel(graph_, node.node) + "_bias";
    if (const ValueId value = graph_.input(node.node, 2); value != kNoValue) {
      name = graph_.name(value);
      const Result<Tensor> present = graph_.Constant(value);
      if (!present.ok() || present->type() != DataType::kFloat ||
          present->rank() != 1 || present->size() != bias.size()) {
        return;
      }
      for (std::size_t i = 0; i < bias.size(); ++i) {
        bias[i] = static_cast<float>(
            static_cast<double>(present->As<float>()[i]) + correction[i]);
      }
    }
    const std::int64_t channels[] = {static_cast<std::int64_t>(bias.size())};
    rewriter_.SetInput(node.node, 2,
                       rewriter_.AddInitializer(EncodeValues<float>(
                           name + "_corrected", channels, bias)));
  }

  /// The activation of the plan that `value` dequantizes, or itself.
  ValueId PlannedAs(ValueId value) const {
    const auto known = planned_as_.find(value);
    return known == planned_as_.end() ? value : known->second;
  }

  /// A Clip to what the codes can say changes nothing, and stands between the
  /// DequantizeLinear and the node.
  void Shield(NodeId node, const QuantizationPlan& plan) {
    const ValueId dequantized = graph_.input(node, 0);
    auto known = shields_.find(dequantized);
    if (known == shields_.end()) {
      const std::string name(graph_.name(dequantized));
      const auto tensor = plan.tensors.find(PlannedAs(dequantized));
      if (tensor == plan.tensors.end()) return;
      const QParams& params = tensor->second.params;
      const ValueId lo = rewriter_.AddInitializer(EncodeScalar<float>(
          name + "_lo", reference::Dequantize(activations().qmin, params)));
      const ValueId hi = rewriter_.AddInitializer(EncodeScalar<float>(
          name + "_hi", reference::Dequantize(activations().qmax, params)));
      const ValueId shield = rewriter_.NewValue(name + "_shield");
      rewriter_.Add("Clip", {dequantized, lo, hi}, {shield});
      known = shields_.emplace(dequantized, shield).first;
    }
    rewriter_.SetInput(node, 0, known->second);
  }

  struct Key {
    ValueId value;
    int axis;
    int storage;
    int qmin;
    bool symmetric;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  GraphView& graph_;
  PassContext& context_;
  bool correct_bias_;
  Rewriter rewriter_;
  std::set<std::pair<NodeId, int>> quantized_inputs_;
  std::map<ValueId, ValueId> planned_as_;  // dequantized value -> planned one
  std::map<Key, ValueId> constants_;    // float constant -> dequantized value
  std::map<ValueId, ValueId> shields_;  // dequantized value -> shield
};

}  // namespace internal

/// Quantizes the main graph for context.target with the ranges of
/// context.calibration:
///
///   x -> Conv(W, b) -> Relu -> y     becomes
///   x -> Q -> DQ -> Conv(DQ(Wq), b') -> Relu -> Q -> DQ -> y
///
/// Activations get one pair a tensor, shared by all that read it. Weights
/// become codes with a DequantizeLinear. The bias stays float here
/// (quantize-bias makes it int32), corrected by what rounding the weights
/// shifts on average where the calibration knows the means and `correct_bias`
/// is set. What stays float is listed in context.declined with its reason.
/// Bodies of If, Loop and Scan are left as they are.
///
/// Not idempotent: quantized operators are quantized once more. A name in the
/// selection that matches nothing selects nothing here: see ResolveSelection.
/// Errors: kInvalidArgument without a target or a calibration; kUnsupported for
/// a model below opset 13, below 21 for 16-bit codes; kInvalidData for a range
/// that is not finite; kInvalidModel for weights that are not.
struct InsertQdq {
  static constexpr std::string_view kName = "insert-qdq";
  static constexpr std::string_view kHelp =
      "Quantizes the main graph with Q/DQ pairs where the target wants them";
  static constexpr std::string_view kSketch =
      "x -> Conv(W, b) -> Relu -> y\n"
      "x -> Q -> DQ -> Conv(DQ(Wq), b) -> Relu -> Q -> DQ -> y";

  bool correct_bias = true;

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    if (context.target == nullptr || context.calibration == nullptr) {
      return InvalidArgument(
          "insert-qdq needs a target and calibrated ranges in its context");
    }
    ZEROPOINT_RETURN_IF_ERROR(CheckOpset(graph.model(), *context.target));
    const NodeSelection everything;
    const NodeSelection& selection =
        context.selection != nullptr ? *context.selection : everything;
    ZEROPOINT_ASSIGN_OR_RETURN(
        QuantizationPlan plan,
        PlanQuantization(graph, *context.target, selection,
                         *context.calibration));
    for (Declined& declined : plan.declined) {
      context.declined.push_back(std::move(declined));
    }
    for (std::string& note : plan.notes) {
      context.quantized.notes.push_back(std::move(note));
    }
    return internal::QdqInserter(graph, context, correct_bias).Run(plan);
  }

 private:
  static Status CheckOpset(const Model& model, const TargetSpec& target) {
    const bool wide = BitsOf(target.activations.storage) == 16 ||
                      BitsOf(target.weights.storage) == 16;
    const std::int64_t needed = wide ? 21 : 13;
    if (model.opset() >= needed) return Status();
    return Unsupported(std::string("Q/DQ pairs ") +
                       (wide ? "of 16 bits" : "with scales for each channel") +
                       " need opset " + std::to_string(needed) +
                       ", the model has " + std::to_string(model.opset()) +
                       "; upgrade it first");
  }
};

static_assert(Pass<InsertQdq>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_INSERT_QDQ_H_

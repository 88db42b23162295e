// insert-qdq: puts QuantizeLinear/DequantizeLinear pairs where the target wants
// them.
#ifndef ZEROPOINT_PASSES_INSERT_QDQ_H_
#define ZEROPOINT_PASSES_INSERT_QDQ_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/reference.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/bias_corrector.h"
#include "zeropoint/passes/check_overrides.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/place_pairs.h"
#include "zeropoint/passes/plan_quantization.h"
#include "zeropoint/passes/qdq_nodes.h"
#include "zeropoint/passes/quantization_plan.h"
#include "zeropoint/passes/quantize_tensor.h"
#include "zeropoint/passes/time_model.h"
#include "zeropoint/passes/weight_rounder.h"

namespace zeropoint {

namespace internal {

/// Carries a plan out.
class QdqInserter {
 public:
  QdqInserter(GraphView& graph, PassContext& context, bool correct_bias,
              PairSharing sharing)
      : graph_(graph),
        context_(context),
        correct_bias_(correct_bias),
        rewriter_(graph),
        pairs_(graph, rewriter_, sharing),
        bias_(graph, rewriter_, *context.calibration) {}

  Result<PassReport> Run(const QuantizationPlan& plan) {
    QuantizedUses readers;
    for (const PlannedNode& node : plan.nodes) {
      for (const int i : node.operands.activations) {
        readers.insert({node.node, i});
      }
    }
    PassReport report;
    for (const auto& [value, tensor] : plan.tensors) {
      const std::string name(graph_.name(value));
      pairs_.Place(value, tensor, readers);
      context_.quantized.activations.push_back(
          {name, tensor.range, tensor.params, FormatScheme(tensor.scheme),
           tensor.why});
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
    NoteIdleOverrides(plan);
    ZEROPOINT_RETURN_IF_ERROR(rewriter_.Finish());
    return report;
  }

 private:
  const SchemeSpec& activations() const { return context_.target->activations; }

  Status QuantizeOperands(const PlannedNode& node) {
    for (const int i : node.operands.constants) {
      const TensorOverride* fixed = OverrideOf(node, i);
      ZEROPOINT_RETURN_IF_ERROR(ReplaceByCodes(
          node, i,
          fixed == nullptr ? activations()
                           : OverrideScheme(activations(), fixed->at(0)),
          TensorQParams::kPerTensor));
    }
    if (node.operands.weight == Operands::kNone) return Status();
    SchemeSpec scheme = context_.target->weights;
    if (const TensorOverride* fixed = OverrideOf(node, node.operands.weight)) {
      scheme = OverrideScheme(scheme, fixed->at(0));
      if (fixed->axis) {
        scheme.block = 0;
        scheme.per_channel = true;
        scheme.axis = *fixed->axis;
      } else if (fixed->at(0).params) {
        scheme.block = 0;
        scheme.per_channel = false;
      }
    }
    int axis = TensorQParams::kPerTensor;
    if (scheme.block > 0) {
      if (Blocks(node)) {
        return ReplaceByCodes(node, node.operands.weight, scheme,
                              node.operands.reduction_axis);
      }
      scheme.block = 0;
      scheme.per_channel = true;
    }
    if (scheme.per_channel) {
      axis = scheme.axis == kOperatorAxis ? node.operands.weight_axis
                                          : scheme.axis;
      const auto rank = static_cast<int>(
          graph_
              .shape(graph_.input(
                  node.node, static_cast<std::size_t>(node.operands.weight)))
              .value_or(Dims{})
              .size());
      // A normalization whose scale has several axes, a stack of matrices: one
      // scale for all.
      if (axis == Operands::kNone && scheme.axis == kOperatorAxis) {
        return ReplaceByCodes(node, node.operands.weight, scheme,
                              TensorQParams::kPerTensor);
      }
      if (axis < 0) axis += rank;
      if (axis < 0 || axis >= rank) {
        return InvalidArgument(
            "the weights have no axis " + std::to_string(scheme.axis) +
            "; leave the axis to the operator: " + "i8:sym:channel");
      }
    }
    return ReplaceByCodes(node, node.operands.weight, scheme, axis);
  }

  void NoteIdleOverrides(const QuantizationPlan& plan) {
    if (context_.overrides == nullptr || context_.overrides->empty()) return;
    std::set<std::string_view> quantized;
    for (const auto& [value, tensor] : plan.tensors) {
      quantized.insert(graph_.name(value));
    }
    for (const auto& [key, codes] : constants_) {
      quantized.insert(graph_.name(key.value));
    }
    for (const auto& [name, tensor] : *context_.overrides) {
      if (quantized.contains(name)) continue;
      context_.quantized.notes.push_back("the override of '" + name +
                                         "' has no effect: the tensor is not "
                                         "quantized");
    }
  }

  /// What is fixed for a constant operand; nullptr for nothing.
  const TensorOverride* OverrideOf(const PlannedNode& node, int input) const {
    if (context_.overrides == nullptr) return nullptr;
    const auto known = context_.overrides->find(
        graph_.name(graph_.input(node.node, static_cast<std::size_t>(input))));
    return known == context_.overrides->end() ? nullptr : &known->second;
  }

  /// Whether blocks save anything: a depthwise convolution sums over one
  /// channel, and a normalization over none; they get one scale a channel.
  bool Blocks(const PlannedNode& node) const {
    const auto dims = graph_.shape(graph_.input(
        node.node, static_cast<std::size_t>(node.operands.weight)));
    const int axis = node.operands.reduction_axis;
    return dims && axis >= 0 && static_cast<std::size_t>(axis) < dims->size() &&
           (*dims)[static_cast<std::size_t>(axis)] > 1;
  }

  /// Replaces a constant input by DequantizeLinear of its codes. The codes are
  /// stored once for all nodes that read the constant in the same way; the
  /// DequantizeLinear stands in the scope of the node, where runtimes look for
  /// it.
  Status ReplaceByCodes(const PlannedNode& node, int input, SchemeSpec scheme,
                        int axis) {
    const ValueId value =
        graph_.input(node.node, static_cast<std::size_t>(input));
    const std::string name(graph_.name(value));
    scheme.scale_type = RealTypeOf(graph_, value);
    Tensor stored_reals;
    Tensor wide;
    ZEROPOINT_ASSIGN_OR_RETURN(
        const TensorView real,
        RealConstantView(graph_, value, stored_reals, wide));
    const Key key{value,
                  axis,
                  static_cast<int>(scheme.storage),
                  scheme.qmin,
                  scheme.symmetric,
                  scheme.block};
    auto known = constants_.find(key);
    // The codes that stand in the graph are also those that a bias is
    // corrected for, when several nodes share a weight.
    auto quantized = rounded_.find(key);
    if (quantized == rounded_.end()) {
      const TensorOverride* fixed = OverrideOf(node, input);
      Result<QuantizedTensor> made =
          context_.weight_rounder != nullptr && fixed == nullptr &&
                  input == node.operands.weight
              ? context_.weight_rounder->Round(
                    {graph_.name(pairs_.PlannedAs(graph_.input(node.node, 0))),
                     name, node.operands, real, CorrectsBias(node, input)},
                    scheme, axis)
              : QuantizeConstant(real, scheme, axis, fixed);
      ZEROPOINT_RETURN_IF_ERROR(
          made.status().WithContext("constant '" + name + "'"));
      quantized = rounded_.emplace(key, std::move(made).value()).first;
    }
    if (CorrectsBias(node, input)) {
      bias_.Correct(node, pairs_.PlannedAs(graph_.input(node.node, 0)), real,
                    DequantizeConstant(quantized->second).view(),
                    scheme.scale_type);
    }
    if (known == constants_.end()) {
      const ScopeId home = graph_.scope(value);
      const QuantizedTensor& made = quantized->second;
      KnownCodes stored;
      stored.params = AddParams(rewriter_, name, made.params, scheme.storage,
                                home, scheme.scale_type);
      stored.codes = rewriter_.AddInitializer(
          EncodeTensor(name + "_quantized",
                       StoredCodes(made.codes, scheme.storage).view()),
          home);
      known = constants_.emplace(key, std::move(stored)).first;
    }
    const ScopeId scope = graph_.scope(node.node);
    auto dequantized = known->second.dequantized.find(scope);
    if (dequantized == known->second.dequantized.end()) {
      const ValueId added = rewriter_.NewValue(name + "_dequantized", scope);
      AddDequantize(rewriter_, name, known->second.codes, known->second.params,
                    added, scope);
      dequantized = known->second.dequantized.emplace(scope, added).first;
    }
    graph_.ForgetConstant(value);
    rewriter_.SetInput(node.node, input, dequantized->second);
    return Status();
  }

  bool CorrectsBias(const PlannedNode& node, int input) const {
    return correct_bias_ && input == node.operands.weight &&
           bias_.Applies(node);
  }

  /// A Clip to what the codes can say changes nothing, and stands between the
  /// DequantizeLinear and the node.
  void Shield(NodeId node, const QuantizationPlan& plan) {
    const ValueId dequantized = graph_.input(node, 0);
    const ScopeId scope = graph_.scope(node);
    auto known = shields_.find({dequantized, scope});
    if (known == shields_.end()) {
      const std::string name(graph_.name(dequantized));
      const auto tensor = plan.tensors.find(pairs_.PlannedAs(dequantized));
      if (tensor == plan.tensors.end()) return;
      const QParams& params = tensor->second.params;
      const SchemeSpec& scheme = tensor->second.scheme;
      const auto bound = [&](const char* suffix, std::int32_t code) {
        return rewriter_.AddInitializer(
            EncodeReal(name + suffix, reference::Dequantize(code, params),
                       scheme.scale_type),
            scope);
      };
      const ValueId lo = bound("_lo", scheme.qmin);
      const ValueId hi = bound("_hi", scheme.qmax);
      const ValueId shield = rewriter_.NewValue(name + "_shield", scope);
      rewriter_.Add("Clip", {dequantized, lo, hi}, {shield}, scope);
      known = shields_.emplace(std::pair(dequantized, scope), shield).first;
    }
    rewriter_.SetInput(node, 0, known->second);
  }

  struct Key {
    ValueId value;
    int axis;
    int storage;
    int qmin;
    bool symmetric;
    std::int64_t block;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  struct KnownCodes {
    ValueId codes = kNoValue;
    QdqParams params;
    std::map<ScopeId, ValueId> dequantized;
  };

  GraphView& graph_;
  PassContext& context_;
  bool correct_bias_;
  Rewriter rewriter_;
  PairPlacer pairs_;
  BiasCorrector bias_;
  std::map<Key, QuantizedTensor> rounded_;
  std::map<Key, KnownCodes> constants_;
  std::map<std::pair<ValueId, ScopeId>, ValueId> shields_;
};

}  // namespace internal

/// Quantizes the model, bodies of If, Loop and Scan included, for
/// context.target with the ranges of context.calibration:
///
///   x -> Conv(W, b) -> Relu -> y     becomes
///   x -> Q -> DQ -> Conv(DQ(Wq), b') -> Relu -> Q -> DQ -> y
///
/// Activations get one pair a tensor, shared by all that read it, or one for
/// each reader (`pairs`), in the scope of the tensor. Weights
/// become codes with a DequantizeLinear. The bias stays float here
/// (quantize-bias makes it int32), corrected by what rounding the weights
/// shifts on average where the calibration knows the means and `correct_bias`
/// is set. What stays float is listed in context.declined with its reason.
///
/// In a model of half precision each pair has scales of its tensor's own type,
/// float16 or bfloat16; codes follow from the scale as it is stored there.
///
/// Not idempotent: quantized operators are quantized once more. A name in the
/// selection that matches nothing selects nothing here: see ResolveSelection.
/// Errors: kInvalidArgument without a target or a calibration; kUnsupported for
/// a model below opset 13, below 19 for float16 and bfloat16 pairs (unless the
/// target has none: see insert-casts), below 21 for 16- and 4-bit codes and for
/// blocks;
/// kInvalidData for a range that is not finite; kInvalidModel for weights that
/// are not.
struct InsertQdq {
  static constexpr std::string_view kName = "insert-qdq";
  static constexpr std::string_view kHelp =
      "Quantizes with Q/DQ pairs where the target wants them";
  static constexpr std::string_view kSketch =
      "x -> Conv(W, b) -> Relu -> y\n"
      "x -> Q -> DQ -> Conv(DQ(Wq), b) -> Relu -> Q -> DQ -> y";

  bool correct_bias = true;
  PairSharing pairs = PairSharing::kShared;

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    if (context.target == nullptr || context.calibration == nullptr) {
      return InvalidArgument(
          "insert-qdq needs a target and calibrated ranges in its context");
    }
    ZEROPOINT_RETURN_IF_ERROR(CheckOpset(graph, context));
    if (context.overrides != nullptr) {
      ZEROPOINT_RETURN_IF_ERROR(
          CheckOverrides(graph, *context.target, *context.overrides));
    }
    const NodeSelection everything;
    const NodeSelection& selection =
        context.selection != nullptr ? *context.selection : everything;
    ZEROPOINT_ASSIGN_OR_RETURN(
        QuantizationPlan plan,
        PlanQuantization(graph, *context.target, selection,
                         *context.calibration, context.overrides));
    for (Declined& declined : plan.declined) {
      context.declined.push_back(std::move(declined));
    }
    for (std::string& note : plan.notes) {
      context.quantized.notes.push_back(std::move(note));
    }
    context.quantized.predicted =
        PredictTimes(graph, *context.target, *context.calibration, plan);
    return internal::QdqInserter(graph, context, correct_bias, pairs).Run(plan);
  }

 private:
  static Status CheckOpset(const GraphView& graph, const PassContext& context) {
    const TargetSpec& target = *context.target;
    const std::int64_t needed =
        FirstOpsetWith(target, context.overrides, HoldsHalf(graph));
    const Model& model = graph.model();
    if (model.opset() >= needed) return Status();
    return Unsupported("Q/DQ pairs of activations " +
                       FormatScheme(target.activations) + " and weights " +
                       FormatScheme(target.weights) + " need opset " +
                       std::to_string(needed) + ", the model has " +
                       std::to_string(model.opset()) + "; upgrade it first");
  }
};

static_assert(Pass<InsertQdq>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_INSERT_QDQ_H_

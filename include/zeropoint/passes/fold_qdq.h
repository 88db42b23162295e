// fold-qdq: a quantized model as a float one again.
#ifndef ZEROPOINT_PASSES_FOLD_QDQ_H_
#define ZEROPOINT_PASSES_FOLD_QDQ_H_

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/core/reference.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/passes/bias_codes.h"
#include "zeropoint/passes/live_interval.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/pass_options.h"
#include "zeropoint/passes/quantized_values.h"
#include "zeropoint/passes/sweep.h"
#include "zeropoint/passes/sweep_selected.h"

namespace zeropoint {

namespace internal {

/// One run of fold-qdq.
class QdqFolder {
 public:
  QdqFolder(GraphView& graph, PassContext& context, bool keep_limits)
      : graph_(graph),
        context_(context),
        keep_limits_(keep_limits),
        rewriter_(graph) {}

  Result<PassReport> Run() {
    PassReport report;
    for (const NodeId node : graph_.nodes()) {
      if (IsOp(graph_, node, "DequantizeLinear")) {
        if (!IsWanted(node)) continue;
        const std::string against = FoldAt(node);
        if (against.empty()) {
          ++report.rewrites;
        } else {
          context_.declined.push_back(DeclinedNode(graph_, node, against));
        }
      } else {
        CarryLimits(node);
      }
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter_.Finish());
    return report;
  }

 private:
  struct Limits {
    float lo;
    float hi;
    friend bool operator==(const Limits&, const Limits&) = default;
  };

  std::string FoldAt(NodeId dequantize) {
    const ValueId codes = graph_.input(dequantize, 0);
    if (graph_.IsConstant(codes)) return FoldConstantAt(dequantize);
    const NodeId quantize = ProducerIfOp(graph_, codes, "QuantizeLinear");
    if (quantize == kNoNode) return "its codes are computed or fed as codes";
    const auto from = ReadQdqNode(graph_, quantize);
    const auto to = ReadQdqNode(graph_, dequantize);
    if (!from || !to || !HaveEqualParams(*from, *to)) {
      return "the pair's scales are not constant, one a tensor, and equal";
    }
    const auto range = FullCodeRange(from->storage);
    if (!range) return "its codes are no 8- or 16-bit integers";
    const ScopeId scope = graph_.scope(dequantize);
    const Limits limits{
        reference::Dequantize(range->qmin, from->tensor_params()),
        reference::Dequantize(range->qmax, from->tensor_params())};
    ValueId folded = graph_.input(quantize, 0);
    const auto known = limits_.find(folded);
    if (keep_limits_ && (known == limits_.end() || known->second != limits)) {
      const auto [clipped, is_new] =  // one for all readers of a scope
          clipped_.try_emplace({codes, scope}, kNoValue);
      if (is_new) {
        clipped->second = AddClip(folded, limits, from->scale_type, scope);
      }
      folded = clipped->second;
      limits_[folded] = limits;
    }
    ReadInstead(dequantize, folded);
    EraseIfUnused(graph_, rewriter_, codes);
    return "";
  }

  /// Whether anything that folding is asked for reads what the node writes.
  bool IsWanted(NodeId dequantize) const {
    const auto& uses = graph_.uses(graph_.output(dequantize, 0));
    return context_.selection == nullptr ||
           std::any_of(uses.begin(), uses.end(),
                       [this](const Use& use) { return IsSelected(use.node); });
  }
  bool IsSelected(NodeId node) const {
    return Selects(context_.selection, graph_.node(node));
  }
  bool OnlySelectedRead(ValueId value) const {
    const auto& uses = graph_.uses(value);
    return context_.selection == nullptr ||
           (!graph_.is_graph_output(value) &&
            std::all_of(uses.begin(), uses.end(), [this](const Use& use) {
              return IsSelected(use.node);
            }));
  }

  /// Selected readers of the node's output read `folded`; the node goes with
  /// the last reader.
  void ReadInstead(NodeId dequantize, ValueId folded) {
    const ValueId real = graph_.output(dequantize, 0);
    if (OnlySelectedRead(real)) {
      rewriter_.Erase(dequantize);
      rewriter_.ReplaceUses(real, folded);
      return;
    }
    const std::vector<Use> uses(graph_.uses(real).begin(),
                                graph_.uses(real).end());
    for (const Use& use : uses) {
      if (IsSelected(use.node)) {
        rewriter_.SetInput(use.node, use.input, folded);
      }
    }
  }

  std::string FoldConstantAt(NodeId dequantize) {
    const ValueId real = graph_.output(dequantize, 0);
    const auto values = ConstantReals(graph_, real);
    if (!values) return "its constant codes or their scales are not understood";
    if (graph_.is_graph_output(real)) return "it is an output of the graph";
    onnx::TensorProto folded =
        EncodeReals(graph_.name(real), values->view(), TypeOfReals(dequantize));
    if (OnlySelectedRead(real)) {
      rewriter_.Erase(dequantize);
      rewriter_.SetInitializer(real, std::move(folded));
    } else {
      ReadInstead(dequantize, rewriter_.AddInitializer(std::move(folded),
                                                       graph_.scope(real)));
    }
    return "";
  }

  /// A DequantizeLinear writes reals of its scale's type.
  DataType TypeOfReals(NodeId dequantize) const {
    return RealTypeOf(graph_, graph_.input(dequantize, 1));
  }

  ValueId AddClip(ValueId real, const Limits& limits, DataType type,
                  ScopeId scope) {
    const std::string name(graph_.name(real));
    const ValueId clipped = rewriter_.NewValue(name + "_limited", scope);
    if (graph_.model().opset() < 11) {
      const NodeId clip = rewriter_.Add("Clip", {real}, {clipped}, scope);
      SetAttribute(rewriter_.MutableNode(clip), "min", limits.lo);
      SetAttribute(rewriter_.MutableNode(clip), "max", limits.hi);
      return clipped;
    }
    const ValueId lo =
        rewriter_.AddInitializer(EncodeReal(name + "_lo", limits.lo, type));
    const ValueId hi =
        rewriter_.AddInitializer(EncodeReal(name + "_hi", limits.hi, type));
    rewriter_.Add("Clip", {real, lo, hi}, {clipped}, scope);
    return clipped;
  }

  /// What only moves elements leaves them between the limits.
  void CarryLimits(NodeId node) {
    if (!IsOneOf(graph_, node, kMovesElements) ||
        IsOp(graph_, node, "Concat") || IsOp(graph_, node, "Pad") ||
        IsOp(graph_, node, "Resize")) {
      return;
    }
    const auto known = limits_.find(graph_.input(node, 0));
    if (known == limits_.end()) return;
    for (const ValueId output : graph_.outputs(node)) {
      if (output != kNoValue) limits_[output] = known->second;
    }
  }

  GraphView& graph_;
  PassContext& context_;
  bool keep_limits_;
  Rewriter rewriter_;
  std::map<ValueId, Limits> limits_;
  std::map<std::pair<ValueId, ScopeId>, ValueId> clipped_;  // by codes
};

}  // namespace internal

/// Removes Q/DQ pairs and stores the reals that constant codes stand for:
///
///   x -> Q -> DQ -> Conv(DQ(Wq), DQ(bq)) -> y
///     becomes   x -> Clip(lo, hi) -> Conv(W, b) -> y
///
/// [lo, hi] is what the codes can say: a pair also saturates, and where a Relu
/// was folded into that (fold-activation), the saturation is the Relu. With
/// `limits=drop` the Clip is left out, which is right only for a model whose
/// activations are all still there.
///
/// When: the pair has one constant scale and zero point, the same in both
/// nodes. Codes that are fed or computed stay, and are reported. With
/// context.selection only selected nodes read reals in place of codes.
///
/// Equal: each tensor within half a step of its codes; the weights are exactly
/// the ones that the quantized model used. Enters bodies. Idempotent.
/// Teaches: docs/guide/forms.md
struct FoldQdq {
  static constexpr std::string_view kName = "fold-qdq";
  static constexpr std::string_view kHelp =
      "Makes a float model of one with Q/DQ pairs";
  static constexpr std::string_view kSketch =
      "x -> Q -> DQ -> Conv(DQ(Wq), DQ(bq)) -> y\n"
      "x -> Clip(lo, hi) -> Conv(W, b) -> y";
  static constexpr std::array<PassOption, 1> kOptions = {PassOption{
      "limits", "keep",
      "keep: a Clip takes the place of a pair's saturation; drop: nothing"}};

  bool keep_limits = true;

  static Result<FoldQdq> FromOptions(const OptionMap& options) {
    const std::string& limits = options.Text("limits");
    if (limits != "keep" && limits != "drop") {
      return options.Wrong("limits", "keep or drop");
    }
    return FoldQdq{.keep_limits = limits == "keep"};
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return internal::QdqFolder(graph, context, keep_limits).Run();
  }
};

static_assert(Pass<FoldQdq>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FOLD_QDQ_H_

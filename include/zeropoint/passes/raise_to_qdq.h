// raise-to-qdq: operators on codes become float operators between pairs.
#ifndef ZEROPOINT_PASSES_RAISE_TO_QDQ_H_
#define ZEROPOINT_PASSES_RAISE_TO_QDQ_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/form.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/passes/integer_chain.h"
#include "zeropoint/passes/known_codes.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/qlinear_signature.h"
#include "zeropoint/passes/quantized_values.h"
#include "zeropoint/passes/sweep.h"
#include "zeropoint/passes/sweep_selected.h"

namespace zeropoint {

namespace internal {

/// One run of raise-to-qdq.
class QdqRaiser {
 public:
  QdqRaiser(GraphView& graph, PassContext& context)
      : graph_(graph), context_(context), rewriter_(graph) {}

  Result<PassReport> Run() {
    PassReport report;
    for (const NodeId node : graph_.nodes()) {
      if (!graph_.alive(node)) continue;  // taken in by a chain
      const onnx::NodeProto& proto = graph_.node(node);
      std::string against;
      bool raised = false;
      if (IsOp(graph_, node, "QuantizeLinear")) {
        if (const auto codes = ReadQdqNode(graph_, node)) known_.Add(*codes);
      } else if (!Selects(context_.selection, proto)) {
        known_.AddOutputsOf(graph_, node);
      } else if (SignatureOf(proto) != nullptr) {
        raised = RaiseQLinear(node, *SignatureOf(proto), against);
      } else if (IsOneOf(graph_, node, kIntegerSums)) {
        raised = RaiseChain(node, against);
      } else if (IsOp(graph_, node, "Clip") ||
                 IsOneOf(graph_, node, kMovesElements)) {
        raised = RaiseMover(node, against);
      }
      if (raised) ++report.rewrites;
      if (!against.empty()) {
        context_.declined.push_back(
            DeclinedNode(graph_, node, std::move(against)));
      }
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter_.Finish());
    return report;
  }

 private:
  static constexpr std::string_view kIntegerSums[] = {"ConvInteger",
                                                      "MatMulInteger"};

  /// Raised operators compute in float, whatever precision the pairs around
  /// them have.
  QuantizedValue InFloat(QuantizedValue value) {
    if (!IsHalf(value.scale_type)) return value;
    const auto [at, is_new] =
        float_scales_.try_emplace(value.ids.scale, kNoValue);
    if (is_new) at->second = FloatScaleOf(rewriter_, value);
    value.ids.scale = at->second;
    value.scale_type = DataType::kFloat;
    return value;
  }

  std::string NameOf(ValueId value) const {
    return value == kNoValue ? std::string() : std::string(graph_.name(value));
  }

  /// The real value of `codes`, one DequantizeLinear for all of a scope.
  ValueId Dequantized(const QuantizedValue& given, ScopeId scope) {
    const QuantizedValue codes = InFloat(given);
    const Key key{codes.codes, codes.ids.scale, codes.ids.zero_point, scope};
    const auto present = reals_.find(key);
    if (present != reals_.end()) return present->second;
    // A pair that is there already, in front of float readers, serves too.
    for (const Use& use : graph_.uses(codes.codes)) {
      if (graph_.scope(use.node) != scope ||
          !IsOp(graph_, use.node, "DequantizeLinear") ||
          graph_.input(use.node, 1) != codes.ids.scale ||
          graph_.input(use.node, 2) != codes.ids.zero_point ||
          !codes.per_tensor()) {
        continue;
      }
      // It must stand before whatever reads it; the placement sees to that.
      return reals_[key] = graph_.output(use.node, 0);
    }
    const std::string name = RealName(graph_.name(codes.codes));
    const ValueId real = rewriter_.NewValue(name + "_dequantized", scope);
    AddQdqNode(rewriter_, "DequantizeLinear", name, codes.codes, codes.ids,
               real, scope);
    return reals_[key] = real;
  }

  /// Adds a QuantizeLinear that writes `codes`, which nothing produces now, and
  /// returns the real value that it reads.
  ValueId Requantized(const QuantizedValue& given, ScopeId scope) {
    const QuantizedValue codes = InFloat(given);
    const std::string name = RealName(graph_.name(codes.codes));
    const ValueId real = rewriter_.NewValue(name, scope);
    AddQdqNode(rewriter_, "QuantizeLinear", name, real, codes.ids, codes.codes,
               scope);
    known_.Add(codes);
    return real;
  }

  std::int64_t WeightAxis(NodeId node, std::string_view op_type,
                          ValueId codes) const {
    if (op_type == "Conv") return 0;
    if (op_type == "Gemm") {
      return GetInt(graph_.node(node), "transB", 0) != 0 ? 0 : 1;
    }
    const auto rank = RankOf(graph_, codes);
    return rank ? static_cast<std::int64_t>(*rank) - 1 : 1;
  }

  bool RaiseQLinear(NodeId node, const QLinearSignature& signature,
                    std::string& against) {
    const std::size_t inputs = graph_.inputs(node).size();
    const std::size_t operands =
        signature.operands == QLinearSignature::kAll
            ? (inputs < signature.first ? 0 : (inputs - signature.first) / 3)
            : signature.operands;
    std::vector<QuantizedValue> values;
    for (std::size_t i = 0; i < operands; ++i) {
      const std::size_t at = signature.first + 3 * i;
      const ValueId codes = graph_.input(node, at);
      auto value = TripleOf(graph_, node, codes, at + 1,
                            WeightAxis(node, signature.op_type, codes));
      if (!value || (i != 1 && !value->per_tensor())) {
        against = "the scale or zero point of its input " + std::to_string(at) +
                  " is not constant, or one too many";
        return false;
      }
      values.push_back(std::move(*value));
    }
    const auto output =
        TripleOf(graph_, node, graph_.output(node, 0), signature.output, 0);
    if (!output || !output->per_tensor() || values.empty()) {
      against = "it has no constant output scale";
      return false;
    }
    const onnx::NodeProto before = graph_.node(node);
    const bool gemm = signature.op_type == "Gemm";
    ValueId bias =
        signature.bias == QLinearSignature::kNone
            ? kNoValue
            : graph_.input(node, static_cast<std::size_t>(signature.bias));
    const float alpha = gemm ? GetFloat(before, "alpha", 1.0f) : 1.0f;
    if (bias != kNoValue && !(alpha > 0.0f)) {
      against = "its bias has steps of alpha, which is not above 0";
      return false;
    }
    const ScopeId scope = graph_.scope(node);
    const ValueId condition =
        signature.float_first > 0 ? graph_.input(node, 0) : kNoValue;
    rewriter_.Erase(node);
    onnx::NodeProto after = before;
    after.set_op_type(std::string(signature.op_type));
    after.clear_domain();
    after.clear_input();
    after.clear_output();
    RemoveAttribute(after, "channels_last");
    RemoveAttribute(after, "opset");
    if (condition != kNoValue) after.add_input(NameOf(condition));
    for (const QuantizedValue& value : values) {
      after.add_input(NameOf(Dequantized(value, scope)));
    }
    if (bias != kNoValue) {
      after.add_input(NameOf(DequantizedBias(bias, values, alpha, scope)));
    }
    after.add_output(NameOf(Requantized(*output, scope)));
    rewriter_.Add(std::move(after), scope);
    return true;
  }

  /// The bias as reals: int32 codes in steps of alpha * a_scale * b_scale[c].
  ValueId DequantizedBias(ValueId bias,
                          const std::vector<QuantizedValue>& operands,
                          float alpha, ScopeId scope) {
    QuantizedValue value;
    value.codes = bias;
    value.storage = DataType::kInt32;
    const auto& channels = operands[1].params.channels;
    for (const QParams& each : channels) {
      value.params.channels.push_back(
          {alpha * operands[0].tensor_params().scale * each.scale, 0});
    }
    if (channels.size() > 1) value.params.axis = 0;
    const std::string name = RealName(graph_.name(bias));
    value.ids = AddParams(rewriter_, name, value.params, DataType::kInt32);
    return Dequantized(value, scope);
  }

  bool RaiseMover(NodeId node, std::string& against) {
    const onnx::NodeProto before = graph_.node(node);
    const std::string& op_type = before.op_type();
    const QuantizedValue* first = known_.Find(graph_.input(node, 0));
    if (first == nullptr) return false;  // real values, or shapes
    const QuantizedValue codes = *first;
    const auto range = FullCodeRange(codes.storage);
    if (!codes.per_tensor() || !range) return false;
    const ScopeId scope = graph_.scope(node);
    const std::size_t data =
        op_type == "Concat" ? graph_.inputs(node).size() : 1;
    for (std::size_t i = 1; i < data; ++i) {
      const QuantizedValue* other = known_.Find(graph_.input(node, i));
      if (other == nullptr || !HaveEqualParams(*other, codes)) {
        against = "its inputs are codes with different scales";
        return false;
      }
    }
    onnx::NodeProto after = before;
    const auto limit = [&](std::size_t input) {
      // Codes of a limit or of the padding, as the real that they stand for.
      const ValueId value = graph_.input(node, input);
      if (value == kNoValue) return true;
      const auto elements = IntegerElements(graph_, value);
      if (!elements || elements->size() != 1) return false;
      const float real =
          reference::Dequantize(elements->front(), codes.tensor_params());
      after.set_input(static_cast<int>(input),
                      NameOf(rewriter_.AddInitializer(
                          EncodeScalar<float>(NameOf(value) + "_real", real))));
      return true;
    };
    if ((op_type == "Clip" && (!limit(1) || !limit(2))) ||
        (op_type == "Pad" && !limit(2))) {
      against = "its limits or its padding are no constant codes";
      return false;
    }
    const std::vector<ValueId> outputs(graph_.outputs(node).begin(),
                                       graph_.outputs(node).end());
    rewriter_.Erase(node);
    for (std::size_t i = 0; i < data; ++i) {
      const QuantizedValue* input =
          known_.Find(graph_.Find(before.input(static_cast<int>(i)), scope));
      after.set_input(static_cast<int>(i), NameOf(Dequantized(*input, scope)));
    }
    const bool one = op_type == "MaxPool";  // Indices are no codes
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == kNoValue || (one && i > 0)) continue;
      QuantizedValue moved = codes;
      moved.codes = outputs[i];
      after.set_output(static_cast<int>(i), NameOf(Requantized(moved, scope)));
    }
    rewriter_.Add(std::move(after), scope);
    return true;
  }

  bool RaiseChain(NodeId node, std::string& against) {
    const ValueId a = graph_.input(node, 0);
    const QuantizedValue* a_known = known_.Find(a);
    if (a_known == nullptr || !a_known->per_tensor()) {
      against = "the scale of its input is computed at run time";
      return false;
    }
    const QuantizedValue x = *a_known;
    if (!StatesZeroPoint(graph_, node, 2, x)) {
      against = "its zero point is not that of its input's codes";
      return false;
    }
    const auto chain = ChainAt(graph_, node);
    if (!chain) {
      against = "no Cast to float and Mul by a constant follow it";
      return false;
    }
    auto weights = WeightsOf(graph_, *chain, x,
                             known_.Find(graph_.input(node, 1)), against);
    if (!weights) return false;
    if (weights->ids.scale == kNoValue) {
      weights->ids = AddParams(rewriter_, RealName(graph_.name(weights->codes)),
                               weights->params, weights->storage);
    }
    const onnx::NodeProto before = graph_.node(node);
    const ScopeId scope = graph_.scope(node);
    const bool conv = before.op_type() == "ConvInteger";
    const ValueId output = chain->output(graph_);
    onnx::NodeProto after = before;
    after.set_op_type(conv ? "Conv" : "MatMul");
    after.clear_input();
    after.clear_output();
    if (chain->bias != kNoNode) rewriter_.Erase(chain->bias);
    for (const NodeId gone : {chain->scale, chain->cast, chain->sum}) {
      rewriter_.Erase(gone);
    }
    after.add_input(NameOf(Dequantized(x, scope)));
    after.add_input(NameOf(Dequantized(*weights, scope)));
    if (chain->bias != kNoNode) {
      const std::int64_t dims[] = {
          static_cast<std::int64_t>(chain->biases.size())};
      after.add_input(NameOf(rewriter_.AddInitializer(
          EncodeValues<float>(NameOf(output) + "_bias", dims, chain->biases))));
    }
    after.add_output(NameOf(output));
    rewriter_.Add(std::move(after), scope);
    return true;
  }

  struct Key {
    ValueId codes;
    ValueId scale;
    ValueId zero_point;
    ScopeId scope;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  GraphView& graph_;
  PassContext& context_;
  Rewriter rewriter_;
  KnownCodes known_;
  std::map<Key, ValueId> reals_;
  std::map<ValueId, ValueId> float_scales_;
};

}  // namespace internal

/// The way back from the other quantized forms:
///
///   QLinearConv(xq, Wq, bq) -> yq
///     becomes   Conv(DQ(xq), DQ(Wq), DQ(bq)) -> Q -> yq
///   ConvInteger(xq, Wq) -> Cast -> Mul(s) -> Add(b) -> y
///     becomes   Conv(DQ(xq), DQ(Wq), b) -> y
///
/// and so for QLinearMatMul, MatMulInteger, QGemm and the QLinear operators of
/// com.microsoft; operators that move codes (MaxPool, Reshape ...) get a pair
/// around them, with the one scale and zero point that they pass on.
///
/// When: scales and zero points are constant; the codes that an integer sum or
/// a code-moving operator reads come from a QuantizeLinear or a raised
/// operator. A scale that DynamicQuantizeLinear computes stays one.
///
/// Raised operators compute in float: of a model of half precision too, whose
/// other nodes keep their pairs.
///
/// Equal: parameters and codes are taken over as they are, so that
/// lower-to-qoperator gives back what was there. The bias of a QLinear operator
/// gets the scale x_scale * w_scale[c] by which it was made. From an integer
/// chain, which knows only the product s[c] of two scales, w_scale[c] is the
/// float for which x_scale * w_scale[c] = s[c]: within one unit in the last
/// place of the original. Outputs as lower-to-qoperator and lower-to-integer
/// say. What context.selection leaves out stays. Enters bodies. Idempotent.
/// Teaches: docs/guide/forms.md
struct RaiseToQdq {
  static constexpr std::string_view kName = "raise-to-qdq";
  static constexpr std::string_view kHelp =
      "Turns operators on codes back into float operators between Q/DQ pairs";
  static constexpr std::string_view kSketch =
      "xq -> QLinearConv(Wq, bq) -> yq\n"
      "xq -> DQ -> Conv(DQ(Wq), DQ(bq)) -> Q -> yq";

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return internal::QdqRaiser(graph, context).Run();
  }
};

static_assert(Pass<RaiseToQdq>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_RAISE_TO_QDQ_H_

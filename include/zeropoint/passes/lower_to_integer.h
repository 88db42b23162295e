// lower-to-integer: products of codes in int32, then an explicit rescale to
// float.
#ifndef ZEROPOINT_PASSES_LOWER_TO_INTEGER_H_
#define ZEROPOINT_PASSES_LOWER_TO_INTEGER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/passes/add_cast.h"
#include "zeropoint/passes/bias_codes.h"
#include "zeropoint/passes/integer_input.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/pass_options.h"
#include "zeropoint/passes/quantized_values.h"
#include "zeropoint/passes/sweep.h"
#include "zeropoint/passes/sweep_selected.h"

namespace zeropoint {

/// Conv, MatMul and Gemm on dequantized operands become
///
///   sum[i] = ConvInteger or MatMulInteger (xq, Wq, z_x [, z_w])      int32
///   y      = Cast(sum) * (s_x * s_w[c]) + b[c]                       float
///
/// with a float bias of shape [C, 1 ...] and no quantized output. With
/// `dynamic` scales, s_x, z_x and xq come from a DynamicQuantizeLinear at run
/// time, from the real value before the pair where there is one. A Gemm becomes
/// MatMulInteger: its weights are transposed here, alpha goes into the
/// multiplier and beta into the bias.
///
/// When: both operands come from DequantizeLinear with constant 8-bit
/// parameters (with dynamic scales only the weights need to), the input has one
/// scale, the weights one or one for each output channel. Zero points of
/// weights that are 0 are left out: some runtimes take a scalar only. For
/// ConvInteger, which runtimes have for uint8 input alone, an int8 input is
/// quantized to uint8 with a zero point 128 higher: the same steps. What
/// context.selection and `selection` leave out stays.
///
/// Equal: the sum is exact, where the pairs sum in float; then one rounding to
/// float for the cast, one for each of the product and the sum with the bias. A
/// static result differs from the pairs by float rounding alone, with no step
/// lost. Not so where the bias was int32: it becomes the float that it stands
/// for. In half precision all of this is float, and y is rounded at the end.
/// Enters bodies. Idempotent.
/// Source: ONNX ConvInteger-10, MatMulInteger-10, DynamicQuantizeLinear-11.
/// Teaches: docs/guide/forms.md
class LowerToInteger {
 public:
  static constexpr std::string_view kName = "lower-to-integer";
  static constexpr std::string_view kHelp =
      "Turns products of dequantized operands into integer sums with an "
      "explicit rescale";
  static constexpr std::string_view kSketch =
      "xq -> DQ -> Conv(DQ(Wq), b) -> y\n"
      "xq -> ConvInteger(Wq) -> Cast -> Mul(s_x * s_w) -> Add(b) -> y";
  static constexpr std::array<PassOption, 3> kOptions = {
      PassOption{"scales", "static",
                 "static, or dynamic: of the input, computed at run time"},
      PassOption{"nodes", "", "only these nodes: \"a,b\""},
      PassOption{"exclude", "", "all but these nodes: \"a,b\""}};
  static constexpr std::array<std::string_view, 3> kRoots = {"Conv", "Gemm",
                                                             "MatMul"};

  bool dynamic = false;
  /// Besides context.selection.
  NodeSelection selection;

  static Result<LowerToInteger> FromOptions(const OptionMap& options) {
    LowerToInteger pass;
    const std::string& scales = options.Text("scales");
    if (scales != "static" && scales != "dynamic") {
      return options.Wrong("scales", "static or dynamic");
    }
    pass.dynamic = scales == "dynamic";
    pass.selection.nodes_to_quantize = SplitNames(options.Text("nodes"));
    pass.selection.nodes_to_exclude = SplitNames(options.Text("exclude"));
    return pass;
  }

  struct Found {
    NodeId node = kNoNode;
    /// Static: the input's codes. Dynamic: nothing, and `real` is quantized.
    std::optional<internal::QuantizedValue> input = {};
    ValueId real = kNoValue;
    internal::QuantizedValue weights = {};
    std::size_t spatial = 0;  // axes behind the channels of a convolution
    float alpha = 1.0f;
    std::optional<Tensor> bias = {};  // constant, beta included
    ValueId bias_value = kNoValue;    // any other
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    const onnx::NodeProto& proto = graph.node(root);
    auto weights = internal::DequantizedFrom(graph, graph.input(root, 1));
    auto input = internal::DequantizedFrom(graph, graph.input(root, 0));
    if (!weights && !input) return std::nullopt;
    Found found{.node = root};
    if (!weights || !weights->eight_bits()) {
      return Decline{"its second operand does not come from 8-bit codes"};
    }
    found.weights = std::move(*weights);
    std::string against = ReadInput(graph, root, std::move(input), found);
    if (against.empty()) against = AgainstWeights(graph, root, found);
    if (against.empty() && graph.input(root, 2) != kNoValue) {
      against = ReadBias(graph, root, found);
    }
    if (against.empty() && proto.op_type() == "Conv" && found.input &&
        found.input->storage == DataType::kInt8 &&
        !IsOp(graph, graph.producer(found.input->codes), "QuantizeLinear")) {
      against =
          "its int8 input is not quantized by a node that could make it "
          "uint8, and ConvInteger on int8 runs nowhere";
    }
    if (!against.empty()) return Decline{std::move(against)};
    return found;
  }

  Status Rewrite(const GraphView& graph, Found& found,
                 Rewriter& rewriter) const {
    // A copy: the node is erased before its attributes are used.
    const onnx::NodeProto before =  // NOLINT(performance-unnecessary-copy-*)
        graph.node(found.node);
    const ScopeId scope = graph.scope(found.node);
    const bool conv = before.op_type() == "Conv";
    const ValueId output = graph.output(found.node, 0);
    const std::string name =
        before.name().empty() ? std::string(graph.name(output)) : before.name();
    const std::vector<ValueId> read(graph.inputs(found.node).begin(),
                                    graph.inputs(found.node).end());
    const internal::IntegerInput source =
        found.input
            ? internal::StaticInput(graph, rewriter, *found.input, conv)
            : internal::DynamicInput(graph, rewriter, found.real, scope);
    const ValueId codes =
        before.op_type() == "Gemm" && GetInt(before, "transB", 0) != 0
            ? internal::TransposedCodes(graph, rewriter, found.weights)
            : found.weights.codes;
    const ValueId multiplier = Multiplier(rewriter, found, source, name, scope);
    const DataType type = found.weights.scale_type;
    ValueId bias = found.bias_value;
    if (bias != kNoValue && IsHalf(type)) {
      bias = internal::AddCast(rewriter, bias, DataType::kFloat,
                               name + "_bias_float", scope);
    }
    if (found.bias) {
      Dims dims = found.bias->dims();
      if (conv) dims.insert(dims.end(), found.spatial, 1);
      const TensorView shaped(DataType::kFloat, dims, found.bias->data());
      bias = rewriter.AddInitializer(EncodeTensor(name + "_bias", shaped));
    }

    rewriter.Erase(found.node);
    onnx::NodeProto sum;
    sum.set_op_type(conv ? "ConvInteger" : "MatMulInteger");
    sum.set_name(before.name());
    if (conv) *sum.mutable_attribute() = before.attribute();
    for (const ValueId input : {source.codes, codes, source.zero_point}) {
      sum.add_input(std::string(graph.name(input)));
    }
    if (!IsSymmetric(found.weights)) {
      sum.add_input(std::string(
          graph.name(internal::ZeroPointOf(rewriter, found.weights))));
    }
    const ValueId sums = rewriter.NewValue(name + "_sum", scope);
    const ValueId reals = rewriter.NewValue(name + "_sum_float", scope);
    sum.add_output(std::string(graph.name(sums)));
    rewriter.Add(std::move(sum), scope);
    internal::AddCastTo(rewriter, sums, DataType::kFloat, reals, scope);
    // The rescale is in float; half precision gets its result.
    ValueId result = output;
    if (IsHalf(type)) result = rewriter.NewValue(name + "_float", scope);
    ValueId product = result;
    if (bias != kNoValue) product = rewriter.NewValue(name + "_scaled", scope);
    rewriter.Add("Mul", {reals, multiplier}, {product}, scope);
    if (bias != kNoValue) rewriter.Add("Add", {product, bias}, {result}, scope);
    if (result != output) {
      internal::AddCastTo(rewriter, result, type, output, scope);
    }
    for (const ValueId value : read) {
      internal::ErasePairIfUnused(graph, rewriter, value);
    }
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    ZEROPOINT_RETURN_IF_ERROR(CheckNames(graph));
    const internal::OnSelected<LowerToInteger> own{*this, &selection};
    return SweepSelected(own, context.selection, graph, context);
  }

 private:
  static std::vector<std::string> SplitNames(const std::string& text) {
    std::vector<std::string> names;
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      if (end > begin) names.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return names;
  }

  Status CheckNames(const GraphView& graph) const {
    std::set<std::string, std::less<>> names;
    for (const NodeId node : graph.nodes()) {
      names.insert(graph.node(node).name());
    }
    for (const auto* list :
         {&selection.nodes_to_quantize, &selection.nodes_to_exclude}) {
      for (const std::string& name : *list) {
        if (names.contains(name)) continue;
        return InvalidArgument("the model has no node named '" + name + "'");
      }
    }
    return Status();
  }

  static bool IsSymmetric(const internal::QuantizedValue& weights) {
    return std::all_of(
        weights.params.channels.begin(), weights.params.channels.end(),
        [](const QParams& each) { return each.zero_point == 0; });
  }

  /// Fills in `found.input`, or `found.real` for dynamic scales; says why not.
  std::string ReadInput(const GraphView& graph, NodeId node,
                        std::optional<internal::QuantizedValue> input,
                        Found& found) const {
    if (!dynamic) {
      if (!input || !input->eight_bits() || !input->per_tensor()) {
        return "its input does not come from 8-bit codes with one scale";
      }
      found.input = std::move(input);
      return "";
    }
    found.real = graph.input(node, 0);
    if (input) {
      const NodeId quantize = graph.producer(input->codes);
      if (IsOp(graph, quantize, "QuantizeLinear")) {
        found.real = graph.input(quantize, 0);
      }
    }
    if (found.real == kNoValue || graph.IsConstant(found.real)) {
      return "its input is constant";
    }
    const DataType type = graph.element_type(found.real);
    if (!IsReal(type) && type != DataType::kUndefined) {
      return "its input is not float";
    }
    return graph.model().opset() < 11
               ? internal::NeedsOpset(graph, "DynamicQuantizeLinear", 11)
               : "";
  }

  static std::string AgainstWeights(const GraphView& graph, NodeId node,
                                    Found& found) {
    const onnx::NodeProto& proto = graph.node(node);
    const auto rank = RankOf(graph, found.weights.codes);
    const std::string& op_type = proto.op_type();
    if (op_type == "MatMul" && found.weights.per_tensor()) return "";
    if (!rank) return "the rank of its weights is unknown";
    int axis = 1;
    if (op_type == "Conv") {
      axis = 0;
      if (*rank < 3) return "its weights have an unexpected shape";
      found.spatial = *rank - 2;
    } else if (op_type == "Gemm") {
      const bool transposed = GetInt(proto, "transB", 0) != 0;
      axis = transposed ? 0 : 1;
      found.alpha = GetFloat(proto, "alpha", 1.0f);
      if (GetInt(proto, "transA", 0) != 0 || *rank != 2) {
        return "its first operand is transposed, or its weights are no matrix";
      }
      if (!(found.alpha > 0.0f)) return "alpha is not above 0";
      if (transposed && (!graph.IsConstant(found.weights.codes) ||
                         !graph.Constant(found.weights.codes).ok())) {
        return "its transposed weights are not constant";
      }
    }
    if (!found.weights.per_tensor() &&
        (found.weights.params.axis != axis || (axis == 1 && *rank != 2))) {
      return "its weights have scales along another axis than the output "
             "channels";
    }
    return "";
  }

  static std::string ReadBias(const GraphView& graph, NodeId node,
                              Found& found) {
    const bool gemm = graph.node(node).op_type() == "Gemm";
    const float beta = gemm ? GetFloat(graph.node(node), "beta", 1.0f) : 1.0f;
    const ValueId value = graph.input(node, 2);
    found.bias = internal::ConstantReals(graph, value);
    if (found.bias) {
      if (!gemm && found.bias->rank() != 1) return "its bias is no vector";
      for (float& each : found.bias->MutableAs<float>()) each *= beta;
      return "";
    }
    if (!gemm || beta != 1.0f) return "its bias is not constant";
    found.bias_value = value;
    return "";
  }

  static ValueId Multiplier(Rewriter& rewriter, const Found& found,
                            const internal::IntegerInput& source,
                            const std::string& name, ScopeId scope) {
    std::vector<float> factors;
    if (found.input) {
      factors =
          internal::ProductScales(found.alpha, *found.input, found.weights);
    } else {
      for (const QParams& each : found.weights.params.channels) {
        factors.push_back(found.alpha * each.scale);
      }
    }
    Dims dims;
    if (factors.size() > 1) {
      dims.push_back(static_cast<std::int64_t>(factors.size()));
      dims.insert(dims.end(), found.spatial, 1);
    }
    const ValueId constant = rewriter.AddInitializer(EncodeValues<float>(
        name + (found.input ? "_multiplier" : "_weight_scale"), dims, factors));
    if (found.input) return constant;
    const ValueId multiplier = rewriter.NewValue(name + "_multiplier", scope);
    rewriter.Add("Mul", {source.scale, constant}, {multiplier}, scope);
    return multiplier;
  }
};

static_assert(Pass<LowerToInteger>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_LOWER_TO_INTEGER_H_

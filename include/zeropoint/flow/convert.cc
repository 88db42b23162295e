#include "zeropoint/flow/convert.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/form.h"
#include "zeropoint/core/half.h"
#include "zeropoint/core/nearest_names.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/graph/upgrade.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/fold_qdq.h"
#include "zeropoint/passes/integer_chain.h"
#include "zeropoint/passes/lower_to_integer.h"
#include "zeropoint/passes/lower_to_qoperator.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/pipeline.h"
#include "zeropoint/passes/qlinear_signature.h"
#include "zeropoint/passes/quantized_values.h"
#include "zeropoint/passes/raise_to_qdq.h"

namespace zeropoint {

using internal::ChainAt;
using internal::ComputedOperator;
using internal::DeclinedNode;
using internal::DequantizedFrom;
using internal::QLinearSignature;
using internal::QuantizedValue;
using internal::ReadParams;
using internal::ReadQdqNode;
using internal::RealName;
using internal::SignatureOf;

namespace {

/// Says which nodes of a model compute on codes, and with which parameters.
class CodesFinder {
 public:
  CodesFinder(const GraphView& graph, const std::vector<Declined>& declined)
      : graph_(graph) {
    for (const Declined& each : declined) reasons_[each.node] = each.reason;
  }

  void Fill(QuantizationReport& report) {
    for (const NodeId node : graph_.nodes()) {
      if (IsOp(graph_, node, "QuantizeLinear")) {
        if (const auto codes = ReadQdqNode(graph_, node)) {
          AddTensor(*codes, report);
        }
        codes_.insert(graph_.output(node, 0));
        continue;
      }
      if (IsOneOf(graph_, node, kBorder)) {
        for (const ValueId output : graph_.outputs(node)) codes_.insert(output);
        continue;
      }
      if (IsOp(graph_, node, "DequantizeLinear") ||
          IsOp(graph_, node, "Constant")) {
        continue;
      }
      Classify(node, report);
    }
    report.nodes = report.quantized.nodes.size() + report.float_nodes.size();
  }

 private:
  static constexpr std::string_view kBorder[] = {"DynamicQuantizeLinear"};
  static constexpr std::string_view kSums[] = {"ConvInteger", "MatMulInteger"};

  void Classify(NodeId node, QuantizationReport& report) {
    const QLinearSignature* signature = SignatureOf(graph_.node(node));
    bool quantized = signature != nullptr || rescales_.contains(node);
    if (signature != nullptr) {
      codes_.insert(graph_.output(node, 0));
      const auto codes = ReadParams(
          graph_, graph_.output(node, 0), graph_.input(node, signature->output),
          graph_.input(node, signature->output + 1), 0, DataType::kUint8);
      if (codes) AddTensor(*codes, report);
    }
    if (IsOneOf(graph_, node, kSums)) {
      quantized = true;
      if (const auto chain = ChainAt(graph_, node)) {
        rescales_.insert({chain->cast, chain->scale, chain->bias});
      }
    }
    const ValueId first = graph_.input(node, 0);
    if (!quantized && codes_.contains(first)) {
      quantized = true;  // moves codes
      for (const ValueId output : graph_.outputs(node)) codes_.insert(output);
    }
    quantized = quantized || DequantizedFrom(graph_, first).has_value();
    const std::string name = DeclinedNode(graph_, node, "").node;
    if (quantized) {
      report.quantized.nodes.push_back(name);
      return;
    }
    const DataType type = graph_.element_type(graph_.output(node, 0));
    if (!IsReal(type) && type != DataType::kUndefined) return;
    const auto reason = reasons_.find(name);
    report.float_nodes.push_back(
        {name, graph_.node(node).op_type(),
         reason == reasons_.end() ? "its input is float" : reason->second});
  }

  void AddTensor(const QuantizedValue& codes, QuantizationReport& report) {
    const auto range = FullCodeRange(codes.storage);
    if (!codes.per_tensor() || !range) return;
    const QParams& params = codes.tensor_params();
    SchemeSpec scheme;
    scheme.storage = codes.storage;
    scheme.qmin = range->qmin;
    scheme.qmax = range->qmax;
    scheme.symmetric = params.zero_point == SymmetricZeroPoint(scheme);
    report.quantized.activations.push_back(
        {RealName(graph_.name(codes.codes)),
         {reference::Dequantize(range->qmin, params),
          reference::Dequantize(range->qmax, params)},
         params,
         FormatScheme(scheme),
         "stored in the model"});
  }

  const GraphView& graph_;
  std::map<std::string, std::string, std::less<>> reasons_;
  std::set<ValueId> codes_;
  std::set<NodeId> rescales_;  // of integer sums
};

/// The selection as labels of nodes, whatever form they are in. Types are those
/// in the model, or of the float operator: Conv is QLinearConv too.
/// Errors: kInvalidArgument for what matches nothing, with the nearest names.
Result<NodeSelection> ResolveConversion(NodeSelection selection,
                                        GraphView& graph) {
  const std::vector<std::string> types =
      std::move(selection.op_types_to_quantize);
  selection.op_types_to_quantize.clear();
  if (types.empty()) return ResolveSelection(selection, graph, {}, "");
  std::set<std::string> present;
  for (const NodeId node : graph.nodes()) {
    present.insert(graph.node(node).op_type());
    present.emplace(ComputedOperator(graph.node(node)));
  }
  for (const std::string& type : types) {
    if (present.contains(type)) continue;
    return InvalidArgument(
        "the model has no node of type '" + type + "'" +
        NearestNames(type, {present.begin(), present.end()}));
  }
  selection.quantize_if = [types, also = std::move(selection.quantize_if)](
                              const GraphView& view, NodeId node) {
    const onnx::NodeProto& proto = view.node(node);
    const bool typed =
        std::any_of(types.begin(), types.end(), [&](const std::string& type) {
          return type == proto.op_type() || type == ComputedOperator(proto);
        });
    return typed && (!also || also(view, node));
  };
  return ResolveSelection(selection, graph, {}, "");
}

Status RunConversion(GraphView& graph, const ConversionOptions& options,
                     PassContext& context) {
  const auto run = [&](auto pass) {
    return Pipeline{RaiseToQdq{}, std::move(pass), EliminateDead{}}
        .Run(graph, context)
        .status();
  };
  switch (options.form) {
    case Form::kQOperator:
      return run(LowerToQOperator{.microsoft = options.microsoft_domain});
    case Form::kInteger:
      return run(LowerToInteger{});
    case Form::kFloat:
      return run(FoldQdq{});
    default:
      return run(EliminateDead{});
  }
}

}  // namespace

Result<QuantizationReport> Convert(Model& model,
                                   const ConversionOptions& options) {
  QuantizationReport report;
  PhaseTimer timer(report.seconds);
  ZEROPOINT_ASSIGN_OR_RETURN(const ModelDescription before,
                             DescribeModel(model));
  if (before.form == "float" && options.form != Form::kFloat) {
    return InvalidArgument(
        "the model is float: `zeropoint static` quantizes it, with samples");
  }
  if (options.opset > 0 && options.opset < model.opset()) {
    return InvalidArgument(
        "the model has opset " + std::to_string(model.opset()) +
        "; it can be raised, not lowered to " + std::to_string(options.opset));
  }
  // Below, pairs have one scale a tensor.
  ZEROPOINT_RETURN_IF_ERROR(UpgradeOpset(
      model, std::max(options.opset, kFirstOpsetWithQuantizationAxis)));
  PassContext context;
  NodeSelection selection;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
    ZEROPOINT_ASSIGN_OR_RETURN(selection,
                               ResolveConversion(options.selection, graph));
    context.selection = &selection;
    ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
    ZEROPOINT_RETURN_IF_ERROR(RunConversion(graph, options, context));
    ZEROPOINT_RETURN_IF_ERROR(VerifyModel(graph));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(GraphView graph, GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(InferTypes(graph));
  CodesFinder(graph, context.declined).Fill(report);
  report.form = FormName(options.form);
  report.left_undone = std::move(context.declined);
  timer.End("conversion");
  return report;
}

}  // namespace zeropoint

// fold-activation: leaves out a Relu or Clip that the following QuantizeLinear
// does anyway.
#ifndef ZEROPOINT_PASSES_FOLD_ACTIVATION_H_
#define ZEROPOINT_PASSES_FOLD_ACTIVATION_H_

#include <cmath>
#include <optional>
#include <string_view>

#include "zeropoint/core/reference.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/live_interval.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep_selected.h"

namespace zeropoint {

/// x -> Relu -> QuantizeLinear becomes x -> QuantizeLinear when saturation
/// limits exactly what the activation would:
///
///   Quantize(lower bound) == qmin and Quantize(upper bound) == qmax
///
/// Quantize is monotone, so every value then gets the same code as before. A
/// Relu before a symmetric int8 scheme stays: there 0 is not the lowest code.
/// The activation must have no other reader and be no graph output.
///
/// Exact: bit-equal codes, NaN aside.   Enters subgraphs: yes.
struct FoldActivation {
  static constexpr std::string_view kName = "fold-activation";
  static constexpr std::string_view kHelp =
      "Leaves out a Relu or Clip that the QuantizeLinear behind it does anyway";
  static constexpr std::string_view kSketch =
      "Conv -> Relu -> QuantizeLinear(zero_point = qmin)\n"
      "Conv -> QuantizeLinear";

  /// Only activations behind nodes that this selects; nullptr: all.
  const NodeSelection* behind = nullptr;

  Result<PassReport> Run(GraphView& graph, PassContext&) {
    Rewriter rewriter(graph);
    PassReport report;
    for (const NodeId quantize : graph.nodes_of_type("QuantizeLinear")) {
      while (Match(graph, quantize)) {
        const NodeId activation = graph.producer(graph.input(quantize, 0));
        rewriter.SetInput(quantize, 0, graph.input(activation, 0));
        rewriter.Erase(activation);
        ++report.rewrites;
      }
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
    return report;
  }

  /// Whether the QuantizeLinear does what the activation before it does.
  bool Match(const GraphView& graph, NodeId quantize) const {
    const ValueId value = graph.input(quantize, 0);
    const NodeId activation = graph.producer(value);
    if (activation == kNoNode || !graph.has_single_use(value) ||
        graph.scope(activation) != graph.scope(quantize)) {
      return false;
    }
    const onnx::NodeProto& node = graph.node(activation);
    if (!node.domain().empty() ||
        (node.op_type() != "Relu" && node.op_type() != "Clip")) {
      return false;
    }
    const NodeId before = graph.producer(graph.input(activation, 0));
    if (behind != nullptr &&
        (before == kNoNode || !internal::Selects(behind, graph.node(before)))) {
      return false;
    }
    const std::optional<QParams> params = PerTensorParams(graph, quantize);
    const auto codes =
        FullCodeRange(graph.element_type(graph.input(quantize, 2)));
    if (!params || !codes) return false;
    const std::optional<Interval> bounds = node.op_type() == "Relu"
                                               ? Interval{.lo = 0.0f}
                                               : ClipBounds(graph, activation);
    return bounds &&
           reference::Quantize(bounds->lo, *params, *codes) == codes->qmin &&
           reference::Quantize(bounds->hi, *params, *codes) == codes->qmax;
  }

 private:
  static std::optional<QParams> PerTensorParams(const GraphView& graph,
                                                NodeId quantize) {
    const ValueId scale_value = graph.input(quantize, 1);
    const ValueId zero_value = graph.input(quantize, 2);
    if (!graph.IsConstant(scale_value) || !graph.IsConstant(zero_value)) {
      return std::nullopt;
    }
    const Result<Tensor> scale = RealConstant(graph, scale_value);
    const Result<Tensor> zero = graph.Constant(zero_value);
    if (!scale.ok() || !zero.ok() || scale->size() != 1 || zero->size() != 1 ||
        !(scale->As<float>()[0] > 0.0f) ||
        !std::isfinite(scale->As<float>()[0])) {
      return std::nullopt;
    }
    QParams params{scale->As<float>()[0], 0};
    const Status read =
        VisitDataType(zero->type(), [&]<class Storage>() -> Status {
          if constexpr (std::is_integral_v<Storage> && sizeof(Storage) <= 2) {
            params.zero_point = zero->template As<Storage>()[0];
            return Status();
          } else {
            return Unsupported("not a code");
          }
        });
    if (!read.ok()) return std::nullopt;
    return params;
  }
};

static_assert(Pass<FoldActivation>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FOLD_ACTIVATION_H_

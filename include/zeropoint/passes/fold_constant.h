// FoldConstant: computes once what does not depend on the inputs.
#ifndef ZEROPOINT_PASSES_FOLD_CONSTANT_H_
#define ZEROPOINT_PASSES_FOLD_CONSTANT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/result_size.h"

namespace zeropoint {

/// Replaces nodes by initializers with their results: Constant nodes, Shape of
/// a value whose shape is static, and, with context.evaluate, every node of the
/// default domain whose inputs are all constants. In topological order, so
/// whole chains go in one sweep.
///
/// Where it stays: QuantizeLinear and DequantizeLinear, whose folding would
/// undo quantization; a result that is a graph output; a result larger than 64
/// MiB that is also larger than what it is computed from; nodes that the
/// evaluator does not know. Enters bodies. Exact.
class FoldConstant {
 public:
  static constexpr std::string_view kName = "fold-constant";
  static constexpr std::string_view kHelp =
      "Computes nodes whose inputs are all constant";
  static constexpr std::string_view kSketch =
      "x -> Reshape(Concat([1], [-1])) -> y\n"
      "x -> Reshape([1, -1]) -> y";

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    PassReport report;
    Rewriter rewriter(graph);
    for (const NodeId node : graph.nodes()) {
      std::optional<std::vector<Tensor>> results =
          Compute(graph, node, context.evaluate);
      if (!results) continue;
      const std::vector<ValueId> outputs(graph.outputs(node).begin(),
                                         graph.outputs(node).end());
      rewriter.Erase(node);
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i] == kNoValue || graph.uses(outputs[i]).empty()) continue;
        rewriter.SetInitializer(outputs[i],
                                EncodeTensor("", (*results)[i].view()));
      }
      ++report.rewrites;
    }
    ZEROPOINT_RETURN_IF_ERROR(rewriter.Finish());
    return report;
  }

 private:
  /// One tensor an output; nothing where the node stays.
  static std::optional<std::vector<Tensor>> Compute(
      const GraphView& graph, NodeId node, const NodeEvaluator& evaluate) {
    constexpr std::string_view kKept[] = {"QuantizeLinear", "DequantizeLinear"};
    for (const ValueId output : graph.outputs(node)) {
      if (output != kNoValue && graph.is_graph_output(output)) {
        return std::nullopt;
      }
    }
    if (IsOp(graph, node, "Constant")) return ConstantOf(graph, node);
    if (auto shape = StaticShape(graph, node)) return shape;
    const onnx::NodeProto& proto = graph.node(node);
    if (!evaluate || !proto.domain().empty() || !graph.bodies(node).empty() ||
        IsOneOf(graph, node, kKept)) {
      return std::nullopt;
    }
    return Evaluate(graph, node, evaluate);
  }

  static std::optional<std::vector<Tensor>> ConstantOf(const GraphView& graph,
                                                       NodeId node) {
    const ValueId output = graph.output(node, 0);
    if (!graph.IsConstant(output)) return std::nullopt;
    Result<Tensor> value = graph.Constant(output);
    if (!value.ok()) return std::nullopt;
    return One(std::move(value).value());
  }

  static std::optional<std::vector<Tensor>> StaticShape(const GraphView& graph,
                                                        NodeId node) {
    if (!IsOp(graph, node, "Shape")) return std::nullopt;
    const auto shape = graph.shape(graph.input(node, 0));
    if (!shape) return std::nullopt;
    const onnx::NodeProto& proto = graph.node(node);
    const auto rank = static_cast<std::int64_t>(shape->size());
    const auto limit = [rank](std::int64_t axis) {
      return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
    };
    const std::int64_t begin = limit(GetInt(proto, "start", 0));
    const std::int64_t end = std::max(begin, limit(GetInt(proto, "end", rank)));
    const Dims part(shape->begin() + begin, shape->begin() + end);
    return One(Tensor::Of<std::int64_t>({end - begin}, part));
  }

  static std::optional<std::vector<Tensor>> Evaluate(
      const GraphView& graph, NodeId node, const NodeEvaluator& evaluate) {
    constexpr std::size_t kLargestResult = std::size_t{64} << 20;
    std::vector<Tensor> scratch(graph.inputs(node).size());
    std::vector<TensorView> inputs;
    std::size_t input_bytes = 0;
    for (std::size_t i = 0; i < scratch.size(); ++i) {
      const ValueId input = graph.inputs(node)[i];
      if (input == kNoValue) {
        inputs.emplace_back();
        continue;
      }
      if (!graph.IsConstant(input)) return std::nullopt;
      const Result<TensorView> view = graph.ConstantView(input, scratch[i]);
      if (!view.ok()) return std::nullopt;
      inputs.push_back(*view);
      input_bytes += view->bytes();
    }
    const auto bytes = internal::ResultBytes(graph, node, inputs);
    if (!bytes || *bytes > std::max(kLargestResult, input_bytes)) {
      return std::nullopt;
    }
    Result<std::vector<Tensor>> results = evaluate(graph.node(node), inputs);
    if (!results.ok()) return std::nullopt;
    return std::move(results).value();
  }

  static std::vector<Tensor> One(Tensor tensor) {
    std::vector<Tensor> results;
    results.push_back(std::move(tensor));
    return results;
  }
};

static_assert(Pass<FoldConstant>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FOLD_CONSTANT_H_

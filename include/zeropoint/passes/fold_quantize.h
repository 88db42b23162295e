// fold-quantize: weights behind a QuantizeLinear become codes in the file.
#ifndef ZEROPOINT_PASSES_FOLD_QUANTIZE_H_
#define ZEROPOINT_PASSES_FOLD_QUANTIZE_H_

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "zeropoint/core/status.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/initializer.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pair_params.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/quantize_tensor.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Computes QuantizeLinear of a float constant, and the Clip of its codes if
/// one follows alone: the weights of a model that was trained with fake
/// quantization, which frameworks export in float.
///
/// Declines parameters that are not constant, or not one a channel of the
/// constant. A float constant with another reader stays for it. Enters bodies.
/// Exact: bit-equal to the operator.   Source: ONNX QuantizeLinear.
class FoldQuantize {
 public:
  static constexpr std::string_view kName = "fold-quantize";
  static constexpr std::string_view kHelp =
      "Computes QuantizeLinear of constant weights";
  static constexpr std::string_view kSketch =
      "W (float) -> QuantizeLinear -> DequantizeLinear -> Conv\n"
      "Wq (int8) -> DequantizeLinear -> Conv";
  static constexpr std::array<std::string_view, 1> kRoots = {"QuantizeLinear"};

  struct Found {
    NodeId quantize;
    NodeId clip;  // or kNoNode
    Tensor codes;
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    const ValueId value = graph.input(root, 0);
    if (!graph.IsConstant(value) || !IsReal(graph.element_type(value)) ||
        graph.is_graph_output(graph.output(root, 0))) {
      return std::nullopt;
    }
    auto pair = internal::PairParamsOf(graph, root);
    if (!pair) return Decline{"its scale or zero point is not constant"};
    const auto full = FullCodeRange(pair->storage);
    if (!full) return Decline{"its codes are not 8- or 16-bit integers"};
    Tensor stored;
    Tensor wide;
    const Result<TensorView> real =
        RealConstantView(graph, value, stored, wide);
    if (!real.ok()) return Decline{real.status().message()};
    if (!pair->per_tensor) {
      const int axis = pair->params.axis;
      pair->params.axis =
          axis < 0 ? axis + static_cast<int>(real->rank()) : axis;
      if (pair->params.axis < 0 ||
          pair->params.axis >= static_cast<int>(real->rank()) ||
          real->dims()[static_cast<std::size_t>(pair->params.axis)] !=
              static_cast<std::int64_t>(pair->params.channels.size())) {
        return Decline{"its scales do not match the channels of the weights"};
      }
    }
    Found found{root, kNoNode, Tensor()};
    CodeRange codes = *full;
    const ValueId output = graph.output(root, 0);
    const NodeId reader = SoleReader(graph, output);
    if (IsOp(graph, reader, "Clip") &&
        !graph.is_graph_output(graph.output(reader, 0))) {
      if (const auto clip =
              internal::ClippedCodes(graph, reader, pair->storage)) {
        found.clip = reader;
        codes = *clip;
      }
    }
    Result<Tensor> quantized =
        QuantizeWith(*real, pair->params, pair->storage, codes);
    if (!quantized.ok()) return Decline{quantized.status().message()};
    found.codes = std::move(quantized).value();
    return found;
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    ValueId output = graph.output(found.quantize, 0);
    if (found.clip != kNoNode) {
      output = graph.output(found.clip, 0);
      rewriter.Erase(found.clip);
    }
    rewriter.Erase(found.quantize);
    rewriter.SetInitializer(output, EncodeTensor("", found.codes.view()));
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }
};

static_assert(Pass<FoldQuantize>);

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FOLD_QUANTIZE_H_

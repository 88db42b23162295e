// FuseMatMulAdd: a fully connected layer written as two nodes becomes Gemm,
// whose bias can then be quantized with its product.
#ifndef ZEROPOINT_PASSES_FUSE_MATMUL_ADD_H_
#define ZEROPOINT_PASSES_FUSE_MATMUL_ADD_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Fuses MatMul(x, W) + c into Gemm(x, W, c) where x has rank 2, W is a float
/// constant of rank 2 and c a float constant of shape [N] or [1, N].
///
/// x of a higher or unknown rank stays: Gemm has rank 2 only. So does a product
/// with another reader, or that is a graph output. The Gemm has the name of the
/// MatMul. Enters bodies.
/// Source: ONNX Gemm-13.
class FuseMatMulAdd {
 public:
  static constexpr std::string_view kName = "fuse-matmul-add";
  static constexpr std::string_view kHelp =
      "Fuses MatMul of rank 2 and the Add of a constant bias into Gemm";
  static constexpr std::string_view kSketch =
      "x [M,K] -> MatMul(W) -> Add(c [N]) -> y\n"
      "x [M,K] -> Gemm(W, c) -> y";
  static constexpr std::array<std::string_view, 1> kRoots = {"Add"};

  struct Found {
    std::array<ValueId, 3> inputs;  // x, W, c
    std::array<NodeId, 2> nodes;    // MatMul, Add
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    for (const std::size_t data : {0u, 1u}) {
      const ValueId product = graph.input(root, data);
      const ValueId bias = graph.input(root, 1 - data);
      const NodeId matmul = ProducerIfOp(graph, product, "MatMul");
      if (matmul == kNoNode || SoleReader(graph, product) != root) {
        continue;
      }
      const ValueId x = graph.input(matmul, 0);
      const ValueId weights = graph.input(matmul, 1);
      const auto dims = ConstantShape(graph, weights);
      if (!dims || dims->size() != 2 || !IsReal(graph.element_type(weights)) ||
          RankOf(graph, x) != 2u || !IsRowOf(graph, bias, (*dims)[1])) {
        continue;
      }
      return Found{{x, weights, bias}, {matmul, root}};
    }
    return std::nullopt;
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    onnx::NodeProto fused;
    fused.set_op_type("Gemm");
    FuseNodes(graph, rewriter, found.nodes, std::move(fused), found.inputs,
              graph.output(found.nodes.back(), 0));
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }

 private:
  // A constant of reals, [columns] or [1, columns].
  static bool IsRowOf(const GraphView& graph, ValueId value,
                      std::int64_t columns) {
    const auto dims = ConstantShape(graph, value);
    if (!dims || !IsReal(graph.element_type(value))) return false;
    return *dims == Dims{columns} || *dims == Dims{1, columns};
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FUSE_MATMUL_ADD_H_

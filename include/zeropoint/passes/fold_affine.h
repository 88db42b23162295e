// FoldAffine: arithmetic with constants right behind a linear node belongs into
// its weights. Exporters write convolution biases as Add nodes, and some
// networks have a learnt scale and shift after every convolution.
#ifndef ZEROPOINT_PASSES_FOLD_AFFINE_H_
#define ZEROPOINT_PASSES_FOLD_AFFINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/graph/real_constants.h"
#include "zeropoint/graph/rewriter.h"
#include "zeropoint/passes/linear_weights.h"
#include "zeropoint/passes/pass.h"
#include "zeropoint/passes/sweep.h"

namespace zeropoint {

/// Folds Add, Sub, Mul and Div with a constant into the Conv, ConvTranspose or
/// Gemm before it; the constant has one value, or one a channel. A chain of
/// them goes in one sweep.
///
///   x + c, c + x, x - c:  b' = b + c (b - c)
///   c - x:                W' = -W, b' = c - b
///   x * c, c * x, x / c:  W' = c * W, b' = c * b  (with 1 / c for the last)
///
/// Where it stays: the linear node's output has another reader or is a graph
/// output; its weights are not float constants; the constant varies along
/// another axis than the channels. Enters bodies.
/// Exact: new weights are the nearest numbers of their type to the exact
/// products.
class FoldAffine {
 public:
  static constexpr std::string_view kName = "fold-affine";
  static constexpr std::string_view kHelp =
      "Folds Add, Sub, Mul and Div by constants into the Conv, ConvTranspose "
      "or Gemm before them";
  static constexpr std::string_view kSketch =
      "x -> Conv(W) -> Mul(a) -> Add(c [1,C,1,1]) -> y\n"
      "x -> Conv(a * W, c) -> y";
  static constexpr std::array<std::string_view, 4> kRoots = {"Add", "Sub",
                                                             "Mul", "Div"};

  struct Found {
    NodeId arithmetic;
    internal::LinearNode linear;
    internal::FoldedLinear folded;
  };

  MatchResult<Found> Match(const GraphView& graph, NodeId root) const {
    constexpr std::string_view kLinear[] = {"Conv", "ConvTranspose", "Gemm"};
    std::size_t data = 0;
    const auto linear_before = [&](std::size_t operand) {
      const ValueId value = graph.input(root, operand);
      return value == kNoValue ? kNoNode : graph.producer(value);
    };
    if (!IsOneOf(graph, linear_before(0), kLinear)) data = 1;
    const NodeId before = linear_before(data);
    const ValueId constant = graph.input(root, 1 - data);
    const bool divides_by_x = data == 1 && IsOp(graph, root, "Div");
    if (!IsOneOf(graph, before, kLinear) || !graph.IsConstant(constant) ||
        divides_by_x) {
      return std::nullopt;
    }
    if (SoleReader(graph, graph.input(root, data)) != root) {
      return Decline{"the output of " + NodeLabel(graph.node(before)) +
                     " is also read elsewhere"};
    }
    const auto linear = internal::AsLinear(graph, before);
    if (!linear) {
      return Decline{NodeLabel(graph.node(before)) +
                     " has weights or a bias that are not float constants"};
    }
    const auto values = PerChannel(graph, constant, *linear);
    if (!values) {
      return Decline{"its constant \"" + std::string(graph.name(constant)) +
                     "\" is not one float, or one a channel"};
    }
    auto folded = internal::Fold(
        graph, *linear,
        AffineOf(graph.node(root).op_type(), data == 0, *values));
    if (!folded) return Decline{"the folded weights would overflow float"};
    return Found{root, *linear, std::move(*folded)};
  }

  Status Rewrite(const GraphView& graph, const Found& found,
                 Rewriter& rewriter) const {
    const ValueId output = graph.output(found.arithmetic, 0);
    rewriter.Erase(found.arithmetic);
    internal::StoreFolded(graph, found.linear, found.folded, output, rewriter);
    return Status();
  }

  Result<PassReport> Run(GraphView& graph, PassContext& context) {
    return SweepRoots(*this, graph, context);
  }

 private:
  static internal::ChannelAffine AffineOf(std::string_view op_type,
                                          bool constant_is_second,
                                          const std::vector<double>& values) {
    internal::ChannelAffine affine;
    for (const double c : values) {
      double scale = 1;
      double shift = 0;
      if (op_type == "Add") {
        shift = c;
      } else if (op_type == "Sub") {
        scale = constant_is_second ? 1 : -1;
        shift = constant_is_second ? -c : c;
      } else {
        scale = op_type == "Mul" ? c : 1 / c;
      }
      affine.scale.push_back(scale);
      affine.shift.push_back(shift);
    }
    return affine;
  }

  // The constant, broadcast to one value a channel of [N, C, ...]; nothing when
  // it has another shape. Shapes align at the last axis.
  static std::optional<std::vector<double>> PerChannel(
      const GraphView& graph, ValueId constant,
      const internal::LinearNode& linear) {
    const auto dims = ConstantShape(graph, constant);
    if (!dims || !IsReal(graph.element_type(constant)) ||
        dims->size() > linear.output_rank) {
      return std::nullopt;
    }
    const std::size_t missing_axes = linear.output_rank - dims->size();
    std::int64_t count = 1;
    for (std::size_t i = 0; i < dims->size(); ++i) {
      const std::int64_t dim = (*dims)[i];
      if (dim == 1) continue;
      if (i + missing_axes != 1 ||
          dim != static_cast<std::int64_t>(linear.channels)) {
        return std::nullopt;
      }
      count = dim;
    }
    const auto tensor = RealConstant(graph, constant);
    if (!tensor.ok()) return std::nullopt;
    const auto values = tensor->As<float>();
    if (count == 1) return std::vector<double>(linear.channels, values[0]);
    return std::vector<double>(values.begin(), values.end());
  }
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_FOLD_AFFINE_H_

// IntegerChain: ConvInteger or MatMulInteger with its explicit rescale, as one
// unit.
#ifndef ZEROPOINT_PASSES_INTEGER_CHAIN_H_
#define ZEROPOINT_PASSES_INTEGER_CHAIN_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"
#include "zeropoint/passes/quantized_values.h"

namespace zeropoint::internal {

/// sum -> Cast to float -> Mul by a constant [-> Add of a constant].
struct IntegerChain {
  NodeId sum = kNoNode;  // ConvInteger or MatMulInteger
  NodeId cast = kNoNode;
  NodeId scale = kNoNode;
  NodeId bias = kNoNode;  // of a ConvInteger; kNoNode when there is none
  /// One for the tensor or one for each output channel.
  std::vector<float> multipliers = {};
  std::vector<float> biases = {};

  /// The value that the chain computes.
  ValueId output(const GraphView& graph) const {
    return graph.output(bias == kNoNode ? scale : bias, 0);
  }
};

/// The elements of a constant float of one element, or of a vector along the
/// axis of output channels: [C, 1 ...] or [1, C, 1 ...] for a convolution of
/// `spatial` axes, [C] for a matrix product.
inline std::optional<std::vector<float>> AlongChannels(const GraphView& graph,
                                                       ValueId value,
                                                       std::size_t spatial) {
  const auto dims = ConstantShape(graph, value);
  auto values = RealElements(graph, value);
  if (!dims || !values || values->empty()) return std::nullopt;
  if (values->size() == 1) return values;
  if (dims->size() <= spatial || dims->size() > spatial + 2) {
    return std::nullopt;
  }
  const std::size_t axis = dims->size() - spatial - 1;
  return (*dims)[axis] == static_cast<std::int64_t>(values->size())
             ? values
             : std::nullopt;
}

/// The constant operand of a Mul or Add and the other one.
struct ConstantOperand {
  ValueId constant = kNoValue;
  ValueId other = kNoValue;
};
inline std::optional<ConstantOperand> SplitConstant(const GraphView& graph,
                                                    NodeId node) {
  const ValueId a = graph.input(node, 0);
  const ValueId b = graph.input(node, 1);
  if (graph.IsConstant(b)) return ConstantOperand{b, a};
  if (graph.IsConstant(a)) return ConstantOperand{a, b};
  return std::nullopt;
}

/// The chain that begins at `sum`; nothing when it has another shape.
inline std::optional<IntegerChain> ChainAt(const GraphView& graph, NodeId sum) {
  IntegerChain chain{.sum = sum};
  chain.cast = SoleReader(graph, graph.output(sum, 0));
  if (!IsOp(graph, chain.cast, "Cast") ||
      GetInt(graph.node(chain.cast), "to", 0) !=
          static_cast<std::int64_t>(DataType::kFloat)) {
    return std::nullopt;
  }
  const ValueId real_sum = graph.output(chain.cast, 0);
  chain.scale = SoleReader(graph, real_sum);
  if (!IsOp(graph, chain.scale, "Mul")) return std::nullopt;
  const bool conv = IsOp(graph, sum, "ConvInteger");
  std::size_t spatial = 0;
  if (conv) {
    const auto rank = RankOf(graph, graph.input(sum, 1));
    if (!rank || *rank < 3) return std::nullopt;
    spatial = *rank - 2;
  }
  const auto scaled = SplitConstant(graph, chain.scale);
  if (!scaled || scaled->other != real_sum) return std::nullopt;
  auto multipliers = AlongChannels(graph, scaled->constant, spatial);
  if (!multipliers) return std::nullopt;
  for (const float each : *multipliers) {
    if (!(each > 0.0f) || !std::isfinite(each)) return std::nullopt;
  }
  chain.multipliers = std::move(*multipliers);
  if (!conv) return chain;
  const ValueId product = graph.output(chain.scale, 0);
  const NodeId add = SoleReader(graph, product);
  if (!IsOp(graph, add, "Add")) return chain;
  const auto added = SplitConstant(graph, add);
  if (!added || added->other != product) return chain;
  auto biases = AlongChannels(graph, added->constant, spatial);
  const auto channels = DimOf(graph, graph.input(sum, 1), 0);
  if (!biases || !channels ||
      static_cast<std::int64_t>(biases->size()) != *channels) {
    return chain;
  }
  chain.bias = add;
  chain.biases = std::move(*biases);
  return chain;
}

/// The float b for which a * b, a float product, is `product`; the nearest one
/// where there is none.
inline float FactorOf(float product, float a) {
  const float near = product / a;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float each :
       {near, std::nextafter(near, 0.0f), std::nextafter(near, kInfinity)}) {
    if (a * each == product) return each;
  }
  return near;
}

/// Whether input `input` of an integer sum, a zero point (omitted: 0), is that
/// of `codes`. Requires codes.per_tensor().
inline bool StatesZeroPoint(const GraphView& graph, NodeId node,
                            std::size_t input, const QuantizedValue& codes) {
  std::int32_t stated = 0;
  if (const ValueId value = graph.input(node, input); value != kNoValue) {
    const auto elements = IntegerElements(graph, value);
    if (!elements || elements->size() != 1) return false;
    stated = elements->front();
  }
  return stated == codes.tensor_params().zero_point;
}

/// Operand 1 of a chain whose operand 0 is `x`, with the scales that make the
/// chain's multipliers. `known`: what is known of the operand's codes when they
/// are computed, nullptr for constant ones; those get no ids.
inline std::optional<QuantizedValue> WeightsOf(const GraphView& graph,
                                               const IntegerChain& chain,
                                               const QuantizedValue& x,
                                               const QuantizedValue* known,
                                               std::string& against) {
  const NodeId node = chain.sum;
  if (known != nullptr) {
    if (known->per_tensor() && chain.multipliers.size() == 1 &&
        chain.multipliers[0] ==
            x.tensor_params().scale * known->tensor_params().scale &&
        StatesZeroPoint(graph, node, 3, *known)) {
      return *known;
    }
    against = "its multiplier is not the product of its inputs' scales";
    return std::nullopt;
  }
  const ValueId codes = graph.input(node, 1);
  const auto rank = RankOf(graph, codes);
  const DataType type = graph.element_type(codes);
  if (!graph.IsConstant(codes) || !rank || *rank == 0 ||
      (type != DataType::kUint8 && type != DataType::kInt8)) {
    against = "its second input is neither constant 8-bit codes nor known ones";
    return std::nullopt;
  }
  const std::int64_t axis = IsOp(graph, node, "ConvInteger")
                                ? 0
                                : static_cast<std::int64_t>(*rank) - 1;
  std::vector<std::int32_t> zero_points(1, 0);
  if (const ValueId value = graph.input(node, 3); value != kNoValue) {
    const auto elements = IntegerElements(graph, value);
    if (!elements || elements->empty()) {
      against = "the zero points of its weights are not constant";
      return std::nullopt;
    }
    zero_points = *elements;
  }
  const std::size_t count = chain.multipliers.size();
  const std::size_t channels = std::max(count, zero_points.size());
  if ((count != 1 && count != channels) ||
      (zero_points.size() != 1 && zero_points.size() != channels) ||
      (channels > 1 &&
       DimOf(graph, codes, axis) != static_cast<std::int64_t>(channels))) {
    against = "its multipliers do not match the channels of its weights";
    return std::nullopt;
  }
  QuantizedValue weights;
  weights.codes = codes;
  weights.storage = type;
  for (std::size_t c = 0; c < channels; ++c) {
    weights.params.channels.push_back(
        {FactorOf(chain.multipliers[count == 1 ? 0 : c],
                  x.tensor_params().scale),
         zero_points[zero_points.size() == 1 ? 0 : c]});
  }
  if (channels > 1) weights.params.axis = static_cast<int>(axis);
  return weights;
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_INTEGER_CHAIN_H_

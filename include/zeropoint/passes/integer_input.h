// What an integer sum reads: codes, from a pair or computed at run time.
#ifndef ZEROPOINT_PASSES_INTEGER_INPUT_H_
#define ZEROPOINT_PASSES_INTEGER_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "zeropoint/core/assert.h"
#include "zeropoint/core/half.h"
#include "zeropoint/graph/attributes.h"
#include "zeropoint/graph/edit_nodes.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/passes/add_cast.h"
#include "zeropoint/passes/quantized_values.h"

namespace zeropoint::internal {

/// What an integer sum reads in place of a real input.
struct IntegerInput {
  ValueId codes = kNoValue;
  ValueId zero_point = kNoValue;
  ValueId scale = kNoValue;  // only where it is computed at run time
};

/// The codes of a pair. ConvInteger (`unsigned_only`) gets int8 codes as uint8
/// with a zero point 128 higher, from a QuantizeLinear of its own: the same
/// steps; one such node serves all readers. Requires then that a QuantizeLinear
/// makes the codes.
inline IntegerInput StaticInput(const GraphView& graph, Rewriter& rewriter,
                                const QuantizedValue& input,
                                bool unsigned_only) {
  if (!unsigned_only || input.storage == DataType::kUint8) {
    return {input.codes, ZeroPointOf(rewriter, input), kNoValue};
  }
  const NodeId quantize = graph.producer(input.codes);
  const ScopeId scope = graph.scope(quantize);
  const ValueId real = graph.input(quantize, 0);
  const QParams params{input.tensor_params().scale,
                       input.tensor_params().zero_point + 128};
  for (const Use& use : graph.uses(real)) {
    if (use.input != 0 || graph.scope(use.node) != scope ||
        !IsOp(graph, use.node, "QuantizeLinear")) {
      continue;
    }
    const auto other = ReadQdqNode(graph, use.node);
    if (other && other->per_tensor() && other->storage == DataType::kUint8 &&
        other->tensor_params() == params) {
      return {other->codes, ZeroPointOf(rewriter, *other), kNoValue};
    }
  }
  const std::string name = std::string(graph.name(real)) + "_uint8";
  const QdqParams ids =
      AddParams(rewriter, name, {{params}, TensorQParams::kPerTensor},
                DataType::kUint8, kMainScope, input.scale_type);
  const ValueId codes = rewriter.NewValue(name + "_quantized", scope);
  AddQdqNode(rewriter, "QuantizeLinear", name, real, ids, codes, scope);
  return {codes, ids.zero_point, kNoValue};
}

/// Codes of `real` with the scale that its values have at run time; one
/// DynamicQuantizeLinear serves all readers of a scope.
inline IntegerInput DynamicInput(const GraphView& graph, Rewriter& rewriter,
                                 ValueId real, ScopeId scope) {
  for (const Use& use : graph.uses(real)) {
    if (graph.scope(use.node) == scope &&
        IsOp(graph, use.node, "DynamicQuantizeLinear")) {
      return {graph.output(use.node, 0), graph.output(use.node, 2),
              graph.output(use.node, 1)};
    }
  }
  const std::string name(graph.name(real));
  if (IsHalf(graph.element_type(real))) {
    // DynamicQuantizeLinear takes float; one Cast serves all readers, too.
    for (const Use& use : graph.uses(real)) {
      if (graph.scope(use.node) == scope && IsOp(graph, use.node, "Cast") &&
          GetInt(graph.node(use.node), "to", 0) ==
              static_cast<std::int64_t>(DataType::kFloat)) {
        return DynamicInput(graph, rewriter, graph.output(use.node, 0), scope);
      }
    }
    return DynamicInput(
        graph, rewriter,
        AddCast(rewriter, real, DataType::kFloat, name + "_float", scope),
        scope);
  }
  const IntegerInput input{rewriter.NewValue(name + "_quantized", scope),
                           rewriter.NewValue(name + "_zero_point", scope),
                           rewriter.NewValue(name + "_scale", scope)};
  rewriter.Add("DynamicQuantizeLinear", {real},
               {input.codes, input.scale, input.zero_point}, scope);
  return input;
}

/// The constant codes of a matrix, transposed. Requires: eight bits, rank 2.
inline ValueId TransposedCodes(const GraphView& graph, Rewriter& rewriter,
                               const QuantizedValue& matrix) {
  const Result<Tensor> codes = graph.Constant(matrix.codes);
  ZEROPOINT_ASSERT(codes.ok() && codes->rank() == 2,
                   "TransposedCodes needs a constant matrix");
  const auto rows = static_cast<std::size_t>(codes->dims()[0]);
  const auto columns = static_cast<std::size_t>(codes->dims()[1]);
  Tensor turned(codes->type(), {codes->dims()[1], codes->dims()[0]});
  const auto* from = static_cast<const std::uint8_t*>(codes->data());
  auto* to = static_cast<std::uint8_t*>(turned.mutable_data());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      to[j * rows + i] = from[i * columns + j];
    }
  }
  return rewriter.AddInitializer(EncodeTensor(
      std::string(graph.name(matrix.codes)) + "_transposed", turned.view()));
}

/// Removes the DequantizeLinear that made `value`, and the QuantizeLinear in
/// front of it, as far as nothing else reads them.
inline void ErasePairIfUnused(const GraphView& graph, Rewriter& rewriter,
                              ValueId value) {
  const NodeId node = ProducerIfOp(graph, value, "DequantizeLinear");
  if (node == kNoNode || !HasNoOutputFrom(graph, node, 0)) return;
  const ValueId codes = graph.input(node, 0);
  rewriter.Erase(node);
  if (ProducerIfOp(graph, codes, "QuantizeLinear") != kNoNode) {
    EraseIfUnused(graph, rewriter, codes);
  }
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_INTEGER_INPUT_H_

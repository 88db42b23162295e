// KnownCodes: which values of a graph are codes, and of what, as a walk in
// topological order finds out.
#ifndef ZEROPOINT_PASSES_KNOWN_CODES_H_
#define ZEROPOINT_PASSES_KNOWN_CODES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/passes/qlinear_signature.h"
#include "zeropoint/passes/quantized_values.h"

namespace zeropoint::internal {

/// `codes` with the scale and zero point that stand at inputs `scale` and
/// `scale` + 1 of a node on codes.
inline std::optional<QuantizedValue> TripleOf(const GraphView& graph,
                                              NodeId node, ValueId codes,
                                              std::size_t scale,
                                              std::int64_t axis) {
  if (codes == kNoValue) return std::nullopt;
  DataType storage = graph.element_type(codes);
  if (storage == DataType::kUndefined) storage = DataType::kUint8;
  return ReadParams(graph, codes, graph.input(node, scale),
                    graph.input(node, scale + 1), axis, storage);
}

class KnownCodes {
 public:
  void Add(QuantizedValue value) {
    known_.insert_or_assign(value.codes, std::move(value));
  }

  /// nullptr for what is not known to be codes.
  const QuantizedValue* Find(ValueId value) const {
    const auto found = known_.find(value);
    return found == known_.end() ? nullptr : &found->second;
  }

  /// Of a node that computes on codes or moves them, and of no other.
  void AddOutputsOf(const GraphView& graph, NodeId node) {
    if (const QLinearSignature* signature = SignatureOf(graph.node(node))) {
      auto codes =
          TripleOf(graph, node, graph.output(node, 0), signature->output, 0);
      if (codes) Add(std::move(*codes));
      return;
    }
    const QuantizedValue* input = Find(graph.input(node, 0));
    if (input == nullptr ||
        !(IsOp(graph, node, "Clip") || IsOneOf(graph, node, kMovesElements))) {
      return;
    }
    QuantizedValue moved = *input;
    const bool one = IsOp(graph, node, "MaxPool");  // Indices are no codes
    for (std::size_t i = 0; i < graph.outputs(node).size(); ++i) {
      moved.codes = graph.output(node, i);
      if (moved.codes != kNoValue && (i == 0 || !one)) Add(moved);
    }
  }

 private:
  std::map<ValueId, QuantizedValue> known_;
};

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_KNOWN_CODES_H_

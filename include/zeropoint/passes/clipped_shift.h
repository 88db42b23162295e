// ClippedShift: Clip(x + shift, low, high), the gate inside hard-swish and
// hard-sigmoid.
#ifndef ZEROPOINT_PASSES_CLIPPED_SHIFT_H_
#define ZEROPOINT_PASSES_CLIPPED_SHIFT_H_

#include <cstddef>
#include <optional>

#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/match_node.h"
#include "zeropoint/graph/match_value.h"

namespace zeropoint::internal {

struct ClippedShift {
  ValueId x = kNoValue;
  double shift = 0;
  double low = 0;
  double high = 0;
  NodeId add = kNoNode;
  NodeId clip = kNoNode;
};

/// The pattern that computes `value` when `reader` alone reads it. Bounds must
/// be float constants.
inline std::optional<ClippedShift> ClippedShiftAt(const GraphView& graph,
                                                  ValueId value,
                                                  NodeId reader) {
  ClippedShift found;
  found.clip = ProducerIfOp(graph, value, "Clip");
  if (found.clip == kNoNode || SoleReader(graph, value) != reader) {
    return std::nullopt;
  }
  const ValueId sum = graph.input(found.clip, 0);
  const auto low = ScalarOf(graph, graph.input(found.clip, 1));
  const auto high = ScalarOf(graph, graph.input(found.clip, 2));
  found.add = ProducerIfOp(graph, sum, "Add");
  if (!low || !high || found.add == kNoNode ||
      SoleReader(graph, sum) != found.clip) {
    return std::nullopt;
  }
  found.low = *low;
  found.high = *high;
  for (const std::size_t data : {0u, 1u}) {
    found.x = graph.input(found.add, data);
    const auto shift =
        ScalarBeside(graph, graph.input(found.add, 1 - data), found.x);
    if (!shift) continue;
    found.shift = *shift;
    return found;
  }
  return std::nullopt;
}

}  // namespace zeropoint::internal

#endif  // ZEROPOINT_PASSES_CLIPPED_SHIFT_H_

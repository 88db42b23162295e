// QuantizationPlan: what will be quantized and with which numbers, decided
// before anything is edited.
#ifndef ZEROPOINT_PASSES_QUANTIZATION_PLAN_H_
#define ZEROPOINT_PASSES_QUANTIZATION_PLAN_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/passes/operands.h"
#include "zeropoint/passes/pass.h"

namespace zeropoint {

/// A node that computes on quantized operands.
struct PlannedNode {
  NodeId node = kNoNode;
  Operands operands;
  /// The values that leave it quantized: its outputs, or that of the Relu or
  /// Clip that follows it alone. Empty when it writes float.
  std::vector<ValueId> quantized_outputs;
};

/// A second pair behind the first, of another type, for some of the readers.
struct PlannedConversion {
  SchemeSpec scheme;
  QParams params;
  /// Empty: all that want the tensor quantized.
  std::set<NodeId> receivers;

  bool Receives(NodeId node) const {
    return receivers.empty() || receivers.contains(node);
  }
};

/// An activation that passes through a Q/DQ pair.
struct PlannedTensor {
  RealRange range;
  std::string why;
  SchemeSpec scheme;
  QParams params;
  std::optional<PlannedConversion> conversion;
  /// Its producer needs the pair to compute in integers: every use reads the
  /// dequantized value.
  bool produced_quantized = false;
};

struct QuantizationPlan {
  std::vector<PlannedNode> nodes;
  /// By id, which follows the order of the file.
  std::map<ValueId, PlannedTensor> tensors;
  /// Relu and Clip nodes between a planned node and its quantized output.
  std::vector<NodeId> absorbed;
  /// Float nodes whose input is hidden from the runtime's optimizer
  /// (TargetSpec::shield_float_weights).
  std::vector<NodeId> shielded;
  /// Labels of nodes that stay float only because they are slower in int8.
  std::vector<std::string> slower;
  /// Every node that computes in float and stays so, with the reason.
  std::vector<Declined> declined;
  /// What the reader of the report should know about the choice as a whole.
  std::vector<std::string> notes;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_QUANTIZATION_PLAN_H_

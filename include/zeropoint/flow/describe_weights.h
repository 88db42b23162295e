// DescribeWeights: the codes and scales of quantized weights, for reports.
#ifndef ZEROPOINT_FLOW_DESCRIBE_WEIGHTS_H_
#define ZEROPOINT_FLOW_DESCRIBE_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/graph_view.h"

namespace zeropoint {

/// Constant codes that a node computes with.
struct WeightDescription {
  std::string name;
  /// The node that computes with them, behind a DequantizeLinear if there is
  /// one.
  std::string node;
  DataType type = DataType::kUndefined;
  Dims dims;
  /// How often each code occurs, from the least code of `type` on.
  std::vector<std::uint64_t> code_counts;
  /// In the order of the model: one, one a channel or one a block; none where
  /// the model keeps them elsewhere (MatMulInteger).
  std::vector<float> scales;
};

/// The constants of 4 and 8 bits that a DequantizeLinear or an operator on
/// codes reads, in the order of the nodes; each once. Constants of rank 0 are
/// zero points and values, not weights.
///
/// Errors: those of reading constants.
Result<std::vector<WeightDescription>> DescribeWeights(const GraphView& graph);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_DESCRIBE_WEIGHTS_H_

// DescribeConstants: how the real weights of a model are distributed.
#ifndef ZEROPOINT_FLOW_DESCRIBE_CONSTANTS_H_
#define ZEROPOINT_FLOW_DESCRIBE_CONSTANTS_H_

#include <string>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/graph/graph_view.h"

namespace zeropoint {

struct ConstantDistribution {
  std::string name;
  DataType type = DataType::kUndefined;
  Dims dims;
  double least = 0.0;
  double greatest = 0.0;
  double mean = 0.0;
  double standard_deviation = 0.0;
};

/// The initializers of the main graph with reals and two axes at least, in file
/// order; values that are not finite do not count.
/// Errors: those of reading constants.
Result<std::vector<ConstantDistribution>> DescribeConstants(
    const GraphView& graph);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_DESCRIBE_CONSTANTS_H_

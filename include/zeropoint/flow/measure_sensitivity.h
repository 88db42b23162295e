// MeasureSensitivity: which node costs how much accuracy.
#ifndef ZEROPOINT_FLOW_MEASURE_SENSITIVITY_H_
#define ZEROPOINT_FLOW_MEASURE_SENSITIVITY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/graph/model.h"

namespace zeropoint {

/// What quantizing one node costs. SQNR of the outputs, in dB, the mean over
/// the samples.
struct NodeSensitivity {
  std::string node;
  std::string op_type;
  /// Of the work that quantized nodes do.
  double work_share = 0.0;
  /// When it alone is quantized; kMostDecibel when that makes no difference, as
  /// for a node that is quantized only beside its neighbours.
  double alone_db = 0.0;
  /// When all others are.
  double without_db = 0.0;
};

struct SensitivityReport {
  std::size_t samples = 0;  // that the scores are of
  /// When all nodes are quantized.
  double all_db = 0.0;
  /// The one first that alone costs most.
  std::vector<NodeSensitivity> nodes;
};

/// Quantizes `model` for trial, with `options` but without tuning and
/// equalization: each node alone, and all but it, on samples that the ranges
/// do not come from. `model` is cleaned up, and not quantized.
///
/// Errors: kInvalidData where QuantizeStatic could not tune: fewer than
/// kLeastSamplesToTune samples, or a model that is too large; those of
/// QuantizeStatic.   Cost: 2 runs of the held-out samples for each node.
Result<SensitivityReport> MeasureSensitivity(Model& model, FeedSource& source,
                                             StaticQuantizationOptions options);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_MEASURE_SENSITIVITY_H_

// QuantizationDetails: what a drawing of a quantization shows beside its
// report.
#ifndef ZEROPOINT_FLOW_QUANTIZATION_DETAILS_H_
#define ZEROPOINT_FLOW_QUANTIZATION_DETAILS_H_

#include <map>
#include <string>
#include <vector>

#include "zeropoint/calibration/histogram_observer.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/describe_weights.h"

namespace zeropoint {

struct QuantizationDetails {
  /// Of the float model as it was quantized, after the clean-up.
  std::vector<NodeDescription> nodes = {};
  /// Of the tensors that calibration has seen; empty when its method keeps
  /// none.
  std::map<std::string, Histogram> histograms = {};
  std::vector<WeightDescription> weights = {};
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZATION_DETAILS_H_

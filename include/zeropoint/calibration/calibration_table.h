// CalibrationTable: what calibration says of each tensor, by name.
#ifndef ZEROPOINT_CALIBRATION_CALIBRATION_TABLE_H_
#define ZEROPOINT_CALIBRATION_CALIBRATION_TABLE_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// What is known of one tensor. Only the range is always there.
struct CalibratedTensor {
  RealRange range;
  /// Where the range comes from, for the report ("min-max of 32 samples").
  std::string why;
  /// The shape of the largest sample; empty when unknown, as for a range read
  /// from a file.
  Dims dims;
  /// Mean of each channel; empty when unknown.
  std::vector<double> channel_means;
};

/// Sorted by name, so that whatever is written from it is deterministic.
using CalibrationTable = std::map<std::string, CalibratedTensor, std::less<>>;

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_CALIBRATION_TABLE_H_

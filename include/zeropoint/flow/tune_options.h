// TuneOptions: what tuning may try, and what a remedy must gain.
#ifndef ZEROPOINT_FLOW_TUNE_OPTIONS_H_
#define ZEROPOINT_FLOW_TUNE_OPTIONS_H_

#include <cstddef>
#include <optional>

#include "zeropoint/flow/quality_target.h"

namespace zeropoint {

/// See Tune.
struct TuneOptions {
  /// What the result must reach, with the fewest nodes in float; nothing: the
  /// knee of the curve, by what stands below.
  std::optional<QualityTarget> target = std::nullopt;
  /// Try ranges from the least to the greatest value too.
  bool try_min_max_ranges = true;
  /// Of the calibration samples, the last quarter is held out: at most so many.
  /// For a target, the last half: at most four times as many.
  std::size_t most_held_out = 8;
  /// Nodes that may go back to float together cost at most this share of the
  /// time, or of the work where times are not known.
  double float_share = 0.15;
  std::size_t most_float_nodes = 12;
  /// The configured choice is left for at least this much: smaller differences
  /// on a few samples rank nothing.
  double least_gain_db = 0.5;
  /// A node goes back to float for this much, and for a tenth of the other if
  /// that costs a tenth of the time: the knee of the curve of accuracy against
  /// time.
  double least_gain_db_of_a_node = 0.1;
  double least_gain_db_of_all_time = 10.0;
  /// Equalizing channels puts nodes in, and trusts what few samples say of each
  /// channel: it must halve the noise.
  double least_equalization_gain_db = 3.0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_TUNE_OPTIONS_H_

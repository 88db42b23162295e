// TuneOptions: what tuning may try, and what a remedy must gain.
#ifndef ZEROPOINT_FLOW_TUNE_OPTIONS_H_
#define ZEROPOINT_FLOW_TUNE_OPTIONS_H_

#include <cstddef>

namespace zeropoint {

/// See Tune.
struct TuneOptions {
  /// Try ranges from the least to the greatest value too.
  bool try_min_max_ranges = true;
  /// Of the calibration samples, the last quarter is held out: at most so many.
  std::size_t most_held_out = 8;
  /// Nodes that may go back to float together do at most this share of the
  /// work.
  double float_share = 0.15;
  std::size_t most_float_nodes = 12;
  /// The configured choice is left for at least this much: smaller differences
  /// on a few samples rank nothing.
  double least_gain_db = 0.5;
  /// A node goes back to float for this much, and for a tenth of the other if
  /// it does a tenth of the work: the knee of the curve of accuracy against
  /// work.
  double least_gain_db_of_a_node = 0.1;
  double least_gain_db_of_all_work = 10.0;
  /// Equalizing channels puts nodes in, and trusts what few samples say of each
  /// channel: it must halve the noise.
  double least_equalization_gain_db = 3.0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_TUNE_OPTIONS_H_

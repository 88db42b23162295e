// SecondMomentOptions: how much of the samples second-order rounding looks at.
#ifndef ZEROPOINT_FLOW_SECOND_MOMENT_OPTIONS_H_
#define ZEROPOINT_FLOW_SECOND_MOMENT_OPTIONS_H_

#include <cstddef>

namespace zeropoint {

struct SecondMomentOptions {
  /// More change little.
  std::size_t samples = 16;
  std::size_t patches = 256;
  /// The states of all nodes together; a node that would exceed it gets none,
  /// and its weights the nearest codes.
  double most_bytes = 1e9;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_SECOND_MOMENT_OPTIONS_H_

// PairSharing: whether readers of a tensor share its Q/DQ pair.
#ifndef ZEROPOINT_PASSES_PAIR_SHARING_H_
#define ZEROPOINT_PASSES_PAIR_SHARING_H_

#include <cstdint>

namespace zeropoint {

/// How many pairs a tensor has that several nodes read.
enum class PairSharing : std::uint8_t {
  kShared,     // one
  kDedicated,  // one for each reader, for runtimes that recognise a quantized
               // operator by pairs that belong to it alone
};

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_PAIR_SHARING_H_

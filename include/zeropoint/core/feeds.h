// Feeds: the named inputs of one run.
#ifndef ZEROPOINT_CORE_FEEDS_H_
#define ZEROPOINT_CORE_FEEDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/tensor.h"

namespace zeropoint {

/// One input of a model: its name and its value.
struct Feed {
  std::string name;
  Tensor tensor;
};

/// All inputs of one run. Names are unique.
using Feeds = std::vector<Feed>;

/// The tensor fed under `name`, or nullptr.
inline const Tensor* FindFeed(const Feeds& feeds, std::string_view name) {
  for (const Feed& feed : feeds) {
    if (feed.name == name) return &feed.tensor;
  }
  return nullptr;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_FEEDS_H_

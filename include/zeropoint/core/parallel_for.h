// ParallelFor: how a layer without threads of its own is lent some.
#ifndef ZEROPOINT_CORE_PARALLEL_FOR_H_
#define ZEROPOINT_CORE_PARALLEL_FOR_H_

#include <cstddef>
#include <functional>

namespace zeropoint {

/// Calls body(i) once for every i < count, in any order, perhaps several at
/// once, and returns when all are done. Whoever takes one must give each i its
/// own place to write, so that the result does not depend on the threads.
using ParallelFor = std::function<void(
    std::size_t count, const std::function<void(std::size_t)>& body)>;

/// One after the other on the calling thread.
inline void SerialFor(std::size_t count,
                      const std::function<void(std::size_t)>& body) {
  for (std::size_t i = 0; i < count; ++i) body(i);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_PARALLEL_FOR_H_

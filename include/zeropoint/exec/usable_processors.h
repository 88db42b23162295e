// UsableProcessors: how many threads can run at once.
#ifndef ZEROPOINT_EXEC_USABLE_PROCESSORS_H_
#define ZEROPOINT_EXEC_USABLE_PROCESSORS_H_

#include <algorithm>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace zeropoint {

/// The processors that this process may run on, at least 1. Fewer than the
/// machine has where mpirun, taskset or a container binds it to some of them:
/// more threads would then wait for each other.
inline int UsableProcessors() {
#ifdef __linux__
  // Fails on machines with more than 1024 processors.
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof(usable), &usable) == 0) {
    return std::max(1, CPU_COUNT(&usable));
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_USABLE_PROCESSORS_H_

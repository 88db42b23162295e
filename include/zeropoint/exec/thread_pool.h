// ThreadPool: runs the tasks of one operator on a fixed set of threads.
//
// A run of a model issues thousands of short parallel loops, so starting one
// must cost little: the loop is published in one atomic word (generation and
// tasks left), tasks are claimed by compare-and-swap, and a worker that wakes
// late finds nothing to claim and never touches a loop that is over. The
// calling thread works too, so a loop never waits for a sleeping worker.
#ifndef ZEROPOINT_EXEC_THREAD_POOL_H_
#define ZEROPOINT_EXEC_THREAD_POOL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

#include "zeropoint/core/assert.h"
#include "zeropoint/core/parallel_for.h"
#include "zeropoint/exec/usable_processors.h"

namespace zeropoint {

/// A fixed number of threads, the caller's included.
///
/// Which thread runs which task is left to chance; a loop whose tasks write
/// disjoint results gives the same result for any number of threads.
class ThreadPool {
 public:
  /// `threads` counts the calling thread; 0 takes one a usable processor.
  explicit ThreadPool(int threads = 0) {
    if (threads <= 0) threads = UsableProcessors();
    threads_ = static_cast<std::size_t>(threads);
    workers_.reserve(threads_ - 1);
    for (std::size_t worker = 1; worker < threads_; ++worker) {
      workers_.emplace_back([this, worker] { Work(worker); });
    }
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  ~ThreadPool() {
    stop_.store(true, std::memory_order_relaxed);
    Wake();
    for (std::thread& worker : workers_) worker.join();
  }

  std::size_t threads() const { return threads_; }

  /// Calls f(task) or f(task, worker) for every task in [0, tasks) and returns
  /// when all are done. `worker` < threads() names the thread, for scratch
  /// memory that tasks on one thread share.
  ///
  /// A call from inside a task, or while another thread's loop is running, is
  /// done on the calling thread alone, with worker 0.
  template <class F>
  void ParallelFor(std::size_t tasks, F&& f) {
    using Function = std::remove_reference_t<F>;
    constexpr auto call = [](const void* state, std::size_t task,
                             std::size_t worker) {
      // The function was given by the caller of ParallelFor, const or not.
      auto& function = *static_cast<Function*>(const_cast<void*>(state));
      if constexpr (std::is_invocable_v<Function&, std::size_t, std::size_t>) {
        function(task, worker);
      } else {
        function(task);
      }
    };
    ZEROPOINT_ASSERT(tasks <= std::numeric_limits<std::uint32_t>::max(),
                     "a parallel loop has fewer than 2^32 tasks");
    if (tasks <= 1 || threads_ == 1 ||
        busy_.test_and_set(std::memory_order_acquire)) {
      for (std::size_t task = 0; task < tasks; ++task) {
        call(std::addressof(f), task, 0);
      }
      return;
    }
    call_ = call;
    state_ = std::addressof(f);
    tasks_ = tasks;
    pending_.store(static_cast<std::uint32_t>(tasks),
                   std::memory_order_relaxed);
    ++generation_;
    word_.store((std::uint64_t{generation_} << 32) | tasks,
                std::memory_order_release);
    Wake();
    DoTasks(0);
    AwaitPending();
    busy_.clear(std::memory_order_release);
  }

  /// Calls f(begin, end) or f(begin, end, worker) for consecutive ranges that
  /// cover [0, count), each of about `grain` items, or one range when `count`
  /// is not above `grain`.
  template <class F>
  void ParallelRanges(std::size_t count, std::size_t grain, F&& f) {
    if (count == 0) return;
    // A few pieces a thread, so that a thread that starts late costs little.
    const std::size_t most = threads_ == 1 ? 1 : 4 * threads_;
    const std::size_t pieces = std::clamp<std::size_t>(
        count / std::max<std::size_t>(1, grain), 1, most);
    const std::size_t size = (count + pieces - 1) / pieces;
    ParallelFor((count + size - 1) / size,
                [&](std::size_t piece, std::size_t worker) {
                  const std::size_t begin = piece * size;
                  const std::size_t end = std::min(count, begin + size);
                  if constexpr (std::is_invocable_v<F&, std::size_t,
                                                    std::size_t, std::size_t>) {
                    f(begin, end, worker);
                  } else {
                    f(begin, end);
                  }
                });
  }

 private:
  using Call = void (*)(const void* state, std::size_t task,
                        std::size_t worker);

  // Long enough to bridge the gap between two loops of one model, short enough
  // not to burn a core between two runs.
  static constexpr int kSpins = 300;

  static void Pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  void Wake() {
    signal_.fetch_add(1, std::memory_order_release);
    signal_.notify_all();
  }

  // Claims and runs tasks of the current loop until none is left. A successful
  // claim keeps the loop's fields in place: the caller waits for `pending_`.
  void DoTasks(std::size_t worker) {
    std::uint64_t word = word_.load(std::memory_order_acquire);
    for (;;) {
      const std::uint64_t left = word & 0xffffffffu;
      if (left == 0) return;
      if (!word_.compare_exchange_weak(word, word - 1,
                                       std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
        continue;
      }
      call_(state_, tasks_ - left, worker);
      if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        pending_.notify_one();
      }
      word = word_.load(std::memory_order_acquire);
    }
  }

  void AwaitPending() {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (pending_.load(std::memory_order_acquire) == 0) return;
      Pause();
    }
    for (;;) {
      const std::uint32_t left = pending_.load(std::memory_order_acquire);
      if (left == 0) return;
      pending_.wait(left, std::memory_order_acquire);
    }
  }

  void Work(std::size_t worker) {
    for (;;) {
      const std::uint32_t seen = signal_.load(std::memory_order_acquire);
      if (stop_.load(std::memory_order_relaxed)) return;
      DoTasks(worker);
      for (int spin = 0; spin < kSpins; ++spin) {
        if (signal_.load(std::memory_order_acquire) != seen) break;
        Pause();
      }
      signal_.wait(seen, std::memory_order_acquire);
    }
  }

  std::size_t threads_ = 1;
  std::vector<std::thread> workers_;
  std::atomic_flag busy_;  // a loop is running
  // The current loop; written only while no task of the last one is left.
  Call call_ = nullptr;
  const void* state_ = nullptr;
  std::size_t tasks_ = 0;
  std::uint32_t generation_ = 0;
  std::atomic<std::uint64_t> word_{0};     // generation << 32 | tasks unclaimed
  std::atomic<std::uint32_t> pending_{0};  // tasks not finished
  std::atomic<std::uint32_t> signal_{0};   // counts loops, to sleep on
  std::atomic<bool> stop_{false};
};

/// `pool` as what the layers below exec take. `pool` must outlive it.
inline ParallelFor ParallelForOf(ThreadPool& pool) {
  return [&pool](std::size_t count,
                 const std::function<void(std::size_t)>& body) {
    pool.ParallelFor(count, [&body](std::size_t i, std::size_t) { body(i); });
  };
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_THREAD_POOL_H_

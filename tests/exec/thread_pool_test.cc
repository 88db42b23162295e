#include "zeropoint/exec/thread_pool.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <vector>

namespace zeropoint {
namespace {

BOOST_AUTO_TEST_SUITE(thread_pool)

BOOST_AUTO_TEST_CASE(RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    BOOST_TEST(pool.threads() == static_cast<std::size_t>(threads));
    for (const std::size_t tasks : std::vector<std::size_t>{0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(tasks);
      pool.ParallelFor(tasks, [&](std::size_t task) { ++runs[task]; });
      for (const auto& count : runs) BOOST_TEST(count == 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(GivesEachThreadItsOwnNumber) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> busy(pool.threads());
  std::atomic<bool> clash = false;
  pool.ParallelFor(500, [&](std::size_t, std::size_t worker) {
    if (busy[worker].fetch_add(1) != 0) clash = true;
    busy[worker].fetch_sub(1);
  });
  BOOST_TEST(!clash);
}

BOOST_AUTO_TEST_CASE(SurvivesManyShortLoops) {
  ThreadPool pool(3);
  std::atomic<std::size_t> sum = 0;
  for (int loop = 0; loop < 20000; ++loop) {
    pool.ParallelFor(3, [&](std::size_t task) { sum += task; });
  }
  BOOST_TEST(sum == 60000);
}

BOOST_AUTO_TEST_CASE(RunsANestedLoopOnTheCallingThread) {
  ThreadPool pool(2);
  std::atomic<std::size_t> sum = 0;
  pool.ParallelFor(4, [&](std::size_t) {
    pool.ParallelFor(5, [&](std::size_t task, std::size_t worker) {
      if (worker == 0) sum += task;
    });
  });
  BOOST_TEST(sum == 40);
}

BOOST_AUTO_TEST_CASE(RangesCoverEverythingOnce) {
  ThreadPool pool(2);
  for (const std::size_t count : std::vector<std::size_t>{0, 1, 5, 64, 1001}) {
    for (const std::size_t grain : std::vector<std::size_t>{0, 1, 10, 5000}) {
      std::vector<std::atomic<int>> seen(count);
      pool.ParallelRanges(count, grain,
                          [&](std::size_t begin, std::size_t end) {
                            for (std::size_t i = begin; i < end; ++i) ++seen[i];
                          });
      for (const auto& times : seen) BOOST_TEST(times == 1);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

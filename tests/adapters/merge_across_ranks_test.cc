#include "zeropoint/adapters/merge_across_ranks.h"

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <queue>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/calibration/state_file.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
namespace {

/// What threads send to each other.
class Post {
 public:
  void Put(int from, int to, std::string bytes) {
    {
      const std::lock_guard lock(mutex_);
      queues_[{from, to}].push(std::move(bytes));
      ++messages_;
    }
    arrived_.notify_all();
  }
  std::string Take(int from, int to) {
    std::unique_lock lock(mutex_);
    auto& queue = queues_[{from, to}];
    arrived_.wait(lock, [&] { return !queue.empty(); });
    std::string bytes = std::move(queue.front());
    queue.pop();
    return bytes;
  }
  int messages() const { return messages_; }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::pair<int, int>, std::queue<std::string>> queues_;
  int messages_ = 0;
};

/// A rank that is a thread.
class ThreadRank {
 public:
  ThreadRank(Post& post, int rank, int size)
      : post_(post), rank_(rank), size_(size) {}
  int rank() const { return rank_; }
  int size() const { return size_; }
  Status Send(std::string_view bytes, int to) {
    post_.Put(rank_, to, std::string(bytes));
    return Status();
  }
  Result<std::string> Receive(int from) { return post_.Take(from, rank_); }

 private:
  Post& post_;
  int rank_;
  int size_;
};
static_assert(Communicator<ThreadRank>);

/// Runs `body` as each of `size` ranks. Returns how many messages they sent.
int RunRanks(int size, const std::function<void(ThreadRank&)>& body) {
  Post post;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRank self(post, rank, size);
      body(self);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return post.messages();
}

/// Samples [begin, end), each of one tensor.
CalibrationState Observed(std::uint64_t begin, std::uint64_t end) {
  CalibrationState state;
  state.collected = CollectedStatistics::All();
  TensorState& tensor = state.tensors["t"];
  tensor.statistics = TensorStatistics(state.collected);
  for (std::uint64_t sample = begin; sample < end; ++sample) {
    const auto x = static_cast<float>(sample);
    const Tensor values =
        Tensor::Of<float>({3}, std::vector<float>{x / 7, -x, 1e-3f * x});
    tensor.Observe(values.view(), sample, true, DispatchedKernels());
    BOOST_REQUIRE(state.samples.Add({"data", sample, sample + 1}).ok());
  }
  return state;
}

BOOST_AUTO_TEST_SUITE(merge_across_ranks)

BOOST_AUTO_TEST_CASE(AnyNumberOfRanksIsOneProcess) {
  for (int size = 1; size <= 17; ++size) {
    const auto count = static_cast<std::uint64_t>(size);
    const std::string whole = SerializeState(Observed(0, 3 * count)).value();
    std::string merged;
    std::vector<Status> statuses(count);
    const int messages = RunRanks(size, [&](ThreadRank& self) {
      const auto rank = static_cast<std::uint64_t>(self.rank());
      CalibrationState state = Observed(3 * rank, 3 * rank + 3);
      statuses[rank] = MergeAcrossRanks(self, state);
      if (rank == 0) merged = SerializeState(state).value();
    });
    for (const Status& status : statuses) {
      BOOST_TEST(status.ok(), status.message());
    }
    BOOST_TEST((merged == whole), size << " ranks");
    BOOST_TEST(messages == size - 1);
  }
}

BOOST_AUTO_TEST_CASE(AMergeThatFailsIsKnownAtRankZero) {
  // Rank 3 has a sample of rank 2, who notices; rank 0 must hear of it.
  std::vector<Status> statuses(6);
  RunRanks(6, [&](ThreadRank& self) {
    const int rank = self.rank() == 3 ? 2 : self.rank();
    const auto sample = static_cast<std::uint64_t>(rank);
    CalibrationState state = Observed(sample, sample + 1);
    statuses[static_cast<std::size_t>(self.rank())] =
        MergeAcrossRanks(self, state);
  });
  BOOST_TEST(statuses[2].message().find("count twice") != std::string::npos);
  BOOST_TEST(statuses[2].message().find("rank 3") != std::string::npos);
  BOOST_TEST(statuses[0].message().find("rank 2") != std::string::npos);
  for (const std::size_t fine : {1u, 3u, 4u, 5u}) {
    BOOST_TEST(statuses[fine].ok(), statuses[fine].message());
  }
}

BOOST_AUTO_TEST_CASE(EveryRankLearnsWhichHaveFailed) {
  for (int size = 1; size <= 17; ++size) {
    std::vector<Status> statuses(static_cast<std::size_t>(size));
    const auto agree = [&](const std::function<bool(int)>& fails) {
      RunRanks(size, [&](ThreadRank& self) {
        const int rank = self.rank();
        const Status mine = fails(rank) ? NotFound("no file") : Status();
        statuses[static_cast<std::size_t>(rank)] = AgreeAcrossRanks(self, mine);
      });
    };
    agree([](int) { return false; });
    for (const Status& status : statuses) BOOST_TEST(status.ok());
    agree([](int rank) { return rank % 3 == 0; });
    std::string expected;
    for (int rank = 0; rank < size; rank += 3) {
      if (rank > 0) expected += '\n';
      expected += "rank " + std::to_string(rank) + " of " +
                  std::to_string(size) + ": no file";
    }
    for (const Status& status : statuses) {
      BOOST_TEST(status.message() == expected);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

// SampleClaims: hands the samples of a run to workers, and knows which of them
// are in.
#ifndef ZEROPOINT_FLOW_SAMPLE_CLAIMS_H_
#define ZEROPOINT_FLOW_SAMPLE_CLAIMS_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "zeropoint/calibration/calibration_state.h"
#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/flow/progress.h"

namespace zeropoint {

/// Where the samples of a run come from, and who is told about it.
struct ObserveOptions {
  /// The name of the data set, and the number in it of the source's first
  /// sample.
  std::string data;
  std::uint64_t first = 0;
  ProgressHook progress;
  /// Called with a state that holds whole samples only, those before a number
  /// and no other, at most every `checkpoint_seconds`. An error ends the run.
  /// May be empty.
  std::function<Status(const CalibrationState&)> checkpoint;
  double checkpoint_seconds = 5.0;
  /// Asked before each sample whether to stop there. May be empty.
  std::function<bool()> stop;
};

/// Samples in their order, to whoever asks next; several workers may. What
/// ObserveOptions has is called by one of them at a time.
class SampleClaims {
 public:
  struct Claim {
    std::uint64_t sample;
    Feeds feeds;
  };

  /// All must outlive *this.
  SampleClaims(FeedSource& source, CalibrationState& state,
               const ObserveOptions& options)
      : source_(source),
        state_(state),
        options_(options),
        next_(options.first),
        failed_sample_(options.first) {}

  /// The next sample; nothing when the run has ended, be it by an error.
  std::optional<Claim> Next() {
    std::unique_lock lock(mutex_);
    while (!ended_ && CheckpointIsDue()) {
      // The state is whole when nobody is at work on it.
      if (running_ > 0) {
        idle_.wait(lock);
        continue;
      }
      if (Status saved = options_.checkpoint(state_); !saved.ok()) {
        Fail(next_, std::move(saved));
      }
      saved_ = Clock::now();
      unsaved_ = false;
      idle_.notify_all();
    }
    if (ended_) return std::nullopt;
    Result<std::optional<Feeds>> feeds = source_.Next();
    if (!feeds.ok()) {
      Fail(next_, feeds.status());
      return std::nullopt;
    }
    if (!*feeds) {
      ended_ = true;
      return std::nullopt;
    }
    if (options_.stop && options_.stop()) {
      ended_ = stopped_ = true;
      return std::nullopt;
    }
    ++running_;
    return Claim{next_++, std::move(**feeds)};
  }

  /// A claimed sample is in `state`, or could not be.
  void Done(std::uint64_t sample, Status status) {
    const std::unique_lock lock(mutex_);
    if (status.ok()) {
      status = state_.samples.Add({options_.data, sample, sample + 1});
    }
    if (!status.ok()) {
      Fail(sample, std::move(status));
    } else {
      unsaved_ = true;
      ++done_;
      if (options_.progress) {
        options_.progress("calibrating", done_, source_.size());
      }
    }
    if (--running_ == 0) idle_.notify_all();
  }

  /// How the run ended; call when every worker has returned. Errors: that of
  /// the first sample that failed; kCancelled, after a last checkpoint, when
  /// `stop` ended it.
  Status End() {
    if (!failure_.ok() || !stopped_) return failure_;
    if (options_.checkpoint) {
      ZEROPOINT_RETURN_IF_ERROR(options_.checkpoint(state_));
    }
    return Cancelled("stopped before sample " + std::to_string(next_));
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool CheckpointIsDue() const {
    const std::chrono::duration<double> since = Clock::now() - saved_;
    return options_.checkpoint && unsaved_ &&
           since.count() >= options_.checkpoint_seconds;
  }

  // Samples are claimed in order and end all the same, so the first failure is
  // the same one however many work.
  void Fail(std::uint64_t sample, Status status) {
    if (failure_.ok() || sample < failed_sample_) {
      failed_sample_ = sample;
      failure_ = std::move(status);
    }
    ended_ = true;
  }

  FeedSource& source_;
  CalibrationState& state_;
  const ObserveOptions& options_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::uint64_t next_;
  std::size_t done_ = 0;
  std::size_t running_ = 0;
  bool ended_ = false;
  bool stopped_ = false;
  bool unsaved_ = false;
  Status failure_;
  std::uint64_t failed_sample_;
  Clock::time_point saved_ = Clock::now();
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_SAMPLE_CLAIMS_H_

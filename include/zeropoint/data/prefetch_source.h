// PrefetchSource: reads another source ahead, on a thread of its own.
//
// Decoding a JPEG then costs no time while a model runs. One thread, so samples
// and errors come in the order of the source.
#ifndef ZEROPOINT_DATA_PREFETCH_SOURCE_H_
#define ZEROPOINT_DATA_PREFETCH_SOURCE_H_

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"

namespace zeropoint {

/// Used from one thread at a time, as every source. The thread starts with the
/// first Next() and ends with the source, after an error, or in Rewind().
class PrefetchSource final : public FeedSource {
 public:
  /// At most `ahead` samples, 1 or more, are held ready.
  PrefetchSource(std::unique_ptr<FeedSource> source, std::size_t ahead)
      : source_(std::move(source)),
        ahead_(std::max<std::size_t>(1, ahead)),
        size_(source_->size()),
        label_names_(source_->label_names()) {}
  PrefetchSource(const PrefetchSource&) = delete;
  PrefetchSource& operator=(const PrefetchSource&) = delete;
  ~PrefetchSource() override { Stop(); }

  Result<std::optional<Feeds>> Next() override {
    if (!thread_.joinable()) thread_ = std::thread([this] { ReadAhead(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty(); });
    // The end and an error stay where they are: nothing comes after them.
    if (IsLast(ready_.front())) {
      const Status status = ready_.front().status();
      if (!status.ok()) return status;
      return std::optional<Feeds>();
    }
    Result<std::optional<Feeds>> sample = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return sample;
  }

  Status Rewind() override {
    Stop();
    return source_->Rewind();
  }

  Status Skip(std::size_t samples) override {
    // Before the thread, the source may know a shorter way.
    return thread_.joinable() ? FeedSource::Skip(samples)
                              : source_->Skip(samples);
  }

  std::optional<std::size_t> size() const override { return size_; }
  std::vector<std::string> label_names() const override { return label_names_; }

  Result<std::vector<std::int64_t>> ClassLabels(
      std::string_view name) override {
    const std::scoped_lock reading(source_mutex_);
    return source_->ClassLabels(name);
  }
  Result<std::vector<std::string>> TextLabels(std::string_view name) override {
    const std::scoped_lock reading(source_mutex_);
    return source_->TextLabels(name);
  }

 private:
  static bool IsLast(const Result<std::optional<Feeds>>& sample) {
    return !sample.ok() || !sample->has_value();
  }

  void ReadAhead() {
    for (bool last = false; !last;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stop_ || ready_.size() < ahead_; });
        if (stop_) return;
      }
      Result<std::optional<Feeds>> sample = ReadOne();
      last = IsLast(sample);
      {
        const std::scoped_lock lock(mutex_);
        ready_.push_back(std::move(sample));
      }
      changed_.notify_all();
    }
  }

  Result<std::optional<Feeds>> ReadOne() {
    const std::scoped_lock reading(source_mutex_);
    return source_->Next();
  }

  void Stop() {
    if (!thread_.joinable()) return;
    {
      const std::scoped_lock lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
    stop_ = false;
    ready_.clear();
  }

  std::unique_ptr<FeedSource> source_;
  const std::size_t ahead_;
  const std::optional<std::size_t> size_;
  const std::vector<std::string> label_names_;
  std::mutex source_mutex_;  // who calls source_
  std::mutex mutex_;         // what follows
  std::condition_variable changed_;
  std::deque<Result<std::optional<Feeds>>> ready_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_PREFETCH_SOURCE_H_

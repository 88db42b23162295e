// CalibrationDataReader: samples from a program's own code, without a class
// derived from FeedSource.
//
// The concept has the shape of the reader of ONNX Runtime's Python tool, so
// that such readers carry over; CallbackSource takes a function.
#ifndef ZEROPOINT_DATA_DATA_READER_H_
#define ZEROPOINT_DATA_DATA_READER_H_

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"

namespace zeropoint {

/// A type whose get_next() returns the next sample, and nothing after the last:
///
///   std::optional<Feeds> get_next();
///   Result<std::optional<Feeds>> get_next();   when reading can fail
///
/// It may also have `rewind()`, which starts over (void or Status), and
/// `size()`, the number of samples.
template <class R>
concept CalibrationDataReader = requires(R reader) {
  requires std::same_as<decltype(reader.get_next()), std::optional<Feeds>> ||
               std::same_as<decltype(reader.get_next()),
                            Result<std::optional<Feeds>>>;
};

/// A reader as a source. Rewind() fails (kUnsupported) when the reader has no
/// rewind(): a flow that looks at the samples more than once needs one.
template <CalibrationDataReader R>
class ReaderSource final : public FeedSource {
 public:
  explicit ReaderSource(R reader) : reader_(std::move(reader)) {}

  Result<std::optional<Feeds>> Next() override {
    started_ = true;
    return reader_.get_next();
  }

  Status Rewind() override {
    if (!started_) return Status();
    if constexpr (requires { reader_.rewind(); }) {
      started_ = false;
      if constexpr (std::is_void_v<decltype(reader_.rewind())>) {
        reader_.rewind();
        return Status();
      } else {
        return reader_.rewind();
      }
    } else {
      return Unsupported(
          "the samples are needed a second time, and their reader cannot start "
          "over; give it a rewind()");
    }
  }

  std::optional<std::size_t> size() const override {
    if constexpr (requires { reader_.size(); }) {
      return static_cast<std::size_t>(reader_.size());
    } else {
      return std::nullopt;
    }
  }

 private:
  R reader_;
  bool started_ = false;
};

/// Samples from a function of their number, 0, 1, ...: the same number gives
/// the same sample, nothing comes after the last.
class CallbackSource final : public FeedSource {
 public:
  using Callback = std::function<Result<std::optional<Feeds>>(std::size_t)>;

  /// `samples`: how many there are, if that is known; no more are asked for.
  explicit CallbackSource(Callback callback,
                          std::optional<std::size_t> samples = {})
      : callback_(std::move(callback)), samples_(samples) {}

  Result<std::optional<Feeds>> Next() override {
    if (samples_ && next_ >= *samples_) return std::optional<Feeds>();
    return callback_(next_++);
  }

  Status Rewind() override {
    next_ = 0;
    return Status();
  }

  Status Skip(std::size_t samples) override {
    next_ += samples;
    return Status();
  }

  std::optional<std::size_t> size() const override { return samples_; }

 private:
  Callback callback_;
  std::optional<std::size_t> samples_;
  std::size_t next_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_DATA_READER_H_

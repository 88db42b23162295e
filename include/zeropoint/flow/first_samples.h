// FirstSamples: the beginning of a source.
#ifndef ZEROPOINT_FLOW_FIRST_SAMPLES_H_
#define ZEROPOINT_FLOW_FIRST_SAMPLES_H_

#include <cstddef>
#include <optional>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"

namespace zeropoint {

/// The next `count` samples of a source, which goes on behind them afterwards.
class FirstSamples final : public FeedSource {
 public:
  /// `source` must outlive *this.
  FirstSamples(FeedSource& source, std::size_t count)
      : source_(source), count_(count) {}

  Result<std::optional<Feeds>> Next() override {
    if (taken_ == count_) return std::optional<Feeds>();
    ++taken_;
    return source_.Next();
  }
  Status Rewind() override {
    taken_ = 0;
    return source_.Rewind();
  }
  std::optional<std::size_t> size() const override { return count_; }

 private:
  FeedSource& source_;
  std::size_t count_;
  std::size_t taken_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_FIRST_SAMPLES_H_

// Samples from memory.
#ifndef ZEROPOINT_TESTS_FLOW_SAMPLE_SOURCE_H_
#define ZEROPOINT_TESTS_FLOW_SAMPLE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/data/feed_source_base.h"

namespace zeropoint::testing {

/// `count` samples of one float input; sample k holds values(k).
class SampleSource final : public FeedSource {
 public:
  using Values = std::function<std::vector<float>(std::size_t)>;

  SampleSource(std::string input, Dims dims, std::size_t count, Values values)
      : input_(std::move(input)),
        dims_(std::move(dims)),
        count_(count),
        values_(std::move(values)) {}

  Result<std::optional<Feeds>> Next() override {
    if (at_ == count_) return std::optional<Feeds>();
    const std::vector<float> values = values_(at_++);
    Feeds feeds;
    feeds.push_back({input_, Tensor::Of<float>(dims_, values)});
    return std::optional<Feeds>(std::move(feeds));
  }
  Status Rewind() override {
    at_ = 0;
    return Status();
  }
  std::optional<std::size_t> size() const override { return count_; }

 private:
  std::string input_;
  Dims dims_;
  std::size_t count_;
  Values values_;
  std::size_t at_ = 0;
};

/// Values that look like data, the same at every call.
inline SampleSource::Values Waves(std::size_t elements) {
  return [elements](std::size_t sample) {
    std::vector<float> values(elements);
    std::uint32_t state = 12345u + static_cast<std::uint32_t>(sample);
    for (float& value : values) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
    }
    return values;
  };
}

}  // namespace zeropoint::testing

#endif  // ZEROPOINT_TESTS_FLOW_SAMPLE_SOURCE_H_

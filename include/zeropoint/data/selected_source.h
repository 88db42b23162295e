// SelectedSource: some samples of another source, in an order of their own.
//
// Sources are read from front to back. An ascending order needs one pass, with
// what is not wanted skipped. For a shuffled one, a block of the order is
// gathered in one pass, and then handed out: memory stays bounded, and an
// archive need not be unfolded anew for each sample.
#ifndef ZEROPOINT_DATA_SELECTED_SOURCE_H_
#define ZEROPOINT_DATA_SELECTED_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/sample_order.h"

namespace zeropoint {

class SelectedSource final : public FeedSource {
 public:
  /// Samples that are held at a time, when the order does not ascend.
  static constexpr std::size_t kBlockBytes = std::size_t{64} << 20;

  /// `source` must stand at its first sample.
  ///
  /// Errors: those of OrderSamples; kInvalidArgument for a source that does not
  /// know how many samples it has.
  static Result<std::unique_ptr<FeedSource>> Over(
      std::unique_ptr<FeedSource> source, const SampleSelection& selection,
      std::size_t block_bytes = kBlockBytes) {
    const std::optional<std::size_t> total = source->size();
    if (!total) {
      return InvalidArgument(
          "a source that does not say how many samples it has can only be read "
          "in its own order");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(SampleOrder order,
                               OrderSamples(*total, selection));
    return std::unique_ptr<FeedSource>(
        new SelectedSource(std::move(source), std::move(order), block_bytes));
  }

  Result<std::optional<Feeds>> Next() override {
    if (next_ == order_.size()) return std::optional<Feeds>();
    if (ascending_) {
      ZEROPOINT_ASSIGN_OR_RETURN(Feeds feeds, ReadSample(order_[next_++]));
      return std::optional<Feeds>(std::move(feeds));
    }
    if (next_ == block_begin_ + block_.size()) {
      ZEROPOINT_RETURN_IF_ERROR(ReadBlock());
    }
    return std::optional<Feeds>(std::move(block_[next_++ - block_begin_]));
  }

  // The source goes back only when something before its place is wanted.
  Status Rewind() override {
    next_ = block_begin_ = 0;
    block_.clear();
    return Status();
  }

  Status Skip(std::size_t samples) override {
    next_ += std::min(samples, order_.size() - next_);
    if (next_ >= block_begin_ + block_.size()) {
      block_begin_ = next_;
      block_.clear();
    }
    return Status();
  }

  std::optional<std::size_t> size() const override { return order_.size(); }

  std::vector<std::string> label_names() const override {
    return source_->label_names();
  }
  Result<std::vector<std::int64_t>> ClassLabels(
      std::string_view name) override {
    return Select(source_->ClassLabels(name));
  }
  Result<std::vector<std::string>> TextLabels(std::string_view name) override {
    return Select(source_->TextLabels(name));
  }

 private:
  SelectedSource(std::unique_ptr<FeedSource> source, SampleOrder order,
                 std::size_t block_bytes)
      : source_(std::move(source)),
        order_(std::move(order)),
        block_bytes_(block_bytes),
        ascending_(std::ranges::is_sorted(order_)) {}

  template <class T>
  Result<std::vector<T>> Select(Result<std::vector<T>> all) const {
    if (!all.ok()) return all;
    std::vector<T> selected;
    for (const std::size_t sample : order_) {
      selected.push_back(all->at(sample));
    }
    return selected;
  }

  // The sample `number` of the source.
  Result<Feeds> ReadSample(std::size_t number) {
    if (number < at_) {
      ZEROPOINT_RETURN_IF_ERROR(source_->Rewind());
      at_ = 0;
    }
    if (number > at_) ZEROPOINT_RETURN_IF_ERROR(source_->Skip(number - at_));
    at_ = number + 1;
    Result<std::optional<Feeds>> feeds = source_->Next();
    if (!feeds.ok()) return feeds.status();
    if (!feeds->has_value()) {
      return InvalidData("the data end before sample " +
                         std::to_string(number) + ", which they claim to have");
    }
    return std::move(**feeds);
  }

  // Fills block_ with the next of order_, as many as fit.
  Status ReadBlock() {
    block_begin_ = next_;
    block_.clear();
    const std::size_t left = order_.size() - next_;
    if (block_samples_ == 0) {
      // The first sample alone tells how large samples are.
      ZEROPOINT_ASSIGN_OR_RETURN(Feeds first, ReadSample(order_[next_]));
      std::size_t bytes = 1;
      for (const Feed& feed : first) bytes += feed.tensor.bytes();
      block_samples_ = std::max<std::size_t>(1, block_bytes_ / bytes);
      block_.push_back(std::move(first));
      return Status();
    }
    std::vector<std::size_t> places(std::min(left, block_samples_));
    std::iota(places.begin(), places.end(), std::size_t{0});
    const auto number = [this](std::size_t i) { return order_[next_ + i]; };
    std::ranges::sort(places, {}, number);
    block_.resize(places.size());
    for (const std::size_t i : places) {
      ZEROPOINT_ASSIGN_OR_RETURN(block_[i], ReadSample(number(i)));
    }
    return Status();
  }

  std::unique_ptr<FeedSource> source_;
  SampleOrder order_;
  std::size_t block_bytes_;
  bool ascending_;
  std::size_t at_ = 0;    // where the source stands
  std::size_t next_ = 0;  // in order_
  // The feeds of order_[block_begin_] and on.
  std::vector<Feeds> block_;
  std::size_t block_begin_ = 0;
  std::size_t block_samples_ = 0;  // not known until one was read
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_SELECTED_SOURCE_H_

// BatchedSource: several samples of another source as one.
//
//   [1, C, H, W], [1, C, H, W], [1, C, H, W]  ->  [2, C, H, W], [1, C, H, W]
//
// Labels belong to samples, not to batches: a batched source has none.
#ifndef ZEROPOINT_DATA_BATCHED_SOURCE_H_
#define ZEROPOINT_DATA_BATCHED_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/input_description.h"

namespace zeropoint {

/// The tensors one after another along axis 0; the other axes are as long in
/// all of them.
///
/// Errors: kInvalidData when types or other axes differ, or there is no axis;
/// the message completes "input 'x' ...".
inline Result<Tensor> JoinAlongAxis0(std::span<const Tensor* const> parts) {
  std::int64_t rows = 0;
  const Tensor& first = *parts.front();
  for (const Tensor* part : parts) {
    if (part->rank() == 0) {
      return InvalidData("is a single value, which has no batch axis");
    }
    if (part->type() != first.type() || part->rank() != first.rank() ||
        !std::equal(part->dims().begin() + 1, part->dims().end(),
                    first.dims().begin() + 1)) {
      return InvalidData("has samples of shape " + FormatDims(first.dims()) +
                         " and " + FormatDims(part->dims()) +
                         ", which make no batch; make them alike, or use a "
                         "batch size of 1");
    }
    rows += part->dims()[0];
  }
  Dims dims = first.dims();
  dims[0] = rows;
  if (!ElementCount(dims)) {
    return InvalidData("makes a batch of the impossible shape " +
                       FormatDims(dims));
  }
  Tensor joined(first.type(), std::move(dims));
  auto* to = static_cast<std::byte*>(joined.mutable_data());
  for (const Tensor* part : parts) {
    if (part->bytes() == 0) continue;
    std::memcpy(to, part->data(), part->bytes());
    to += part->bytes();
  }
  return joined;
}

class BatchedSource final : public FeedSource {
 public:
  /// The last batch has what is left. Errors: kInvalidArgument for a size of 0,
  /// and for a size above 1 when one of `inputs` fixes its axis 0.
  static Result<std::unique_ptr<FeedSource>> Over(
      std::unique_ptr<FeedSource> source, std::size_t batch_size,
      std::span<const InputDescription> inputs) {
    if (batch_size == 0) return InvalidArgument("a batch has 1 sample or more");
    for (const InputDescription& input : inputs) {
      if (batch_size == 1 || input.optional || !input.dims) continue;
      if (input.dims->empty() || input.dims->front() >= 0) {
        return InvalidArgument(
            "a batch size of " + std::to_string(batch_size) +
            " needs inputs whose axis 0 is open, but the model's input '" +
            input.name + "' has shape " + FormatDims(*input.dims) +
            "; leave out --batch-size, or export the model with an open batch "
            "axis");
      }
    }
    return std::unique_ptr<FeedSource>(
        new BatchedSource(std::move(source), batch_size));
  }

  Result<std::optional<Feeds>> Next() override {
    std::vector<Feeds> samples;
    while (samples.size() < batch_size_) {
      ZEROPOINT_ASSIGN_OR_RETURN(std::optional<Feeds> feeds, source_->Next());
      if (!feeds) break;
      samples.push_back(*std::move(feeds));
    }
    if (samples.empty()) return std::optional<Feeds>();
    if (samples.size() == 1) {
      return std::optional<Feeds>(std::move(samples.front()));
    }
    Feeds batch;
    for (const Feed& feed : samples.front()) {
      Result<Tensor> joined = Join(samples, feed.name);
      if (!joined.ok()) {
        return joined.status().WithContext("batch " + std::to_string(batch_) +
                                           ": input '" + feed.name + "'");
      }
      batch.push_back({feed.name, *std::move(joined)});
    }
    ++batch_;
    return std::optional<Feeds>(std::move(batch));
  }

  Status Rewind() override {
    batch_ = 0;
    return source_->Rewind();
  }

  Status Skip(std::size_t batches) override {
    batch_ += batches;
    return source_->Skip(batches * batch_size_);
  }

  std::optional<std::size_t> size() const override {
    const std::optional<std::size_t> samples = source_->size();
    if (!samples) return std::nullopt;
    return *samples / batch_size_ + (*samples % batch_size_ != 0);
  }

 private:
  BatchedSource(std::unique_ptr<FeedSource> source, std::size_t batch_size)
      : source_(std::move(source)), batch_size_(batch_size) {}

  static Result<Tensor> Join(const std::vector<Feeds>& samples,
                             const std::string& name) {
    std::vector<const Tensor*> parts;
    for (const Feeds& sample : samples) {
      const Tensor* part = FindFeed(sample, name);
      if (part == nullptr || sample.size() != samples.front().size()) {
        return InvalidData("is fed by some samples of the batch only");
      }
      parts.push_back(part);
    }
    return JoinAlongAxis0(parts);
  }

  std::unique_ptr<FeedSource> source_;
  std::size_t batch_size_;
  std::size_t batch_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_BATCHED_SOURCE_H_

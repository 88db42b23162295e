// FeedSource: samples, one after another.
//
// Calibration and evaluation look at each sample once and let it go; a source
// therefore hands out one at a time and need never hold more.
#ifndef ZEROPOINT_DATA_FEED_SOURCE_BASE_H_
#define ZEROPOINT_DATA_FEED_SOURCE_BASE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

/// The labels that data have when they have one kind.
inline constexpr std::string_view kLabels = "__labels__";

/// A sequence of samples that fit a model, with their labels if there are any.
class FeedSource {
 public:
  virtual ~FeedSource() = default;

  /// The next sample, its feeds in the order of the model's inputs; nothing
  /// after the last. Errors: kInvalidData, kIoError; after one, the source must
  /// not be used.
  virtual Result<std::optional<Feeds>> Next() = 0;

  /// Starts over at the first sample.
  virtual Status Rewind() = 0;

  /// Drops the next `samples`, or all that are left if those are fewer.
  /// Errors: those of Next(), as far as what is dropped is looked at.
  virtual Status Skip(std::size_t samples) {
    for (; samples > 0; --samples) {
      ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<Feeds> feeds, Next());
      if (!feeds) break;
    }
    return Status();
  }

  /// How many samples there are in all; nothing when that is not known.
  virtual std::optional<std::size_t> size() const = 0;

  /// The names of the label arrays; they start with "__".
  virtual std::vector<std::string> label_names() const { return {}; }

  /// One whole number for each sample, from the array `name`. Errors: kNotFound
  /// when there is none; kInvalidData when it is of another kind or length.
  virtual Result<std::vector<std::int64_t>> ClassLabels(std::string_view name) {
    return NoLabels(name);
  }

  /// One text for each sample, in UTF-8; otherwise as ClassLabels.
  virtual Result<std::vector<std::string>> TextLabels(std::string_view name) {
    return NoLabels(name);
  }

 protected:
  FeedSource() = default;
  FeedSource(const FeedSource&) = default;
  FeedSource& operator=(const FeedSource&) = default;

  static Status NoLabels(std::string_view name) {
    return NotFound("the data have no labels '" + std::string(name) +
                    "'; add an array of that name with one entry a sample");
  }
};

/// A part of the samples: `count` of them from number `first` on.
struct SampleRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// The samples left when `skip` are dropped and then at most `limit` taken.
///
/// Errors: kInvalidData when there is no sample; kInvalidArgument when none is
/// left.
inline Result<SampleRange> SelectSamples(std::size_t total, std::size_t skip,
                                         std::optional<std::size_t> limit) {
  if (total == 0) return InvalidData("holds no samples");
  if (skip >= total || limit == std::size_t{0}) {
    return InvalidArgument("holds " + std::to_string(total) +
                           " samples, of which skip and limit leave none");
  }
  return SampleRange{skip, std::min(total - skip, limit.value_or(total))};
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_FEED_SOURCE_BASE_H_

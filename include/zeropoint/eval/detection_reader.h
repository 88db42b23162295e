// DetectionReader: samples of which it is known what images they are.
#ifndef ZEROPOINT_EVAL_DETECTION_READER_H_
#define ZEROPOINT_EVAL_DETECTION_READER_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/batched_source.h"
#include "zeropoint/data/coco.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/image_folder.h"
#include "zeropoint/data/image_steps.h"
#include "zeropoint/data/input_description.h"

namespace zeropoint {

/// Labels that say which image a sample is: its id.
inline constexpr std::string_view kImageIds = "__image_id__";

/// An image that was fed. Its size is that of the annotations: 0 x 0 where they
/// do not say.
struct SampleImage {
  std::int64_t id = 0;
  ImageSize size = {};
};

/// What a detector is fed, and the images that it shows.
struct DetectionSample {
  Feeds feeds;
  std::vector<SampleImage> images;  // one for each of the batch
};

/// Gives samples to an evaluator; nothing after the last.
template <class S>
concept DetectionSource = requires(S& source) {
  { source.Next() } -> std::same_as<Result<std::optional<DetectionSample>>>;
};

namespace internal {

inline std::string_view FileNameOf(std::string_view path) {
  return path.substr(path.find_last_of("/\\") + 1);
}

/// The images of `source`, in its order, by kImageIds or else kFileNames.
inline Result<std::vector<SampleImage>> ImagesOf(FeedSource& source,
                                                 const CocoGroundTruth& truth) {
  const std::vector<std::string> labels = source.label_names();
  const auto has = [&labels](std::string_view name) {
    return std::ranges::find(labels, name) != labels.end();
  };
  std::vector<std::string> wanted;  // for messages
  std::vector<const CocoImage*> found;
  if (has(kImageIds)) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<std::int64_t> ids,
                               source.ClassLabels(kImageIds));
    std::unordered_map<std::int64_t, const CocoImage*> by_id;
    for (const CocoImage& image : truth.images) by_id[image.id] = &image;
    for (const std::int64_t id : ids) {
      const auto image = by_id.find(id);
      wanted.push_back("image " + std::to_string(id));
      found.push_back(image == by_id.end() ? nullptr : image->second);
    }
  } else if (has(kFileNames)) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                               source.TextLabels(kFileNames));
    std::unordered_map<std::string_view, const CocoImage*> by_name;
    std::set<std::string_view> twice;
    for (const CocoImage& image : truth.images) {
      const std::string_view name = FileNameOf(image.file_name);
      if (!by_name.emplace(name, &image).second) twice.insert(name);
    }
    for (const std::string& name : names) {
      const auto image = by_name.find(FileNameOf(name));
      wanted.push_back("'" + name + "'");
      found.push_back(image == by_name.end() ? nullptr : image->second);
      if (twice.contains(FileNameOf(name))) {
        return InvalidData("the annotations list two images called '" + name +
                           "'; name the samples by ids, in an array " +
                           std::string(kImageIds));
      }
    }
  } else {
    return InvalidData(
        "the data do not say which images they are; give a folder of images, "
        "or an array " +
        std::string(kImageIds) + " or " + std::string(kFileNames) +
        " with one entry a sample");
  }
  std::vector<SampleImage> images;
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == nullptr) {
      return InvalidData("sample " + std::to_string(i) + " is " + wanted[i] +
                         ", which the annotations do not list");
    }
    if (!seen.insert(found[i]->id).second) {
      return InvalidData("sample " + std::to_string(i) + " is " + wanted[i] +
                         " for a second time; images are scored once");
    }
    images.push_back({found[i]->id,
                      {static_cast<std::size_t>(found[i]->width),
                       static_cast<std::size_t>(found[i]->height)}});
  }
  return images;
}

}  // namespace internal

class DetectionReader {
 public:
  /// `source` gives one image a sample, `batch_size` of which are joined for
  /// each run of a model with these `inputs`.
  ///
  /// Errors: kInvalidData when a sample is no image of `truth`, or comes twice;
  /// BatchedSource's.
  static Result<DetectionReader> Over(
      std::unique_ptr<FeedSource> source, const CocoGroundTruth& truth,
      std::size_t batch_size, std::span<const InputDescription> inputs) {
    DetectionReader reader;
    ZEROPOINT_ASSIGN_OR_RETURN(reader.images_,
                               internal::ImagesOf(*source, truth));
    reader.batch_size_ = batch_size;
    ZEROPOINT_ASSIGN_OR_RETURN(
        reader.source_,
        BatchedSource::Over(std::move(source), batch_size, inputs));
    return reader;
  }

  Result<std::optional<DetectionSample>> Next() {
    ZEROPOINT_ASSIGN_OR_RETURN(std::optional<Feeds> feeds, source_->Next());
    if (!feeds) return std::optional<DetectionSample>();
    DetectionSample sample{.feeds = *std::move(feeds), .images = {}};
    const std::size_t end = std::min(next_ + batch_size_, images_.size());
    for (; next_ < end; ++next_) sample.images.push_back(images_[next_]);
    return std::optional<DetectionSample>(std::move(sample));
  }

  Status Rewind() {
    next_ = 0;
    return source_->Rewind();
  }

  /// How many images there are.
  std::size_t images() const { return images_.size(); }

 private:
  DetectionReader() = default;

  std::unique_ptr<FeedSource> source_;
  std::vector<SampleImage> images_;
  std::size_t batch_size_ = 1;
  std::size_t next_ = 0;
};

static_assert(DetectionSource<DetectionReader>);

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_DETECTION_READER_H_

// OpenFeedSource: samples from what a user names.
#ifndef ZEROPOINT_DATA_FEED_SOURCE_H_
#define ZEROPOINT_DATA_FEED_SOURCE_H_

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/batched_source.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/image_folder.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/npy_source.h"
#include "zeropoint/data/npz_source.h"
#include "zeropoint/data/parse_preprocess.h"
#include "zeropoint/data/prefetch_source.h"
#include "zeropoint/data/preprocess.h"
#include "zeropoint/data/sample_order.h"
#include "zeropoint/data/selected_source.h"
#include "zeropoint/data/synthetic.h"
#include "zeropoint/data/test_data_set.h"

namespace zeropoint {

/// Which samples of a source are fed, in which order, and as what.
struct FeedSourceOptions {
  /// The model's inputs, in its order.
  std::vector<InputDescription> inputs = {};
  /// A file of the form of parse_preprocess.h; empty: values are fed as stored.
  std::string preprocess_file = {};
  /// Of the samples that `shuffle_seed`, `start` and `stride` leave, in their
  /// order: how many to leave out first, then how many to take at most.
  std::size_t skip = 0;
  std::optional<std::size_t> limit = {};
  /// As in SampleSelection.
  std::size_t start = 0;
  std::size_t stride = 1;
  std::optional<std::uint64_t> shuffle_seed = {};
  /// Samples joined into one (batched_source.h).
  std::size_t batch_size = 1;
  /// Samples read ahead on a thread; nothing: kImagesAhead for images, which
  /// take long to decode, 0 for the rest.
  std::optional<std::size_t> prefetch = {};
};

inline constexpr std::size_t kImagesAhead = 2;

namespace internal {

inline constexpr std::string_view kSourceForms =
    "give a .npz, a .npy, a folder of images or of test_data_set_*, or "
    "synthetic:N";

inline Result<std::unique_ptr<FeedSource>> OpenSynthetic(
    const std::string& source, std::string_view number,
    const FeedSourceOptions& options) {
  const char* end = number.data() + number.size();
  std::size_t samples = 0;
  const auto [stop, error] = std::from_chars(number.data(), end, samples);
  if (error != std::errc() || stop != end || samples == 0) {
    return InvalidArgument("'" + source +
                           "' needs a number of samples, as synthetic:32");
  }
  if (!options.preprocess_file.empty()) {
    return InvalidArgument("'" + source +
                           "' makes the values that the model takes; leave "
                           "out --preprocess");
  }
  return SyntheticSource::Open(options.inputs, samples, options.skip,
                               options.limit);
}

// Steps that only images can take, for data that are none.
inline Status RefuseImageSteps(const Preprocess& steps) {
  for (const auto& [name, step] : steps) {
    if (!step.image && !step.image_size) continue;
    return InvalidArgument(
        "--preprocess has steps for images at input '" + name +
        "' (color, resize, letterbox, crop, feed), which only a folder of "
        "images takes");
  }
  return Status();
}

inline Result<bool> HoldsTestDataSets(const std::string& folder) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<NumberedPath> sets,
                             ListNumbered(folder, "test_data_set_", ""));
  return !sets.empty();
}

// The samples as they are stored; `images` becomes whether they are images.
inline Result<std::unique_ptr<FeedSource>> OpenStored(
    const std::string& source, const FeedSourceOptions& options, bool& images) {
  constexpr std::string_view kSynthetic = "synthetic:";
  if (source.starts_with(kSynthetic)) {
    return OpenSynthetic(
        source, std::string_view(source).substr(kSynthetic.size()), options);
  }
  std::error_code failure;
  const auto found = std::filesystem::status(source, failure);
  if (!std::filesystem::exists(found)) {
    return NotFound("no data at '" + source + "'; " +
                    std::string(kSourceForms));
  }
  const bool folder = std::filesystem::is_directory(found);
  if (!folder && !(std::filesystem::is_regular_file(found) &&
                   (source.ends_with(".npz") || source.ends_with(".npy")))) {
    return InvalidArgument("'" + source + "' is not of a known form; " +
                           std::string(kSourceForms));
  }
  Preprocess steps;
  if (!options.preprocess_file.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        steps, LoadPreprocess(options.preprocess_file, options.inputs));
  }
  bool sets = false;
  if (folder) {
    ZEROPOINT_ASSIGN_OR_RETURN(sets, HoldsTestDataSets(source));
  }
  images = folder && !sets;
  if (!images) ZEROPOINT_RETURN_IF_ERROR(RefuseImageSteps(steps));
  const auto open = images                     ? &ImageFolderSource::Open
                    : folder                   ? &TestDataSetSource::Open
                    : source.ends_with(".npz") ? &NpzSource::Open
                                               : &NpySource::Open;
  return open(source, options.inputs, std::move(steps), options.skip,
              options.limit);
}

}  // namespace internal

/// A source of samples for the inputs that `options` describes:
///
///   FILE.npz       arrays named after the inputs (npz_source.h)
///   FILE.npy       one array, for a model with one input (npy_source.h)
///   FOLDER         of test_data_set_* (test_data_set.h)
///   FOLDER         of JPEG and PNG files, or of such folders, a class each
///                  (image_folder.h)
///   synthetic:N    N made-up samples (synthetic.h)
///
/// Errors: kNotFound; kInvalidArgument for a name of none of these forms and
/// for a wrong preprocess file, selection or batch size; kInvalidData and
/// kUnsupported for data that do not fit the inputs. Each message names the
/// file and what to do.
inline Result<std::unique_ptr<FeedSource>> OpenFeedSource(
    const std::string& source, const FeedSourceOptions& options) {
  const SampleSelection selection = {options.start, options.stride,
                                     options.shuffle_seed, options.skip,
                                     options.limit};
  FeedSourceOptions stored = options;
  if (selection.contiguous()) {
    // The sources can do that themselves.
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    stored.skip += std::min(options.start, kMost - options.skip);
  } else {
    stored.skip = 0;
    stored.limit.reset();
  }
  bool images = false;
  ZEROPOINT_ASSIGN_OR_RETURN(std::unique_ptr<FeedSource> feeds,
                             internal::OpenStored(source, stored, images));
  if (!selection.contiguous()) {
    auto selected = SelectedSource::Over(std::move(feeds), selection);
    if (!selected.ok()) {
      return selected.status().WithContext("'" + source + "'");
    }
    feeds = *std::move(selected);
  }
  if (options.batch_size != 1) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        feeds, BatchedSource::Over(std::move(feeds), options.batch_size,
                                   options.inputs));
  }
  if (const std::size_t ahead =
          options.prefetch.value_or(images ? kImagesAhead : 0);
      ahead > 0) {
    feeds = std::make_unique<PrefetchSource>(std::move(feeds), ahead);
  }
  return feeds;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_FEED_SOURCE_H_

// ImageFolderSource: samples from JPEG and PNG files.
//
//   DATA/0001.jpg, 0002.png, ...       images, by name
//   DATA/cat/0001.jpg, DATA/dog/...    a sub-folder a class: images with labels
//
// Names are sorted byte by byte. The label of a class is the position of its
// folder, from 0; where all folders are called by numbers, that number.
#ifndef ZEROPOINT_DATA_IMAGE_FOLDER_H_
#define ZEROPOINT_DATA_IMAGE_FOLDER_H_

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/decode_image.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/image_steps.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/preprocess.h"

namespace zeropoint {

/// The text labels of a folder with classes: the names of their folders.
inline constexpr std::string_view kClassNames = "__class__";

/// The text labels of every folder of images: the names of the files, without
/// those of folders. An .npz may have them too.
inline constexpr std::string_view kFileNames = "__file__";

/// An image, and its class if it has one.
struct ImageFile {
  std::string path;
  std::string class_name = {};
  std::int64_t label = 0;
};

/// The images of a folder; `classes` where they stand in sub-folders.
struct ImageFileList {
  std::vector<ImageFile> files;
  bool classes = false;
};

namespace internal {

struct FolderEntries {
  std::vector<std::string> images;   // paths
  std::vector<std::string> folders;  // names
};

// What stands in `folder`, sorted. What is no image and not named like one is
// passed over: annotations, licences, what file managers leave.
inline Result<FolderEntries> ListImages(const std::string& folder) {
  constexpr std::array<std::string_view, 3> kRead = {".jpg", ".jpeg", ".png"};
  constexpr std::array<std::string_view, 8> kOther = {
      ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".heic", ".avif"};
  FolderEntries found;
  std::error_code failure;
  std::filesystem::directory_iterator at(folder, failure);
  for (; !failure && at != std::filesystem::directory_iterator();
       at.increment(failure)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with('.')) continue;
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      found.folders.push_back(name);
      continue;
    }
    std::string extension = at->path().extension().string();
    std::ranges::transform(extension, extension.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (std::ranges::find(kRead, extension) != kRead.end()) {
      found.images.push_back(at->path().string());
    } else if (std::ranges::find(kOther, extension) != kOther.end()) {
      return Unsupported("'" + at->path().string() +
                         "' is neither JPEG nor PNG; convert it to one");
    }
  }
  if (failure) {
    return IoError("cannot list '" + folder + "': " + failure.message());
  }
  std::ranges::sort(found.images);
  std::ranges::sort(found.folders);
  return found;
}

// The number that all of `name` is.
inline std::optional<std::int64_t> NumberOf(std::string_view name) {
  std::int64_t number = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc() || stop != end || number < 0) return std::nullopt;
  return number;
}

}  // namespace internal

/// The images of `folder`, in order.
///
/// Errors: kIoError; kInvalidData when there is none, or a class without any,
/// or images beside folders; kUnsupported for images of other kinds.
inline Result<ImageFileList> ListImageFiles(const std::string& folder) {
  ZEROPOINT_ASSIGN_OR_RETURN(const internal::FolderEntries top,
                             internal::ListImages(folder));
  ImageFileList list;
  for (const std::string& path : top.images) list.files.push_back({path});
  if (!list.files.empty()) {
    if (top.folders.empty()) return list;
    return InvalidData("'" + folder + "' holds images beside the folder '" +
                       top.folders.front() +
                       "'; keep all images in it, or each in the folder of "
                       "its class");
  }
  list.classes = true;
  const bool numbers =
      std::ranges::all_of(top.folders, [](const std::string& name) {
        return internal::NumberOf(name).has_value();
      });
  for (std::size_t i = 0; i < top.folders.size(); ++i) {
    const std::string& name = top.folders[i];
    const std::string path = (std::filesystem::path(folder) / name).string();
    ZEROPOINT_ASSIGN_OR_RETURN(const internal::FolderEntries entries,
                               internal::ListImages(path));
    if (entries.images.empty()) {
      return InvalidData("'" + path +
                         "' holds no images; a folder in a folder of images is "
                         "a class, with its .jpg and .png files");
    }
    const std::int64_t label =
        numbers ? *internal::NumberOf(name) : static_cast<std::int64_t>(i);
    for (const std::string& image : entries.images) {
      list.files.push_back({image, name, label});
    }
  }
  if (list.files.empty()) {
    return InvalidData(
        "'" + folder +
        "' holds no .jpg or .png, nor folders of them, nor "
        "folders test_data_set_0, test_data_set_1, ...; name the "
        "folder that does");
  }
  return list;
}

class ImageFolderSource final : public FeedSource {
 public:
  /// One input takes the images; others with "feed": "image_size" their sizes.
  ///
  /// Errors: those of ListImageFiles; kInvalidData when the inputs are others.
  static Result<std::unique_ptr<FeedSource>> Open(
      const std::string& folder, const std::vector<InputDescription>& inputs,
      Preprocess steps, std::size_t skip, std::optional<std::size_t> limit) {
    ZEROPOINT_ASSIGN_OR_RETURN(ImageFileList list, ListImageFiles(folder));
    const auto range = SelectSamples(list.files.size(), skip, limit);
    if (!range.ok()) return range.status().WithContext("'" + folder + "'");
    std::unique_ptr<ImageFolderSource> source(new ImageFolderSource);
    source->steps_ = std::move(steps);
    source->classes_ = list.classes;
    ZEROPOINT_RETURN_IF_ERROR(
        source->MatchInputs(inputs).WithContext("'" + folder + "'"));
    for (std::size_t i = 0; i < range->count; ++i) {
      source->files_.push_back(std::move(list.files[range->first + i]));
    }
    return std::unique_ptr<FeedSource>(std::move(source));
  }

  Result<std::optional<Feeds>> Next() override {
    if (next_ == files_.size()) return std::optional<Feeds>();
    const std::string& path = files_[next_++].path;
    ZEROPOINT_ASSIGN_OR_RETURN(const Image image, LoadImage(path));
    Feeds feeds;
    for (const InputDescription& input : inputs_) {
      Result<Tensor> tensor = MakeFeed(input, image);
      if (!tensor.ok()) {
        return tensor.status().WithContext("'" + path + "'");
      }
      feeds.push_back({input.name, *std::move(tensor)});
    }
    return std::optional<Feeds>(std::move(feeds));
  }

  Status Rewind() override {
    next_ = 0;
    return Status();
  }

  Status Skip(std::size_t samples) override {
    next_ += std::min(samples, files_.size() - next_);
    return Status();
  }

  std::optional<std::size_t> size() const override { return files_.size(); }

  std::vector<std::string> label_names() const override {
    if (!classes_) return {std::string(kFileNames)};
    return {std::string(kLabels), std::string(kClassNames),
            std::string(kFileNames)};
  }

  Result<std::vector<std::int64_t>> ClassLabels(
      std::string_view name) override {
    if (!classes_ || name != kLabels) return NoLabels(name);
    std::vector<std::int64_t> labels;
    for (const ImageFile& file : files_) labels.push_back(file.label);
    return labels;
  }

  Result<std::vector<std::string>> TextLabels(std::string_view name) override {
    std::vector<std::string> labels;
    if (name == kFileNames) {
      for (const ImageFile& file : files_) {
        labels.push_back(std::filesystem::path(file.path).filename().string());
      }
      return labels;
    }
    if (!classes_ || name != kClassNames) return NoLabels(name);
    for (const ImageFile& file : files_) labels.push_back(file.class_name);
    return labels;
  }

 private:
  ImageFolderSource() = default;

  Status MatchInputs(const std::vector<InputDescription>& inputs) {
    std::size_t images = 0;
    for (const InputDescription& input : inputs) {
      const auto step = steps_.find(input.name);
      if (input.optional && step == steps_.end()) continue;
      if (step == steps_.end() || !step->second.image_size) ++images;
      inputs_.push_back(input);
    }
    if (images == 1) return Status();
    return InvalidData(
        "holds images, which feed one input; of the model's inputs " +
        FormatNames(inputs) + ", " + std::to_string(images) +
        " would take them: make a .npz, or say {\"feed\": \"image_size\"} by "
        "--preprocess for one that takes the height and width");
  }

  Result<Tensor> MakeFeed(const InputDescription& input,
                          const Image& image) const {
    const auto step = steps_.find(input.name);
    if (step != steps_.end() && step->second.image_size) {
      return SizeOf(input, image);
    }
    const InputPreprocess how =
        step == steps_.end() ? InputPreprocess() : step->second;
    ZEROPOINT_ASSIGN_OR_RETURN(
        Tensor bytes,
        ApplyImageSteps(how.image.value_or(ImageSteps()), how.layout, image));
    ZEROPOINT_RETURN_IF_ERROR(
        CheckSample(input, steps_, bytes.type(), bytes.dims()));
    if (step == steps_.end()) return bytes;
    return ApplyPreprocess(how, bytes.view());
  }

  static Result<Tensor> SizeOf(const InputDescription& input,
                               const Image& image) {
    const Dims dims = {1, 2};
    ZEROPOINT_RETURN_IF_ERROR(CheckShape(input, dims));
    Tensor size;
    ZEROPOINT_RETURN_IF_ERROR(
        VisitDataType(input.type, [&]<class T>() -> Status {
          if constexpr (std::is_same_v<T, bool> || sizeof(T) < 4) {
            return InvalidData("has a height and width, the model's input '" +
                               input.name + "' takes " +
                               std::string(DataTypeName(input.type)));
          } else {
            size = Tensor(input.type, dims);
            size.MutableAs<T>()[0] = static_cast<T>(image.height);
            size.MutableAs<T>()[1] = static_cast<T>(image.width);
            return Status();
          }
        }));
    return size;
  }

  std::vector<InputDescription> inputs_;
  Preprocess steps_;
  std::vector<ImageFile> files_;
  bool classes_ = false;
  std::size_t next_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_IMAGE_FOLDER_H_

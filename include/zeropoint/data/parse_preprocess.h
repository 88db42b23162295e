// Preprocess from JSON, the form of --preprocess:
//
//   {"inputs": {"x": {"resize": {"short_side": 256}, "layout": "nchw",
//                     "crop": {"width": 224, "height": 224},
//                     "scale": 0.00392156862745098,
//                     "mean": [0.485, 0.456, 0.406],
//                     "std": [0.229, 0.224, 0.225]},
//               "ids": {"cast": "int32"}}}
//
// A key that is not known is an error: a misspelt one would be a step left out.
#ifndef ZEROPOINT_DATA_PARSE_PREPROCESS_H_
#define ZEROPOINT_DATA_PARSE_PREPROCESS_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/preprocess.h"
#include "zeropoint/data/read_file.h"

namespace zeropoint {

namespace internal {

inline Result<std::vector<float>> ParseNumbers(const nlohmann::json& value) {
  std::vector<float> numbers;
  if (value.is_number()) {
    numbers.push_back(value.get<float>());
  } else if (value.is_array()) {
    for (const nlohmann::json& item : value) {
      if (!item.is_number()) return InvalidArgument("holds no number");
      numbers.push_back(item.get<float>());
    }
  }
  if (numbers.empty()) {
    return InvalidArgument("is neither a number nor a list of numbers");
  }
  return numbers;
}

inline Status CheckKeys(const nlohmann::json& object,
                        std::initializer_list<std::string_view> known) {
  std::string list;
  for (const std::string_view key : known) {
    list += (list.empty() ? "" : ", ") + std::string(key);
  }
  if (!object.is_object()) {
    return InvalidArgument("is no object; its keys are " + list);
  }
  for (const auto& [key, value] : object.items()) {
    bool found = false;
    for (const std::string_view name : known) found = found || name == key;
    if (!found) {
      return InvalidArgument("unknown key '" + key + "'; known are " + list);
    }
  }
  return Status();
}

/// One of a few words, by `choices`.
template <class T>
Result<T> ParseWord(
    const nlohmann::json& value,
    std::initializer_list<std::pair<std::string_view, T>> choices) {
  std::string list;
  for (const auto& [word, meaning] : choices) {
    if (value == word) return meaning;
    list += (list.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  }
  return InvalidArgument("takes one of " + list + ", not " + value.dump());
}

inline Result<ResizeFilter> ParseFilter(const nlohmann::json& object,
                                        ResizeFilter otherwise) {
  if (!object.contains("filter")) return otherwise;
  Result<ResizeFilter> filter = ParseWord<ResizeFilter>(
      object["filter"], {{"bilinear", ResizeFilter::kBilinear},
                         {"bicubic", ResizeFilter::kBicubic}});
  if (!filter.ok()) return filter.status().WithContext("'filter'");
  return filter;
}

inline Result<std::size_t> ParseWhole(const nlohmann::json& object,
                                      const std::string& key,
                                      std::int64_t least, std::int64_t most) {
  const auto found = object.find(key);
  if (found != object.end() && found->is_number_integer()) {
    const auto number = found->get<std::int64_t>();
    if (number >= least && number <= most) {
      return static_cast<std::size_t>(number);
    }
  }
  return InvalidArgument("needs '" + key + "', a whole number from " +
                         std::to_string(least) + " to " + std::to_string(most));
}

inline constexpr std::int64_t kMaxImageSide = 16384;

inline Result<ImageSize> ParseImageSize(const nlohmann::json& object) {
  ImageSize size;
  ZEROPOINT_ASSIGN_OR_RETURN(size.width,
                             ParseWhole(object, "width", 1, kMaxImageSide));
  ZEROPOINT_ASSIGN_OR_RETURN(size.height,
                             ParseWhole(object, "height", 1, kMaxImageSide));
  const Status fits = CheckImageSize(size.width, size.height);
  if (!fits.ok()) return InvalidArgument(fits.message());
  return size;
}

inline Status ParseResize(const nlohmann::json& value, ImageSteps& steps) {
  ZEROPOINT_RETURN_IF_ERROR(
      CheckKeys(value, {"width", "height", "short_side", "filter"}));
  ImageResize& resize = steps.resize.emplace();
  ZEROPOINT_ASSIGN_OR_RETURN(resize.filter, ParseFilter(value, resize.filter));
  if (!value.contains("short_side")) {
    ZEROPOINT_ASSIGN_OR_RETURN(resize.to, ParseImageSize(value));
    return Status();
  }
  if (value.contains("width") || value.contains("height")) {
    return InvalidArgument("'short_side' stands without 'width' and 'height'");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(resize.short_side,
                             ParseWhole(value, "short_side", 1, kMaxImageSide));
  return Status();
}

inline Status ParseLetterbox(const nlohmann::json& value, ImageSteps& steps) {
  ZEROPOINT_RETURN_IF_ERROR(
      CheckKeys(value, {"width", "height", "filter", "fill"}));
  ImageLetterbox& box = steps.letterbox.emplace();
  ZEROPOINT_ASSIGN_OR_RETURN(box.to, ParseImageSize(value));
  ZEROPOINT_ASSIGN_OR_RETURN(box.filter, ParseFilter(value, box.filter));
  if (value.contains("fill")) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t fill,
                               ParseWhole(value, "fill", 0, 255));
    box.fill = static_cast<std::uint8_t>(fill);
  }
  return Status();
}

inline Status ParseCrop(const nlohmann::json& value, ImageSteps& steps) {
  ZEROPOINT_RETURN_IF_ERROR(CheckKeys(value, {"width", "height"}));
  ZEROPOINT_ASSIGN_OR_RETURN(steps.crop, ParseImageSize(value));
  return Status();
}

inline Status ParseArithmetic(const std::string& key,
                              const nlohmann::json& value,
                              InputPreprocess& step) {
  ZEROPOINT_ASSIGN_OR_RETURN(std::vector<float> numbers, ParseNumbers(value));
  if (key == "std") {
    for (const float number : numbers) {
      if (!(number > 0.0f)) return InvalidArgument("must be above 0");
    }
  }
  (key == "scale"    ? step.scale
   : key == "offset" ? step.offset
   : key == "mean"   ? step.mean
                     : step.std) = std::move(numbers);
  return Status();
}

// The key that is one of ImageSteps.
inline Status ParseImageStep(const std::string& key,
                             const nlohmann::json& value, ImageSteps& steps) {
  if (key == "resize") return ParseResize(value, steps);
  if (key == "letterbox") return ParseLetterbox(value, steps);
  if (key == "crop") return ParseCrop(value, steps);
  ZEROPOINT_ASSIGN_OR_RETURN(
      steps.color, ParseWord<ImageColor>(value, {{"rgb", ImageColor::kRgb},
                                                 {"bgr", ImageColor::kBgr},
                                                 {"gray", ImageColor::kGray}}));
  return Status();
}

inline Status ParseStep(const std::string& key, const nlohmann::json& value,
                        InputPreprocess& step) {
  if (key == "cast") {
    ZEROPOINT_ASSIGN_OR_RETURN(
        step.cast, ParseWord<DataType>(value, {{"uint8", DataType::kUint8},
                                               {"int32", DataType::kInt32},
                                               {"int64", DataType::kInt64}}));
    return Status();
  }
  if (key == "layout") {
    ZEROPOINT_ASSIGN_OR_RETURN(
        step.layout,
        ParseWord<ImageLayout>(value, {{"nchw", ImageLayout::kNchw},
                                       {"nhwc", ImageLayout::kNhwc}}));
    return Status();
  }
  if (key == "feed") {
    ZEROPOINT_ASSIGN_OR_RETURN(
        step.image_size,
        ParseWord<bool>(value, {{"image", false}, {"image_size", true}}));
    return Status();
  }
  if (key == "color" || key == "resize" || key == "letterbox" ||
      key == "crop") {
    if (!step.image) step.image.emplace();
    return ParseImageStep(key, value, *step.image);
  }
  return ParseArithmetic(key, value, step);
}

inline Result<InputPreprocess> ParseInputPreprocess(
    const nlohmann::json& entry) {
  if (!entry.is_object() || entry.empty()) {
    return InvalidArgument(
        "needs 'scale' with 'offset' or 'mean' and 'std', "
        "or 'cast'");
  }
  ZEROPOINT_RETURN_IF_ERROR(
      CheckKeys(entry, {"scale", "offset", "mean", "std", "cast", "color",
                        "resize", "letterbox", "crop", "layout", "feed"}));
  InputPreprocess step;
  for (const auto& [key, value] : entry.items()) {
    ZEROPOINT_RETURN_IF_ERROR(
        ParseStep(key, value, step).WithContext("'" + key + "'"));
  }
  if (step.image_size) {
    if (entry.size() == 1) return step;
    return InvalidArgument("'feed': \"image_size\" stands alone");
  }
  const auto has = [&entry](const char* key) { return entry.contains(key); };
  const bool arithmetic =
      has("scale") || has("offset") || has("mean") || has("std");
  if (step.cast && arithmetic) {
    return InvalidArgument(
        "'cast' stands alone, without scale, offset, mean and std");
  }
  if (!step.cast && !arithmetic) {
    return InvalidArgument(
        "says not how bytes become the input's values: add 'scale' (1 keeps "
        "them), or 'cast'");
  }
  if (has("offset") && (has("mean") || has("std"))) {
    return InvalidArgument(
        "'offset' stands without 'mean' and 'std', which are another way to "
        "say the same");
  }
  if (step.image && step.image->resize && step.image->letterbox) {
    return InvalidArgument("'resize' and 'letterbox' exclude each other");
  }
  return step;
}

}  // namespace internal

/// Errors: kInvalidArgument, with the place, for what is not of the form above.
inline Result<Preprocess> ParsePreprocess(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return InvalidArgument("is not JSON");
  if (!json.is_object() || json.size() != 1 || !json.contains("inputs") ||
      !json["inputs"].is_object()) {
    return InvalidArgument(
        "must be of the form {\"inputs\": {NAME: {\"scale\": ..., "
        "\"offset\": ...}}}");
  }
  Preprocess steps;
  for (const auto& [name, entry] : json["inputs"].items()) {
    auto step = internal::ParseInputPreprocess(entry);
    if (!step.ok()) return step.status().WithContext("input '" + name + "'");
    steps.emplace(name, *std::move(step));
  }
  return steps;
}

/// Reads the file that --preprocess names.
///
/// Errors: ReadFile's, ParsePreprocess's; kInvalidArgument for a name that is
/// none of `inputs`.
inline Result<Preprocess> LoadPreprocess(
    const std::string& path, std::span<const InputDescription> inputs) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  Result<Preprocess> steps = ParsePreprocess(text);
  if (!steps.ok()) return steps.status().WithContext("'" + path + "'");
  for (const auto& [name, step] : *steps) {
    if (FindInput(inputs, name) == nullptr) {
      return InvalidArgument("'" + path + "': the model has no input '" + name +
                             "'; its inputs are " + FormatNames(inputs));
    }
  }
  return steps;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_PARSE_PREPROCESS_H_

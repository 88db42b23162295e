// Preprocess: how stored values become the values that a model takes.
//
// Images are kept as bytes, models take real numbers, and the step between is
// the user's to state: a wrong guess would calibrate on a range that never
// occurs. So whole numbers never turn into real ones unasked. The form:
//
//   {"inputs": {"x": {"scale": 0.00784, "offset": [-1, -1, -0.9]},
//               "ids": {"cast": "int32"}}}
#ifndef ZEROPOINT_DATA_PREPROCESS_H_
#define ZEROPOINT_DATA_PREPROCESS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/read_file.h"

namespace zeropoint {

/// The step for one input: `cast`, or else `scale` and `offset`.
struct InputPreprocess {
  std::vector<float> scale = {1.0f};   // one value, or one for each channel
  std::vector<float> offset = {0.0f};  // (axis 1, the batch axis counted)
  std::optional<DataType> cast = {};   // kInt32 or kInt64

  DataType result_type() const { return cast.value_or(DataType::kFloat); }
};

/// The steps by input name.
using Preprocess = std::map<std::string, InputPreprocess, std::less<>>;

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

inline Result<InputPreprocess> ParseInputPreprocess(
    const nlohmann::json& entry) {
  InputPreprocess step;
  if (!entry.is_object() || entry.empty()) {
    return InvalidArgument("needs 'scale' and 'offset', or 'cast'");
  }
  for (const auto& [key, value] : entry.items()) {
    if (key == "scale" || key == "offset") {
      auto numbers = ParseNumbers(value);
      if (!numbers.ok()) {
        return numbers.status().WithContext("'" + key + "'");
      }
      (key == "scale" ? step.scale : step.offset) = *std::move(numbers);
    } else if (key == "cast") {
      if (value == "int32") {
        step.cast = DataType::kInt32;
      } else if (value == "int64") {
        step.cast = DataType::kInt64;
      } else {
        return InvalidArgument("'cast' takes \"int32\" or \"int64\", not " +
                               value.dump());
      }
    } else {
      return InvalidArgument("unknown key '" + key +
                             "'; known are scale, offset, cast");
    }
  }
  if (step.cast && entry.size() > 1) {
    return InvalidArgument("'cast' stands alone, without scale and offset");
  }
  return step;
}

template <class To, class From>
Status CastIntegers(std::span<const From> from, std::span<To> to) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    if constexpr (!std::is_same_v<From, bool>) {
      if (!std::in_range<To>(from[i])) {
        return InvalidData("holds " + std::to_string(from[i]) +
                           ", which does not fit the type that 'cast' names");
      }
    }
    to[i] = static_cast<To>(from[i]);
  }
  return Status();
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

/// Whether samples of `type` and `dims`, after the step for `input` if there is
/// one, are what `input` takes.
///
/// Errors: kInvalidData, kUnsupported; the message completes "array 'x' ...".
inline Status CheckSample(const InputDescription& input,
                          const Preprocess& steps, DataType type,
                          std::span<const std::int64_t> dims) {
  const std::string stored(DataTypeName(type));
  const std::string wanted = "the model's input '" + input.name + "' takes " +
                             std::string(DataTypeName(input.type));
  const auto step = steps.find(input.name);
  const bool stepped = step != steps.end();
  const DataType fed = stepped ? step->second.result_type() : type;
  if (fed != input.type) {
    if (stepped) {
      return InvalidData("becomes " + std::string(DataTypeName(fed)) +
                         " by --preprocess, " + wanted + "; correct its entry");
    }
    const bool whole =
        type != DataType::kDouble &&
        VisitDataType(type, []<class T>() { return Status(); }).ok();
    if (whole && input.type == DataType::kFloat) {
      return InvalidData("holds " + stored + ", " + wanted +
                         "; say by --preprocess FILE.json how one becomes the "
                         "other: {\"inputs\": {\"" +
                         input.name +
                         "\": {\"scale\": ..., \"offset\": ...}}}");
    }
    return InvalidData("holds " + stored + ", " + wanted +
                       "; save it in that type");
  }
  if (stepped) {
    for (const auto* numbers : {&step->second.scale, &step->second.offset}) {
      if (numbers->size() == 1) continue;
      if (dims.size() < 2 ||
          static_cast<std::int64_t>(numbers->size()) != dims[1]) {
        return InvalidData("has samples of shape " + FormatDims(dims) +
                           ", but --preprocess lists " +
                           std::to_string(numbers->size()) +
                           " values for axis 1 of '" + input.name + "'");
      }
    }
  }
  return CheckShape(input, dims);
}

/// The value to feed for a stored `sample`.
///
///   scale, offset:  y[n, c, ...] = float(x[n, c, ...]) * scale[c] + offset[c]
///   cast:           y = x, when every value fits
///
/// in two roundings to float32. Requires CheckSample. Errors: kInvalidData for
/// a value that does not fit; kUnsupported for a type without a C++ one.
inline Result<Tensor> ApplyPreprocess(const InputPreprocess& step,
                                      const TensorView& sample) {
  Tensor result(step.result_type(),
                Dims(sample.dims().begin(), sample.dims().end()));
  const auto apply = [&]<class T>() -> Status {
    const std::span<const T> from = sample.As<T>();
    if (step.cast) {
      if constexpr (std::is_floating_point_v<T>) {
        return InvalidData("holds real numbers, which 'cast' would cut");
      } else if (*step.cast == DataType::kInt32) {
        return internal::CastIntegers(from, result.MutableAs<std::int32_t>());
      } else {
        return internal::CastIntegers(from, result.MutableAs<std::int64_t>());
      }
    }
    const std::span<float> to = result.MutableAs<float>();
    // A channel is a run of `inner` values; the channels come around again for
    // each element of axis 0.
    const std::size_t channels =
        std::max(step.scale.size(), step.offset.size());
    const std::size_t inner = channels == 1 || from.empty()
                                  ? from.size()
                                  : *ElementCount(sample.dims().subspan(2));
    std::size_t i = 0;
    for (std::size_t run = 0; i < from.size(); ++run) {
      const float scale = step.scale[run % step.scale.size()];
      const float offset = step.offset[run % step.offset.size()];
      for (const std::size_t end = i + inner; i < end; ++i) {
        const float scaled = static_cast<float>(from[i]) * scale;
        to[i] = scaled + offset;
      }
    }
    return Status();
  };
  ZEROPOINT_RETURN_IF_ERROR(VisitDataType(sample.type(), apply));
  return result;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_PREPROCESS_H_

// Preprocess: how stored values become the values that a model takes.
//
// Images are kept as bytes, models take real numbers, and the step between is
// the user's to state: a wrong guess would calibrate on a range that never
// occurs. So whole numbers never turn into real ones unasked.
// parse_preprocess.h reads the steps from JSON.
#ifndef ZEROPOINT_DATA_PREPROCESS_H_
#define ZEROPOINT_DATA_PREPROCESS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "zeropoint/core/half.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/data/image_steps.h"
#include "zeropoint/data/input_description.h"

namespace zeropoint {

/// The step for one input: for images first those of `image`, then for all data
/// `cast`, or else arithmetic.
struct InputPreprocess {
  // One value each, or one for each channel.
  std::vector<float> scale = {1.0f};
  std::vector<float> offset = {0.0f};
  std::optional<DataType> cast = {};  // kUint8, kInt32 or kInt64
  std::vector<float> mean = {};       // empty: nothing is taken off
  std::vector<float> std = {};        // empty: nothing is divided
  /// What images are brought into; channels are axis 1 or the last one (the
  /// batch axis counted) of all data.
  ImageLayout layout = ImageLayout::kNchw;
  std::optional<ImageSteps> image = {};
  /// Not the image is fed, but its height and width as stored: [1, 2].
  bool image_size = false;

  DataType result_type() const { return cast.value_or(DataType::kFloat); }
  std::size_t channel_axis(std::size_t rank) const {
    return layout == ImageLayout::kNchw ? 1 : rank - 1;
  }
};

/// The steps by input name.
using Preprocess = std::map<std::string, InputPreprocess, std::less<>>;

namespace internal {

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

/// Whether samples of `type` and `dims`, after the step for `input` if there is
/// one, are what `input` takes.
///
/// Errors: kInvalidData, kUnsupported; the message completes "array 'x' ...".
inline Status CheckSample(const InputDescription& input,
                          const Preprocess& steps, DataType type,
                          std::span<const std::int64_t> dims) {
  const std::string stored(DataTypeName(type));
  if (BitsOf(type) == 0) {
    return Unsupported("holds " + stored + ", only numbers can be fed");
  }
  const std::string wanted = "the model's input '" + input.name + "' takes " +
                             std::string(DataTypeName(input.type));
  const auto step = steps.find(input.name);
  const bool stepped = step != steps.end();
  const DataType fed = stepped ? step->second.result_type() : type;
  // Real data suits a model of half precision: the executor rounds it.
  const bool rounds = fed == DataType::kFloat && IsHalf(input.type);
  if (fed != input.type && !rounds) {
    if (stepped) {
      return InvalidData("becomes " + std::string(DataTypeName(fed)) +
                         " by --preprocess, " + wanted + "; correct its entry");
    }
    const bool whole =
        type != DataType::kDouble &&
        VisitDataType(type, []<class T>() { return Status(); }).ok();
    if (whole && IsReal(input.type)) {
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
    const InputPreprocess& how = step->second;
    for (const auto* numbers : {&how.scale, &how.offset, &how.mean, &how.std}) {
      if (numbers->size() <= 1) continue;
      if (dims.size() < 2 || static_cast<std::int64_t>(numbers->size()) !=
                                 dims[how.channel_axis(dims.size())]) {
        return InvalidData(
            "has samples of shape " + FormatDims(dims) +
            ", but --preprocess lists " + std::to_string(numbers->size()) +
            " values for axis " +
            std::to_string(dims.size() < 2 ? 1
                                           : how.channel_axis(dims.size())) +
            " of '" + input.name + "'");
      }
    }
  }
  return CheckShape(input, dims);
}

/// The value to feed for a stored `sample`, channel c:
///
///   scale, offset:     y = float(x) * scale[c] + offset[c]
///   scale, mean, std:  y = (float(x) * scale[c] - mean[c]) / std[c]
///   cast:              y = x, when every value fits
///
/// each operation rounded to float32. Requires CheckSample. Errors:
/// kInvalidData for a value that does not fit; kUnsupported for a type without
/// a C++ one.
inline Result<Tensor> ApplyPreprocess(const InputPreprocess& step,
                                      const TensorView& sample) {
  Tensor result(step.result_type(),
                Dims(sample.dims().begin(), sample.dims().end()));
  const auto apply = [&]<class T>() -> Status {
    const std::span<const T> from = sample.As<T>();
    if (step.cast) {
      if constexpr (std::is_floating_point_v<T>) {
        return InvalidData("holds real numbers, which 'cast' would cut");
      } else if (*step.cast == DataType::kUint8) {
        return internal::CastIntegers(from, result.MutableAs<std::uint8_t>());
      } else if (*step.cast == DataType::kInt32) {
        return internal::CastIntegers(from, result.MutableAs<std::int32_t>());
      } else {
        return internal::CastIntegers(from, result.MutableAs<std::int64_t>());
      }
    }
    const std::span<float> to = result.MutableAs<float>();
    // A channel is a run of `inner` values; the channels come around again for
    // each element of the axes before.
    const std::size_t channels =
        std::max({step.scale.size(), step.offset.size(), step.mean.size(),
                  step.std.size()});
    const std::size_t inner =
        channels == 1 || from.empty()
            ? from.size()
            : *ElementCount(sample.dims().subspan(
                  step.channel_axis(sample.dims().size()) + 1));
    const auto at = [](const std::vector<float>& values, std::size_t run,
                       float otherwise) {
      return values.empty() ? otherwise : values[run % values.size()];
    };
    std::size_t i = 0;
    for (std::size_t run = 0; i < from.size(); ++run) {
      const float scale = at(step.scale, run, 1.0f);
      // To take the mean off is to add its negative, to the bit.
      const float offset = step.mean.empty() ? at(step.offset, run, 0.0f)
                                             : -at(step.mean, run, 0.0f);
      const float divisor = at(step.std, run, 1.0f);
      for (const std::size_t end = i + inner; i < end; ++i) {
        const float scaled = static_cast<float>(from[i]) * scale;
        const float moved = scaled + offset;
        to[i] = moved / divisor;
      }
    }
    return Status();
  };
  ZEROPOINT_RETURN_IF_ERROR(VisitDataType(sample.type(), apply));
  return result;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_PREPROCESS_H_

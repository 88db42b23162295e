// DetectionDecoder: what a detector's outputs say, as a policy.
//
// Every export of a detector has outputs of its own; what follows (classes to
// categories, boxes back into the image, scoring) is the same for all. A
// decoder is a plain struct of options; one of your own needs no base class.
#ifndef ZEROPOINT_EVAL_DETECTION_DECODER_H_
#define ZEROPOINT_EVAL_DETECTION_DECODER_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/data/image_box.h"

namespace zeropoint {

/// In what a detector's boxes are measured.
enum class BoxUnit {
  kImagePixels,  // of the image as it is stored: the model was told its size
  kInputPixels,  // of the model's input
  kInputShare,   // of the input's width and height, 0 to 1
};

/// What the four numbers of a box are.
enum class BoxForm {
  kXyxy,    // left, top, right, bottom
  kYxyx,    // top, left, bottom, right
  kXywh,    // left, top, width, height
  kCxcywh,  // centre, width, height
};

/// An object that a model found.
struct DecodedObject {
  std::size_t image = 0;  // its place in the batch
  std::int64_t class_index = 0;
  double score = 0.0;
  ImageBox box = {};  // in the decoder's unit
};

/// Law: every object has an image below `images`, a class of 0 or more, a
/// finite score and a finite box without negative sizes. `outputs` are as many
/// as outputs() says, of whatever type and shape the model gave them: Decode
/// checks both.
///
/// Errors of Decode: kInvalidData, with the output's place and shape.
template <class D>
concept DetectionDecoder = requires(
    const D& decoder, std::span<const Tensor> outputs, std::size_t images) {
  { decoder.outputs() } -> std::convertible_to<std::size_t>;
  { decoder.unit() } -> std::convertible_to<BoxUnit>;
  {
    decoder.Decode(outputs, images)
  } -> std::same_as<Result<std::vector<DecodedObject>>>;
};

/// The box that `numbers`, four of them, are. Negative sizes become 0.
inline ImageBox MakeBox(BoxForm form, std::span<const float> numbers) {
  const double a = numbers[0];
  const double b = numbers[1];
  const double c = numbers[2];
  const double d = numbers[3];
  switch (form) {
    case BoxForm::kXyxy:
      return {a, b, std::max(c - a, 0.0), std::max(d - b, 0.0)};
    case BoxForm::kYxyx:
      return {b, a, std::max(d - b, 0.0), std::max(c - a, 0.0)};
    case BoxForm::kXywh:
      return {a, b, std::max(c, 0.0), std::max(d, 0.0)};
    case BoxForm::kCxcywh:
      break;
  }
  return {a - c / 2, b - d / 2, std::max(c, 0.0), std::max(d, 0.0)};
}

namespace internal {

/// Adds the object, unless a number of it is NaN or infinite.
inline void AddFinite(const DecodedObject& object,
                      std::vector<DecodedObject>& objects) {
  const ImageBox& box = object.box;
  if (std::isfinite(object.score) && std::isfinite(box.x + box.width) &&
      std::isfinite(box.y + box.height)) {
    objects.push_back(object);
  }
}

inline Status WrongOutput(std::size_t place, const Tensor& output,
                          const std::string& wanted) {
  return InvalidData("output " + std::to_string(place) +
                     " of the detector is " +
                     std::string(DataTypeName(output.type())) + " " +
                     FormatDims(output.dims()) + ", not " + wanted);
}

/// Output `place` in float, if it has `rank` axes.
inline Result<TensorView> RealOutput(std::span<const Tensor> outputs,
                                     std::size_t place, Tensor& scratch,
                                     std::size_t rank,
                                     const std::string& wanted) {
  const Tensor& output = outputs[place];
  Result<TensorView> real = AsFloat(output.view(), scratch);
  if (!real.ok() || real->rank() != rank) {
    return WrongOutput(place, output, wanted);
  }
  return real;
}

/// Output `place` as whole numbers, stored as such or as floats.
inline Result<std::vector<std::int64_t>> WholeOutput(
    std::span<const Tensor> outputs, std::size_t place) {
  std::vector<std::int64_t> numbers;
  const Status read =
      VisitDataType(outputs[place].type(), [&]<class T>() -> Status {
        for (const T value : outputs[place].As<T>()) {
          // What is no number of anything would overflow the cast.
          constexpr double kMost = 9007199254740992.0;  // 2^53
          const auto real = static_cast<double>(value);
          if (!(std::fabs(real) <= kMost)) return InvalidData("");
          numbers.push_back(static_cast<std::int64_t>(real));
        }
        return Status();
      });
  if (!read.ok()) {
    return WrongOutput(place, outputs[place], "whole numbers");
  }
  return numbers;
}

}  // namespace internal
}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_DETECTION_DECODER_H_

// YoloV8Decoder: the raw head of YOLOv8 and its successors.
#ifndef ZEROPOINT_EVAL_YOLOV8_DECODER_H_
#define ZEROPOINT_EVAL_YOLOV8_DECODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/eval/detection_decoder.h"
#include "zeropoint/eval/suppress_overlaps.h"

namespace zeropoint {

/// One output [B, 4 + C, N], or with its last axes exchanged: of each of N
/// places the centre, width and height of a box in pixels of the input, and a
/// score for each of C classes. Each class of a place that scores above
/// `score_threshold` is an object, and then overlaps are suppressed. The
/// defaults are those with which the models are usually scored.
struct YoloV8Decoder {
  double score_threshold = 0.001;
  double overlap_threshold = 0.7;
  /// C; 0: the output has its axes in the first order.
  std::size_t classes = 0;

  static constexpr std::size_t outputs() { return 1; }
  static constexpr BoxUnit unit() { return BoxUnit::kInputPixels; }

  Result<std::vector<DecodedObject>> Decode(std::span<const Tensor> outputs,
                                            std::size_t images) const {
    const std::string wanted =
        "[B, 4 + C, N]" +
        (classes == 0 ? "" : " with 4 + " + std::to_string(classes) + " rows");
    Tensor wide;
    ZEROPOINT_ASSIGN_OR_RETURN(
        const TensorView head,
        internal::RealOutput(outputs, 0, wide, 3, wanted));
    const auto rows = static_cast<std::size_t>(head.dims()[1]);
    const auto columns = static_cast<std::size_t>(head.dims()[2]);
    const bool as_usual = classes == 0 ? rows > 4 : rows == classes + 4;
    const bool exchanged = !as_usual && classes > 0 && columns == classes + 4;
    if (!std::cmp_equal(head.dims()[0], images) || (!as_usual && !exchanged)) {
      return internal::WrongOutput(0, outputs[0], wanted);
    }
    const std::size_t numbers = as_usual ? rows : columns;
    const std::size_t places = as_usual ? columns : rows;
    const std::span<const float> values = head.As<float>();
    std::vector<DecodedObject> objects;
    for (std::size_t image = 0; image < images; ++image) {
      const auto at = [&](std::size_t number, std::size_t place) {
        const std::size_t inner =
            as_usual ? number * places + place : place * numbers + number;
        return values[image * numbers * places + inner];
      };
      for (std::size_t c = 4; c < numbers; ++c) {
        for (std::size_t place = 0; place < places; ++place) {
          const double score = at(c, place);
          if (!(score > score_threshold)) continue;
          const std::array<float, 4> box = {at(0, place), at(1, place),
                                            at(2, place), at(3, place)};
          internal::AddFinite({.image = image,
                               .class_index = static_cast<std::int64_t>(c - 4),
                               .score = score,
                               .box = MakeBox(BoxForm::kCxcywh, box)},
                              objects);
        }
      }
    }
    return SuppressOverlaps(std::move(objects), overlap_threshold);
  }
};

static_assert(DetectionDecoder<YoloV8Decoder>);

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_YOLOV8_DECODER_H_

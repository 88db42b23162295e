// YoloV3Decoder, YoloV3VisionDecoder: detectors of the YOLOv3 family that
// suppress overlaps themselves.
#ifndef ZEROPOINT_EVAL_YOLOV3_DECODER_H_
#define ZEROPOINT_EVAL_YOLOV3_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/eval/detection_decoder.h"

namespace zeropoint {

/// YOLOv3 and Tiny YOLOv3 of the ONNX model zoo, with inputs `input_1` and
/// `image_shape`. Outputs:
///
///   boxes [B, N, 4]: top, left, bottom, right, in pixels of the stored image
///   scores [B, C, N]
///   indices [M, 3] or [1, M, 3]: image, class and box of what is selected;
///   negative ones are padding
struct YoloV3Decoder {
  static constexpr std::size_t outputs() { return 3; }
  static constexpr BoxUnit unit() { return BoxUnit::kImagePixels; }

  Result<std::vector<DecodedObject>> Decode(std::span<const Tensor> outputs,
                                            std::size_t images) const {
    Tensor wide_boxes;
    Tensor wide_scores;
    ZEROPOINT_ASSIGN_OR_RETURN(
        const TensorView boxes,
        internal::RealOutput(outputs, 0, wide_boxes, 3, "boxes [B, N, 4]"));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const TensorView scores,
        internal::RealOutput(outputs, 1, wide_scores, 3, "scores [B, C, N]"));
    const auto batch = static_cast<std::int64_t>(images);
    const std::int64_t count = boxes.dims()[1];
    const std::int64_t classes = scores.dims()[1];
    if (boxes.dims()[0] != batch || boxes.dims()[2] != 4) {
      return internal::WrongOutput(0, outputs[0], "boxes [B, N, 4]");
    }
    if (scores.dims()[0] != batch || scores.dims()[2] != count) {
      return internal::WrongOutput(1, outputs[1], "scores [B, C, N]");
    }
    if (outputs[2].rank() == 0 || outputs[2].dims().back() != 3) {
      return internal::WrongOutput(2, outputs[2], "indices [M, 3]");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<std::int64_t> indices,
                               internal::WholeOutput(outputs, 2));
    std::vector<DecodedObject> objects;
    for (std::size_t i = 0; i + 3 <= indices.size(); i += 3) {
      const std::int64_t image = indices[i];
      const std::int64_t class_index = indices[i + 1];
      const std::int64_t box = indices[i + 2];
      if (image < 0 || class_index < 0 || box < 0) continue;
      if (image >= batch || class_index >= classes || box >= count) {
        return internal::WrongOutput(
            2, outputs[2], "indices of its boxes and scores: one is outside");
      }
      const auto score = static_cast<std::size_t>(
          (image * classes + class_index) * count + box);
      const auto corner = static_cast<std::size_t>((image * count + box) * 4);
      internal::AddFinite(
          {.image = static_cast<std::size_t>(image),
           .class_index = class_index,
           .score = scores.As<float>()[score],
           .box =
               MakeBox(BoxForm::kYxyx, boxes.As<float>().subspan(corner, 4))},
          objects);
    }
    return objects;
  }
};

/// The exports of YOLOv3 with an input of 608 x 384. Outputs:
///
///   rows [M, K], K at least 1: the first number of a row is the image's place
///   boxes [M, 4]: centre, width, height, in shares of the letterboxed input
///   scores [M, C]
struct YoloV3VisionDecoder {
  static constexpr std::size_t outputs() { return 3; }
  static constexpr BoxUnit unit() { return BoxUnit::kInputShare; }

  Result<std::vector<DecodedObject>> Decode(std::span<const Tensor> outputs,
                                            std::size_t images) const {
    Tensor wide_boxes;
    Tensor wide_scores;
    ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<std::int64_t> rows,
                               internal::WholeOutput(outputs, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const TensorView boxes,
        internal::RealOutput(outputs, 1, wide_boxes, 2, "boxes [M, 4]"));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const TensorView scores,
        internal::RealOutput(outputs, 2, wide_scores, 2, "scores [M, C]"));
    const std::int64_t count = boxes.dims()[0];
    if (boxes.dims()[1] != 4) {
      return internal::WrongOutput(1, outputs[1], "boxes [M, 4]");
    }
    if (scores.dims()[0] != count) {
      return internal::WrongOutput(2, outputs[2], "scores [M, C]");
    }
    const Dims& row_dims = outputs[0].dims();
    if (row_dims.size() != 2 || row_dims[0] != count || row_dims[1] < 1) {
      return internal::WrongOutput(0, outputs[0], "rows [M, K]");
    }
    const auto classes = static_cast<std::size_t>(scores.dims()[1]);
    std::vector<DecodedObject> objects;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const std::int64_t image =
          rows[i * static_cast<std::size_t>(row_dims[1])];
      if (image < 0 || std::cmp_greater_equal(image, images)) {
        return internal::WrongOutput(0, outputs[0],
                                     "places in the batch: one is outside");
      }
      const ImageBox box =
          MakeBox(BoxForm::kCxcywh, boxes.As<float>().subspan(i * 4, 4));
      for (std::size_t c = 0; c < classes; ++c) {
        internal::AddFinite({.image = static_cast<std::size_t>(image),
                             .class_index = static_cast<std::int64_t>(c),
                             .score = scores.As<float>()[i * classes + c],
                             .box = box},
                            objects);
      }
    }
    return objects;
  }
};

static_assert(DetectionDecoder<YoloV3Decoder>);
static_assert(DetectionDecoder<YoloV3VisionDecoder>);

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_YOLOV3_DECODER_H_

// BoxesDecoder: detectors with a tensor of boxes and one of scores, as SSD,
// Faster R-CNN, RetinaNet and DETR are exported.
#ifndef ZEROPOINT_EVAL_BOXES_DECODER_H_
#define ZEROPOINT_EVAL_BOXES_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/eval/detection_decoder.h"
#include "zeropoint/eval/suppress_overlaps.h"

namespace zeropoint {

/// Outputs, B being the batch, which may be missing where it is 1:
///
///   boxes [B, N, 4]
///   scores [B, N, C]; with `labels` [B, N]
///   labels [B, N]: the class of each box, only with `labels`
///
/// Each class of a box that scores above `score_threshold` is an object.
struct BoxesDecoder {
  BoxForm form = BoxForm::kXyxy;
  BoxUnit box_unit = BoxUnit::kInputPixels;
  bool labels = false;
  double score_threshold = 0.001;
  /// Suppresses overlaps, where the model has not done so.
  std::optional<double> overlap_threshold = {};

  std::size_t outputs() const { return labels ? 3 : 2; }
  BoxUnit unit() const { return box_unit; }

  Result<std::vector<DecodedObject>> Decode(std::span<const Tensor> outputs,
                                            std::size_t images) const {
    Tensor wide_boxes;
    Tensor wide_scores;
    const std::size_t batched = outputs[0].rank() == 3 ? 1 : 0;
    ZEROPOINT_ASSIGN_OR_RETURN(
        const TensorView boxes,
        internal::RealOutput(outputs, 0, wide_boxes, 2 + batched,
                             "boxes [B, N, 4]"));
    if (boxes.dims()[batched + 1] != 4 ||
        !std::cmp_equal(batched == 1 ? boxes.dims()[0] : 1, images)) {
      return internal::WrongOutput(
          0, outputs[0],
          "boxes [B, N, 4] for a batch of " + std::to_string(images));
    }
    const auto count = static_cast<std::size_t>(boxes.dims()[batched]);
    const char* wanted = labels ? "scores [B, N]" : "scores [B, N, C]";
    ZEROPOINT_ASSIGN_OR_RETURN(
        const TensorView scores,
        internal::RealOutput(outputs, 1, wide_scores,
                             (labels ? 1 : 2) + batched, wanted));
    const std::size_t classes =
        labels ? 1 : static_cast<std::size_t>(scores.dims().back());
    if (!std::cmp_equal(scores.dims()[batched], count) ||
        scores.size() != images * count * classes) {
      return internal::WrongOutput(1, outputs[1], wanted);
    }
    std::vector<std::int64_t> classes_of;
    if (labels) {
      ZEROPOINT_ASSIGN_OR_RETURN(classes_of, internal::WholeOutput(outputs, 2));
      if (classes_of.size() != images * count) {
        return internal::WrongOutput(2, outputs[2], "labels [B, N]");
      }
    }
    std::vector<DecodedObject> objects;
    for (std::size_t i = 0; i < images * count; ++i) {
      for (std::size_t c = 0; c < classes; ++c) {
        const std::int64_t class_index =
            labels ? classes_of[i] : static_cast<std::int64_t>(c);
        const double score = scores.As<float>()[i * classes + c];
        // Exports of fixed size pad with classes below 0.
        if (class_index < 0 || !(score > score_threshold)) continue;
        internal::AddFinite(
            {.image = i / count,
             .class_index = class_index,
             .score = score,
             .box = MakeBox(form, boxes.As<float>().subspan(i * 4, 4))},
            objects);
      }
    }
    if (!overlap_threshold) return objects;
    return SuppressOverlaps(std::move(objects), *overlap_threshold);
  }
};

static_assert(DetectionDecoder<BoxesDecoder>);

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_BOXES_DECODER_H_

// DetectionEvaluator: runs a detector on images and scores what it finds.
#ifndef ZEROPOINT_EVAL_DETECTION_EVALUATOR_H_
#define ZEROPOINT_EVAL_DETECTION_EVALUATOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/coco.h"
#include "zeropoint/data/image_placement.h"
#include "zeropoint/data/image_steps.h"
#include "zeropoint/eval/class_map.h"
#include "zeropoint/eval/detection_decoder.h"
#include "zeropoint/eval/detection_reader.h"
#include "zeropoint/eval/evaluate_coco.h"
#include "zeropoint/exec/executor.h"
#include "zeropoint/exec/keeping_sink.h"

namespace zeropoint {

/// What an evaluation of a detector may be told.
struct DetectionOptions {
  /// How images were brought into the model's input, for decoders whose boxes
  /// lie there: the steps that made it, or how they must have been. Nothing:
  /// boxes lie in the image, or it is an error.
  std::optional<std::variant<ImageSteps, ImageFit>> fit = {};
  /// Of an image, at most so many detections are kept, the best.
  std::size_t max_detections = 300;
};

/// Width and height of the first input with four axes, one of them of 1 or 3
/// channels: [N, C, H, W] or [N, H, W, C].
inline std::optional<ImageSize> InputSizeOf(const Feeds& feeds) {
  for (const Feed& feed : feeds) {
    const Dims& dims = feed.tensor.dims();
    if (dims.size() != 4 || feed.tensor.size() == 0) continue;
    const auto channels = [](std::int64_t dim) { return dim == 1 || dim == 3; };
    if (!channels(dims[1]) && !channels(dims[3])) continue;
    const std::size_t height = channels(dims[1]) ? 2 : 1;
    return ImageSize{static_cast<std::size_t>(dims[height + 1]),
                     static_cast<std::size_t>(dims[height])};
  }
  return std::nullopt;
}

/// The names predict, get_result and evaluate are those of the evaluators of
/// ONNX Runtime's examples.
template <Executor E, DetectionDecoder D>
class DetectionEvaluator {
 public:
  /// `outputs`: the model's, in the order in which `decoder` takes them.
  /// `executor` must outlive the evaluator.
  DetectionEvaluator(E& executor, std::vector<std::string> outputs, D decoder,
                     ClassMap classes, DetectionOptions options = {})
      : executor_(&executor),
        outputs_(std::move(outputs)),
        decoder_(std::move(decoder)),
        classes_(std::move(classes)),
        options_(options) {}

  /// Runs every sample of `source` and adds what is found to the result. One
  /// sample is held at a time. `progress` gets the number of images so far.
  ///
  /// Errors: kInvalidArgument for a wrong number of outputs; kInvalidData for
  /// outputs that the decoder does not understand, unknown classes, and where
  /// an image's size or fit is needed and not known; those of the executor and
  /// the source. Detections of the samples before remain.
  template <DetectionSource S>
  Status predict(S& source,
                 const std::function<void(std::size_t)>& progress = {}) {
    if (outputs_.size() != decoder_.outputs()) {
      return InvalidArgument("the decoder takes " +
                             std::to_string(decoder_.outputs()) +
                             " outputs of the model, not " +
                             std::to_string(outputs_.size()) + "; name them");
    }
    KeepingSink sink(outputs_.size());
    for (;;) {
      ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<DetectionSample> sample,
                                 source.Next());
      if (!sample) return Status();
      if (sample->images.empty()) return InvalidData("a sample has no image");
      ZEROPOINT_RETURN_IF_ERROR(
          Detect(*sample, sink)
              .WithContext("image " + std::to_string(sample->images[0].id)));
      if (progress) progress(images_.size());
    }
  }

  /// What was found, image by image, the highest score first.
  const std::vector<CocoDetection>& get_result() const { return result_; }

  /// The images that were looked at.
  const std::vector<std::int64_t>& images() const { return images_; }

  /// Scores the result on these images: those that no sample was of do not
  /// count. Errors: EvaluateCoco's.
  Result<CocoEvaluation> evaluate(const CocoGroundTruth& truth) const {
    return EvaluateCoco(truth, result_, {.image_ids = images_});
  }

  void clear() {
    result_.clear();
    images_.clear();
  }

 private:
  Status Detect(const DetectionSample& sample, KeepingSink& sink) {
    ZEROPOINT_RETURN_IF_ERROR(executor_->Run(sample.feeds, outputs_, sink));
    ZEROPOINT_ASSIGN_OR_RETURN(
        std::vector<DecodedObject> objects,
        decoder_.Decode(sink.tensors(), sample.images.size()));
    std::ranges::stable_sort(objects, {}, [](const DecodedObject& object) {
      return std::pair(object.image, -object.score);
    });
    std::vector<CocoDetection> found;
    std::size_t of_image = 0;
    for (std::size_t i = 0; i < objects.size(); ++i) {
      const DecodedObject& object = objects[i];
      if (i > 0 && objects[i - 1].image != object.image) of_image = 0;
      ZEROPOINT_ASSIGN_OR_RETURN(const std::optional<std::int64_t> category,
                                 classes_.CategoryOf(object.class_index));
      if (!category || of_image == options_.max_detections) continue;
      ++of_image;
      const SampleImage& image = sample.images[object.image];
      ZEROPOINT_ASSIGN_OR_RETURN(const ImageBox box,
                                 Place(object.box, image, sample.feeds));
      found.push_back({image.id, *category, box, object.score});
    }
    result_.insert(result_.end(), found.begin(), found.end());
    for (const SampleImage& image : sample.images) images_.push_back(image.id);
    return Status();
  }

  // The box in pixels of the image.
  Result<ImageBox> Place(ImageBox box, const SampleImage& image,
                         const Feeds& feeds) const {
    if (decoder_.unit() == BoxUnit::kImagePixels) return box;
    const std::optional<ImageSize> input = InputSizeOf(feeds);
    if (!input) {
      return InvalidData(
          "no input of the model is an image [N, C, H, W] or [N, H, W, C], in "
          "which its boxes would lie");
    }
    if (image.size.width == 0 || image.size.height == 0) {
      return InvalidData("the annotations do not say its width and height");
    }
    if (!options_.fit) {
      return InvalidData(
          "boxes lie in the model's input, and it is not known how the image "
          "was made to fit there; say whether it was stretched or letterboxed");
    }
    if (decoder_.unit() == BoxUnit::kInputShare) {
      const auto width = static_cast<double>(input->width);
      const auto height = static_cast<double>(input->height);
      box = {box.x * width, box.y * height, box.width * width,
             box.height * height};
    }
    const auto* steps = std::get_if<ImageSteps>(&*options_.fit);
    const ImagePlacement placement =
        steps != nullptr
            ? PlaceBySteps(image.size, *steps)
            : PlaceByFit(image.size, std::get<ImageFit>(*options_.fit), *input);
    return BoxInImage(box, placement, image.size);
  }

  E* executor_;
  std::vector<std::string> outputs_;
  D decoder_;
  ClassMap classes_;
  DetectionOptions options_;
  std::vector<CocoDetection> result_;
  std::vector<std::int64_t> images_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_DETECTION_EVALUATOR_H_

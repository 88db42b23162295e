// YoloV3DataReader, YoloV3Evaluator: the pair that ONNX Runtime's YOLOv3
// example has, for calibration and evaluation on COCO.
//
//   YoloV3DataReader reader = YoloV3DataReader::Open("val2017", ...)
//   YoloV3Evaluator evaluator(executor, ...);
//   evaluator.predict(reader);
//   evaluator.evaluate(annotations);
//
// What went wrong there is right here: of several batches each is read and
// predicted once; the width is the width; all images count.
#ifndef ZEROPOINT_EVAL_YOLOV3_H_
#define ZEROPOINT_EVAL_YOLOV3_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/batched_source.h"
#include "zeropoint/data/coco.h"
#include "zeropoint/data/data_reader.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/image_folder.h"
#include "zeropoint/data/image_steps.h"
#include "zeropoint/data/input_description.h"
#include "zeropoint/data/preprocess.h"
#include "zeropoint/data/sample_order.h"
#include "zeropoint/data/selected_source.h"
#include "zeropoint/eval/detection_evaluator.h"
#include "zeropoint/eval/detection_reader.h"
#include "zeropoint/eval/yolov3_decoder.h"
#include "zeropoint/eval/yolov8_decoder.h"
#include "zeropoint/exec/executor.h"

namespace zeropoint {

struct YoloV3ReaderOptions {
  /// Of the model's input, in pixels.
  std::size_t width = 416;
  std::size_t height = 416;
  /// Of the images by name: every `stride`-th from `start_index` on, at most
  /// `size_limit` of them. (They are read as they are asked for, so no stride
  /// is needed to save memory.)
  std::size_t start_index = 0;
  std::size_t stride = 1;
  std::optional<std::size_t> size_limit = {};
  std::size_t batch_size = 1;
  /// The inputs that take the pixels and the size of the image as it is
  /// stored; no name: the model takes no size.
  std::string input_name = "input_1";
  std::string size_name = "image_shape";
  /// For evaluation: the file names of these images say which sample is which.
  /// Needed while Open runs only.
  const CocoGroundTruth* annotations = nullptr;
};

/// Letterboxed images: scaled by min(width / w, height / h) with the bicubic
/// filter, on the middle of a canvas of 128, divided by 255, [N, 3, H, W]; and
/// their heights and widths, [N, 2].
class YoloV3DataReader {
 public:
  /// Errors: those of the folder and of the selection; with annotations,
  /// DetectionReader's.
  static Result<YoloV3DataReader> Open(const std::string& folder,
                                       const YoloV3ReaderOptions& options) {
    Preprocess preprocess;
    preprocess[options.input_name] = {.scale = {1.0f / 255.0f},
                                      .image = Steps(options)};
    std::vector<InputDescription> inputs = {
        {.name = options.input_name,
         .type = DataType::kFloat,
         .dims = Dims{-1, 3, static_cast<std::int64_t>(options.height),
                      static_cast<std::int64_t>(options.width)}}};
    if (!options.size_name.empty()) {
      preprocess[options.size_name] = {.image_size = true};
      inputs.push_back({.name = options.size_name,
                        .type = DataType::kFloat,
                        .dims = Dims{-1, 2}});
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        std::unique_ptr<FeedSource> source,
        ImageFolderSource::Open(folder, inputs, std::move(preprocess), 0, {}));
    ZEROPOINT_ASSIGN_OR_RETURN(
        source,
        SelectedSource::Over(std::move(source), {.start = options.start_index,
                                                 .stride = options.stride,
                                                 .limit = options.size_limit}));
    YoloV3DataReader reader(options);
    reader.size_ = source->size().value_or(0);
    if (options.annotations != nullptr) {
      ZEROPOINT_ASSIGN_OR_RETURN(
          reader.labelled_,
          DetectionReader::Over(std::move(source), *options.annotations,
                                options.batch_size, inputs));
    } else {
      ZEROPOINT_ASSIGN_OR_RETURN(
          reader.plain_,
          BatchedSource::Over(std::move(source), options.batch_size, inputs));
    }
    return reader;
  }

  /// The next batch, for calibration.
  Result<std::optional<Feeds>> get_next() {
    if (!labelled_) return plain_->Next();
    ZEROPOINT_ASSIGN_OR_RETURN(std::optional<DetectionSample> sample, Next());
    if (!sample) return std::optional<Feeds>();
    return std::optional<Feeds>(std::move(sample->feeds));
  }
  /// The next batch with its images, for evaluation. Errors: kInvalidArgument
  /// for a reader without annotations.
  Result<std::optional<DetectionSample>> Next() {
    if (labelled_) return labelled_->Next();
    return InvalidArgument(
        "a reader for evaluation needs annotations, which say what images it "
        "reads");
  }
  Status rewind() { return labelled_ ? labelled_->Rewind() : plain_->Rewind(); }

  /// Images, and how many of them make a batch.
  std::size_t size() const { return size_; }
  std::size_t batch_size() const { return options_.batch_size; }
  const std::string& input_name() const { return options_.input_name; }
  /// What became of an image, for decoders whose boxes lie in the input.
  ImageSteps steps() const { return Steps(options_); }

 private:
  explicit YoloV3DataReader(YoloV3ReaderOptions options)
      : options_(std::move(options)) {}

  static ImageSteps Steps(const YoloV3ReaderOptions& options) {
    return {.letterbox = ImageLetterbox{.to = {options.width, options.height}}};
  }

  YoloV3ReaderOptions options_;
  std::size_t size_ = 0;
  std::optional<DetectionReader> labelled_;
  std::unique_ptr<FeedSource> plain_;  // without annotations
};

static_assert(CalibrationDataReader<YoloV3DataReader>);
static_assert(DetectionSource<YoloV3DataReader>);

/// The evaluators of detectors whose outputs the decoders of eval/ read.
template <Executor E>
using YoloV3Evaluator = DetectionEvaluator<E, YoloV3Decoder>;
template <Executor E>
using YoloV3VisionEvaluator = DetectionEvaluator<E, YoloV3VisionDecoder>;
template <Executor E>
using YoloV8Evaluator = DetectionEvaluator<E, YoloV8Decoder>;

}  // namespace zeropoint

#endif  // ZEROPOINT_EVAL_YOLOV3_H_

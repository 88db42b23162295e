// zeropoint evaluate coco: the twelve numbers of COCO, of a detector or of
// detections that are there already.
#include <cstddef>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tools/zeropoint/command.h"
#include "zeropoint/data/image_placement.h"
#include "zeropoint/data/image_steps.h"
#include "zeropoint/data/parse_preprocess.h"
#include "zeropoint/data/preprocess.h"
#include "zeropoint/data/read_coco.h"
#include "zeropoint/data/write_coco.h"
#include "zeropoint/eval/boxes_decoder.h"
#include "zeropoint/eval/class_map.h"
#include "zeropoint/eval/coco_scores.h"
#include "zeropoint/eval/detection_decoder.h"
#include "zeropoint/eval/detection_evaluator.h"
#include "zeropoint/eval/detection_reader.h"
#include "zeropoint/eval/evaluate_coco.h"
#include "zeropoint/eval/yolov3_decoder.h"
#include "zeropoint/eval/yolov8_decoder.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/report/json_report.h"

namespace zeropoint::cli {
namespace {

struct CocoCommand {
  std::string model;
  std::string annotations;
  std::string detections;
  std::string save_detections;
  std::string decoder;
  std::vector<std::string> outputs;
  std::string box_form = "xyxy";
  std::string box_unit = "input";
  std::string fit;
  std::string class_names;
  std::optional<double> overlap;
  CommonOptions common;
  DataOptions data;
};

const std::map<std::string, BoxForm> kBoxForms = {{"xyxy", BoxForm::kXyxy},
                                                  {"xywh", BoxForm::kXywh},
                                                  {"cxcywh", BoxForm::kCxcywh},
                                                  {"yxyx", BoxForm::kYxyx}};
const std::map<std::string, BoxUnit> kBoxUnits = {
    {"image", BoxUnit::kImagePixels},
    {"input", BoxUnit::kInputPixels},
    {"share", BoxUnit::kInputShare}};
const std::map<std::string, ImageFit> kFits = {
    {"none", ImageFit::kAsTheyAre},
    {"stretch", ImageFit::kStretched},
    {"letterbox", ImageFit::kLetterboxed}};

template <class Value>
std::vector<std::string> WordsOf(const std::map<std::string, Value>& values) {
  std::vector<std::string> words;
  for (const auto& [word, value] : values) words.push_back(word);
  return words;
}

/// As --fit says, or else the image steps of --preprocess.
Result<DetectionOptions> MakeDetectionOptions(const CocoCommand& command,
                                              const Model& model) {
  DetectionOptions options;
  if (!command.fit.empty()) {
    options.fit = kFits.at(command.fit);
    return options;
  }
  if (command.data.preprocess.empty()) return options;
  ZEROPOINT_ASSIGN_OR_RETURN(
      const Preprocess preprocess,
      LoadPreprocess(command.data.preprocess, DescribeInputs(model)));
  for (const auto& [name, input] : preprocess) {
    if (input.image) options.fit = *input.image;
  }
  return options;
}

Result<ClassMap> MakeClassMap(const CocoCommand& command,
                              const CocoGroundTruth& truth) {
  if (command.class_names.empty()) return ClassMap::InOrder(truth.categories);
  ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                             LoadClassNames(command.class_names));
  return ClassMap::ByName(names, truth.categories);
}

/// What the model finds, and how good it is on the images that it was given.
struct Detected {
  std::vector<CocoDetection> detections;
  CocoEvaluation evaluation;
};

template <DetectionDecoder Decoder>
Result<Detected> DetectWith(const CocoCommand& command,
                            const CocoGroundTruth& truth, Decoder decoder) {
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  DataOptions one_by_one = command.data;
  one_by_one.batch_size = 1;  // the reader joins them, and knows each image
  ZEROPOINT_ASSIGN_OR_RETURN(std::unique_ptr<FeedSource> source,
                             OpenData(one_by_one, model));
  ZEROPOINT_ASSIGN_OR_RETURN(
      DetectionReader reader,
      DetectionReader::Over(std::move(source), truth, command.data.batch_size,
                            DescribeInputs(model)));
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(model, {.threads = command.common.threads}));
  ZEROPOINT_ASSIGN_OR_RETURN(ClassMap classes, MakeClassMap(command, truth));
  ZEROPOINT_ASSIGN_OR_RETURN(const DetectionOptions options,
                             MakeDetectionOptions(command, model));
  DetectionEvaluator<BuiltinExecutor, Decoder> evaluator(
      executor, command.outputs.empty() ? OutputNames(model) : command.outputs,
      std::move(decoder), std::move(classes), options);
  const auto bar = MakeProgressBar(command.common);
  const ProgressHook progress = MakeProgress(bar);
  ZEROPOINT_RETURN_IF_ERROR(evaluator.predict(reader, [&](std::size_t images) {
    progress("detecting", images, reader.images());
  }));
  bar->Finish();
  Detected detected;
  ZEROPOINT_ASSIGN_OR_RETURN(detected.evaluation, evaluator.evaluate(truth));
  detected.detections = evaluator.get_result();
  return detected;
}

Result<Detected> Detect(const CocoCommand& command,
                        const CocoGroundTruth& truth) {
  if (command.decoder == "yolov3") {
    return DetectWith(command, truth, YoloV3Decoder());
  }
  if (command.decoder == "yolov8") {
    YoloV8Decoder decoder;
    if (command.overlap) decoder.overlap_threshold = *command.overlap;
    return DetectWith(command, truth, decoder);
  }
  BoxesDecoder decoder;
  decoder.form = kBoxForms.at(command.box_form);
  decoder.box_unit = kBoxUnits.at(command.box_unit);
  decoder.labels = command.decoder == "labelled-boxes";
  decoder.overlap_threshold = command.overlap;
  return DetectWith(command, truth, decoder);
}

void Print(const CocoCommand& command, const CocoEvaluation& evaluation) {
  if (command.common.json) {
    Json document;
    for (const CocoScoreName& each : kCocoScoreNames) {
      document[std::string(each.name)] = evaluation.scores.*each.score;
    }
    std::printf("%s\n", FormatJson(document).c_str());
    return;
  }
  if (command.common.quiet) return;
  std::printf(
      "%zu detections of %zu objects in %zu images, %zu categories; left out, "
      "for their category or image: %zu detections, %zu objects\n",
      evaluation.detections, evaluation.annotations, evaluation.images,
      evaluation.categories, evaluation.detections_left_out,
      evaluation.annotations_left_out);
  for (const CocoScoreName& each : kCocoScoreNames) {
    std::printf("  %-6.*s %.4f\n", static_cast<int>(each.name.size()),
                each.name.data(), evaluation.scores.*each.score);
  }
}

Status Execute(const CocoCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(const CocoGroundTruth truth,
                             LoadCocoGroundTruth(command.annotations));
  if (!command.model.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(const Detected detected, Detect(command, truth));
    if (!command.save_detections.empty()) {
      ZEROPOINT_RETURN_IF_ERROR(
          SaveCocoDetections(command.save_detections, detected.detections));
    }
    Print(command, detected.evaluation);
    return Status();
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<CocoDetection> detections,
                             LoadCocoDetections(command.detections));
  const Result<CocoEvaluation> evaluation = EvaluateCoco(truth, detections);
  if (!evaluation.ok()) {
    return evaluation.status().WithContext("'" + command.detections + "'");
  }
  Print(command, *evaluation);
  return Status();
}

}  // namespace

void AddEvaluateCoco(CLI::App& evaluate, Run& run) {
  auto command = std::make_shared<CocoCommand>();
  CLI::App* app = evaluate.add_subcommand(
      "coco", "average precision and recall of boxes, as COCO defines them");
  app->add_option("MODEL", command->model,
                  "detector, to be run on --data; not with --detections");
  app->add_option("--annotations", command->annotations,
                  "what is in the images, in COCO's form (instances_*.json)")
      ->required();
  app->add_option("--detections", command->detections,
                  "what was found already, a list of {image_id, category_id, "
                  "bbox, score}");
  app->add_option("--decoder", command->decoder,
                  "how the model's outputs are boxes: of YOLOv3, of YOLOv8, "
                  "boxes and the scores of all classes, or boxes, scores and "
                  "labels; needed with MODEL")
      ->check(CLI::IsMember({"yolov3", "yolov8", "boxes", "labelled-boxes"}));
  app->add_option("--outputs", command->outputs,
                  "outputs that the decoder takes; default: all")
      ->delimiter(',');
  app->add_option("--box-form", command->box_form,
                  "of the decoders of boxes: corners, or corner or centre with "
                  "width and height")
      ->check(CLI::IsMember(WordsOf(kBoxForms)))
      ->capture_default_str();
  app->add_option("--box-unit", command->box_unit,
                  "of the decoders of boxes: pixels of the image, pixels of "
                  "the model's input, or shares of it")
      ->check(CLI::IsMember(WordsOf(kBoxUnits)))
      ->capture_default_str();
  app->add_option("--overlap", command->overlap,
                  "suppress boxes that overlap a better one of their class by "
                  "more; default: 0.7 of yolov8, none of the other decoders")
      ->check(CLI::Range(0.0, 1.0));
  app->add_option("--fit", command->fit,
                  "how images were brought into the input; default: as "
                  "--preprocess does it")
      ->check(CLI::IsMember(WordsOf(kFits)));
  app->add_option("--class-names", command->class_names,
                  "file with the names of the model's classes, one a line; "
                  "default: the categories of the annotations by their ids");
  app->add_option("--save-detections", command->save_detections,
                  "write what was found to FILE.json");
  AddDataOptions(*app, command->data);
  app->get_option("--data")->required(false);
  AddCommonOptions(*app, command->common);
  app->callback([command, &run] {
    if (command->model.empty() == command->detections.empty()) {
      throw CLI::RequiredError("Either a MODEL or its --detections");
    }
    if (!command->model.empty() &&
        (command->data.source.empty() || command->decoder.empty())) {
      throw CLI::RequiredError("With a MODEL, --data and --decoder");
    }
    run = Running(command);
  });
}

}  // namespace zeropoint::cli

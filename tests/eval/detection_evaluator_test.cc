#include "zeropoint/eval/detection_evaluator.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/data/images.h"
#include "tests/testing.h"
#include "zeropoint/eval/boxes_decoder.h"
#include "zeropoint/eval/yolov3.h"

namespace zeropoint {
namespace {

/// "Finds" in each image of a batch what lies between its corners.
class CornerExecutor {
 public:
  Status Run(const Feeds& feeds, std::span<const std::string> taps,
             TensorSink& sink) {
    BOOST_REQUIRE(taps.size() == 2u);
    const std::int64_t batch = feeds[0].tensor.dims()[0];
    runs.push_back(batch);
    sizes.clear();
    if (feeds.size() > 1) {
      const auto values = feeds[1].tensor.As<float>();
      sizes.assign(values.begin(), values.end());
    }
    std::vector<float> boxes;
    std::vector<float> scores;
    for (std::int64_t i = 0; i < batch; ++i) {
      boxes.insert(boxes.end(), {0, 16, 64, 48});
      scores.insert(scores.end(), {0.25f, 0.5f});
    }
    ZEROPOINT_RETURN_IF_ERROR(
        sink.Consume(0, Tensor::Of<float>({batch, 1, 4}, boxes).view()));
    return sink.Consume(1, Tensor::Of<float>({batch, 1, 2}, scores).view());
  }
  std::vector<std::int64_t> runs;
  std::vector<float> sizes;
};
static_assert(Executor<CornerExecutor>);

CocoGroundTruth Truth() {
  CocoGroundTruth truth;
  truth.categories = {{1, "cat"}, {7, "dog"}};
  for (std::int64_t i = 0; i < 5; ++i) {
    truth.images.push_back({.id = 10 * i,
                            .file_name = "val/" + std::to_string(i) + ".png",
                            .width = 120,
                            .height = 60});
    truth.annotations.push_back({.id = i + 1,
                                 .image_id = 10 * i,
                                 .category_id = 7,
                                 .box = {0, 0, 120, 60},
                                 .area = 7200});
  }
  return truth;
}

/// Pictures 0.png to 4.png of 120 x 60.
class Pictures {
 public:
  Pictures() {
    for (int i = 0; i < 5; ++i) {
      folder_.Write(std::to_string(i) + ".png",
                    testing::EncodePng(testing::Gradient(120, 60, 3)));
    }
  }
  std::string path() const { return folder_.path(); }

 private:
  TempFolder folder_;
};

DetectionEvaluator<CornerExecutor, BoxesDecoder> Evaluator(
    CornerExecutor& executor, DetectionOptions options) {
  return {executor,
          {"boxes", "scores"},
          BoxesDecoder(),
          ClassMap::InOrder(Truth().categories),
          options};
}

BOOST_AUTO_TEST_SUITE(detection_evaluator)

// The letterbox puts 120 x 60 at rows 16 to 48 of 64 x 64.
BOOST_AUTO_TEST_CASE(BoxesGoBackIntoTheImage) {
  const Pictures pictures;
  const CocoGroundTruth truth = Truth();
  auto reader = YoloV3DataReader::Open(
      pictures.path(), {.width = 64, .height = 64, .annotations = &truth});
  REQUIRE_OK(reader);
  CornerExecutor executor;
  auto evaluator = Evaluator(executor, {.fit = reader->steps()});
  std::vector<std::size_t> seen;
  REQUIRE_OK(evaluator.predict(
      *reader, [&seen](std::size_t images) { seen.push_back(images); }));
  BOOST_TEST(seen == (std::vector<std::size_t>{1, 2, 3, 4, 5}),
             boost::test_tools::per_element());
  BOOST_TEST(executor.sizes == (std::vector<float>{60, 120}),
             boost::test_tools::per_element());
  const std::vector<CocoDetection>& result = evaluator.get_result();
  BOOST_REQUIRE(result.size() == 10u);
  BOOST_TEST(result[2].image_id == 10);
  BOOST_TEST(result[2].category_id == 7);  // the higher score first
  BOOST_TEST(result[2].score == 0.5);
  BOOST_TEST(result[2].box.width == 120.0);
  BOOST_TEST(result[2].box.height == 60.0);
  const auto evaluation = evaluator.evaluate(truth);
  REQUIRE_OK(evaluation);
  BOOST_TEST(evaluation->scores.ap == 1.0, boost::test_tools::tolerance(1e-9));
  evaluator.clear();
  BOOST_TEST(evaluator.get_result().empty());
}

// Every image once, whatever the batches; only what was read counts.
BOOST_AUTO_TEST_CASE(BatchesAndPartsAddUp) {
  const Pictures pictures;
  const CocoGroundTruth truth = Truth();
  CornerExecutor executor;
  auto evaluator =
      Evaluator(executor, {.fit = ImageFit::kLetterboxed, .max_detections = 1});
  for (const std::size_t start : {std::size_t{0}, std::size_t{3}}) {
    auto reader =
        YoloV3DataReader::Open(pictures.path(), {.width = 64,
                                                 .height = 64,
                                                 .start_index = start,
                                                 .size_limit = 3,
                                                 .batch_size = 2,
                                                 .annotations = &truth});
    REQUIRE_OK(reader);
    BOOST_TEST(reader->size() == (start == 0 ? 3u : 2u));
    REQUIRE_OK(evaluator.predict(*reader));
    const auto evaluation = evaluator.evaluate(truth);
    REQUIRE_OK(evaluation);
    BOOST_TEST(evaluation->images == (start == 0 ? 3u : 5u));
    BOOST_TEST(evaluation->scores.ap == 1.0,
               boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(executor.runs == (std::vector<std::int64_t>{2, 1, 2}),
             boost::test_tools::per_element());
  BOOST_TEST(evaluator.get_result().size() == 5u);
  BOOST_TEST(
      evaluator.images() == (std::vector<std::int64_t>{0, 10, 20, 30, 40}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(WhatIsNotKnownIsAnError) {
  const Pictures pictures;
  CocoGroundTruth truth = Truth();
  const auto predict = [&](DetectionOptions options,
                           std::vector<std::string> outputs = {"b", "s"}) {
    auto reader = YoloV3DataReader::Open(
        pictures.path(), {.width = 64, .height = 64, .annotations = &truth});
    REQUIRE_OK(reader);
    CornerExecutor executor;
    DetectionEvaluator<CornerExecutor, BoxesDecoder> evaluator(
        executor, std::move(outputs), BoxesDecoder(),
        ClassMap::InOrder(truth.categories), options);
    return evaluator.predict(*reader);
  };
  CheckError(predict({}), StatusCode::kInvalidData, {"image 0", "letterboxed"});
  CheckError(predict({}, {"boxes"}), StatusCode::kInvalidArgument,
             {"takes 2 outputs", "not 1"});
  truth.categories.pop_back();
  CheckError(predict({.fit = ImageFit::kStretched}), StatusCode::kInvalidData,
             {"image 0", "class 1"});
  truth = Truth();
  truth.images[0].width = 0;
  CheckError(predict({.fit = ImageFit::kStretched}), StatusCode::kInvalidData,
             {"image 0", "width and height"});
}

BOOST_AUTO_TEST_CASE(SizeOfTheInput) {
  const auto size = [](Dims dims) {
    Feeds feeds;
    feeds.push_back({"size", Tensor(DataType::kFloat, {1, 2})});
    feeds.push_back({"x", Tensor(DataType::kFloat, std::move(dims))});
    return InputSizeOf(feeds);
  };
  BOOST_TEST(size({1, 3, 4, 5})->width == 5u);
  BOOST_TEST(size({1, 3, 4, 5})->height == 4u);
  BOOST_TEST(size({2, 4, 5, 1})->width == 5u);
  BOOST_TEST(!size({1, 7, 4, 5}).has_value());
  BOOST_TEST(!size({3, 4, 5}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(yolov3_data_reader)

BOOST_AUTO_TEST_CASE(ReadsForCalibration) {
  const Pictures pictures;
  auto reader = YoloV3DataReader::Open(
      pictures.path(),
      {.width = 96, .height = 64, .start_index = 1, .stride = 2});
  REQUIRE_OK(reader);
  BOOST_TEST(reader->size() == 2u);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 2; ++i) {
      const auto feeds = reader->get_next();
      REQUIRE_OK(feeds);
      BOOST_REQUIRE((*feeds).has_value());
      const Tensor& pixels = (**feeds)[0].tensor;
      BOOST_TEST((**feeds)[0].name == reader->input_name());
      BOOST_TEST(pixels.dims() == (Dims{1, 3, 64, 96}),
                 boost::test_tools::per_element());
      // The canvas above the picture, which is 96 x 48.
      BOOST_TEST(pixels.As<float>()[0] == 128.0f * (1.0f / 255.0f));
      BOOST_TEST(pixels.As<float>()[8 * 96] < 0.1f);
      BOOST_TEST((**feeds)[1].name == "image_shape");
    }
    const auto end = reader->get_next();
    REQUIRE_OK(end);
    BOOST_TEST(!(*end).has_value());
    REQUIRE_OK(reader->rewind());
  }
  CheckError(reader->Next().status(), StatusCode::kInvalidArgument,
             {"annotations"});
}

BOOST_AUTO_TEST_CASE(BatchesAreJoined) {
  const Pictures pictures;
  auto reader = YoloV3DataReader::Open(
      pictures.path(),
      {.width = 32, .height = 32, .batch_size = 4, .size_name = ""});
  REQUIRE_OK(reader);
  for (const std::int64_t batch : {4, 1}) {
    const auto feeds = reader->get_next();
    REQUIRE_OK(feeds);
    BOOST_REQUIRE((**feeds).size() == 1u);
    BOOST_TEST((**feeds)[0].tensor.dims()[0] == batch);
  }
}

BOOST_AUTO_TEST_CASE(SamplesMustBeImagesOfTheAnnotations) {
  const Pictures pictures;
  const auto open = [&](const CocoGroundTruth& truth) {
    return YoloV3DataReader::Open(
               pictures.path(),
               {.width = 32, .height = 32, .annotations = &truth})
        .status();
  };
  CocoGroundTruth truth = Truth();
  truth.images[3].file_name = "other.png";
  CheckError(open(truth), StatusCode::kInvalidData,
             {"sample 3", "'3.png'", "do not list"});
  truth.images[3].file_name = "train/2.png";
  CheckError(open(truth), StatusCode::kInvalidData,
             {"two images called '2.png'", "__image_id__"});
}

BOOST_AUTO_TEST_SUITE_END()

/// Samples without values that only say what images they are.
class Labelled final : public FeedSource {
 public:
  explicit Labelled(std::vector<std::int64_t> ids, bool named = true)
      : ids_(std::move(ids)), named_(named) {}
  Result<std::optional<Feeds>> Next() override {
    return std::optional<Feeds>();
  }
  Status Rewind() override { return Status(); }
  std::optional<std::size_t> size() const override { return ids_.size(); }
  std::vector<std::string> label_names() const override {
    if (!named_) return {};
    return {std::string(kImageIds)};
  }
  Result<std::vector<std::int64_t>> ClassLabels(std::string_view) override {
    return ids_;
  }

 private:
  std::vector<std::int64_t> ids_;
  bool named_;
};

BOOST_AUTO_TEST_SUITE(detection_reader)

BOOST_AUTO_TEST_CASE(IdsMayBeLabels) {
  const auto open = [](std::vector<std::int64_t> ids, bool named = true) {
    return DetectionReader::Over(
        std::make_unique<Labelled>(std::move(ids), named), Truth(), 1, {});
  };
  const auto reader = open({30, 0});
  REQUIRE_OK(reader);
  BOOST_TEST(reader->images() == 2u);
  CheckError(open({30, 5}).status(), StatusCode::kInvalidData,
             {"sample 1", "image 5", "do not list"});
  CheckError(open({30, 30}).status(), StatusCode::kInvalidData,
             {"sample 1", "second time"});
  CheckError(open({30}, false).status(), StatusCode::kInvalidData,
             {"__image_id__", "__file__"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

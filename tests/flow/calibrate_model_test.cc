#include "zeropoint/flow/calibrate_model.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/flow/sample_source.h"
#include "tests/graph/parse_model.h"
#include "zeropoint/calibration/state_file.h"
#include "zeropoint/data/feed_source.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/flow/quantize_static.h"
#include "zeropoint/graph/fingerprint.h"
#include "zeropoint/profiles/generic.h"

namespace zeropoint {
namespace {

Model Network(float weight = 0.5f) {
  Model model = Model::FromProto(testing::ParseProto(R"(
    <ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 2, 4, 4] x) => (float[1, 300, 4, 4] y)
    { [conv] c = Conv (x, w)
      [relu] y = Relu (c) })"))
                    .value();
  onnx::TensorProto& w = *model.proto().mutable_graph()->add_initializer();
  w.set_name("w");
  w.set_data_type(onnx::TensorProto::FLOAT);
  for (const int dim : {300, 2, 1, 1}) w.add_dims(dim);
  for (int i = 0; i < 600; ++i) {
    w.add_float_data(weight * static_cast<float>(i % 7 - 3));
  }
  return model;
}

CalibrationPreparation Preparation() { return {.target = Generic::Spec()}; }

CalibrationState Started() {
  Model model = Network();
  return StartCalibration(model, Preparation(), CollectedStatistics::All())
      .value();
}

/// Folds samples [first, last) in, with a checkpoint after each.
std::vector<std::string> Observe(CalibrationState& state, std::size_t first,
                                 std::size_t last) {
  Model model = Network();
  testing::SampleSource source("x", {1, 2, 4, 4}, last - first,
                               [first](std::size_t sample) {
                                 return testing::Waves(32)(first + sample);
                               });
  std::vector<std::string> checkpoints;
  ObserveOptions options;
  options.data = "waves";
  options.first = first;
  options.checkpoint_seconds = 0.0;
  options.checkpoint = [&](const CalibrationState& so_far) {
    checkpoints.push_back(SerializeState(so_far).value());
    return Status();
  };
  const Status status =
      CalibrateModel(model, source, Preparation(), 1, state, options);
  BOOST_REQUIRE_MESSAGE(status.ok(), status.message());
  return checkpoints;
}

BOOST_AUTO_TEST_SUITE(calibrate_model)

BOOST_AUTO_TEST_CASE(EveryCheckpointLeadsToTheSameEnd) {
  CalibrationState whole = Started();
  const auto checkpoints = Observe(whole, 0, 6);
  const std::string bytes = SerializeState(whole).value();
  BOOST_REQUIRE(checkpoints.size() == 6u);
  for (std::size_t done = 1; done <= 6; ++done) {
    CalibrationState resumed = ParseState(checkpoints[done - 1]).value();
    BOOST_TEST(resumed.samples.count() == done);
    if (done < 6) Observe(resumed, done, 6);
    BOOST_TEST((SerializeState(resumed).value() == bytes));
  }
}

BOOST_AUTO_TEST_CASE(TenThousandSplitsOfRealActivationsGiveTheSameBytes) {
  constexpr std::uint64_t kSamples = 8;
  const std::string folder = "examples/data/mnist_dwcnn/";
  std::vector<CalibrationState> states;
  for (std::size_t sample = 0; sample < kSamples; ++sample) {
    Model model = Model::Load(folder + "model.onnx").value();
    CalibrationState& state = states.emplace_back(
        StartCalibration(model, Preparation(), CollectedStatistics::All())
            .value());
    FeedSourceOptions data;
    data.inputs = DescribeInputs(model);
    data.preprocess_file = folder + "preprocess.json";
    data.skip = sample;
    data.limit = 1;
    const auto source = OpenFeedSource(folder + "calib.npz", data);
    BOOST_REQUIRE_MESSAGE(source.ok(), source.status().message());
    ObserveOptions options;
    options.data = "calib.npz";
    options.first = sample;
    const Status status =
        CalibrateModel(model, **source, Preparation(), 1, state, options);
    BOOST_REQUIRE_MESSAGE(status.ok(), status.message());
  }
  std::vector<std::string> names;
  for (const auto& [name, tensor] : states.front().tensors) {
    names.push_back(name);
  }
  BOOST_REQUIRE(names.size() > 5u);
  // Each time one tensor, its samples in any order, merged in any tree.
  const auto merged = [&](const std::string& name, std::mt19937& random) {
    std::vector<CalibrationState> parts;
    for (const CalibrationState& state : states) {
      CalibrationState& part = parts.emplace_back();
      part.collected = state.collected;
      part.samples = state.samples;
      part.tensors.emplace(name, state.tensors.at(name));
    }
    while (parts.size() > 1) {
      std::swap(parts[random() % parts.size()], parts.back());
      const CalibrationState last = std::move(parts.back());
      parts.pop_back();
      BOOST_REQUIRE(parts[random() % parts.size()].Merge(last).ok());
    }
    return SerializeState(parts.front()).value();
  };
  std::mt19937 random(5);
  std::vector<std::string> expected;
  for (const std::string& name : names) {
    expected.push_back(merged(name, random));
  }
  std::size_t different = 0;
  for (std::size_t repeat = 0; repeat < 10000; ++repeat) {
    const std::size_t tensor = repeat % names.size();
    different += merged(names[tensor], random) != expected[tensor];
  }
  BOOST_TEST(different == 0u);
}

BOOST_AUTO_TEST_CASE(StopsWhenAskedAndGoesOnFromThere) {
  CalibrationState whole = Started();
  Observe(whole, 0, 6);
  CalibrationState state = Started();
  Model model = Network();
  testing::SampleSource source("x", {1, 2, 4, 4}, 6, testing::Waves(32));
  std::string saved;
  ObserveOptions options;
  options.data = "waves";
  options.checkpoint = [&](const CalibrationState& so_far) {
    saved = SerializeState(so_far).value();
    return Status();
  };
  options.stop = [&] { return state.samples.count() == 4; };
  const Status stopped =
      CalibrateModel(model, source, Preparation(), 1, state, options);
  BOOST_TEST((stopped.code() == StatusCode::kCancelled));
  CalibrationState resumed = ParseState(saved).value();
  BOOST_TEST(resumed.samples.count() == 4u);
  Observe(resumed, 4, 6);
  BOOST_TEST(
      (SerializeState(resumed).value() == SerializeState(whole).value()));
}

BOOST_AUTO_TEST_CASE(SamplesAtOnceAreOneAfterTheOther) {
  constexpr std::size_t kSamples = 40;
  CalibrationState serial = Started();
  Observe(serial, 0, kSamples);
  const std::string bytes = SerializeState(serial).value();
  for (const int threads : {2, 3, 8}) {
    for (const double seconds : {0.0, 1e-4, 10.0}) {
      CalibrationState state = Started();
      Model model = Network();
      testing::SampleSource source("x", {1, 2, 4, 4}, kSamples,
                                   testing::Waves(32));
      ObserveOptions options;
      options.data = "waves";
      options.checkpoint_seconds = seconds;
      std::size_t reported = 0;
      options.progress = [&](std::string_view, std::size_t done,
                             std::optional<std::size_t>) {
        BOOST_TEST(done == ++reported);
      };
      std::vector<std::string> checkpoints;
      options.checkpoint = [&](const CalibrationState& so_far) {
        // Whole samples, and none is missing among them.
        BOOST_TEST(so_far.samples.intervals().size() == 1u);
        BOOST_TEST(so_far.samples.count() == reported);
        checkpoints.push_back(SerializeState(so_far).value());
        return Status();
      };
      const Status status =
          CalibrateModel(model, source, Preparation(), threads, state, options);
      BOOST_REQUIRE_MESSAGE(status.ok(), status.message());
      BOOST_TEST(reported == kSamples);
      BOOST_TEST((SerializeState(state).value() == bytes));
      for (const std::string& checkpoint : checkpoints) {
        CalibrationState resumed = ParseState(checkpoint).value();
        const std::size_t done = resumed.samples.count();
        if (done < kSamples) Observe(resumed, done, kSamples);
        BOOST_TEST((SerializeState(resumed).value() == bytes));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(AMovingAverageTakesSamplesInTheirOrder) {
  const auto range = [](int threads) {
    Model model = Network();
    CollectedStatistics collected;
    collected.moving_average = 0.3;
    CalibrationState state =
        StartCalibration(model, Preparation(), collected).value();
    testing::SampleSource source("x", {1, 2, 4, 4}, 30, testing::Waves(32));
    BOOST_REQUIRE(
        CalibrateModel(model, source, Preparation(), threads, state, {}).ok());
    return state.tensors.at("x")
        .statistics.Choose(ParseCalibration("moving-average:0.3").value(), {})
        .value();
  };
  const RealRange serial = range(1);
  BOOST_TEST(range(4).lo == serial.lo);
  BOOST_TEST(range(4).hi == serial.hi);
}

BOOST_AUTO_TEST_CASE(TheFirstSampleThatFailsIsNamed) {
  /// Samples 5, 7, 9 and so on do not fit the weights.
  class SomeDoNotFit final : public FeedSource {
   public:
    Result<std::optional<Feeds>> Next() override {
      const bool fits = at_ < 5 || at_ % 2 == 0;
      if (++at_ > 30) return std::optional<Feeds>();
      const Dims dims{1, fits ? 2 : 3, 4, 4};
      const std::vector<float> values(fits ? 32 : 48, 1.0f);
      Feeds feeds;
      feeds.push_back({"x", Tensor::Of<float>(dims, values)});
      return std::optional<Feeds>(std::move(feeds));
    }
    Status Rewind() override { return Status(); }
    std::optional<std::size_t> size() const override { return 30; }

   private:
    std::size_t at_ = 0;
  };
  for (const int threads : {1, 2, 8}) {
    CalibrationState state = Started();
    Model model = Network();
    SomeDoNotFit source;
    const Status status =
        CalibrateModel(model, source, Preparation(), threads, state, {});
    BOOST_TEST(
        status.message().find("calibration sample 5") != std::string::npos,
        status.message());
  }
}

BOOST_AUTO_TEST_CASE(AFailingCheckpointEndsTheRun) {
  CalibrationState state = Started();
  Model model = Network();
  testing::SampleSource source("x", {1, 2, 4, 4}, 3, testing::Waves(32));
  ObserveOptions options;
  options.checkpoint_seconds = 0.0;
  options.checkpoint = [](const CalibrationState&) {
    return IoError("the disk is full");
  };
  BOOST_TEST(CalibrateModel(model, source, Preparation(), 1, state, options)
                 .message()
                 .find("disk") != std::string::npos);
  BOOST_TEST(state.samples.count() == 1u);
}

BOOST_AUTO_TEST_CASE(RangesFromAStateQuantizeAsSamplesDo) {
  for (const std::string rule : {"minmax", "entropy", "mse"}) {
    StaticQuantizationOptions options;
    options.target = Generic::Spec();
    options.calibration = ParseCalibration(rule).value();
    Model from_samples = Network();
    testing::SampleSource source("x", {1, 2, 4, 4}, 6, testing::Waves(32));
    BOOST_REQUIRE(QuantizeStatic(from_samples, source, options).ok());
    CalibrationState state = Started();
    Observe(state, 0, 6);
    Model from_state = Network();
    auto ranges =
        ChooseRanges(state, options.calibration, options.target.activations);
    BOOST_REQUIRE(ranges.ok());
    const auto report = QuantizeStatic(from_state, *ranges, options);
    BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
    BOOST_TEST(report->calibration == rule);
    BOOST_TEST((from_state.proto().SerializeAsString() ==
                from_samples.proto().SerializeAsString()));
  }
}

BOOST_AUTO_TEST_CASE(TensorsWithoutARangeStayFloat) {
  Model model = Network();
  CalibrationResult ranges;
  ranges.table["x"].range = {-1.0f, 1.0f};
  StaticQuantizationOptions options;
  options.target = Generic::Spec();
  const auto report = QuantizeStatic(model, ranges, options);
  BOOST_REQUIRE_MESSAGE(report.ok(), report.status().message());
  BOOST_TEST(report->float_nodes.size() + report->quantized.nodes.size() > 0u);
}

BOOST_AUTO_TEST_CASE(AStateIsOfItsModelAndItsPreparation) {
  const CalibrationState state = Started();
  Model same = Network();
  BOOST_TEST(CheckStateIsOf(state, same, Preparation()).ok());
  Model other = Network(0.25f);
  BOOST_TEST(CheckStateIsOf(state, other, Preparation())
                 .message()
                 .find("another model") != std::string::npos);
  BOOST_TEST(CheckStateIsOf(state, same,
                            {.target = Generic::Spec(), .optimize = false})
                 .message()
                 .find("--optimize") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(TheFingerprintDoesNotDependOnWhereWeightsAre) {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("zeropoint-fingerprint-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const std::string inside = folder / "inside.onnx";
  const std::string outside = folder / "outside.onnx";
  Model model = Network();
  BOOST_REQUIRE(model.Save(inside).ok());
  BOOST_REQUIRE(
      model
          .Save(outside, {.external_data = ExternalDataPolicy::kAlways,
                          .external_data_threshold = 1})
          .ok());
  Model from_inside = Model::Load(inside).value();
  Model from_outside = Model::Load(outside).value();
  const std::string before = from_outside.proto().SerializeAsString();
  const auto fingerprint = ModelFingerprint(model).value();
  BOOST_TEST(ModelFingerprint(from_inside).value() == fingerprint);
  BOOST_TEST(ModelFingerprint(from_outside).value() == fingerprint);
  BOOST_TEST((from_outside.proto().SerializeAsString() == before));
  from_inside.proto().mutable_graph()->mutable_node(1)->set_op_type("Abs");
  BOOST_TEST(ModelFingerprint(from_inside).value() != fingerprint);
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(ShardsCoverEverySampleOnce) {
  for (const std::size_t total : {0u, 1u, 5u, 7u, 100u, 1001u}) {
    for (const std::uint64_t count : {1u, 2u, 7u, 16u}) {
      std::size_t next = 0;
      for (std::uint64_t k = 0; k < count; ++k) {
        const SampleRange range = Shard{k, count}.Of(total);
        BOOST_TEST(range.first == next);
        BOOST_TEST(range.count <= total / count + 1);
        next += range.count;
      }
      BOOST_TEST(next == total);
    }
  }
}

BOOST_AUTO_TEST_CASE(TheTextOfAShardIsRead) {
  BOOST_TEST(ParseShard("2/7").value().index == 2u);
  BOOST_TEST(ParseShard("2/7").value().count == 7u);
  for (const char* wrong :
       {"", "1", "1/", "/2", "2/2", "-1/2", "0/0", "1/2x", "0/9999999"}) {
    BOOST_TEST(!ParseShard(wrong).ok());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

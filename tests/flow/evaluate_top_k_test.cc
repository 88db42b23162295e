#include "zeropoint/flow/evaluate_top_k.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/flow/sample_source.h"
#include "tests/testing.h"

namespace zeropoint {
namespace {

/// Gives its input as the output, in another shape if wanted.
class Through {
 public:
  explicit Through(Dims dims = {}) : dims_(std::move(dims)) {}
  Status Run(const Feeds& feeds, std::span<const std::string> taps,
             TensorSink& sink) {
    const Tensor& x = feeds[0].tensor;
    const TensorView view(x.type(), dims_.empty() ? x.dims() : dims_, x.data());
    for (std::size_t tap = 0; tap < taps.size(); ++tap) {
      ZEROPOINT_RETURN_IF_ERROR(sink.Consume(tap, view));
    }
    return Status();
  }

 private:
  Dims dims_;
};
static_assert(Executor<Through>);

/// Sample k scores class k highest, then k + 1 and so on, modulo 4.
testing::SampleSource Source(std::size_t rows, std::size_t runs) {
  return testing::SampleSource(
      "x", {static_cast<std::int64_t>(rows), 4}, runs, [rows](std::size_t run) {
        std::vector<float> values(rows * 4);
        for (std::size_t i = 0; i < values.size(); ++i) {
          const std::size_t sample = run * rows + i / 4;
          values[i] = static_cast<float>((4 - i % 4 + sample) % 4);
        }
        for (float& value : values) value = value == 0.0f ? 4.0f : value;
        return values;
      });
}

const std::vector<std::string> kOutput = {"y"};

BOOST_AUTO_TEST_SUITE(evaluate_top_k)

BOOST_AUTO_TEST_CASE(CountsForEachKAndOutput) {
  auto source = Source(1, 4);
  Through executor;
  const std::vector<std::int64_t> labels = {0, 0, 2, 2};
  const auto report =
      EvaluateTopK(executor, source, labels, 1,
                   std::vector<std::string>{"y", "z"}, {1, 2, 4});
  REQUIRE_OK(report);
  BOOST_TEST(report->samples == 4u);
  BOOST_REQUIRE(report->outputs.size() == 2u);
  BOOST_TEST(report->outputs[1].name == "z");
  for (const OutputAccuracy& output : report->outputs) {
    BOOST_TEST(output.accuracy.accuracy(0) == 0.5);
    BOOST_TEST(output.accuracy.accuracy(1) == 0.5);
    BOOST_TEST(output.accuracy.accuracy(2) == 1.0);
  }
}

BOOST_AUTO_TEST_CASE(BatchesAreTakenApart) {
  auto source = Source(2, 2);
  Through executor;
  const std::vector<std::int64_t> labels = {0, 0, 2, 2};
  const auto report = EvaluateTopK(executor, source, labels, 2, kOutput, {1});
  REQUIRE_OK(report);
  BOOST_TEST(report->samples == 4u);
  BOOST_TEST(report->outputs[0].accuracy.accuracy() == 0.5);
}

BOOST_AUTO_TEST_CASE(AxesOfOneDoNotMatter) {
  for (const Dims& dims : {Dims{4}, Dims{1, 4, 1, 1}, Dims{1, 1, 4}}) {
    auto source = Source(1, 1);
    Through executor(dims);
    const std::vector<std::int64_t> labels = {0};
    const auto report = EvaluateTopK(executor, source, labels, 1, kOutput, {1});
    REQUIRE_OK(report);
    BOOST_TEST(report->outputs[0].accuracy.accuracy() == 1.0);
  }
}

BOOST_AUTO_TEST_CASE(SaysWhatDoesNotFit) {
  const auto refuse = [](Dims dims, std::vector<std::int64_t> labels,
                         std::size_t batch,
                         std::initializer_list<std::string_view> words) {
    auto source = Source(batch, 1);
    Through executor(std::move(dims));
    CheckError(
        EvaluateTopK(executor, source, labels, batch, kOutput, {1}).status(),
        StatusCode::kInvalidData, words);
  };
  refuse({2, 2}, {0}, 1, {"sample 0", "'y'", "[2, 2]", "one row"});
  refuse({}, {4}, 1, {"sample 0", "4 classes", "label 4"});
  refuse({}, {-1}, 1, {"label -1"});
  refuse({8}, {0, 0}, 2, {"[8]", "batch of 2"});
  refuse({}, {0, 0, 0}, 1, {"1 samples and 3 labels"});
  refuse({}, {}, 1, {"more samples than the 0"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

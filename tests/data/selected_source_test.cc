#include "zeropoint/data/selected_source.h"

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/testing.h"
#include "zeropoint/data/batched_source.h"
#include "zeropoint/data/data_reader.h"
#include "zeropoint/data/prefetch_source.h"

namespace zeropoint {
namespace {

Feeds Sample(std::size_t number, Dims dims = {1, 2}) {
  Tensor tensor(DataType::kInt64, std::move(dims));
  for (auto& value : tensor.MutableAs<std::int64_t>()) {
    value = static_cast<std::int64_t>(number);
  }
  Feeds feeds;
  feeds.push_back({"x", std::move(tensor)});
  return feeds;
}

// Samples 0, 1, ... whose labels are 100, 101, ...; the sample `broken` fails.
class Counting final : public FeedSource {
 public:
  explicit Counting(std::size_t count, std::optional<std::size_t> broken = {})
      : count_(count), broken_(broken) {}

  Result<std::optional<Feeds>> Next() override {
    if (next_ == count_) return std::optional<Feeds>();
    if (next_ == broken_) return InvalidData("sample is broken");
    return std::optional<Feeds>(Sample(next_++));
  }
  Status Rewind() override {
    next_ = 0;
    ++rewinds;
    return Status();
  }
  std::optional<std::size_t> size() const override { return count_; }
  std::vector<std::string> label_names() const override {
    return {std::string(kLabels)};
  }
  Result<std::vector<std::int64_t>> ClassLabels(std::string_view) override {
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < count_; ++i) {
      labels.push_back(static_cast<std::int64_t>(100 + i));
    }
    return labels;
  }

  int rewinds = 0;

 private:
  std::size_t count_;
  std::optional<std::size_t> broken_;
  std::size_t next_ = 0;
};

// The first value of each feed.
std::vector<std::int64_t> Values(FeedSource& source) {
  std::vector<std::int64_t> values;
  for (;;) {
    const auto feeds = source.Next();
    REQUIRE_OK(feeds);
    if (!feeds->has_value()) return values;
    values.push_back((**feeds)[0].tensor.As<std::int64_t>()[0]);
  }
}

template <class T>
void CheckEqual(const std::vector<T>& got, const std::vector<T>& wanted) {
  BOOST_TEST(got == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE(sample_order)

BOOST_AUTO_TEST_CASE(StridesThenSkipsThenLimits) {
  const auto order = [](std::size_t total, const SampleSelection& selection) {
    const auto result = OrderSamples(total, selection);
    REQUIRE_OK(result);
    return *result;
  };
  CheckEqual(order(4, {}), {0, 1, 2, 3});
  CheckEqual(order(10, {.start = 1, .stride = 3}), {1, 4, 7});
  CheckEqual(order(10, {.stride = 3}), {0, 3, 6, 9});
  CheckEqual(order(10, {.stride = 3, .skip = 1, .limit = 2}), {3, 6});
  CheckEqual(order(10, {.stride = SIZE_MAX}), {0});
}

BOOST_AUTO_TEST_CASE(MustLeaveASample) {
  const auto check = [](std::size_t total, const SampleSelection& selection,
                        StatusCode code, std::string_view word) {
    CheckError(OrderSamples(total, selection).status(), code, {word});
  };
  check(0, {}, StatusCode::kInvalidData, "no samples");
  check(3, {.start = 3}, StatusCode::kInvalidArgument, "start index");
  check(3, {.stride = 2, .skip = 2}, StatusCode::kInvalidArgument, "none");
  check(3, {.stride = 0}, StatusCode::kInvalidArgument, "stride");
}

// The numbers are those of an implementation in another language.
BOOST_AUTO_TEST_CASE(ShufflesAlikeEverywhere) {
  const auto order = OrderSamples(10, {.shuffle_seed = 7});
  REQUIRE_OK(order);
  CheckEqual(*order, {0, 8, 2, 5, 7, 9, 4, 6, 1, 3});
  const auto other = OrderSamples(1000, {.shuffle_seed = 8});
  REQUIRE_OK(other);
  SampleOrder sorted = *other;
  BOOST_TEST(!std::ranges::is_sorted(sorted));
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) BOOST_TEST(sorted[i] == i);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(selected_source)

BOOST_AUTO_TEST_CASE(FeedsTheOrderWhateverTheBlock) {
  for (const SampleSelection& selection :
       {SampleSelection{.shuffle_seed = 3},
        SampleSelection{.start = 2, .stride = 3, .shuffle_seed = 1, .skip = 1},
        SampleSelection{.start = 1, .stride = 2, .limit = 5}}) {
    const auto order = OrderSamples(23, selection);
    REQUIRE_OK(order);
    const std::vector<std::int64_t> wanted(order->begin(), order->end());
    for (const std::size_t block : {1u, 40u, 100u, 1000000u}) {
      auto source = SelectedSource::Over(std::make_unique<Counting>(23),
                                         selection, block);
      REQUIRE_OK(source);
      BOOST_TEST((*source)->size().value() == wanted.size());
      CheckEqual(Values(**source), wanted);
      REQUIRE_OK((*source)->Rewind());
      CheckEqual(Values(**source), wanted);
      // From any place, after a few were read or none.
      for (std::size_t read = 0; read < 3; ++read) {
        for (std::size_t skip = 0; skip + read <= wanted.size(); ++skip) {
          REQUIRE_OK((*source)->Rewind());
          for (std::size_t i = 0; i < read; ++i) REQUIRE_OK((*source)->Next());
          REQUIRE_OK((*source)->Skip(skip));
          CheckEqual(Values(**source),
                     {wanted.begin() + static_cast<std::ptrdiff_t>(read + skip),
                      wanted.end()});
        }
      }
      REQUIRE_OK((*source)->Skip(1000));
      BOOST_TEST(Values(**source).empty());
      auto labels = (*source)->ClassLabels(kLabels);
      REQUIRE_OK(labels);
      for (auto& label : *labels) label -= 100;
      CheckEqual(*labels, wanted);
    }
  }
}

BOOST_AUTO_TEST_CASE(ABlockIsGatheredInOnePass) {
  auto counting = std::make_unique<Counting>(100);
  Counting& inner = *counting;
  auto source = SelectedSource::Over(std::move(counting), {.shuffle_seed = 5});
  REQUIRE_OK(source);
  BOOST_TEST(Values(**source).size() == 100u);
  BOOST_TEST(inner.rewinds <= 1);
}

BOOST_AUTO_TEST_CASE(NeedsASize) {
  CheckError(SelectedSource::Over(
                 std::make_unique<CallbackSource>([](std::size_t) {
                   return Result<std::optional<Feeds>>(std::optional<Feeds>());
                 }),
                 {.stride = 2})
                 .status(),
             StatusCode::kInvalidArgument, {"how many"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(batched_source)

const std::vector<InputDescription> kOpen = {
    {.name = "x", .type = DataType::kInt64, .dims = Dims{-1, 2}}};

BOOST_AUTO_TEST_CASE(JoinsSamplesAndKeepsTheRest) {
  auto source = BatchedSource::Over(std::make_unique<Counting>(5), 2, kOpen);
  REQUIRE_OK(source);
  BOOST_TEST((*source)->size().value() == 3u);
  BOOST_TEST((*source)->label_names().empty());
  for (int round = 0; round < 2; ++round) {
    std::vector<std::size_t> rows;
    std::vector<std::int64_t> values;
    for (;;) {
      const auto feeds = (*source)->Next();
      REQUIRE_OK(feeds);
      if (!feeds->has_value()) break;
      const Tensor& x = *FindFeed(**feeds, "x");
      BOOST_TEST(x.dims()[1] == 2);
      rows.push_back(static_cast<std::size_t>(x.dims()[0]));
      for (const std::int64_t value : x.As<std::int64_t>()) {
        values.push_back(value);
      }
    }
    CheckEqual(rows, {2, 2, 1});
    CheckEqual(values, {0, 0, 1, 1, 2, 2, 3, 3, 4, 4});
    REQUIRE_OK((*source)->Rewind());
  }
  REQUIRE_OK((*source)->Skip(2));
  CheckEqual(Values(**source), {4});
}

BOOST_AUTO_TEST_CASE(NeedsAnOpenBatchAxis) {
  const auto open = [](std::optional<Dims> dims, std::size_t size) {
    const std::vector<InputDescription> inputs = {
        {.name = "x", .type = DataType::kInt64, .dims = std::move(dims)}};
    return BatchedSource::Over(std::make_unique<Counting>(3), size, inputs)
        .status();
  };
  REQUIRE_OK(open(std::nullopt, 2));
  REQUIRE_OK(open(Dims{1, 2}, 1));
  CheckError(open(Dims{1, 2}, 2), StatusCode::kInvalidArgument,
             {"'x'", "[1, 2]", "--batch-size"});
  CheckError(open(Dims{}, 2), StatusCode::kInvalidArgument, {"'x'", "[]"});
  CheckError(open(Dims{-1, 2}, 0), StatusCode::kInvalidArgument, {"batch"});
}

BOOST_AUTO_TEST_CASE(SamplesOfABatchAreAlike) {
  const auto next = [](const Dims& first, const Dims& second) {
    auto samples = std::make_unique<CallbackSource>(
        [=](std::size_t number) -> Result<std::optional<Feeds>> {
          return std::optional<Feeds>(Sample(number, number ? second : first));
        },
        2);
    auto source = BatchedSource::Over(std::move(samples), 2, {});
    REQUIRE_OK(source);
    return (*source)->Next().status();
  };
  REQUIRE_OK(next({1, 2}, {3, 2}));
  CheckError(next({1, 2}, {1, 3}), StatusCode::kInvalidData,
             {"batch 0", "'x'", "[1, 2]", "[1, 3]"});
  CheckError(next({}, {}), StatusCode::kInvalidData, {"'x'", "no batch axis"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(prefetch_source)

BOOST_AUTO_TEST_CASE(FeedsTheSameInTheSameOrder) {
  for (const std::size_t ahead : {0u, 1u, 3u, 100u}) {
    PrefetchSource source(std::make_unique<Counting>(20), ahead);
    BOOST_TEST(source.size().value() == 20u);
    const auto all = Values(source);
    BOOST_TEST(all.size() == 20u);
    BOOST_TEST(std::ranges::is_sorted(all));
    BOOST_TEST(Values(source).empty());  // the end stays the end
    REQUIRE_OK(source.Rewind());
    REQUIRE_OK(source.Skip(5));
    REQUIRE_OK(source.Next());
    REQUIRE_OK(source.Skip(10));
    CheckEqual(Values(source), {16, 17, 18, 19});
  }
}

BOOST_AUTO_TEST_CASE(ErrorsComeWhereTheyBelong) {
  PrefetchSource source(std::make_unique<Counting>(10, 3), 8);
  for (int i = 0; i < 3; ++i) REQUIRE_OK(source.Next());
  CheckError(source.Next().status(), StatusCode::kInvalidData, {"broken"});
  CheckError(source.Next().status(), StatusCode::kInvalidData, {"broken"});
}

BOOST_AUTO_TEST_CASE(EndsWithoutBeingReadToTheEnd) {
  for (int round = 0; round < 50; ++round) {
    PrefetchSource source(std::make_unique<Counting>(1000), 2);
    if (round % 3 == 0) continue;  // never started
    REQUIRE_OK(source.Next());
    if (round % 3 == 1) continue;  // the thread waits or reads
    REQUIRE_OK(source.Rewind());
    CheckEqual<std::int64_t>(
        {(**source.Next())[0].tensor.As<std::int64_t>()[0]}, {0});
  }
}

BOOST_AUTO_TEST_CASE(ReadsAheadButNotFurther) {
  std::atomic<std::size_t> read = 0;
  PrefetchSource source(
      std::make_unique<CallbackSource>(
          [&read](std::size_t number) -> Result<std::optional<Feeds>> {
            ++read;
            return std::optional<Feeds>(Sample(number));
          },
          100),
      4);
  REQUIRE_OK(source.Next());
  for (int i = 0; i < 1000 && read < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  BOOST_TEST(read == 5u);
}

BOOST_AUTO_TEST_CASE(LabelsCanBeAskedForMeanwhile) {
  PrefetchSource source(std::make_unique<Counting>(50), 3);
  REQUIRE_OK(source.Next());
  BOOST_TEST(source.label_names().size() == 1u);
  BOOST_TEST(source.ClassLabels(kLabels)->size() == 50u);
  BOOST_TEST(Values(source).size() == 49u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(data_reader)

// As a user would write one. Samples differ in shape.
struct ThreeSamples {
  std::optional<Feeds> get_next() {
    if (at == 3) return std::nullopt;
    const auto number = at++;
    return Sample(number, {static_cast<std::int64_t>(number + 1), 2});
  }
  std::size_t at = 0;
};

struct RewindingSamples : ThreeSamples {
  Result<std::optional<Feeds>> get_next() {
    if (at == 2) return IoError("the camera is gone");
    return ThreeSamples::get_next();
  }
  void rewind() { at = 0; }
  int size() const { return 3; }
};

struct NoReader {
  int get_next() { return 0; }
};

static_assert(CalibrationDataReader<ThreeSamples>);
static_assert(CalibrationDataReader<RewindingSamples>);
static_assert(!CalibrationDataReader<NoReader>);
static_assert(!CalibrationDataReader<int>);

BOOST_AUTO_TEST_CASE(AReaderIsASource) {
  ReaderSource source{ThreeSamples()};
  REQUIRE_OK(source.Rewind());
  BOOST_TEST(!source.size().has_value());
  CheckEqual(Values(source), {0, 1, 2});
  CheckError(source.Rewind(), StatusCode::kUnsupported, {"rewind()"});
}

BOOST_AUTO_TEST_CASE(AReaderMayRewindAndFail) {
  ReaderSource source{RewindingSamples()};
  BOOST_TEST(source.size().value() == 3u);
  REQUIRE_OK(source.Next());
  REQUIRE_OK(source.Rewind());
  const auto first = source.Next();
  REQUIRE_OK(first);
  BOOST_TEST(((**first)[0].tensor.dims() == Dims{1, 2}));
  const auto second = source.Next();
  REQUIRE_OK(second);
  BOOST_TEST(((**second)[0].tensor.dims() == Dims{2, 2}));
  CheckError(source.Next().status(), StatusCode::kIoError, {"camera"});
}

BOOST_AUTO_TEST_CASE(AFunctionIsASource) {
  const auto make = [](std::size_t number) -> Result<std::optional<Feeds>> {
    if (number == 5) return std::optional<Feeds>();
    return std::optional<Feeds>(Sample(number));
  };
  CallbackSource open(make);
  BOOST_TEST(!open.size().has_value());
  CheckEqual(Values(open), {0, 1, 2, 3, 4});
  REQUIRE_OK(open.Rewind());
  REQUIRE_OK(open.Skip(3));
  CheckEqual(Values(open), {3, 4});
  CallbackSource limited(make, 2);
  BOOST_TEST(limited.size().value() == 2u);
  CheckEqual(Values(limited), {0, 1});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

#include "zeropoint/eval/top_k_accuracy.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "tests/testing.h"

namespace zeropoint {
namespace {

BOOST_AUTO_TEST_SUITE(top_k_accuracy)

BOOST_AUTO_TEST_CASE(RankCountsWhatScoresHigher) {
  const std::vector<float> scores = {0.1f, 0.7f, -2.0f, 0.2f};
  const std::span<const float> view(scores);
  BOOST_TEST(RankOf(view, 1).value() == 0u);
  BOOST_TEST(RankOf(view, 3).value() == 1u);
  BOOST_TEST(RankOf(view, 0).value() == 2u);
  BOOST_TEST(RankOf(view, 2).value() == 3u);
  BOOST_TEST(!RankOf(view, 4).has_value());
  BOOST_TEST(!RankOf(view, -1).has_value());
}

BOOST_AUTO_TEST_CASE(OfEqualScoresTheFirstClassIsHigher) {
  const std::vector<std::uint8_t> scores = {7, 9, 9, 7};
  const std::span<const std::uint8_t> view(scores);
  BOOST_TEST(RankOf(view, 1).value() == 0u);
  BOOST_TEST(RankOf(view, 2).value() == 1u);
  BOOST_TEST(RankOf(view, 0).value() == 2u);
  BOOST_TEST(RankOf(view, 3).value() == 3u);
}

BOOST_AUTO_TEST_CASE(NotANumberIsBelowAll) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> scores = {nan, 1.0f, nan};
  BOOST_TEST(!RankOf(std::span<const float>(scores), 0).has_value());
  BOOST_TEST(RankOf(std::span<const float>(scores), 1).value() == 0u);
}

BOOST_AUTO_TEST_CASE(CountsForEachK) {
  TopKAccuracy accuracy({1, 2, 5});
  const std::vector<float> scores = {0.1f, 0.7f, 0.2f};
  const Tensor tensor = Tensor::Of<float>({1, 3}, scores);
  for (const std::int64_t label : {1, 2, 2, 0}) {
    REQUIRE_OK(accuracy.Add(tensor.view(), label));
  }
  BOOST_TEST(accuracy.samples() == 4u);
  BOOST_TEST(accuracy.accuracy(0) == 0.25);
  BOOST_TEST(accuracy.accuracy(1) == 0.75);
  BOOST_TEST(accuracy.accuracy(2) == 1.0);
  BOOST_TEST(TopKAccuracy().accuracy() == 0.0);
}

BOOST_AUTO_TEST_CASE(TakesScoresOfAnyNumberType) {
  TopKAccuracy accuracy;
  const std::vector<std::int64_t> codes = {-3, 5};
  REQUIRE_OK(accuracy.Add(Tensor::Of<std::int64_t>({2}, codes).view(), 1));
  const std::vector<double> doubles = {1.0, 1.0 + 1e-15};
  REQUIRE_OK(accuracy.Add(Tensor::Of<double>({2}, doubles).view(), 1));
  const std::vector<std::uint16_t> halves = {0x3c00, 0x4000};  // 1, 2
  Tensor half(DataType::kFloat16, {2});
  std::memcpy(half.mutable_data(), halves.data(), 4);
  REQUIRE_OK(accuracy.Add(half.view(), 1));
  BOOST_TEST(accuracy.accuracy() == 1.0);
  const Tensor nibbles(DataType::kInt4, {2});
  CheckError(accuracy.Add(nibbles.view(), 0), StatusCode::kUnsupported,
             {"int4"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

#include "zeropoint/eval/output_measures.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "zeropoint/core/tensor.h"

namespace zeropoint {
namespace {

Tensor Row(std::vector<float> values) {
  return Tensor::Of<float>({1, static_cast<std::int64_t>(values.size())},
                           values);
}

OutputMeasures Measure(std::vector<float> reference, std::vector<float> other) {
  OutputMeasures measures;
  const Status added = measures.Add(Row(std::move(reference)).view(),
                                    Row(std::move(other)).view());
  BOOST_REQUIRE_MESSAGE(added.ok(), added.message());
  return measures;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(output_measures)

BOOST_AUTO_TEST_CASE(SqnrIsTheRatioOfEnergiesInDecibel) {
  const OutputMeasures measures = Measure({3, 4}, {3, 3.5f});
  BOOST_TEST(measures.sqnr_db() == 20.0, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(measures.max_abs_error() == 0.5);
}

BOOST_AUTO_TEST_CASE(SqnrPoolsSamplesAndKeepsTheWorst) {
  OutputMeasures measures = Measure({10, 0}, {9, 0});  // 20 dB
  BOOST_REQUIRE(measures.Add(Row({1, 0}).view(), Row({0, 0}).view()).ok());
  BOOST_TEST(measures.samples() == 2u);
  BOOST_TEST(measures.worst_sample_db() == 0.0);
  BOOST_TEST(measures.sqnr_db() == 10 * std::log10(101.0 / 2.0),
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(EqualTensorsHaveInfiniteSqnr) {
  const OutputMeasures measures = Measure({1, 2}, {1, 2});
  BOOST_TEST(std::isinf(measures.sqnr_db()));
  BOOST_TEST(measures.cosine() == 1.0, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(AZeroReferenceIsAllNoise) {
  BOOST_TEST(Measure({0, 0}, {1, 0}).sqnr_db() ==
             -std::numeric_limits<double>::infinity());
  BOOST_TEST(Measure({0, 0}, {0, 0}).cosine() == 1.0);
}

BOOST_AUTO_TEST_CASE(AgreementComparesThePlaceOfTheGreatestElement) {
  OutputMeasures measures = Measure({1, 2, 3}, {0, 0, 9});
  BOOST_REQUIRE(measures.Add(Row({1, 2}).view(), Row({2, 1}).view()).ok());
  BOOST_TEST(measures.argmax_agreement() == 0.5);
}

BOOST_AUTO_TEST_CASE(NonFiniteOutputsAreCountedAndAreErrors) {
  const OutputMeasures measures =
      Measure({3, 4}, {std::numeric_limits<float>::quiet_NaN(), 4});
  BOOST_TEST(measures.non_finite() == 1u);
  BOOST_TEST(measures.max_abs_error() == 3.0);
}

BOOST_AUTO_TEST_CASE(OtherShapesAreRefused) {
  OutputMeasures measures;
  BOOST_TEST(!measures.Add(Row({1, 2}).view(), Row({1}).view()).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

#include "zeropoint/core/half.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>

#include "zeropoint/core/choose_qparams.h"
#include "zeropoint/core/real_tensor.h"
#include "zeropoint/core/tensor_overrides.h"

namespace zeropoint {
namespace {

constexpr auto kFloat16 = DataType::kFloat16;
constexpr auto kBfloat16 = DataType::kBfloat16;

static_assert(IsReal(DataType::kFloat) && IsReal(kFloat16));
static_assert(!IsHalf(DataType::kFloat) && !IsReal(DataType::kDouble));
static_assert(RoundTo(kFloat16, 0.1f) == 0x1.998p-4f);
static_assert(RoundTo(kBfloat16, 0.1f) == 0x1.9ap-4f);
static_assert(RoundTo(DataType::kFloat, 0.1f) == 0.1f);

BOOST_AUTO_TEST_SUITE(half)

BOOST_AUTO_TEST_CASE(EveryHalfSurvivesTheWayThroughFloat) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const Float16 half{static_cast<std::uint16_t>(bits)};
    const float value = ToFloat(half);
    if (std::isnan(value)) {
      BOOST_TEST(std::isnan(ToFloat(ToFloat16(value))));
    } else {
      BOOST_REQUIRE_EQUAL(ToFloat16(value).bits, half.bits);
    }
    const Bfloat16 brain{static_cast<std::uint16_t>(bits)};
    if (!std::isnan(ToFloat(brain))) {
      BOOST_REQUIRE_EQUAL(ToBfloat16(ToFloat(brain)).bits, brain.bits);
    }
  }
}

BOOST_AUTO_TEST_CASE(RoundsHalvesToEven) {
  // Between 1 and the next half, 2^-10 apart, and between subnormals.
  BOOST_TEST(ToFloat16(1.0f + 0x1p-11f).bits == 0x3c00);
  BOOST_TEST(ToFloat16(1.0f + 0x1.8p-10f).bits == 0x3c02);
  BOOST_TEST(ToFloat16(0x1p-25f).bits == 0);
  BOOST_TEST(ToFloat16(0x1.8p-24f).bits == 2);
  BOOST_TEST(ToFloat16(-0x1p-24f).bits == 0x8001);
  BOOST_TEST(ToFloat16(65519.0f).bits == 0x7bff);
  BOOST_TEST(ToFloat16(65520.0f).bits == 0x7c00);
  BOOST_TEST(ToFloat16(1e9f).bits == 0x7c00);
  BOOST_TEST(ToBfloat16(1.0f + 0x1p-8f).bits == 0x3f80);
  BOOST_TEST(ToBfloat16(1.0f + 0x1.8p-7f).bits == 0x3f82);
}

BOOST_AUTO_TEST_CASE(ADoubleIsRoundedOnce) {
  // The nearest float is the tie, which would go down to 1.
  for (const double sign : {1.0, -1.0}) {
    const auto next16 = static_cast<float>(sign * (1.0 + 0x1p-10));
    BOOST_TEST(NearestOf(kFloat16, sign * (1.0 + 0x1p-11 + 0x1p-40)) == next16);
    BOOST_TEST(NearestOf(kFloat16, sign * (1.0 + 0x1p-11)) == sign);
    BOOST_TEST(NearestOf(kFloat16, sign * (1.0 + 0x1p-11 - 0x1p-40)) == sign);
    // Here the tie would go up, to the even one.
    const auto even16 = static_cast<float>(sign * (1.0 + 0x1p-9));
    BOOST_TEST(NearestOf(kFloat16, sign * (1.0 + 0x1.8p-10 - 0x1p-40)) ==
               next16);
    BOOST_TEST(NearestOf(kFloat16, sign * (1.0 + 0x1.8p-10)) == even16);
    BOOST_TEST(NearestOf(kBfloat16, sign * (1.0 + 0x1p-8 + 0x1p-40)) ==
               static_cast<float>(sign * (1.0 + 0x1p-7)));
  }
  BOOST_TEST(NearestOf(DataType::kFloat, 0.1) == 0.1f);
  BOOST_TEST(std::isinf(NearestOf(kFloat16, 1e300)));
}

BOOST_AUTO_TEST_CASE(AStoredScaleIsNormalAndFinite) {
  BOOST_TEST(StoredScale(1e-6f, kFloat16) == 0x1p-14f);
  BOOST_TEST(StoredScale(0x1.fffffep-15f, kFloat16) == 0x1p-14f);
  BOOST_TEST(StoredScale(1e9f, kFloat16) == 65504.0f);
  BOOST_TEST(StoredScale(65530.0f, kFloat16) == 65504.0f);
  BOOST_TEST(StoredScale(1e-6f, kBfloat16) == RoundTo(kBfloat16, 1e-6f));
  BOOST_TEST(StoredScale(3.4e38f, kBfloat16) == Largest(kBfloat16));
  BOOST_TEST(StoredScale(1e-38f, kBfloat16) == SmallestNormal(kBfloat16));
  BOOST_TEST(StoredScale(0.1f, DataType::kFloat) == 0.1f);
}

BOOST_AUTO_TEST_CASE(TheZeroPointFollowsFromTheStoredScale) {
  int differing = 0;
  for (const DataType type : {kFloat16, kBfloat16}) {
    SchemeSpec scheme = ParseScheme("u8:asym").value();
    scheme.scale_type = type;
    for (int i = 1; i < 200; ++i) {
      const RealRange range{-0.01f * static_cast<float>(i),
                            0.013f * static_cast<float>(300 - i)};
      const QParams exact = ChooseQParams(range, SchemeSpec());
      const QParams stored = ChooseQParams(range, scheme);
      BOOST_REQUIRE_EQUAL(stored.scale, RoundTo(type, exact.scale));
      BOOST_REQUIRE_EQUAL(
          stored.zero_point,
          static_cast<int>(std::nearbyint(-range.lo / stored.scale)));
      differing += stored.zero_point != exact.zero_point ? 1 : 0;
    }
  }
  BOOST_TEST(differing > 0);
}

BOOST_AUTO_TEST_CASE(ANarrowRangeHasCoarserStepsAndAnEmptyOneScaleOne) {
  SchemeSpec scheme = ParseScheme("i8:sym").value();
  scheme.scale_type = kFloat16;
  BOOST_TEST(ChooseQParams({-1e-4f, 1e-4f}, scheme).scale == 0x1p-14f);
  BOOST_TEST(ChooseQParams({0.0f, 0.0f}, scheme).scale == 1.0f);
  QuantizationOverride fixed;
  fixed.params = QParams{0.1f, 3};
  const QParams params = OverrideParams({-1, 1}, scheme, fixed);
  BOOST_TEST(params.scale == RoundTo(kFloat16, 0.1f));
  BOOST_TEST(params.zero_point == 3);
}

BOOST_AUTO_TEST_CASE(TensorsAreWidenedAndNarrowed) {
  const std::vector<float> values = {0.1f, -65504.0f, 0x1p-24f};
  const Tensor real = Tensor::Of<float>({3}, values);
  for (const DataType type : {kFloat16, kBfloat16}) {
    const Tensor narrow = RoundedTo(type, real.view());
    BOOST_REQUIRE(narrow.type() == type);
    Tensor scratch;
    const auto wide = AsFloat(narrow.view(), scratch);
    BOOST_REQUIRE(wide.ok());
    for (std::size_t i = 0; i < values.size(); ++i) {
      BOOST_TEST(wide->As<float>()[i] == RoundTo(type, values[i]));
    }
  }
  Tensor scratch;
  BOOST_TEST(AsFloat(real.view(), scratch)->data() == real.data());
  const Tensor integers(DataType::kInt32, {2});
  BOOST_TEST(!AsFloat(integers.view(), scratch).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

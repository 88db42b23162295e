// Four ways to the kernels in one program, from units with different flags:
// all are there, none replaces another, and they compute the same codes.
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "hwy/targets.h"
#include "tests/odr/four_ways.h"
#include "zeropoint/core/reference.h"

namespace zeropoint {
namespace {

constexpr CodeRange kCodes{0, 255};
constexpr QParams kParams{0.037f, 101};

std::vector<float> Values() {
  std::vector<float> values;
  for (int i = 0; i < 1001; ++i) {
    values.push_back(static_cast<float>(i - 500) * 0.0185f);
  }
  return values;
}

void CheckQuantizes(const KernelTable& kernels) {
  BOOST_TEST_CONTEXT(kernels.target) {
    const std::vector<float> x = Values();
    std::vector<std::uint8_t> q(x.size());
    kernels.quantize_u8(x.data(), x.size(), kParams, kCodes, q.data());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      wrong += q[i] != reference::Quantize(x[i], kParams, kCodes) ? 1 : 0;
    }
    BOOST_TEST(wrong == 0u);
  }
}

bool HasAvx2() { return (hwy::SupportedTargets() & HWY_AVX2) != 0; }

}  // namespace

BOOST_AUTO_TEST_SUITE(odr)

BOOST_AUTO_TEST_CASE(EveryWayQuantizesAlike) {
  CheckQuantizes(DispatchedKernels());
  CheckQuantizes(testing::StaticDefault());
  CheckQuantizes(testing::OwnSlot());
  if (HasAvx2()) CheckQuantizes(testing::StaticAvx2());
}

BOOST_AUTO_TEST_CASE(UnitsWithOtherFlagsKeepTheirOwnTables) {
  BOOST_TEST((&testing::StaticDefault() != &testing::StaticAvx2()));
  BOOST_TEST((std::string_view(testing::StaticDefault().target) !=
              std::string_view(testing::StaticAvx2().target)));
}

BOOST_AUTO_TEST_CASE(TheOwnedSlotDispatchesLikeTheLibrarys) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    BOOST_TEST((std::string_view(testing::OwnSlot().target) ==
                std::string_view(DispatchedKernels().target)));
  }
  hwy::SetSupportedTargetsForTest(0);
}

BOOST_AUTO_TEST_CASE(TheUsersOwnCodeRunsBesideThem) {
  std::vector<float> x = Values();
  testing::AddOneToEach(x.data(), x.size());
  const std::vector<float> before = Values();
  for (std::size_t i = 0; i < x.size(); ++i) {
    BOOST_TEST(x[i] == before[i] + 1.0f);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

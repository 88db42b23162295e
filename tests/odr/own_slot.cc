// A user's translation unit: own SIMD code and the library's kernels share the
// one slot that Highway has in a unit. Quoted by docs/simd.md.
// #region own-slot
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/odr/own_slot.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "hwy/highway.h"
#include "zeropoint/kernels/all-inl.h"

HWY_BEFORE_NAMESPACE();
namespace user::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void AddOne(float* x, std::size_t count) {
  const hn::CappedTag<float, 4> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto one = hn::Set(d, 1.0f);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::Add(hn::LoadU(d, x + i), one), d, x + i);
  }
  for (; i < count; ++i) x[i] += 1.0f;
}

}  // namespace user::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "tests/odr/four_ways.h"
#include "zeropoint/kernels/dispatch_tables.h"

namespace user {
HWY_EXPORT(AddOne);
}  // namespace user

namespace zeropoint::testing {
const KernelTable& OwnSlot() { return ChooseKernels(); }
void AddOneToEach(float* x, std::size_t count) {
  using namespace user;  // NOLINT: HWY_DYNAMIC_DISPATCH takes a plain name
  HWY_DYNAMIC_DISPATCH(AddOne)(x, count);
}
}  // namespace zeropoint::testing
#endif
// #endregion

// Chooses among the tables that this translation unit compiled.
//
// For a unit that owns Highway's slot: include it after all-inl.h, inside #if
// HWY_ONCE. dispatch.h does just that.
#ifndef ZEROPOINT_KERNELS_DISPATCH_TABLES_H_
#define ZEROPOINT_KERNELS_DISPATCH_TABLES_H_

#include <cstdint>

#include "hwy/highway.h"
#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint {
inline namespace ZEROPOINT_BASELINE {

/// The compiled tables in the order of Highway's index. The argument makes
/// units with different lists of targets have different tables.
template <std::int64_t kTargets = HWY_TARGETS>
inline constexpr const KernelTable* kKernelTables[] = {
    nullptr,  // index 0: the target is not chosen yet
    HWY_CHOOSE_TARGET_LIST(kKernels),
    HWY_CHOOSE_FALLBACK(kKernels),
};

/// The table for the best of this unit's targets that the CPU has. Looked up
/// anew each time, so hwy::SetSupportedTargetsForTest takes effect.
template <std::int64_t kTargets = HWY_TARGETS>
const KernelTable& ChooseKernels() {
  hwy::ChosenTarget& chosen = hwy::GetChosenTarget();
  if (!chosen.IsInitialized()) chosen.Update(hwy::SupportedTargets());
  return *kKernelTables<kTargets>[chosen.GetIndex()];
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint

#endif  // ZEROPOINT_KERNELS_DISPATCH_TABLES_H_

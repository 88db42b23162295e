// Histogram: counts of values in bins whose width is a power of two.
#ifndef ZEROPOINT_KERNELS_HISTOGRAM_INL_H_
#define ZEROPOINT_KERNELS_HISTOGRAM_INL_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "zeropoint/core/reference.h"
#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_HISTOGRAM_INL_H_

#if defined(ZEROPOINT_KERNELS_HISTOGRAM_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_HISTOGRAM_TOGGLE
#undef ZEROPOINT_KERNELS_HISTOGRAM_TOGGLE
#else
#define ZEROPOINT_KERNELS_HISTOGRAM_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Slots of the values of one group: bin & (kHistogramBins - 1).
inline constexpr std::size_t kSlotGroup = 256;
/// Tables that take turns. A value that repeats (the zeros of a Relu) would
/// else wait each time for its own last increment to leave the store buffer.
inline constexpr std::size_t kSlotTables = 4;

HWY_INLINE void SlotsOf(const float* x, std::size_t count, float inverse_width,
                        std::uint32_t* HWY_RESTRICT slots) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::RebindToUnsigned<decltype(d)> du;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, inverse_width);
  const auto zero = hn::Zero(d);
  const auto mask = hn::Set(di, static_cast<std::int32_t>(kHistogramBins - 1));
  for (std::size_t i = 0; i < count; i += lanes) {
    const auto v = hn::LoadN(d, x + i, HWY_MIN(lanes, count - i));
    // A product by a power of two is exact, or so small that it counts as 0.
    const auto widths = hn::ConvertInRangeTo(di, hn::Mul(hn::Abs(v), factor));
    // -1 - t is ~t
    const auto below = hn::BitCast(di, hn::VecFromMask(d, hn::Lt(v, zero)));
    const auto slot = hn::And(hn::Xor(widths, below), mask);
    hn::StoreU(hn::BitCast(du, slot), du, slots + i);
  }
}

/// See KernelTable::histogram.
inline void Histogram(const float* x, std::size_t count, int exponent,
                      std::uint64_t* counts) {
  const float inverse_width = reference::PowerOfTwo(-exponent);
  // A multiple of every vector length, so that whole vectors may be stored.
  HWY_ALIGN std::uint32_t slots[kSlotGroup];
  if (count < 4 * kHistogramBins) {  // clearing tables would cost more
    for (std::size_t begin = 0; begin < count; begin += kSlotGroup) {
      const std::size_t group = HWY_MIN(kSlotGroup, count - begin);
      SlotsOf(x + begin, group, inverse_width, slots);
      for (std::size_t i = 0; i < group; ++i) ++counts[slots[i]];
    }
    return;
  }
  // 16 bits keep the tables in the first cache; a table is emptied before it
  // can have counted 2^16 values.
  HWY_ALIGN std::uint16_t tables[kSlotTables][kHistogramBins];
  constexpr std::size_t kChunk = std::size_t{1} << 17;
  for (std::size_t first = 0; first < count; first += kChunk) {
    const std::size_t chunk = HWY_MIN(kChunk, count - first);
    std::memset(tables, 0, sizeof(tables));
    for (std::size_t begin = 0; begin < chunk; begin += kSlotGroup) {
      const std::size_t group = HWY_MIN(kSlotGroup, chunk - begin);
      SlotsOf(x + first + begin, group, inverse_width, slots);
      std::size_t i = 0;
      for (; i + kSlotTables <= group; i += kSlotTables) {
        std::uint64_t pairs[2];  // half the loads
        std::memcpy(pairs, slots + i, sizeof(pairs));
        ++tables[0][static_cast<std::uint32_t>(pairs[0])];
        ++tables[1][pairs[0] >> 32];
        ++tables[2][static_cast<std::uint32_t>(pairs[1])];
        ++tables[3][pairs[1] >> 32];
      }
      for (; i < group; ++i) ++tables[0][slots[i]];
    }
    for (std::size_t bin = 0; bin < kHistogramBins; ++bin) {
      counts[bin] += std::uint64_t{tables[0][bin]} + tables[1][bin] +
                     tables[2][bin] + tables[3][bin];
    }
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_HISTOGRAM_TOGGLE

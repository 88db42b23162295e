#include "bench/kernels/fma_peak.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/kernels/fma_peak.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "zeropoint/kernels/tile_i32-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::bench::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

std::size_t MultiplyAdds(std::size_t steps) {
  const hn::ScalableTag<float> d;
  // Enough chains to hide the latency of two units.
  constexpr std::size_t kChains = 12;
  const auto factor = hn::Set(d, 0.5f);
  const auto term = hn::Set(d, 0.25f);
  hn::Vec<decltype(d)> chains[kChains];
  // Different starts: the compiler computes equal chains only once.
  HWY_UNROLL(12)
  for (std::size_t c = 0; c < kChains; ++c) {
    chains[c] = hn::Set(d, static_cast<float>(c));
  }
  const std::size_t rounds = steps / (kChains * hn::Lanes(d)) + 1;
  for (std::size_t i = 0; i < rounds; ++i) {
    HWY_UNROLL(12)
    for (auto& chain : chains) chain = hn::MulAdd(chain, factor, term);
  }
  auto sum = hn::Zero(d);
  HWY_UNROLL(12)
  for (auto& chain : chains) sum = hn::Add(sum, chain);
  hwy::PreventElision(hn::ReduceSum(d, sum));
  return rounds * kChains * hn::Lanes(d);
}

std::size_t CodeMultiplyAdds(std::size_t steps) {
  namespace own = zeropoint::HWY_NAMESPACE;
  using Dot = own::BestDot<false>;
  HWY_ALIGN std::int32_t left[own::kIntTileRows * own::kBlockUnits] = {};
  HWY_ALIGN Dot::Wide
      right[own::kBlockUnits * own::kMostIntColumns * Dot::kUnit] = {};
  HWY_ALIGN std::int32_t c[own::kIntTileRows * own::kMostIntColumns] = {};
  const std::size_t columns = own::IntTileColumns();
  const own::IntTile<Dot::Wide> tile{.units = own::kBlockUnits,
                                     .left = left,
                                     .left_stride = own::kBlockUnits,
                                     .right = right,
                                     .right_stride = columns * Dot::kUnit,
                                     .c = c,
                                     .c_stride = columns,
                                     .columns = columns};
  const std::size_t each =
      own::kBlockUnits * Dot::kUnit * own::kIntTileRows * columns;
  const std::size_t rounds = steps / each + 1;
  for (std::size_t i = 0; i < rounds; ++i) {
    own::AddTile<Dot>(own::kIntTileRows, tile);
  }
  hwy::PreventElision(c[steps % columns]);
  return rounds * each;
}

}  // namespace
}  // namespace zeropoint::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zeropoint::bench {

HWY_EXPORT(MultiplyAdds);

std::size_t RunMultiplyAdds(std::size_t steps) {
  return HWY_DYNAMIC_DISPATCH(MultiplyAdds)(steps);
}

HWY_EXPORT(CodeMultiplyAdds);

std::size_t RunCodeMultiplyAdds(std::size_t steps) {
  return HWY_DYNAMIC_DISPATCH(CodeMultiplyAdds)(steps);
}

}  // namespace zeropoint::bench
#endif  // HWY_ONCE

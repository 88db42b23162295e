// Products of 8-bit codes summed in 32 bits: the step that the integer matrix
// product and convolution are made of, in two ways.
//
// A lane of 32 bits sums kUnit products that follow one another in k. The left
// operand's codes come as words of kUnit codes, one word for all lanes; the
// right operand's as kUnit codes for each lane. Both ways are exact: no
// product or pair of products is ever kept in 16 bits, which is where the
// shorter instruction sequence of older x86 (vpmaddubsw) saturates.
//
// The right codes are always int8: uint8 codes have 128 taken off, which the
// caller makes good in the zero point (a code minus its zero point stays the
// same). Where the instruction wants uint8 on the left, int8 codes have 128
// added.
#ifndef ZEROPOINT_KERNELS_DOT_I32_INL_H_
#define ZEROPOINT_KERNELS_DOT_I32_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "zeropoint/kernels/baseline.h"

#endif  // ZEROPOINT_KERNELS_DOT_I32_INL_H_

#if defined(ZEROPOINT_KERNELS_DOT_I32_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_DOT_I32_TOGGLE
#undef ZEROPOINT_KERNELS_DOT_I32_TOGGLE
#else
#define ZEROPOINT_KERNELS_DOT_I32_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// What is added to right codes to make them int8, and to zero points of them.
constexpr std::int32_t RightOffset(bool is_signed) {
  return is_signed ? 0 : -128;
}
/// The same as bits that turn over: b ^ 0x80 is b - 128 in int8, b + 128 in
/// uint8.
inline constexpr std::uint8_t kFlip = 0x80;

/// Two products a lane: both operands widened to int16, where the pair's sum
/// fits 32 bits. For every target.
struct PairDot {
  static constexpr std::size_t kUnit = 2;
  /// Right codes that many rows share are worth widening once.
  using Wide = std::int16_t;
  static constexpr bool kWidens = true;

  static constexpr std::int32_t LeftOffset(bool /*is_signed*/) { return 0; }

  /// One row of `depth` codes as words; what fills up the last whole vector of
  /// words is 0.
  static void PackLeft(const std::uint8_t* codes, bool is_signed,
                       std::size_t depth, std::int32_t* words) {
    const hn::ScalableTag<std::int32_t> d;
    const hn::Repartition<std::int16_t, decltype(d)> d16;
    const hn::Rebind<std::uint8_t, decltype(d16)> du8;
    const hn::Rebind<std::int8_t, decltype(d16)> di8;
    const std::size_t step = hn::Lanes(d16);
    for (std::size_t k = 0; k < depth; k += step) {
      const auto from = k + step <= depth
                            ? hn::LoadU(du8, codes + k)
                            : hn::LoadN(du8, codes + k, depth - k);
      const auto wide = is_signed ? hn::PromoteTo(d16, hn::BitCast(di8, from))
                                  : hn::PromoteTo(d16, from);
      hn::StoreU(hn::BitCast(d, wide), d, words + k / kUnit);
    }
  }

  template <class D>
  static HWY_INLINE hn::Vec<D> Right(D d, const std::int8_t* codes) {
    const hn::Repartition<std::int16_t, D> d16;
    const hn::Rebind<std::int8_t, decltype(d16)> d8;
    return hn::BitCast(d, hn::PromoteTo(d16, hn::LoadU(d8, codes)));
  }
  template <class D>
  static HWY_INLINE hn::Vec<D> Right(D d, const std::int16_t* codes) {
    const hn::Repartition<std::int16_t, D> d16;
    return hn::BitCast(d, hn::LoadU(d16, codes));
  }

  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V MultiplyAdd(D d, V left, V right, V sum) {
    const hn::Repartition<std::int16_t, D> d16;
    return hn::Add(sum, hn::WidenMulPairwiseAdd(d, hn::BitCast(d16, left),
                                                hn::BitCast(d16, right)));
  }
};

/// Four products a lane, uint8 by int8, in one instruction (AVX-512 VNNI, ARM
/// dot product with mixed signs).
struct QuadDot {
  static constexpr std::size_t kUnit = 4;
  using Wide = std::int8_t;
  static constexpr bool kWidens = false;

  static constexpr std::int32_t LeftOffset(bool is_signed) {
    return is_signed ? 128 : 0;
  }

  static void PackLeft(const std::uint8_t* codes, bool is_signed,
                       std::size_t depth, std::int32_t* words) {
    const hn::ScalableTag<std::int32_t> d;
    const hn::Repartition<std::uint8_t, decltype(d)> d8;
    const auto flip = hn::Set(d8, is_signed ? kFlip : std::uint8_t{0});
    const std::size_t step = hn::Lanes(d8);
    for (std::size_t k = 0; k < depth; k += step) {
      const auto from = k + step <= depth ? hn::LoadU(d8, codes + k)
                                          : hn::LoadN(d8, codes + k, depth - k);
      hn::StoreU(hn::BitCast(d, hn::Xor(from, flip)), d, words + k / kUnit);
    }
  }

  template <class D>
  static HWY_INLINE hn::Vec<D> Right(D d, const std::int8_t* codes) {
    const hn::Repartition<std::int8_t, D> d8;
    return hn::BitCast(d, hn::LoadU(d8, codes));
  }

  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V MultiplyAdd(D d, V left, V right, V sum) {
    const hn::Repartition<std::uint8_t, D> du8;
    const hn::Repartition<std::int8_t, D> di8;
    return hn::SumOfMulQuadAccumulate(d, hn::BitCast(du8, left),
                                      hn::BitCast(di8, right), sum);
  }
};

#if HWY_TARGET <= HWY_AVX3_DL || HWY_TARGET == HWY_NEON_BF16
using BestDot = QuadDot;
#else
using BestDot = PairDot;
#endif

/// Steps of k in units that hold `depth` codes.
template <class Dot>
constexpr std::size_t Units(std::size_t depth) {
  return (depth + Dot::kUnit - 1) / Dot::kUnit;
}

/// Words of one packed left row of `depth` codes: whole vectors.
template <class Dot>
std::size_t LeftWords(std::size_t depth) {
  return hwy::RoundUpTo(Units<Dot>(depth),
                        hn::Lanes(hn::ScalableTag<std::int32_t>()));
}

/// InterleaveRows in steps of the vectors of D8.
template <class Dot, class D8>
HWY_INLINE void InterleaveRowsBy(D8 d8, const std::uint8_t* const* rows,
                                 std::uint8_t flip, std::size_t width,
                                 std::int8_t* out) {
  const auto turned = hn::Set(d8, flip);
  auto* to = reinterpret_cast<std::uint8_t*>(out);
  const auto row = [&](std::size_t u, std::size_t j) HWY_ATTR {
    return hn::Xor(hn::LoadU(d8, rows[u] + j), turned);
  };
  for (std::size_t j = 0; j < width; j += hn::Lanes(d8)) {
    if constexpr (Dot::kUnit == 2) {
      hn::StoreInterleaved2(row(0, j), row(1, j), d8, to + j * Dot::kUnit);
    } else {
      hn::StoreInterleaved4(row(0, j), row(1, j), row(2, j), row(3, j), d8,
                            to + j * Dot::kUnit);
    }
  }
}

/// Interleaves kUnit rows of `width` codes, a multiple of the lanes of 32 bits:
/// out[j][u] = rows[u][j] ^ flip.
template <class Dot>
HWY_INLINE void InterleaveRows(const std::uint8_t* const* rows,
                               std::uint8_t flip, std::size_t width,
                               std::int8_t* out) {
  if (width % 16 == 0) {
    const hn::FixedTag<std::uint8_t, 16> d8;
    return InterleaveRowsBy<Dot>(d8, rows, flip, width, out);
  }
  const hn::Rebind<std::uint8_t, hn::ScalableTag<std::int32_t>> d8;
  InterleaveRowsBy<Dot>(d8, rows, flip, width, out);
}

/// Widens `count` right codes, a multiple of 4 lanes of 32 bits.
template <class Dot>
void Widen(const std::int8_t* codes, std::size_t count,
           typename Dot::Wide* wide) {
  if constexpr (Dot::kWidens) {
    const hn::ScalableTag<std::int16_t> d16;
    const hn::Rebind<std::int8_t, decltype(d16)> d8;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d16)) {
      hn::StoreU(hn::PromoteTo(d16, hn::LoadU(d8, codes + i)), d16, wide + i);
    }
  } else {
    std::copy_n(codes, count, wide);
  }
}

/// The sum of `count` codes.
inline std::int32_t SumOfCodes(const std::uint8_t* codes, bool is_signed,
                               std::size_t count) {
  const hn::ScalableTag<std::uint8_t> d8;
  const hn::Repartition<std::uint64_t, decltype(d8)> d64;
  const auto flip = hn::Set(d8, is_signed ? kFlip : std::uint8_t{0});
  const std::size_t step = hn::Lanes(d8);
  auto sum = hn::Zero(d64);
  std::size_t k = 0;
  for (; k + step <= count; k += step) {
    sum = hn::Add(sum, hn::SumsOf8(hn::Xor(hn::LoadU(d8, codes + k), flip)));
  }
  auto total = static_cast<std::uint32_t>(hn::ReduceSum(d64, sum));
  if (is_signed) total -= static_cast<std::uint32_t>(k) * 128u;
  for (; k < count; ++k) {
    total +=
        is_signed
            ? static_cast<std::uint32_t>(static_cast<std::int8_t>(codes[k]))
            : codes[k];
  }
  return static_cast<std::int32_t>(total);
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_DOT_I32_TOGGLE

// Products of 8-bit codes summed in 32 bits: the step that the integer matrix
// product and convolution are made of, in three ways.
//
// A lane of 32 bits sums kUnit products that follow one another in k. The left
// operand's codes come as words of kUnit codes, one word for all lanes; the
// right operand's as kUnit codes for each lane. All ways are exact; one of them
// only for weights that it is asked about before.
//
// Codes are packed with the sign that the instruction wants: 128 is added to
// them or taken off, and the caller makes that good in the zero point (a code
// minus its zero point stays the same).
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

/// The bit that turns uint8 codes into int8 ones less 128, and back.
inline constexpr std::uint8_t kFlip = 0x80;

/// What is added to codes to pack them with the sign `packed_signed`.
constexpr std::int32_t SignOffset(bool is_signed, bool packed_signed) {
  if (is_signed == packed_signed) return 0;
  return packed_signed ? -128 : 128;
}
constexpr std::uint8_t SignFlip(bool is_signed, bool packed_signed) {
  return is_signed == packed_signed ? std::uint8_t{0} : kFlip;
}

/// Two products a lane: both operands widened to int16, where the pair's sum
/// fits 32 bits. For every target.
struct PairDot {
  static constexpr std::size_t kUnit = 2;
  /// Right codes that many rows share are worth widening once.
  using Wide = std::int16_t;
  static constexpr bool kWidens = true;

  /// What packing adds to the codes of an operand.
  static constexpr std::int32_t LeftOffset(bool /*is_signed*/) { return 0; }
  static constexpr std::int32_t RightOffset(bool is_signed) {
    return SignOffset(is_signed, /*packed_signed=*/true);
  }
  static constexpr std::uint8_t RightFlip(bool is_signed) {
    return SignFlip(is_signed, /*packed_signed=*/true);
  }

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

/// Four codes a lane, those of one operand int8, those of the other uint8.
template <bool kLeftSigned>
struct QuadCodes {
  static constexpr std::size_t kUnit = 4;
  using Wide = std::int8_t;
  static constexpr bool kWidens = false;

  static constexpr std::int32_t LeftOffset(bool is_signed) {
    return SignOffset(is_signed, kLeftSigned);
  }
  static constexpr std::int32_t RightOffset(bool is_signed) {
    return SignOffset(is_signed, !kLeftSigned);
  }
  static constexpr std::uint8_t RightFlip(bool is_signed) {
    return SignFlip(is_signed, !kLeftSigned);
  }

  static void PackLeft(const std::uint8_t* codes, bool is_signed,
                       std::size_t depth, std::int32_t* words) {
    const hn::ScalableTag<std::int32_t> d;
    const hn::Repartition<std::uint8_t, decltype(d)> d8;
    const auto flip = hn::Set(d8, SignFlip(is_signed, kLeftSigned));
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
};

/// Four products a lane in one instruction (AVX-512 VNNI, ARM dot product with
/// mixed signs).
template <bool kLeftSigned>
struct QuadDot : QuadCodes<kLeftSigned> {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V MultiplyAdd(D d, V left, V right, V sum) {
    const hn::Repartition<std::uint8_t, D> du8;
    const hn::Repartition<std::int8_t, D> di8;
    const V u = kLeftSigned ? right : left;
    const V i = kLeftSigned ? left : right;
    return hn::SumOfMulQuadAccumulate(d, hn::BitCast(du8, u),
                                      hn::BitCast(di8, i), sum);
  }
};

/// Four products a lane in three instructions, the first of which adds pairs in
/// 16 bits and saturates: exact where NeighboursFit says so of every pair of
/// int8 codes.
template <bool kLeftSigned>
struct ShortDot : QuadCodes<kLeftSigned> {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V MultiplyAdd(D d, V left, V right, V sum) {
    const hn::Repartition<std::uint8_t, D> du8;
    const hn::Repartition<std::int8_t, D> di8;
    const hn::Repartition<std::int16_t, D> d16;
    const V u = kLeftSigned ? right : left;
    const V i = kLeftSigned ? left : right;
    const auto pairs = hn::SatWidenMulPairwiseAdd(d16, hn::BitCast(du8, u),
                                                  hn::BitCast(di8, i));
    return hn::Add(
        sum, hn::WidenMulPairwiseAdd(d, pairs, hn::Set(d16, std::int16_t{1})));
  }
};

/// Whether no uint8 codes x, y can take x a + y b out of 16 bits:
/// 128 * 255 < 2^15.
constexpr bool NeighboursFit(std::int32_t a, std::int32_t b) {
  return std::max(a, 0) + std::max(b, 0) <= 128 &&
         std::min(a, 0) + std::min(b, 0) >= -128;
}

/// The way for any codes, and the way to try first for constant ones: the same
/// where nothing is faster. Matrix products have the weights on the right,
/// convolutions on the left.
#if HWY_TARGET <= HWY_AVX3_DL || HWY_TARGET == HWY_NEON_BF16
template <bool kLeftSigned>
using BestDot = QuadDot<kLeftSigned>;
inline constexpr bool kHasShortDot = false;
#else
template <bool kLeftSigned>
using BestDot = PairDot;
inline constexpr bool kHasShortDot = HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE4;
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

// Integer matrix product: packing, zero points, and cache blocks around the
// tile.
//
// With l and r the packed codes (dot_i32-inl.h) and zl, zr their zero points,
//
//   sum over k of (l - zl)(r - zr) =
//       sum of l r  +  zl (K zr - sum of r)  -  zr (sum of l)
//
// The sums of r are kept with packed b; those of l are made only where some zr
// is not 0. All arithmetic is int32 and wraps, so the equation holds whatever
// overflows.
#ifndef ZEROPOINT_KERNELS_GEMM_I32_INL_H_
#define ZEROPOINT_KERNELS_GEMM_I32_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_GEMM_I32_INL_H_

#if defined(ZEROPOINT_KERNELS_GEMM_I32_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_GEMM_I32_TOGGLE
#undef ZEROPOINT_KERNELS_GEMM_I32_TOGGLE
#else
#define ZEROPOINT_KERNELS_GEMM_I32_TOGGLE
#endif

#include "hwy/highway.h"
#include "zeropoint/kernels/dot_i32-inl.h"
#include "zeropoint/kernels/tile_i32-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Packed b: the sums of the columns, then panels of [units][columns][kUnit],
/// one after the other; codes past n and k are 0.
template <class Dot>
struct PackedB {
  std::size_t columns;  // n in whole vectors
  std::size_t depth;    // k in whole units

  explicit PackedB(GemmShape shape)
      : columns(hwy::RoundUpTo(shape.n,
                               hn::Lanes(hn::ScalableTag<std::int32_t>()))),
        depth(Units<Dot>(shape.k) * Dot::kUnit) {}

  std::size_t count() const {
    return columns + hwy::DivCeil(columns * depth, sizeof(std::int32_t));
  }
  /// The panel that starts at `column`, which is whole panels from 0.
  template <class Word>
  auto* Panel(Word* packed, std::size_t column) const {
    using Byte = std::conditional_t<std::is_const_v<Word>, const std::int8_t,
                                    std::int8_t>;
    return reinterpret_cast<Byte*>(packed + columns) + column * depth;
  }
};

template <class Dot>
std::size_t PackedBCountI32(GemmShape shape) {
  return PackedB<Dot>(shape).count();
}

/// The sums of `columns` right columns: a product with a row of ones.
template <class Dot>
void SumColumns(const std::int8_t* right, std::size_t units,
                std::size_t right_stride, std::size_t columns,
                std::int32_t* sums) {
  // The byte pattern of kUnit ones, as int16 or uint8.
  constexpr std::int32_t kOnes = Dot::kUnit == 2 ? 0x00010001 : 0x01010101;
  std::int32_t ones[kBlockUnits];
  std::fill_n(ones, kBlockUnits, kOnes);
  for (std::size_t k = 0; k < units; k += kBlockUnits) {
    AddTile<Dot>(1,
                 IntTile<std::int8_t>{.units = std::min(kBlockUnits, units - k),
                                      .left = ones,
                                      .right = right + k * right_stride,
                                      .right_stride = right_stride,
                                      .c = sums,
                                      .columns = columns});
  }
}

/// Packs the units of k [unit, unit + units) of the panel at column n.
template <class Dot>
void PackPanel(GemmShape shape, const std::uint8_t* b, std::uint8_t flip,
               std::size_t row_stride, std::size_t column_stride, std::size_t n,
               std::size_t unit, std::size_t units, std::int8_t* panel) {
  const std::size_t width = IntPanelColumns(shape.n, n);
  const std::size_t valid = std::min(width, shape.n - n);
  // Rows of one unit, where b's own cannot be read as they are.
  std::uint8_t copies[Dot::kUnit][kMostIntColumns];
  const std::uint8_t* rows[Dot::kUnit];
  for (std::size_t k = unit * Dot::kUnit; k < (unit + units) * Dot::kUnit;
       k += Dot::kUnit) {
    for (std::size_t u = 0; u < Dot::kUnit; ++u) {
      const bool inside = k + u < shape.k;
      const std::uint8_t* from = b + n * column_stride;
      if (inside) from += (k + u) * row_stride;
      if (inside && column_stride == 1 && valid == width) {
        rows[u] = from;
        continue;
      }
      const std::size_t count = inside ? valid : 0;
      for (std::size_t j = 0; j < count; ++j) {
        copies[u][j] = from[j * column_stride];
      }
      std::fill(copies[u] + count, copies[u] + width, flip);  // packed: 0
      rows[u] = copies[u];
    }
    InterleaveRows<Dot>(rows, flip, width, panel + k * width);
  }
}

template <class Dot>
void PackBI32(GemmShape shape, bool b_signed, const void* b,
              std::size_t row_stride, std::size_t column_stride,
              std::int32_t* packed) {
  // A few rows at a time, so that their cache lines serve several panels.
  constexpr std::size_t kRows = 8;
  constexpr std::size_t kBlock = kRows / Dot::kUnit;
  const auto* codes = static_cast<const std::uint8_t*>(b);
  const PackedB<Dot> layout(shape);
  const std::uint8_t flip = Dot::RightFlip(b_signed);
  const std::size_t units = layout.depth / Dot::kUnit;
  const std::size_t step = column_stride == 1 ? kBlock : units;
  for (std::size_t unit = 0; unit < units; unit += step) {
    for (std::size_t n = 0; n < shape.n; n += IntTileColumns()) {
      PackPanel<Dot>(shape, codes, flip, row_stride, column_stride, n, unit,
                     std::min(step, units - unit), layout.Panel(packed, n));
    }
  }
  std::fill_n(packed, layout.columns, 0);
  for (std::size_t n = 0; n < shape.n; n += IntTileColumns()) {
    const std::size_t width = IntPanelColumns(shape.n, n);
    SumColumns<Dot>(layout.Panel(packed, n), units, width * Dot::kUnit, width,
                    packed + n);
  }
}

/// Zero points of the packed codes of one operand.
struct PackedZeroPoints {
  ZeroPointList list;
  std::int32_t offset = 0;

  std::int32_t operator[](std::size_t i) const {
    // Unsigned: wraps where a hostile zero point is near the end of int32.
    return static_cast<std::int32_t>(
        static_cast<std::uint32_t>(list.values[i * list.step]) +
        static_cast<std::uint32_t>(offset));
  }
  /// Whether any of the zero points [begin, end) is not 0.
  bool AnyIn(std::size_t begin, std::size_t end) const {
    for (std::size_t i = begin; i < end; ++i) {
      if ((*this)[i] != 0) return true;
      if (list.step == 0) break;
    }
    return false;
  }
};

/// Starts `rows` rows of c, from row `m` and column `n` on, with everything but
/// the products. `left_sums` is null where every zr is 0.
template <class Dot>
void StartC(const CodeProduct& p, const std::int32_t* column_sums,
            std::size_t m, std::size_t rows, std::size_t n, std::size_t columns,
            const std::int32_t* left_sums, std::int32_t* c, std::size_t ldc) {
  const hn::ScalableTag<std::int32_t> d;
  using V = hn::Vec<decltype(d)>;
  const PackedZeroPoints left{p.a_zero_points, Dot::LeftOffset(p.a_signed)};
  const PackedZeroPoints right{p.b_zero_points, Dot::RightOffset(p.b_signed)};
  const V depth = hn::Set(d, static_cast<std::int32_t>(p.shape.k));
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t j = 0; j < columns; j += lanes) {
    const std::size_t count = std::min(lanes, columns - j);
    const std::size_t column = n + j;
    const V bias =
        p.bias == nullptr ? hn::Zero(d) : hn::LoadN(d, p.bias + column, count);
    const V zr = right.list.step == 0
                     ? hn::Set(d, right[0])
                     : hn::Add(hn::LoadN(d, right.list.values + column, count),
                               hn::Set(d, right.offset));
    const V term =
        hn::Sub(hn::Mul(depth, zr), hn::LoadN(d, column_sums + column, count));
    for (std::size_t r = 0; r < rows; ++r) {
      V value = hn::Add(bias, hn::Mul(hn::Set(d, left[m + r]), term));
      if (left_sums != nullptr) {
        value = hn::Sub(value, hn::Mul(hn::Set(d, left_sums[r]), zr));
      }
      std::int32_t* to = c + r * ldc + j;
      if (count == lanes) {
        hn::StoreU(value, d, to);
      } else {
        hn::StoreN(value, d, to, count);
      }
    }
  }
}

template <class Dot>
void GemmI32(const CodeProduct& p, const void* a, std::size_t lda,
             const std::int32_t* packed_b, std::int32_t* c, std::size_t ldc,
             IndexRange rows_range, IndexRange columns_range) {
  constexpr std::size_t kRowBlock = 48;
  HWY_ALIGN std::int32_t left[kRowBlock * kBlockUnits];
  HWY_ALIGN typename Dot::Wide
      wide[Dot::kWidens ? kBlockUnits * kMostIntColumns * Dot::kUnit : 1];
  const auto* codes = static_cast<const std::uint8_t*>(a);
  const PackedB<Dot> layout(p.shape);
  const PackedZeroPoints right{p.b_zero_points, Dot::RightOffset(p.b_signed)};
  const bool needs_left_sums =
      right.AnyIn(columns_range.begin, columns_range.end);
  const std::size_t units = layout.depth / Dot::kUnit;
  for (std::size_t m = rows_range.begin; m < rows_range.end; m += kRowBlock) {
    const std::size_t rows = std::min(kRowBlock, rows_range.end - m);
    // A few rows read each panel once: the longer its pieces, the better.
    const std::size_t block_units = rows <= kIntTileRows
                                        ? kRowBlock / kIntTileRows * kBlockUnits
                                        : kBlockUnits;
    std::int32_t left_sums[kRowBlock];
    for (std::size_t r = 0; needs_left_sums && r < rows; ++r) {
      const auto sum = static_cast<std::uint32_t>(
          SumOfCodes(codes + (m + r) * lda, p.a_signed, p.shape.k));
      const std::uint32_t offsets =
          static_cast<std::uint32_t>(p.shape.k) *
          static_cast<std::uint32_t>(Dot::LeftOffset(p.a_signed));
      left_sums[r] = static_cast<std::int32_t>(sum + offsets);
    }
    std::size_t unit = 0;
    do {  // once even where k is 0: bias and zero points are still due
      const std::size_t block = std::min(block_units, units - unit);
      const std::size_t k = unit * Dot::kUnit;
      const std::size_t depth = std::min(block * Dot::kUnit, p.shape.k - k);
      const std::size_t left_stride = LeftWords<Dot>(depth);
      for (std::size_t r = 0; r < rows; ++r) {
        Dot::PackLeft(codes + (m + r) * lda + k, p.a_signed, depth,
                      left + r * left_stride);
      }
      for (std::size_t n = columns_range.begin; n < columns_range.end;
           n += IntTileColumns()) {
        const std::size_t width = IntPanelColumns(p.shape.n, n);
        const std::size_t columns = std::min(width, columns_range.end - n);
        std::int32_t* to = c + m * ldc + n;
        if (unit == 0) {
          StartC<Dot>(p, packed_b, m, rows, n, columns,
                      needs_left_sums ? left_sums : nullptr, to, ldc);
        }
        const std::size_t right_stride = width * Dot::kUnit;
        AddPanel<Dot>(rows,
                      {.units = block,
                       .left = left,
                       .left_stride = left_stride,
                       .right = layout.Panel(packed_b, n) + unit * right_stride,
                       .right_stride = right_stride,
                       .c = to,
                       .c_stride = ldc,
                       .columns = columns},
                      wide);
      }
      unit += block;
    } while (unit < units);
  }
}

/// NeighboursFit for all pairs of the rows k of b, an even number, and k + 1.
inline bool RowsFit(GemmShape shape, bool b_signed, const std::uint8_t* b,
                    std::size_t row_stride, std::size_t column_stride,
                    std::size_t k) {
  const bool pair = k + 1 < shape.k;
  const std::uint8_t* row = b + k * row_stride;
  const std::uint8_t flip = SignFlip(b_signed, /*packed_signed=*/true);
  std::size_t j = 0;
  if (column_stride == 1 && pair) {
    const hn::ScalableTag<std::int8_t> d8;
    const hn::RebindToUnsigned<decltype(d8)> du8;
    const auto turned = hn::Set(d8, static_cast<std::int8_t>(flip));
    const auto zero = hn::Zero(d8);
    auto most = hn::Zero(du8);
    for (; j + hn::Lanes(d8) <= shape.n; j += hn::Lanes(d8)) {
      const auto* codes = reinterpret_cast<const std::int8_t*>(row + j);
      const auto a = hn::Xor(hn::LoadU(d8, codes), turned);
      const auto c = hn::Xor(hn::LoadU(d8, codes + row_stride), turned);
      const auto above = hn::SaturatedAdd(hn::BitCast(du8, hn::Max(a, zero)),
                                          hn::BitCast(du8, hn::Max(c, zero)));
      const auto below =
          hn::SaturatedAdd(hn::BitCast(du8, hn::Sub(zero, hn::Min(a, zero))),
                           hn::BitCast(du8, hn::Sub(zero, hn::Min(c, zero))));
      most = hn::Max(most, hn::Max(above, below));
    }
    if (hn::ReduceMax(du8, most) > 128) return false;
  }
  for (; j < shape.n; ++j) {
    const auto code = [&](std::size_t at) {
      return static_cast<std::int8_t>(row[at + j * column_stride] ^ flip);
    };
    if (!NeighboursFit(code(0), pair ? code(row_stride) : 0)) return false;
  }
  return true;
}

/// The whole packed form: which of two ways b is packed for, then the form of
/// that way. Short is tried first.
template <class Dot, class Short>
struct EitherGemm {
  /// A cache line, so that panels stay aligned.
  static constexpr std::size_t kHeader = 16;

  static std::size_t Count(GemmShape shape) {
    return kHeader +
           std::max(PackedBCountI32<Dot>(shape), PackedBCountI32<Short>(shape));
  }

  static void Pack(GemmShape shape, bool b_signed, const void* b,
                   std::size_t row_stride, std::size_t column_stride,
                   std::int32_t* packed) {
    bool fits = kHasShortDot;
    for (std::size_t k = 0; k < shape.k && fits; k += 2) {
      fits = RowsFit(shape, b_signed, static_cast<const std::uint8_t*>(b),
                     row_stride, column_stride, k);
    }
    std::fill_n(packed, kHeader, 0);
    packed[0] = fits;
    const auto pack = fits ? PackBI32<Short> : PackBI32<Dot>;
    pack(shape, b_signed, b, row_stride, column_stride, packed + kHeader);
    const std::size_t used =
        fits ? PackedBCountI32<Short>(shape) : PackedBCountI32<Dot>(shape);
    std::fill(packed + kHeader + used, packed + Count(shape), 0);
  }

  static void Multiply(const CodeProduct& p, const void* a, std::size_t lda,
                       const std::int32_t* packed_b, std::int32_t* c,
                       std::size_t ldc, IndexRange rows, IndexRange columns) {
    const auto multiply = packed_b[0] != 0 ? GemmI32<Short> : GemmI32<Dot>;
    multiply(p, a, lda, packed_b + kHeader, c, ldc, rows, columns);
  }
};
using BestGemm =
    EitherGemm<BestDot<false>, std::conditional_t<kHasShortDot, ShortDot<false>,
                                                  BestDot<false>>>;

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_GEMM_I32_TOGGLE

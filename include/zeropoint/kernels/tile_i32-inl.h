// The register-blocked tile of the integer matrix product and convolution: the
// integer counterpart of gemm_tile-inl.h.
//
// A tile adds to c[rows, columns] in int32, where sums wrap; so neither its
// size nor the order of k matters to the result.
#ifndef ZEROPOINT_KERNELS_TILE_I32_INL_H_
#define ZEROPOINT_KERNELS_TILE_I32_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "zeropoint/kernels/baseline.h"

#endif  // ZEROPOINT_KERNELS_TILE_I32_INL_H_

#if defined(ZEROPOINT_KERNELS_TILE_I32_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_TILE_I32_TOGGLE
#undef ZEROPOINT_KERNELS_TILE_I32_TOGGLE
#else
#define ZEROPOINT_KERNELS_TILE_I32_TOGGLE
#endif

#include "hwy/highway.h"
#include "zeropoint/kernels/dot_i32-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Beside the sums, the registers hold a row of the right operand, one word of
/// the left one and a product: 16 registers make 6 x 2, 32 make 8 x 3.
inline constexpr bool kManyRegisters = HWY_TARGET <= HWY_AVX3;
inline constexpr std::size_t kIntTileRows = kManyRegisters ? 8 : 6;
inline constexpr std::size_t kIntTileVectors = kManyRegisters ? 3 : 2;
inline constexpr std::size_t kMostIntColumns =
    kIntTileVectors * hn::MaxLanes(hn::ScalableTag<std::int32_t>());
/// Words of k that a tile takes where its right operand is to stay in the
/// first-level cache.
inline constexpr std::size_t kBlockUnits = 128;

inline std::size_t IntTileColumns() {
  return kIntTileVectors * hn::Lanes(hn::ScalableTag<std::int32_t>());
}

/// Columns of the panel that starts at `column`: a tile's width, or whole
/// vectors for what is left.
inline std::size_t IntPanelColumns(std::size_t n, std::size_t column) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<std::int32_t>());
  return std::min(IntTileColumns(), hwy::RoundUpTo(n - column, lanes));
}

/// One tile's operands; Code is int8, or what Dot widens it to.
template <class Code>
struct IntTile {
  std::size_t units = 0;               // steps of k
  const std::int32_t* left = nullptr;  // [rows][left_stride] words
  std::size_t left_stride = 0;
  const Code* right = nullptr;   // [units][right_stride]
  std::size_t right_stride = 0;  // codes of a unit
  std::int32_t* c = nullptr;     // [rows][c_stride]
  std::size_t c_stride = 0;
  std::size_t columns = 0;  // of c
};

/// A tile whose columns are whole vectors.
template <class Dot, std::size_t kRows, std::size_t kVectors, class Code>
HWY_NOINLINE void AddWholeTile(const IntTile<Code>& tile) {
  const hn::ScalableTag<std::int32_t> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);

  V sum[kRows][kVectors];
  const std::int32_t* left[kRows];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < kRows; ++r) {
    left[r] = tile.left + r * tile.left_stride;
    HWY_UNROLL(3)
    for (std::size_t v = 0; v < kVectors; ++v) {
      sum[r][v] = hn::LoadU(d, tile.c + r * tile.c_stride + v * lanes);
    }
  }
  const Code* right = tile.right;
  for (std::size_t k = 0; k < tile.units; ++k) {
    V row[kVectors];
    HWY_UNROLL(3)
    for (std::size_t v = 0; v < kVectors; ++v) {
      row[v] = Dot::Right(d, right + v * lanes * Dot::kUnit);
    }
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < kRows; ++r) {
      const V word = hn::Set(d, left[r][k]);
      HWY_UNROLL(3)
      for (std::size_t v = 0; v < kVectors; ++v) {
        sum[r][v] = Dot::MultiplyAdd(d, word, row[v], sum[r][v]);
      }
    }
    right += tile.right_stride;
  }
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(3)
    for (std::size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(sum[r][v], d, tile.c + r * tile.c_stride + v * lanes);
    }
  }
}

template <class Dot, std::size_t kRows, class Code>
HWY_INLINE void AddTileRows(std::size_t vectors, const IntTile<Code>& tile) {
  if (vectors == 1) return AddWholeTile<Dot, kRows, 1>(tile);
#if HWY_TARGET <= HWY_AVX3
  if (vectors == 3) return AddWholeTile<Dot, kRows, 3>(tile);
#endif
  return AddWholeTile<Dot, kRows, 2>(tile);
}

template <class Dot, class Code>
void AddTileVectors(std::size_t rows, std::size_t vectors,
                    const IntTile<Code>& tile) {
  switch (rows) {
    case 1:
      return AddTileRows<Dot, 1>(vectors, tile);
    case 2:
      return AddTileRows<Dot, 2>(vectors, tile);
    case 3:
      return AddTileRows<Dot, 3>(vectors, tile);
    case 4:
      return AddTileRows<Dot, 4>(vectors, tile);
    case 5:
      return AddTileRows<Dot, 5>(vectors, tile);
    case 6:
      return AddTileRows<Dot, 6>(vectors, tile);
#if HWY_TARGET <= HWY_AVX3
    case 7:
      return AddTileRows<Dot, 7>(vectors, tile);
    case 8:
      return AddTileRows<Dot, 8>(vectors, tile);
#endif
    default:
      return;
  }
}

/// c[rows, columns] += left * right. Requires: 1 <= rows <= kIntTileRows,
/// 1 <= columns <= IntTileColumns().
template <class Dot, class Code>
void AddTile(std::size_t rows, const IntTile<Code>& tile) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<std::int32_t>());
  const std::size_t vectors = hwy::DivCeil(tile.columns, lanes);
  if (tile.columns == vectors * lanes) {
    return AddTileVectors<Dot>(rows, vectors, tile);
  }
  // The last columns of c are no whole vector: the tile runs on a copy.
  HWY_ALIGN std::int32_t c[kIntTileRows * kMostIntColumns] = {};
  IntTile<Code> whole = tile;
  whole.c = c;
  whole.c_stride = kMostIntColumns;
  whole.columns = vectors * lanes;
  for (std::size_t r = 0; r < rows; ++r) {
    std::copy_n(tile.c + r * tile.c_stride, tile.columns,
                c + r * kMostIntColumns);
  }
  AddTileVectors<Dot>(rows, vectors, whole);
  for (std::size_t r = 0; r < rows; ++r) {
    std::copy_n(c + r * kMostIntColumns, tile.columns,
                tile.c + r * tile.c_stride);
  }
}

/// c[rows, columns] += left * right for any number of rows. `wide` is room for
/// the right operand widened, used where several tiles read it.
template <class Dot>
void AddPanel(std::size_t rows, const IntTile<std::int8_t>& panel,
              typename Dot::Wide* wide) {
  const auto run = [&](auto tile) HWY_ATTR {
    for (std::size_t r = 0; r < rows; r += kIntTileRows) {
      tile.left = panel.left + r * panel.left_stride;
      tile.c = panel.c + r * panel.c_stride;
      AddTile<Dot>(std::min(kIntTileRows, rows - r), tile);
    }
  };
  if constexpr (Dot::kWidens) {
    if (rows > kIntTileRows) {
      Widen<Dot>(panel.right, panel.units * panel.right_stride, wide);
      return run(IntTile<typename Dot::Wide>{.units = panel.units,
                                             .left_stride = panel.left_stride,
                                             .right = wide,
                                             .right_stride = panel.right_stride,
                                             .c_stride = panel.c_stride,
                                             .columns = panel.columns});
    }
  }
  run(panel);
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_TILE_I32_TOGGLE

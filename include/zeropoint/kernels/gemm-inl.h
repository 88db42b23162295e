// Float matrix product: packing and cache blocks around the tile.
#ifndef ZEROPOINT_KERNELS_GEMM_INL_H_
#define ZEROPOINT_KERNELS_GEMM_INL_H_

#include <algorithm>
#include <cstddef>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_GEMM_INL_H_

#if defined(ZEROPOINT_KERNELS_GEMM_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_GEMM_TOGGLE
#undef ZEROPOINT_KERNELS_GEMM_TOGGLE
#else
#define ZEROPOINT_KERNELS_GEMM_TOGGLE
#endif

#include "hwy/highway.h"
#include "zeropoint/kernels/gemm_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Columns of the panel of packed b that starts at `column`: a tile's width, or
/// whole vectors for what is left.
inline std::size_t PanelColumns(std::size_t n, std::size_t column) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  return std::min(TileColumns(), hwy::RoundUpTo(n - column, lanes));
}

/// Panels of [k][PanelColumns], one after the other; columns past n are 0.
inline std::size_t PackedBCount(GemmShape shape) {
  return shape.k * hwy::RoundUpTo(shape.n, hn::Lanes(hn::ScalableTag<float>()));
}

inline void PackB(GemmShape shape, const float* b, std::size_t row_stride,
                  std::size_t column_stride, float* packed) {
  for (std::size_t n = 0; n < shape.n; n += TileColumns()) {
    const std::size_t width = PanelColumns(shape.n, n);
    const std::size_t valid = std::min(width, shape.n - n);
    for (std::size_t k = 0; k < shape.k; ++k) {
      const float* from = b + k * row_stride + n * column_stride;
      for (std::size_t j = 0; j < valid; ++j) {
        packed[j] = from[j * column_stride];
      }
      std::fill(packed + valid, packed + width, 0.0f);
      packed += width;
    }
  }
}

/// Lays `rows` rows of a (leading dimension lda) out in groups of
/// [depth][kGroup]; rows that fill up the last group are 0.
inline void PackA(const float* a, std::size_t lda, std::size_t rows,
                  std::size_t depth, float* packed) {
  for (std::size_t group = 0; group < rows; group += kGroup) {
    for (std::size_t k = 0; k < depth; ++k) {
      for (std::size_t r = 0; r < kGroup; ++r) {
        *packed++ = group + r < rows ? a[(group + r) * lda + k] : 0.0f;
      }
    }
  }
}

inline void Gemm(GemmShape shape, const float* a, std::size_t lda,
                 const float* packed_b, const float* bias, Clamp clamp,
                 float* c, std::size_t ldc, std::size_t row_begin,
                 std::size_t row_end) {
  constexpr std::size_t kRowBlock = 48;
  HWY_ALIGN float packed_a[kRowBlock * kDepth];
  for (std::size_t m = row_begin; m < row_end; m += kRowBlock) {
    const std::size_t rows = std::min(kRowBlock, row_end - m);
    std::size_t k = 0;
    do {  // once even where k is 0: the bias is still due
      Tile tile;
      tile.depth = std::min(kDepth, shape.k - k);
      tile.first = k == 0;
      tile.last = k + tile.depth == shape.k;
      tile.c_stride = ldc;
      tile.clamp = clamp;
      PackA(a + m * lda + k, lda, rows, tile.depth, packed_a);
      for (std::size_t n = 0; n < shape.n; n += TileColumns()) {
        tile.b_stride = PanelColumns(shape.n, n);
        tile.b = packed_b + n * shape.k + k * tile.b_stride;
        tile.columns = std::min(tile.b_stride, shape.n - n);
        tile.column_bias = bias == nullptr ? nullptr : bias + n;
        for (std::size_t r = 0; r < rows; r += kTileRows) {
          tile.a = packed_a + r * tile.depth;
          tile.c = c + (m + r) * ldc + n;
          RunTile(std::min(kTileRows, rows - r), tile);
        }
      }
      k += tile.depth;
    } while (k < shape.k);
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_GEMM_TOGGLE

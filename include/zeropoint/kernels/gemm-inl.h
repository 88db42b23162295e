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

/// Lays `rows` rows of a (leading dimension lda) out in groups of
/// [depth][kGroup]. The places of rows that fill up the last group are left
/// as they are: no tile reads them.
inline void PackA(const float* a, std::size_t lda, std::size_t rows,
                  std::size_t depth, float* packed) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t group = 0; group < rows; group += kGroup) {
    const float* from = a + group * lda;
    const std::size_t valid = std::min(kGroup, rows - group);
    std::size_t k = 0;
    if (valid == kGroup) {
      for (; k + lanes <= depth; k += lanes) {
        hn::StoreInterleaved4(
            hn::LoadU(d, from + k), hn::LoadU(d, from + lda + k),
            hn::LoadU(d, from + 2 * lda + k), hn::LoadU(d, from + 3 * lda + k),
            d, packed + k * kGroup);
      }
    }
    for (; k < depth; ++k) {
      for (std::size_t r = 0; r < valid; ++r) {
        packed[k * kGroup + r] = from[r * lda + k];
      }
    }
    packed += depth * kGroup;
  }
}

/// A panel of b^T, which has its columns one after the other: groups of columns
/// are interleaved like rows of a.
inline void PackTransposedPanel(const float* b, std::size_t column_stride,
                                std::size_t depth, std::size_t columns,
                                std::size_t width, float* packed) {
  HWY_ALIGN float group[kGroup * kDepth];
  for (std::size_t begin = 0; begin < depth; begin += kDepth) {
    const std::size_t block = std::min(kDepth, depth - begin);
    for (std::size_t n = 0; n < columns; n += kGroup) {
      const std::size_t valid = std::min(kGroup, columns - n);
      PackA(b + n * column_stride + begin, column_stride, valid, block, group);
      for (std::size_t k = 0; k < block; ++k) {
        std::copy_n(group + k * kGroup, valid,
                    packed + (begin + k) * width + n);
      }
    }
  }
}

inline void PackB(GemmShape shape, const float* b, std::size_t row_stride,
                  std::size_t column_stride, float* packed) {
  for (std::size_t n = 0; n < shape.n; n += TileColumns()) {
    const std::size_t width = PanelColumns(shape.n, n);
    const std::size_t valid = std::min(width, shape.n - n);
    const float* from = b + n * column_stride;
    for (std::size_t k = 0; k < shape.k; ++k) {
      float* row = packed + k * width;
      if (column_stride == 1) {
        std::copy_n(from + k * row_stride, valid, row);
      } else if (row_stride != 1) {
        for (std::size_t j = 0; j < valid; ++j) {
          row[j] = from[k * row_stride + j * column_stride];
        }
      }
      std::fill(row + valid, row + width, 0.0f);
    }
    if (row_stride == 1 && column_stride != 1) {
      PackTransposedPanel(from, column_stride, shape.k, valid, width, packed);
    }
    packed += shape.k * width;
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

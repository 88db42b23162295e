// The register-blocked tile of the matrix product: everything that multiplies
// floats in bulk (gemm_f32, dense convolution) ends here.
//
// A tile is up to kTileRows rows of the result by up to three vectors of its
// columns, held in registers while k runs. Each element of the result is one
// chain of multiply-adds in the order of k, so its value depends neither on
// the tile's size nor on how the work was split.
#ifndef ZEROPOINT_KERNELS_GEMM_TILE_INL_H_
#define ZEROPOINT_KERNELS_GEMM_TILE_INL_H_

#include <algorithm>
#include <cstddef>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_GEMM_TILE_INL_H_

#if defined(ZEROPOINT_KERNELS_GEMM_TILE_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_GEMM_TILE_TOGGLE
#undef ZEROPOINT_KERNELS_GEMM_TILE_TOGGLE
#else
#define ZEROPOINT_KERNELS_GEMM_TILE_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_HAVE_SCALABLE
#error "zeropoint: tiles need vectors of a known size; disable SVE and RVV"
#endif

/// Rows of `a` are stored in groups of this many: group [k][kGroup].
inline constexpr std::size_t kGroup = 4;
/// A tile's rows and vectors: as many as the registers hold, with room for one
/// row of b and one value of a.
inline constexpr std::size_t kTileRows = HWY_TARGET <= HWY_AVX3 ? 8 : 4;
inline constexpr std::size_t kTileVectors = 3;
/// Steps of k that one call of a tile takes: a k x tile-width panel of b stays
/// in the first-level cache.
inline constexpr std::size_t kDepth = 192;

inline constexpr std::size_t kMaxLanes = hn::MaxLanes(hn::ScalableTag<float>());

inline std::size_t TileColumns() {
  return kTileVectors * hn::Lanes(hn::ScalableTag<float>());
}

/// One tile's operands. Sizes are in floats.
struct Tile {
  std::size_t depth = 0;     // steps of k
  const float* a = nullptr;  // groups of [depth][kGroup]
  const float* b = nullptr;  // [depth][b_stride], whole vectors
  std::size_t b_stride = 0;
  float* c = nullptr;  // [rows][c_stride]
  std::size_t c_stride = 0;
  std::size_t columns = 0;             // of c
  const float* row_bias = nullptr;     // [rows] or null
  const float* column_bias = nullptr;  // [columns] or null
  bool first = true;  // of the blocks of k: starts from the bias
  bool last = true;   // of the blocks of k: clamps
  Clamp clamp;
};

/// A tile whose columns are whole vectors.
template <std::size_t kRows, std::size_t kVectors>
HWY_NOINLINE void RunWholeTile(const Tile& tile) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);

  V sum[kRows][kVectors];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(3)
    for (std::size_t v = 0; v < kVectors; ++v) {
      if (!tile.first) {
        sum[r][v] = hn::LoadU(d, tile.c + r * tile.c_stride + v * lanes);
      } else if (tile.column_bias != nullptr) {
        sum[r][v] = hn::LoadU(d, tile.column_bias + v * lanes);
      } else if (tile.row_bias != nullptr) {
        sum[r][v] = hn::Set(d, tile.row_bias[r]);
      } else {
        sum[r][v] = hn::Zero(d);
      }
    }
  }

  const float* a0 = tile.a;
  const float* a1 = tile.a + tile.depth * kGroup;
  const float* b = tile.b;
  for (std::size_t k = 0; k < tile.depth; ++k) {
    V row[kVectors];
    HWY_UNROLL(3)
    for (std::size_t v = 0; v < kVectors; ++v) {
      row[v] = hn::LoadU(d, b + v * lanes);
    }
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < kRows; ++r) {
      const V value = hn::Set(d, r < kGroup ? a0[r] : a1[r - kGroup]);
      HWY_UNROLL(3)
      for (std::size_t v = 0; v < kVectors; ++v) {
        sum[r][v] = hn::MulAdd(value, row[v], sum[r][v]);
      }
    }
    a0 += kGroup;
    a1 += kGroup;
    b += tile.b_stride;
  }

  const Clamp clamp = tile.last ? tile.clamp : Clamp{};
  const V lo = hn::Set(d, clamp.lo);
  const V hi = hn::Set(d, clamp.hi);
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(3)
    for (std::size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(hn::Min(hi, hn::Max(lo, sum[r][v])), d,
                 tile.c + r * tile.c_stride + v * lanes);
    }
  }
}

template <std::size_t kRows>
HWY_INLINE void RunTileRows(std::size_t vectors, const Tile& tile) {
  if (vectors == 1) return RunWholeTile<kRows, 1>(tile);
  if (vectors == 2) return RunWholeTile<kRows, 2>(tile);
  return RunWholeTile<kRows, 3>(tile);
}

inline void RunTileVectors(std::size_t rows, std::size_t vectors,
                           const Tile& tile) {
  switch (rows) {
    case 1:
      return RunTileRows<1>(vectors, tile);
    case 2:
      return RunTileRows<2>(vectors, tile);
    case 3:
      return RunTileRows<3>(vectors, tile);
    case 4:
      return RunTileRows<4>(vectors, tile);
#if HWY_TARGET <= HWY_AVX3
    case 5:
      return RunTileRows<5>(vectors, tile);
    case 6:
      return RunTileRows<6>(vectors, tile);
    case 7:
      return RunTileRows<7>(vectors, tile);
    case 8:
      return RunTileRows<8>(vectors, tile);
#endif
    default:
      return;
  }
}

/// c[rows, columns] (+)= a * b. Requires: 1 <= rows <= kTileRows, 1 <= columns
/// <= TileColumns().
inline void RunTile(std::size_t rows, const Tile& tile) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  const std::size_t vectors = hwy::DivCeil(tile.columns, lanes);
  if (tile.columns == vectors * lanes) {
    return RunTileVectors(rows, vectors, tile);
  }
  // The last columns of c are no whole vector: the tile runs on a copy.
  constexpr std::size_t kMost = kTileVectors * kMaxLanes;
  HWY_ALIGN float c[kTileRows * kMost];
  HWY_ALIGN float bias[kMost] = {};
  Tile whole = tile;
  whole.c = c;
  whole.c_stride = kMost;
  whole.columns = vectors * lanes;
  if (tile.first && tile.column_bias != nullptr) {
    std::copy_n(tile.column_bias, tile.columns, bias);
    whole.column_bias = bias;
  }
  if (!tile.first) {
    for (std::size_t r = 0; r < rows; ++r) {
      std::copy_n(tile.c + r * tile.c_stride, tile.columns, c + r * kMost);
      std::fill_n(c + r * kMost + tile.columns, whole.columns - tile.columns,
                  0.0f);
    }
  }
  RunTileVectors(rows, vectors, whole);
  for (std::size_t r = 0; r < rows; ++r) {
    std::copy_n(c + r * kMost, tile.columns, tile.c + r * tile.c_stride);
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_GEMM_TILE_TOGGLE

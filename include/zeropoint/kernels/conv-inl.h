// Float convolution: a matrix product of the weights with blocks of pixels.
#ifndef ZEROPOINT_KERNELS_CONV_INL_H_
#define ZEROPOINT_KERNELS_CONV_INL_H_

#include <algorithm>
#include <cstddef>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_CONV_INL_H_

#if defined(ZEROPOINT_KERNELS_CONV_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_CONV_TOGGLE
#undef ZEROPOINT_KERNELS_CONV_TOGGLE
#else
#define ZEROPOINT_KERNELS_CONV_TOGGLE
#endif

#include "hwy/highway.h"
#include "zeropoint/kernels/gemm-inl.h"
#include "zeropoint/kernels/gemm_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

inline std::size_t ConvDepth(const ConvShape& s) {
  return s.in_channels * s.kernel_h * s.kernel_w;
}

inline std::size_t PackedConvCount(const ConvShape& s) {
  return s.group * hwy::RoundUpTo(s.out_channels, kGroup) * ConvDepth(s);
}

/// For each group of channels and each block of k: groups of [depth][kGroup].
inline void PackConv(const ConvShape& s, const float* weights, float* packed) {
  const std::size_t depth = ConvDepth(s);
  for (std::size_t g = 0; g < s.group; ++g) {
    const float* w = weights + g * s.out_channels * depth;
    for (std::size_t k = 0; k < depth; k += kDepth) {
      const std::size_t block = std::min(kDepth, depth - k);
      PackA(w + k, depth, s.out_channels, block, packed);
      packed += hwy::RoundUpTo(s.out_channels, kGroup) * block;
    }
  }
}

inline std::size_t ConvScratchCount(const ConvShape&) {
  return kDepth * TileColumns();
}

inline std::size_t ConvTaskCount(const ConvShape& s) {
  return s.batch * s.group * hwy::DivCeil(s.out_h * s.out_w, TileColumns());
}

/// Row k of the block is what weight k is multiplied with, for `count` output
/// pixels from `pixel` on; pixels in the padding, and past `count`, are 0.
inline void PackPixels(const ConvShape& s, const float* x, std::size_t k_begin,
                       std::size_t depth, std::size_t pixel, std::size_t count,
                       std::size_t width, float* block) {
  for (std::size_t k = k_begin; k < k_begin + depth; ++k) {
    const std::size_t kw = k % s.kernel_w;
    const std::size_t kh = k / s.kernel_w % s.kernel_h;
    const float* plane = x + k / (s.kernel_w * s.kernel_h) * s.in_h * s.in_w;
    for (std::size_t j = 0; j < width; ++j) {
      const std::size_t h =
          (pixel + j) / s.out_w * s.stride_h + kh * s.dilation_h - s.pad_top;
      const std::size_t w =
          (pixel + j) % s.out_w * s.stride_w + kw * s.dilation_w - s.pad_left;
      const bool inside = j < count && h < s.in_h && w < s.in_w;
      *block++ = inside ? plane[h * s.in_w + w] : 0.0f;
    }
  }
}

inline void Conv(const ConvShape& s, const float* x, const float* packed,
                 const float* bias, Clamp clamp, float* y, float* scratch,
                 std::size_t task_begin, std::size_t task_end) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  const std::size_t pixels = s.out_h * s.out_w;
  const std::size_t blocks = hwy::DivCeil(pixels, TileColumns());
  const std::size_t depth = ConvDepth(s);
  const std::size_t packed_rows = hwy::RoundUpTo(s.out_channels, kGroup);
  for (std::size_t task = task_begin; task < task_end; ++task) {
    const std::size_t pixel = task % blocks * TileColumns();
    const std::size_t image = task / blocks;  // of one batch and group
    const std::size_t g = image % s.group;
    const float* in = x + image * s.in_channels * s.in_h * s.in_w;
    float* out = y + image * s.out_channels * pixels + pixel;
    const float* a = packed + g * packed_rows * depth;
    std::size_t k = 0;
    do {
      Tile tile;
      tile.depth = std::min(kDepth, depth - k);
      tile.first = k == 0;
      tile.last = k + tile.depth == depth;
      tile.columns = std::min(TileColumns(), pixels - pixel);
      tile.b = scratch;
      tile.b_stride = hwy::RoundUpTo(tile.columns, lanes);
      tile.c_stride = pixels;
      tile.clamp = clamp;
      PackPixels(s, in, k, tile.depth, pixel, tile.columns, tile.b_stride,
                 scratch);
      for (std::size_t r = 0; r < s.out_channels; r += kTileRows) {
        tile.a = a + r * tile.depth;
        tile.c = out + r * pixels;
        tile.row_bias =
            bias == nullptr ? nullptr : bias + g * s.out_channels + r;
        RunTile(std::min(kTileRows, s.out_channels - r), tile);
      }
      a += packed_rows * tile.depth;
      k += tile.depth;
    } while (k < depth);
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_CONV_TOGGLE

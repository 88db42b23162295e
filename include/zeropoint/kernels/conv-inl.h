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
#include "zeropoint/kernels/depthwise-inl.h"
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
  if (IsDepthwise(s)) return PackedDepthwiseCount(s);
  return s.group * hwy::RoundUpTo(s.out_channels, kGroup) * ConvDepth(s);
}

/// For each group of channels and each block of k: groups of [depth][kGroup].
inline void PackConv(const ConvShape& s, const float* weights, float* packed) {
  const std::size_t depth = ConvDepth(s);
  if (IsDepthwise(s)) {
    std::copy_n(weights, PackedDepthwiseCount(s), packed);
    return;
  }
  for (std::size_t g = 0; g < s.group; ++g) {
    const float* w = weights + g * s.out_channels * depth;
    for (std::size_t k = 0; k < depth; k += kDepth) {
      const std::size_t block = std::min(kDepth, depth - k);
      PackA(w + k, depth, s.out_channels, block, packed);
      packed += hwy::RoundUpTo(s.out_channels, kGroup) * block;
    }
  }
}

inline std::size_t ConvScratchCount(const ConvShape& s) {
  return IsDepthwise(s) ? DepthwiseScratchCount(s) : kDepth * TileColumns();
}

inline std::size_t ConvTaskCount(const ConvShape& s) {
  if (IsDepthwise(s)) return s.batch * s.group;
  return s.batch * s.group * hwy::DivCeil(s.out_h * s.out_w, TileColumns());
}

/// Plain loads and stores: rows are too short to be worth a call of memmove.
HWY_INLINE void CopyRow(const float* from, std::size_t count, float* to) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::LoadU(d, from + i), d, to + i);
  }
  for (; i < count; ++i) to[i] = from[i];
}

/// `count` input values from column `w` on, which may lie left of the row or
/// run past it (then 0), `stride` apart.
HWY_INLINE void PackRow(const float* row, std::size_t in_w, std::ptrdiff_t w,
                        std::size_t stride, std::size_t count, float* to) {
  const auto width = static_cast<std::ptrdiff_t>(in_w);
  const auto step = static_cast<std::ptrdiff_t>(stride);
  std::size_t j = 0;
  for (; j < count && w < 0; ++j, w += step) to[j] = 0.0f;
  if (w < width) {
    const auto inside = static_cast<std::size_t>((width - w + step - 1) / step);
    const std::size_t end = std::min(count, j + inside);
    if (stride == 1) {
      CopyRow(row + w, end - j, to + j);
      j = end;
    } else {
      for (; j < end; ++j, w += step) to[j] = row[w];
    }
  }
  std::fill(to + j, to + count, 0.0f);
}

/// Row k of the block is what weight k is multiplied with, for `count` output
/// pixels from `pixel` on; pixels in the padding, and past `count` up to
/// `width`, are 0.
inline void PackPixels(const ConvShape& s, const float* x, std::size_t k_begin,
                       std::size_t depth, std::size_t pixel, std::size_t count,
                       std::size_t width, float* block) {
  const std::size_t first_row = pixel / s.out_w;
  const std::size_t first_column = pixel % s.out_w;
  std::size_t kw = k_begin % s.kernel_w;
  std::size_t kh = k_begin / s.kernel_w % s.kernel_h;
  const float* plane =
      x + k_begin / (s.kernel_w * s.kernel_h) * s.in_h * s.in_w;
  for (std::size_t k = 0; k < depth; ++k) {
    std::size_t row = first_row;
    std::size_t column = first_column;
    for (std::size_t j = 0; j < count;) {
      const std::size_t run = std::min(s.out_w - column, count - j);
      const std::size_t h = row * s.stride_h + kh * s.dilation_h - s.pad_top;
      if (h < s.in_h) {  // above the image it has wrapped around
        const auto w = static_cast<std::ptrdiff_t>(column * s.stride_w +
                                                   kw * s.dilation_w) -
                       static_cast<std::ptrdiff_t>(s.pad_left);
        PackRow(plane + h * s.in_w, s.in_w, w, s.stride_w, run, block + j);
      } else {
        std::fill_n(block + j, run, 0.0f);
      }
      j += run;
      column = 0;
      ++row;
    }
    std::fill(block + count, block + width, 0.0f);
    block += width;
    if (++kw == s.kernel_w) {
      kw = 0;
      if (++kh == s.kernel_h) {
        kh = 0;
        plane += s.in_h * s.in_w;
      }
    }
  }
}

/// A pointwise convolution takes the image as one long row.
inline ConvShape Flatten(ConvShape s) {
  const bool pointwise = s.kernel_h == 1 && s.kernel_w == 1 &&
                         s.stride_h == 1 && s.stride_w == 1 &&
                         s.out_h == s.in_h && s.out_w == s.in_w;
  if (pointwise && s.pad_top == 0 && s.pad_left == 0) {
    s.in_w = s.out_w = s.in_h * s.in_w;
    s.in_h = s.out_h = 1;
  }
  return s;
}

inline void Conv(const ConvShape& shape, const float* x, const float* packed,
                 const float* bias, Clamp clamp, float* y, float* scratch,
                 std::size_t task_begin, std::size_t task_end) {
  if (IsDepthwise(shape)) {
    return Depthwise(shape, x, packed, bias, clamp, y, scratch, task_begin,
                     task_end);
  }
  const ConvShape s = Flatten(shape);
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

// Pixels of an image of codes as the right operand of the integer tile: im2col
// of a block of output pixels, some steps of k at a time.
//
// k counts the taps of the kernel and, within a tap, the channels: where a
// tap meets the image is found once and serves every channel.
#ifndef ZEROPOINT_KERNELS_PIXELS_I32_INL_H_
#define ZEROPOINT_KERNELS_PIXELS_I32_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_PIXELS_I32_INL_H_

#if defined(ZEROPOINT_KERNELS_PIXELS_I32_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_PIXELS_I32_TOGGLE
#undef ZEROPOINT_KERNELS_PIXELS_I32_TOGGLE
#else
#define ZEROPOINT_KERNELS_PIXELS_I32_TOGGLE
#endif

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "zeropoint/kernels/dot_i32-inl.h"
#include "zeropoint/kernels/tile_i32-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Output pixels of one block at most.
inline constexpr std::size_t kBlockPanels = 4;
inline constexpr std::size_t kMostPixels = kBlockPanels * kMostIntColumns;
static_assert(kMostPixels % 16 == 0, "rows are filled 16 pixels at a time");
/// Planes that are fetched ahead: rows of different channels lie too far apart
/// for the processor to see the pattern.
inline constexpr std::size_t kPlanesAhead = 8;

/// Consecutive output pixels that meet pixels of one image row, stride_w apart.
struct PixelRun {
  std::size_t to;    // first pixel of the block
  std::size_t from;  // element of a plane
  std::size_t count;
};

/// What one tap of the kernel meets in a block of output pixels; the pixels
/// between the runs lie in the padding.
struct TapRuns {
  PixelRun runs[kMostPixels];
  std::size_t count;
  std::size_t covered;  // pixels of all runs

  void Find(const ConvShape& s, std::size_t tap, std::size_t pixel,
            std::size_t pixels) {
    const std::size_t kh = tap / s.kernel_w;
    const std::size_t kw = tap % s.kernel_w;
    const auto width = static_cast<std::ptrdiff_t>(s.in_w);
    const auto stride = static_cast<std::ptrdiff_t>(s.stride_w);
    std::size_t row = pixel / s.out_w;
    std::size_t column = pixel % s.out_w;
    count = covered = 0;
    for (std::size_t j = 0; j < pixels; ++row, column = 0) {
      const std::size_t end = j + std::min(s.out_w - column, pixels - j);
      // Above the image it has wrapped around.
      const std::size_t h = row * s.stride_h + kh * s.dilation_h - s.pad_top;
      auto w =
          static_cast<std::ptrdiff_t>(column * s.stride_w + kw * s.dilation_w) -
          static_cast<std::ptrdiff_t>(s.pad_left);
      if (w < 0) {
        const std::ptrdiff_t outside = (-w + stride - 1) / stride;
        j += static_cast<std::size_t>(outside);
        w += outside * stride;
      }
      if (h < s.in_h && w < width && j < end) {
        const auto inside =
            static_cast<std::size_t>((width - w + stride - 1) / stride);
        const std::size_t run = std::min(end - j, inside);
        runs[count++] = {j, h * s.in_w + static_cast<std::size_t>(w), run};
        covered += run;
      }
      j = end;
    }
  }

  /// Whether a plane can be read in place of a copy of `width` pixels.
  bool IsWhole(const ConvShape& s, std::size_t width) const {
    return count == 1 && runs[0].count == width && s.stride_w == 1;
  }
};

/// Rows of a few dozen bytes: not worth a call of memcpy.
HWY_INLINE void CopyCodes(const std::uint8_t* from, std::size_t count,
                          std::uint8_t* to) {
  if (count >= 16) {
    for (std::size_t i = 0; i + 16 <= count; i += 16) {
      std::memcpy(to + i, from + i, 16);
    }
    std::memcpy(to + count - 16, from + count - 16, 16);
  } else if (count >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + count - 8, from + count - 8, 8);
  } else if (count >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + count - 4, from + count - 4, 4);
  } else {
    for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
  }
}

/// The codes that one weight is multiplied with, copied to `copy` unless they
/// can be read where they are.
HWY_INLINE const std::uint8_t* PixelRow(const ConvShape& s,
                                        const std::uint8_t* plane,
                                        const TapRuns& tap, std::uint8_t pad,
                                        std::size_t width, std::uint8_t* copy) {
  if (tap.IsWhole(s, width)) return plane + tap.runs[0].from;
  if (tap.covered < width) {
    const hn::FixedTag<std::uint8_t, 16> d8;
    for (std::size_t j = 0; j < width; j += hn::Lanes(d8)) {
      hn::StoreU(hn::Set(d8, pad), d8, copy + j);
    }
  }
  for (std::size_t i = 0; i < tap.count; ++i) {
    const PixelRun& run = tap.runs[i];
    const std::uint8_t* from = plane + run.from;
    if (s.stride_w == 1) {
      CopyCodes(from, run.count, copy + run.to);
    } else {
      for (std::size_t j = 0; j < run.count; ++j) {
        copy[run.to + j] = from[j * s.stride_w];
      }
    }
  }
  return copy;
}

/// A block of output pixels of one image.
struct PixelBlock {
  const std::uint8_t* x = nullptr;  // planes of in_h * in_w
  std::uint8_t pad = 0;             // the code of real 0
  std::uint8_t flip = 0;
  std::size_t pixel = 0;  // the first
  std::size_t count = 0;
  std::size_t width = 0;  // count in whole vectors
};

/// Packs k [k_begin, k_begin + depth) of the block in panels of [units]
/// [columns][kUnit], one after the other. k_begin is a multiple of kUnit.
template <class Dot>
void PackPixelsI32(const ConvShape& s, const PixelBlock& block,
                   std::size_t k_begin, std::size_t depth,
                   std::int8_t* panels) {
  const std::size_t units = Units<Dot>(depth);
  std::uint8_t copies[Dot::kUnit][kMostPixels];
  const std::uint8_t* rows[Dot::kUnit];
  const std::size_t image = s.in_h * s.in_w;
  std::size_t tap = k_begin / s.in_channels;
  std::size_t channel = k_begin % s.in_channels;
  TapRuns runs;
  runs.Find(s, tap, block.pixel, block.count);
  for (std::size_t unit = 0; unit < units; ++unit) {
    for (std::size_t u = 0; u < Dot::kUnit; ++u) {
      if (unit * Dot::kUnit + u >= depth) {
        std::fill_n(copies[u], block.width, block.flip);  // packed: 0
        rows[u] = copies[u];
        continue;
      }
      if (channel == s.in_channels) {
        channel = 0;
        runs.Find(s, ++tap, block.pixel, block.count);
      }
      const std::uint8_t* plane = block.x + channel * image;
      if (runs.count > 0 && channel + kPlanesAhead < s.in_channels) {
        const PixelRun& last = runs.runs[runs.count - 1];
        const std::uint8_t* ahead = plane + kPlanesAhead * image;
        hwy::Prefetch(ahead + runs.runs[0].from);
        hwy::Prefetch(ahead + last.from + (last.count - 1) * s.stride_w);
      }
      rows[u] = PixelRow(s, plane, runs, block.pad, block.width, copies[u]);
      ++channel;
    }
    for (std::size_t n = 0; n < block.width; n += IntTileColumns()) {
      const std::size_t columns = IntPanelColumns(block.width, n);
      const std::uint8_t* part[Dot::kUnit];
      for (std::size_t u = 0; u < Dot::kUnit; ++u) part[u] = rows[u] + n;
      InterleaveRows<Dot>(part, block.flip, columns,
                          panels + (n * units + unit * columns) * Dot::kUnit);
    }
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_PIXELS_I32_TOGGLE

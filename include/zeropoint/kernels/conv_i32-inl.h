// Integer convolution: a product of the weights with blocks of pixels. With l
// the packed weights and r the packed pixels, the sums are those of
// gemm_i32-inl.h; the sums of l are kept with the weights.
#ifndef ZEROPOINT_KERNELS_CONV_I32_INL_H_
#define ZEROPOINT_KERNELS_CONV_I32_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_CONV_I32_INL_H_

#if defined(ZEROPOINT_KERNELS_CONV_I32_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_CONV_I32_TOGGLE
#undef ZEROPOINT_KERNELS_CONV_I32_TOGGLE
#else
#define ZEROPOINT_KERNELS_CONV_I32_TOGGLE
#endif

#include "hwy/highway.h"
#include "zeropoint/kernels/conv-inl.h"
#include "zeropoint/kernels/depthwise_i32-inl.h"
#include "zeropoint/kernels/gemm_i32-inl.h"
#include "zeropoint/kernels/pixels_i32-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Packed weights: for each channel the zero point zl and K zl - sum of l, then
/// for each group and each block of k the channels' words.
template <class Dot>
struct PackedConvI32 {
  static constexpr std::size_t kBlockDepth = kBlockUnits * Dot::kUnit;

  std::size_t channels;   // of all groups
  std::size_t depth;      // k
  std::size_t row_words;  // of all blocks

  explicit PackedConvI32(const ConvShape& s)
      : channels(s.group * s.out_channels),
        depth(ConvDepth(s)),
        row_words(depth / kBlockDepth * kBlockUnits +
                  LeftWords<Dot>(depth % kBlockDepth)) {}

  std::size_t count() const { return channels * (2 + row_words); }
};

/// Weights [k, k + count) of one channel, in the order of taps, then channels.
inline void GatherWeights(const ConvShape& s, const std::uint8_t* w,
                          std::size_t k, std::size_t count, std::uint8_t* row) {
  const std::size_t taps = s.kernel_h * s.kernel_w;
  for (std::size_t i = 0; i < count; ++i) {
    row[i] = w[(k + i) % s.in_channels * taps + (k + i) / s.in_channels];
  }
}

template <class Dot>
void PackConvI32(const CodeConv& conv, const void* weights,
                 std::int32_t* packed) {
  using Layout = PackedConvI32<Dot>;
  const ConvShape& s = conv.shape;
  const auto* codes = static_cast<const std::uint8_t*>(weights);
  const Layout layout(s);
  const PackedZeroPoints zero_points{conv.w_zero_points,
                                     Dot::LeftOffset(conv.w_signed)};
  const auto depth = static_cast<std::uint32_t>(layout.depth);
  for (std::size_t m = 0; m < layout.channels; ++m) {
    const std::uint32_t sum =
        static_cast<std::uint32_t>(
            SumOfCodes(codes + m * layout.depth, conv.w_signed, layout.depth)) +
        depth * static_cast<std::uint32_t>(Dot::LeftOffset(conv.w_signed));
    packed[m] = zero_points[m];
    packed[layout.channels + m] = static_cast<std::int32_t>(
        depth * static_cast<std::uint32_t>(zero_points[m]) - sum);
  }
  std::int32_t* to = packed + 2 * layout.channels;
  for (std::size_t g = 0; g < s.group; ++g) {
    for (std::size_t k = 0; k < layout.depth; k += Layout::kBlockDepth) {
      const std::size_t block = std::min(Layout::kBlockDepth, layout.depth - k);
      for (std::size_t m = 0; m < s.out_channels; ++m) {
        std::uint8_t row[Layout::kBlockDepth];
        GatherWeights(s, codes + (g * s.out_channels + m) * layout.depth, k,
                      block, row);
        Dot::PackLeft(row, conv.w_signed, block, to);
        to += LeftWords<Dot>(block);
      }
    }
  }
}

/// Output pixels of one task: a few panels, less where that would leave too few
/// tasks for several threads.
inline std::size_t BlockPixels(std::size_t pixels) {
  constexpr std::size_t kTasks = 8;
  return std::min(kBlockPanels * IntTileColumns(),
                  hwy::RoundUpTo(pixels / kTasks + 1, IntTileColumns()));
}

inline std::size_t ConvTaskCountI32(const ConvShape& s) {
  if (IsDepthwise(s)) return s.batch * s.group;
  const std::size_t pixels = s.out_h * s.out_w;
  return s.batch * s.group * hwy::DivCeil(pixels, BlockPixels(pixels));
}

/// c[m, j] = bias[m] + zr (K zl[m] - sum of l[m])
template <class Dot>
void StartChannels(const CodeConv& conv, const std::int32_t* terms,
                   std::size_t first_channel, std::size_t count,
                   std::int32_t* c, std::size_t stride) {
  const std::uint32_t zr =
      static_cast<std::uint32_t>(conv.x_zero_point) +
      static_cast<std::uint32_t>(Dot::RightOffset(conv.x_signed));
  for (std::size_t m = 0; m < conv.shape.out_channels; ++m) {
    const std::size_t channel = first_channel + m;
    const std::uint32_t bias =
        conv.bias == nullptr ? 0u
                             : static_cast<std::uint32_t>(conv.bias[channel]);
    std::fill_n(c + m * stride, count,
                static_cast<std::int32_t>(
                    bias + zr * static_cast<std::uint32_t>(terms[channel])));
  }
}

/// c[m, j] -= zl[m] (sum of r[j])
inline void TakeOffPixelSums(const std::int32_t* zero_points,
                             std::size_t channels, const std::int32_t* sums,
                             std::size_t count, std::int32_t* c,
                             std::size_t stride) {
  for (std::size_t m = 0; m < channels; ++m) {
    const auto zl = static_cast<std::uint32_t>(zero_points[m]);
    if (zl == 0) continue;
    std::int32_t* row = c + m * stride;
    for (std::size_t j = 0; j < count; ++j) {
      row[j] =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(row[j]) -
                                    zl * static_cast<std::uint32_t>(sums[j]));
    }
  }
}

template <class Dot>
void ConvI32(const CodeConv& conv, const void* x, const std::int32_t* packed,
             std::int32_t* y, std::int32_t* scratch, std::size_t task_begin,
             std::size_t task_end) {
  using Layout = PackedConvI32<Dot>;
  const auto* codes = static_cast<const std::uint8_t*>(x);
  HWY_ALIGN typename Dot::Wide
      wide[Dot::kWidens ? kBlockUnits * kMostIntColumns * Dot::kUnit : 1];
  const Layout layout(conv.shape);
  const ConvShape s = Flatten(conv.shape);
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<std::int32_t>());
  const std::size_t pixels = s.out_h * s.out_w;
  const std::size_t block_pixels = BlockPixels(pixels);
  const std::size_t blocks = hwy::DivCeil(pixels, block_pixels);
  const PackedZeroPoints zero_points{{packed, 1}, 0};
  auto* panels = reinterpret_cast<std::int8_t*>(scratch);
  for (std::size_t task = task_begin; task < task_end; ++task) {
    const std::size_t image = task / blocks;  // of one batch and group
    const std::size_t g = image % s.group;
    const std::size_t first_channel = g * s.out_channels;
    PixelBlock block;
    block.x = codes + image * s.in_channels * s.in_h * s.in_w;
    block.pad = static_cast<std::uint8_t>(conv.x_zero_point);
    block.flip = Dot::RightFlip(conv.x_signed);
    block.pixel = task % blocks * block_pixels;
    block.count = std::min(block_pixels, pixels - block.pixel);
    block.width = hwy::RoundUpTo(block.count, lanes);
    std::int32_t* c = y + image * s.out_channels * pixels + block.pixel;
    StartChannels<Dot>(conv, packed + layout.channels, first_channel,
                       block.count, c, pixels);
    const bool needs_sums =
        zero_points.AnyIn(first_channel, first_channel + s.out_channels);
    std::int32_t sums[kMostPixels] = {};
    const std::int32_t* left =
        packed + 2 * layout.channels + first_channel * layout.row_words;
    for (std::size_t k = 0; k < layout.depth; k += Layout::kBlockDepth) {
      const std::size_t depth = std::min(Layout::kBlockDepth, layout.depth - k);
      const std::size_t units = Units<Dot>(depth);
      PackPixelsI32<Dot>(s, block, k, depth, panels);
      for (std::size_t n = 0; n < block.width; n += IntTileColumns()) {
        const std::size_t width = IntPanelColumns(block.width, n);
        const std::int8_t* right = panels + n * units * Dot::kUnit;
        AddPanel<Dot>(s.out_channels,
                      {.units = units,
                       .left = left,
                       .left_stride = LeftWords<Dot>(depth),
                       .right = right,
                       .right_stride = width * Dot::kUnit,
                       .c = c + n,
                       .c_stride = pixels,
                       .columns = std::min(width, block.count - n)},
                      wide);
        if (needs_sums) {
          SumColumns<Dot>(right, units, width * Dot::kUnit, width, sums + n);
        }
      }
      left += s.out_channels * LeftWords<Dot>(depth);
    }
    if (needs_sums) {
      TakeOffPixelSums(packed + first_channel, s.out_channels, sums,
                       block.count, c, pixels);
    }
  }
}

/// Whether NeighboursFit for all pairs of all channels.
inline bool WeightsFit(const CodeConv& conv, const std::uint8_t* weights) {
  const ConvShape& s = conv.shape;
  constexpr std::size_t kCodes = 256;
  const std::size_t depth = ConvDepth(s);
  const std::uint8_t flip = SignFlip(conv.w_signed, /*packed_signed=*/true);
  for (std::size_t m = 0; m < s.group * s.out_channels; ++m) {
    for (std::size_t k = 0; k < depth; k += kCodes) {
      const std::size_t count = std::min(kCodes, depth - k);
      std::uint8_t row[kCodes + 1];
      GatherWeights(s, weights + m * depth, k, count, row);
      row[count] = flip;  // packed: 0
      for (std::size_t i = 0; i < count; i += 2) {
        if (!NeighboursFit(static_cast<std::int8_t>(row[i] ^ flip),
                           static_cast<std::int8_t>(row[i + 1] ^ flip))) {
          return false;
        }
      }
    }
  }
  return true;
}

/// Every convolution: depthwise, or dense in one of two ways, of which Short is
/// tried first. Packed dense weights begin with a header that says which.
template <class Dot, class Short>
struct EitherConv {
  static constexpr std::size_t kHeader = 16;  // a cache line

  static std::size_t Count(const ConvShape& s) {
    if (IsDepthwise(s)) return PackedDepthwiseCountI32(s);
    return kHeader + std::max(PackedConvI32<Dot>(s).count(),
                              PackedConvI32<Short>(s).count());
  }

  static void Pack(const CodeConv& conv, const void* weights,
                   std::int32_t* packed) {
    const auto* codes = static_cast<const std::uint8_t*>(weights);
    if (IsDepthwise(conv.shape)) return PackDepthwiseI32(conv, codes, packed);
    const bool fits = kHasShortDot && WeightsFit(conv, codes);
    std::fill_n(packed, kHeader, 0);
    packed[0] = fits;
    const auto pack = fits ? PackConvI32<Short> : PackConvI32<Dot>;
    pack(conv, weights, packed + kHeader);
  }

  static std::size_t ScratchCount(const ConvShape& s) {
    if (IsDepthwise(s)) return DepthwiseScratchCountI32(s);
    return hwy::DivCeil(
        kMostPixels * kBlockUnits * std::max(Dot::kUnit, Short::kUnit),
        sizeof(std::int32_t));
  }

  static void Run(const CodeConv& conv, const void* x,
                  const std::int32_t* packed, std::int32_t* y,
                  std::int32_t* scratch, std::size_t task_begin,
                  std::size_t task_end) {
    if (IsDepthwise(conv.shape)) {
      return DepthwiseI32(conv, static_cast<const std::uint8_t*>(x), packed, y,
                          scratch, task_begin, task_end);
    }
    const auto run = packed[0] != 0 ? ConvI32<Short> : ConvI32<Dot>;
    run(conv, x, packed + kHeader, y, scratch, task_begin, task_end);
  }
};
using BestConv =
    EitherConv<BestDot<true>,
               std::conditional_t<kHasShortDot, ShortDot<true>, BestDot<true>>>;

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_CONV_I32_TOGGLE

// Integer depthwise convolution: one input channel for each group, computed
// straight from a padded copy of its plane.
//
// Pixels and weights lose their zero points and become int16, so padding is 0.
// Two taps that follow one another in a row make one multiply-add of pairs: a
// lane of 32 bits, loaded from a pixel, holds it and its right neighbour.
#ifndef ZEROPOINT_KERNELS_DEPTHWISE_I32_INL_H_
#define ZEROPOINT_KERNELS_DEPTHWISE_I32_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_DEPTHWISE_I32_INL_H_

#if defined(ZEROPOINT_KERNELS_DEPTHWISE_I32_TOGGLE) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_DEPTHWISE_I32_TOGGLE
#undef ZEROPOINT_KERNELS_DEPTHWISE_I32_TOGGLE
#else
#define ZEROPOINT_KERNELS_DEPTHWISE_I32_TOGGLE
#endif

#include "hwy/highway.h"
#include "zeropoint/kernels/depthwise-inl.h"
#include "zeropoint/kernels/dot_i32-inl.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// Taps of one row of the kernel, two a word where they are neighbours.
struct TapWords {
  std::size_t taps;   // of a word
  std::size_t words;  // of a row

  explicit TapWords(const ConvShape& s)
      : taps(s.dilation_w == 1 ? 2 : 1),
        words(hwy::DivCeil(s.kernel_w, taps)) {}
};

inline std::size_t PackedDepthwiseCountI32(const ConvShape& s) {
  return s.group * s.out_channels * s.kernel_h * TapWords(s).words;
}

/// For each channel and each row of the kernel its words.
inline void PackDepthwiseI32(const CodeConv& conv, const std::uint8_t* weights,
                             std::int32_t* packed) {
  const ConvShape& s = conv.shape;
  const TapWords row(s);
  for (std::size_t m = 0; m < s.group * s.out_channels; ++m) {
    const std::int32_t zero_point =
        conv.w_zero_points.values[m * conv.w_zero_points.step];
    for (std::size_t kh = 0; kh < s.kernel_h; ++kh) {
      for (std::size_t word = 0; word < row.words; ++word) {
        std::uint32_t bits = 0;
        for (std::size_t t = 0; t < row.taps; ++t) {
          const std::size_t kw = word * row.taps + t;
          if (kw == s.kernel_w) break;
          const std::uint8_t code =
              weights[(m * s.kernel_h + kh) * s.kernel_w + kw];
          const std::int32_t weight =
              (conv.w_signed ? static_cast<std::int8_t>(code) : code) -
              zero_point;
          bits |= (static_cast<std::uint32_t>(weight) & 0xffffu) << (16 * t);
        }
        *packed++ = static_cast<std::int32_t>(bits);
      }
    }
  }
}

/// A plane of int16 with its padding, as wide as whole vectors of outputs read.
struct PaddedCodes {
  std::size_t height;
  std::size_t width;

  explicit PaddedCodes(const ConvShape& s) {
    const std::size_t lanes = hn::Lanes(hn::ScalableTag<std::int16_t>());
    height = (s.out_h - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
    // Odd outputs and the empty half of a last word read one further.
    width = hwy::RoundUpTo(s.out_w, lanes) * s.stride_w +
            (s.kernel_w - 1) * s.dilation_w + 2;
  }
  /// The last row's vectors run past its end.
  std::size_t count() const {
    return height * width + hn::Lanes(hn::ScalableTag<std::int16_t>());
  }
};

inline std::size_t DepthwiseScratchCountI32(const ConvShape& s) {
  return hwy::DivCeil(PaddedCodes(s).count(), std::size_t{2});
}

/// TakeOffZeroPoint in vectors of D16, if there is a whole one.
template <class D16>
HWY_INLINE bool TakeOffZeroPointBy(D16 d16, const std::uint8_t* codes,
                                   bool is_signed, std::int32_t zero_point,
                                   std::size_t count, std::int16_t* to) {
  const hn::Rebind<std::uint8_t, D16> du8;
  const hn::Rebind<std::int8_t, D16> di8;
  const auto zero = hn::Set(d16, static_cast<std::int16_t>(zero_point));
  const std::size_t lanes = hn::Lanes(d16);
  if (count < lanes) return false;
  for (std::size_t round = 0; round < count; round += lanes) {
    const std::size_t i = std::min(round, count - lanes);
    const auto from = hn::LoadU(du8, codes + i);
    const auto wide = is_signed ? hn::PromoteTo(d16, hn::BitCast(di8, from))
                                : hn::PromoteTo(d16, from);
    hn::StoreU(hn::Sub(wide, zero), d16, to + i);
  }
  return true;
}

/// to[i] = codes[i] - zero_point
inline void TakeOffZeroPoint(const std::uint8_t* codes, bool is_signed,
                             std::int32_t zero_point, std::size_t count,
                             std::int16_t* to) {
  const hn::ScalableTag<std::int16_t> whole;
  const hn::FixedTag<std::int16_t, 8> eight;
  if (TakeOffZeroPointBy(whole, codes, is_signed, zero_point, count, to) ||
      TakeOffZeroPointBy(eight, codes, is_signed, zero_point, count, to)) {
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t code =
        is_signed ? static_cast<std::int8_t>(codes[i]) : codes[i];
    to[i] = static_cast<std::int16_t>(code - zero_point);
  }
}

/// Plain stores: the padding beside a row is too short for a call of memset.
inline void FillZeros(std::int16_t* to, std::size_t count) {
  const hn::FixedTag<std::int16_t, 8> d16;
  const std::size_t lanes = hn::Lanes(d16);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::Zero(d16), d16, to + i);
  }
  for (; i < count; ++i) to[i] = 0;
}

inline void PadCodes(const CodeConv& conv, const std::uint8_t* x,
                     const PaddedCodes& plane, std::int16_t* padded) {
  const ConvShape& s = conv.shape;
  const std::size_t left = std::min(s.pad_left, plane.width);
  const std::size_t columns = std::min(s.in_w, plane.width - left);
  for (std::size_t h = 0; h < plane.height; ++h) {
    std::int16_t* row = padded + h * plane.width;
    const std::size_t from = h - s.pad_top;  // wraps above the image
    if (from >= s.in_h) {
      FillZeros(row, plane.width);
      continue;
    }
    FillZeros(row, left);
    TakeOffZeroPoint(x + from * s.in_w, conv.x_signed, conv.x_zero_point,
                     columns, row + left);
    FillZeros(row + left + columns, plane.width - left - columns);
  }
  FillZeros(padded + plane.height * plane.width,
            plane.count() - plane.height * plane.width);
}

/// Outputs of one round: two vectors of sums.
inline std::size_t RoundOutputs() {
  return 2 * hn::Lanes(hn::ScalableTag<std::int32_t>());
}

/// kRounds rounds of outputs that follow one another, the first at `from`.
/// kStride 1: a vector loaded at an output o holds the pairs of the outputs o,
/// o + 2, ...; another, one further, those between them. kStride 2: it holds
/// those of o, o + 1, ...
template <std::size_t kStride, std::size_t kRounds>
HWY_INLINE void DepthwiseRounds(const ConvShape& s, const PaddedCodes& plane,
                                const std::int16_t* from,
                                const std::int32_t* words, std::int32_t bias,
                                std::int32_t* y) {
  const hn::ScalableTag<std::int32_t> d;
  const hn::Repartition<std::int16_t, decltype(d)> d16;
  using V = hn::Vec<decltype(d)>;
  const TapWords taps(s);
  const std::size_t step = taps.taps == 2 ? 2 : s.dilation_w;
  // The second vector's place: the next pixel, or the next outputs.
  const std::size_t second = kStride == 1 ? 1 : RoundOutputs();
  V sums[kRounds][2];
  HWY_UNROLL(2)
  for (auto& sum : sums) sum[0] = sum[1] = hn::Set(d, bias);
  for (std::size_t kh = 0; kh < s.kernel_h; ++kh) {
    const std::int16_t* at = from;
    for (std::size_t i = 0; i < taps.words; ++i, at += step) {
      const auto weights = hn::BitCast(d16, hn::Set(d, *words++));
      HWY_UNROLL(2)
      for (std::size_t r = 0; r < kRounds; ++r) {
        const std::int16_t* pixel = at + r * kStride * RoundOutputs();
        sums[r][0] =
            hn::Add(sums[r][0],
                    hn::WidenMulPairwiseAdd(d, hn::LoadU(d16, pixel), weights));
        sums[r][1] = hn::Add(sums[r][1],
                             hn::WidenMulPairwiseAdd(
                                 d, hn::LoadU(d16, pixel + second), weights));
      }
    }
    from += s.dilation_h * plane.width;
  }
  HWY_UNROLL(2)
  for (std::size_t r = 0; r < kRounds; ++r) {
    std::int32_t* to = y + r * RoundOutputs();
    if constexpr (kStride == 1) {
      hn::StoreInterleaved2(sums[r][0], sums[r][1], d, to);
    } else {
      hn::StoreU(sums[r][0], d, to);
      hn::StoreU(sums[r][1], d, to + hn::Lanes(d));
    }
  }
}

/// One row of outputs. The last rounds may make some outputs once more, and a
/// short row writes over what the rows after it will write: `room` outputs from
/// y on belong to the plane.
template <std::size_t kStride>
void DepthwiseRow(const ConvShape& s, const PaddedCodes& plane,
                  const std::int16_t* from, const std::int32_t* words,
                  std::int32_t bias, std::int32_t* y, std::size_t room) {
  const std::size_t outputs = RoundOutputs();
  if (s.out_w < outputs && room >= outputs) {
    return DepthwiseRounds<kStride, 1>(s, plane, from, words, bias, y);
  }
  if (s.out_w < outputs) {
    HWY_ALIGN std::int32_t
        few[2 * hn::MaxLanes(hn::ScalableTag<std::int32_t>())];
    DepthwiseRounds<kStride, 1>(s, plane, from, words, bias, few);
    std::copy_n(few, s.out_w, y);
    return;
  }
  std::size_t w = 0;
  if (s.out_w >= 2 * outputs) {
    for (; w < s.out_w; w += 2 * outputs) {
      w = std::min(w, s.out_w - 2 * outputs);
      DepthwiseRounds<kStride, 2>(s, plane, from + w * kStride, words, bias,
                                  y + w);
    }
  }
  for (; w < s.out_w; w += outputs) {
    w = std::min(w, s.out_w - outputs);
    DepthwiseRounds<kStride, 1>(s, plane, from + w * kStride, words, bias,
                                y + w);
  }
}

/// As ConvI32; a task is one input plane.
inline void DepthwiseI32(const CodeConv& conv, const std::uint8_t* x,
                         const std::int32_t* packed, std::int32_t* y,
                         std::int32_t* scratch, std::size_t task_begin,
                         std::size_t task_end) {
  const ConvShape& s = conv.shape;
  const PaddedCodes plane(s);
  const std::size_t words = s.kernel_h * TapWords(s).words;
  auto* padded = reinterpret_cast<std::int16_t*>(scratch);
  for (std::size_t task = task_begin; task < task_end; ++task) {
    PadCodes(conv, x + task * s.in_h * s.in_w, plane, padded);
    for (std::size_t m = 0; m < s.out_channels; ++m) {
      const std::size_t channel = task % s.group * s.out_channels + m;
      const std::int32_t bias = conv.bias == nullptr ? 0 : conv.bias[channel];
      std::int32_t* out = y + (task * s.out_channels + m) * s.out_h * s.out_w;
      for (std::size_t h = 0; h < s.out_h; ++h) {
        const std::int16_t* from = padded + h * s.stride_h * plane.width;
        const std::int32_t* w = packed + channel * words;
        const std::size_t room = (s.out_h - h) * s.out_w;
        if (s.stride_w == 1) {
          DepthwiseRow<1>(s, plane, from, w, bias, out + h * s.out_w, room);
        } else {
          DepthwiseRow<2>(s, plane, from, w, bias, out + h * s.out_w, room);
        }
      }
    }
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_DEPTHWISE_I32_TOGGLE

// Float depthwise convolution: one input channel for each group, computed
// straight from a padded copy of its plane.
#ifndef ZEROPOINT_KERNELS_DEPTHWISE_INL_H_
#define ZEROPOINT_KERNELS_DEPTHWISE_INL_H_

#include <algorithm>
#include <cstddef>

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/layout.h"

#endif  // ZEROPOINT_KERNELS_DEPTHWISE_INL_H_

#if defined(ZEROPOINT_KERNELS_DEPTHWISE_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_DEPTHWISE_TOGGLE
#undef ZEROPOINT_KERNELS_DEPTHWISE_TOGGLE
#else
#define ZEROPOINT_KERNELS_DEPTHWISE_TOGGLE
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

/// One input channel a group, and steps along a row that vectors can take.
inline bool IsDepthwise(const ConvShape& s) {
  return s.group > 1 && s.in_channels == 1 && s.stride_w <= 2;
}

inline std::size_t PackedDepthwiseCount(const ConvShape& s) {
  return s.group * s.out_channels * s.kernel_h * s.kernel_w;
}

/// A plane with its padding, as wide as whole vectors of outputs read.
struct PaddedPlane {
  std::size_t height;
  std::size_t width;

  explicit PaddedPlane(const ConvShape& s) {
    const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
    height = (s.out_h - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
    width = hwy::RoundUpTo(s.out_w, lanes) * s.stride_w +
            (s.kernel_w - 1) * s.dilation_w + lanes;
  }
};

inline std::size_t DepthwiseScratchCount(const ConvShape& s) {
  const PaddedPlane plane(s);
  return plane.height * plane.width +
         hn::Lanes(hn::ScalableTag<float>());  // whole last vector
}

inline void PadPlane(const ConvShape& s, const float* x,
                     const PaddedPlane& plane, float* padded) {
  const std::size_t left = std::min(s.pad_left, plane.width);
  const std::size_t columns = std::min(s.in_w, plane.width - left);
  for (std::size_t h = 0; h < plane.height; ++h) {
    float* row = padded + h * plane.width;
    const std::size_t from = h - s.pad_top;  // wraps above the image
    if (from >= s.in_h) {
      std::fill_n(row, plane.width, 0.0f);
      continue;
    }
    std::fill_n(row, left, 0.0f);
    std::copy_n(x + from * s.in_w, columns, row + left);
    std::fill(row + left + columns, row + plane.width, 0.0f);
  }
}

/// One vector of outputs: the sum over the kernel in the order of its taps.
template <std::size_t kStride, class D>
HWY_INLINE hn::Vec<D> DepthwiseVector(D d, const ConvShape& s,
                                      const PaddedPlane& plane,
                                      const float* from, const float* weights,
                                      float bias) {
  auto sum = hn::Set(d, bias);
  for (std::size_t kh = 0; kh < s.kernel_h; ++kh) {
    const float* row = from + kh * s.dilation_h * plane.width;
    for (std::size_t kw = 0; kw < s.kernel_w; ++kw) {
      const auto weight = hn::Set(d, *weights++);
      const float* at = row + kw * s.dilation_w;
      if constexpr (kStride == 1) {
        sum = hn::MulAdd(weight, hn::LoadU(d, at), sum);
      } else {
        hn::Vec<D> even;
        hn::Vec<D> odd;
        hn::LoadInterleaved2(d, at, even, odd);
        sum = hn::MulAdd(weight, even, sum);
      }
    }
  }
  return sum;
}

template <std::size_t kStride>
inline void DepthwisePlane(const ConvShape& s, const PaddedPlane& plane,
                           const float* padded, const float* weights,
                           float bias, Clamp clamp, float* y) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto lo = hn::Set(d, clamp.lo);
  const auto hi = hn::Set(d, clamp.hi);
  for (std::size_t h = 0; h < s.out_h; ++h) {
    const float* row = padded + h * s.stride_h * plane.width;
    for (std::size_t w = 0; w < s.out_w; w += lanes) {
      const auto sum = DepthwiseVector<kStride>(d, s, plane, row + w * kStride,
                                                weights, bias);
      hn::StoreN(hn::Min(hi, hn::Max(lo, sum)), d, y + h * s.out_w + w,
                 std::min(lanes, s.out_w - w));
    }
  }
}

/// As Conv; a task is one input plane.
inline void Depthwise(const ConvShape& s, const float* x, const float* weights,
                      const float* bias, Clamp clamp, float* y, float* scratch,
                      std::size_t task_begin, std::size_t task_end) {
  const PaddedPlane plane(s);
  const std::size_t taps = s.kernel_h * s.kernel_w;
  for (std::size_t task = task_begin; task < task_end; ++task) {
    PadPlane(s, x + task * s.in_h * s.in_w, plane, scratch);
    for (std::size_t m = 0; m < s.out_channels; ++m) {
      const std::size_t channel = task % s.group * s.out_channels + m;
      const float* w = weights + channel * taps;
      const float b = bias == nullptr ? 0.0f : bias[channel];
      float* out = y + (task * s.out_channels + m) * s.out_h * s.out_w;
      if (s.stride_w == 1) {
        DepthwisePlane<1>(s, plane, scratch, w, b, clamp, out);
      } else {
        DepthwisePlane<2>(s, plane, scratch, w, b, clamp, out);
      }
    }
  }
}

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // ZEROPOINT_KERNELS_DEPTHWISE_TOGGLE

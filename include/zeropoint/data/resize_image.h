// ResizeImage: antialiased resampling, equal to Pillow's Image.resize to the
// bit. (Pillow 13 takes the rows of some tall images before the columns; single
// pixels then differ by 1.)
//
// Most vision models are trained behind Pillow (torchvision, Keras), and a
// calibration on other pixels would see other ranges. Each output pixel is a
// weighted mean over the input pixels that its filter covers; when shrinking,
// the filter is stretched by the ratio, so that nothing between the samples is
// lost. Columns first, then rows, each rounded to bytes.
#ifndef ZEROPOINT_DATA_RESIZE_IMAGE_H_
#define ZEROPOINT_DATA_RESIZE_IMAGE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "zeropoint/core/assert.h"
#include "zeropoint/data/image.h"

namespace zeropoint {

/// How many pixels a new one is made of, and with which weights.
enum class ResizeFilter {
  kBilinear,  // a triangle over 2 pixels
  kBicubic,   // Keys' cubic with a = -0.5, over 4 pixels
};

namespace internal {

constexpr double FilterSupport(ResizeFilter filter) {
  return filter == ResizeFilter::kBilinear ? 1.0 : 2.0;
}

// Source: Keys, "Cubic convolution interpolation for digital image processing".
inline double FilterWeight(ResizeFilter filter, double x) {
  x = std::fabs(x);
  if (filter == ResizeFilter::kBilinear) return x < 1.0 ? 1.0 - x : 0.0;
  constexpr double kA = -0.5;
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

// Weights are integers of 22 binary places: 8 bits of pixel and 2 bits for the
// overshoot of the cubic filter fill 32.
inline constexpr int kWeightBits = 22;

// The input pixels from `first` on whose weighted sum is one output pixel.
struct ResizeTap {
  std::size_t first = 0;
  std::vector<std::int32_t> weights;
};

inline std::vector<ResizeTap> ResizeTaps(std::size_t from, std::size_t to,
                                         ResizeFilter filter) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(ratio, 1.0);
  const double support = FilterSupport(filter) * stretch;
  std::vector<ResizeTap> taps(to);
  std::vector<double> exact;
  for (std::size_t i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * ratio;
    const double begin = std::max(center - support + 0.5, 0.0);
    const double end =
        std::min(center + support + 0.5, static_cast<double>(from));
    taps[i].first = static_cast<std::size_t>(begin);
    const std::size_t count = static_cast<std::size_t>(end) - taps[i].first;
    exact.assign(count, 0.0);
    double sum = 0.0;
    for (std::size_t k = 0; k < count; ++k) {
      const double distance =
          static_cast<double>(taps[i].first + k) - center + 0.5;
      exact[k] = FilterWeight(filter, distance * (1.0 / stretch));
      sum += exact[k];
    }
    for (const double weight : exact) {
      const double scaled = weight / sum * (1 << kWeightBits);
      taps[i].weights.push_back(
          static_cast<std::int32_t>(scaled + (weight < 0 ? -0.5 : 0.5)));
    }
  }
  return taps;
}

// One output value: `pixels` is the first input, the next ones `step` apart.
inline std::uint8_t WeightedSum(const ResizeTap& tap,
                                const std::uint8_t* pixels, std::size_t step) {
  std::int32_t sum = 1 << (kWeightBits - 1);
  for (const std::int32_t weight : tap.weights) {
    sum += weight * *pixels;
    pixels += step;
  }
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

}  // namespace internal

/// `image` in `width` x `height` pixels:
///
///   y[i] = sum_k w(((k + 0.5) - (i + 0.5) r) / max(r, 1)) x[k] / sum_k w(...)
///
/// along each axis, r = input length / output length. Requires sizes above 0.
/// Cost: O(output pixels * filter width). Source: Pillow, Image.resize.
inline Image ResizeImage(const Image& image, std::size_t width,
                         std::size_t height, ResizeFilter filter) {
  ZEROPOINT_ASSERT(width > 0 && height > 0 && !image.pixels.empty(),
                   "an image has pixels");
  const std::size_t channels = image.channels;
  Image wide(width, image.height, channels);
  const auto columns = internal::ResizeTaps(image.width, width, filter);
  for (std::size_t y = 0; y < image.height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::uint8_t* pixels = image.row(y) + columns[x].first * channels;
      for (std::size_t c = 0; c < channels; ++c) {
        wide.row(y)[x * channels + c] =
            internal::WeightedSum(columns[x], pixels + c, channels);
      }
    }
  }
  Image result(width, height, channels);
  const auto rows = internal::ResizeTaps(image.height, height, filter);
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* pixels = wide.row(rows[y].first);
    for (std::size_t i = 0; i < wide.row_bytes(); ++i) {
      result.row(y)[i] =
          internal::WeightedSum(rows[y], pixels + i, wide.row_bytes());
    }
  }
  return result;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_RESIZE_IMAGE_H_

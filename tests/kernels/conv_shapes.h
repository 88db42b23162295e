// The convolutions that every convolution kernel is tried on.
#ifndef ZEROPOINT_TESTS_KERNELS_CONV_SHAPES_H_
#define ZEROPOINT_TESTS_KERNELS_CONV_SHAPES_H_

#include <cstddef>
#include <ostream>
#include <vector>

#include "zeropoint/kernels/layout.h"

namespace zeropoint {

inline std::ostream& operator<<(std::ostream& out, const ConvShape& s) {
  return out << "batch " << s.batch << " group " << s.group << " channels "
             << s.in_channels << " -> " << s.out_channels << " image " << s.in_h
             << "x" << s.in_w << " -> " << s.out_h << "x" << s.out_w
             << " kernel " << s.kernel_h << "x" << s.kernel_w << " stride "
             << s.stride_h << "x" << s.stride_w << " dilation " << s.dilation_h
             << "x" << s.dilation_w << " pad " << s.pad_top << ","
             << s.pad_left;
}

namespace test {

/// Fills the output size in; the padding at the end is what makes the size of
/// the formula, `extra` rows and columns larger.
inline ConvShape WithOutput(ConvShape s, std::size_t pad_bottom,
                            std::size_t pad_right) {
  s.out_h =
      (s.in_h + s.pad_top + pad_bottom - (s.kernel_h - 1) * s.dilation_h - 1) /
          s.stride_h +
      1;
  s.out_w =
      (s.in_w + s.pad_left + pad_right - (s.kernel_w - 1) * s.dilation_w - 1) /
          s.stride_w +
      1;
  return s;
}

inline std::vector<ConvShape> ConvShapes() {
  std::vector<ConvShape> shapes;
  // Pointwise: whole tiles, tails, several blocks of k.
  for (const std::size_t size : {1u, 4u, 7u, 14u}) {
    shapes.push_back(WithOutput({.batch = 2,
                                 .in_channels = 5,
                                 .out_channels = 17,
                                 .in_h = size,
                                 .in_w = size + 3},
                                0, 0));
  }
  shapes.push_back(WithOutput(
      {.in_channels = 400, .out_channels = 33, .in_h = 7, .in_w = 7}, 0, 0));
  shapes.push_back(WithOutput({.in_channels = 6,
                               .out_channels = 8,
                               .in_h = 9,
                               .in_w = 9,
                               .stride_h = 2,
                               .stride_w = 2},
                              0, 0));
  // Dense kernels: stem, 1-D, dilation, padding on some sides only.
  shapes.push_back(WithOutput({.in_channels = 3,
                               .out_channels = 16,
                               .in_h = 32,
                               .in_w = 48,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .stride_h = 2,
                               .stride_w = 2,
                               .pad_top = 1,
                               .pad_left = 1},
                              1, 1));
  shapes.push_back(WithOutput({.in_channels = 30,
                               .out_channels = 24,
                               .in_h = 20,
                               .in_w = 60,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .pad_top = 1,
                               .pad_left = 1},
                              1, 1));
  shapes.push_back(WithOutput({.in_channels = 4,
                               .out_channels = 6,
                               .in_h = 1,
                               .in_w = 40,
                               .kernel_w = 3,
                               .pad_left = 1},
                              0, 1));
  shapes.push_back(WithOutput({.batch = 2,
                               .in_channels = 3,
                               .out_channels = 4,
                               .in_h = 13,
                               .in_w = 11,
                               .kernel_h = 3,
                               .kernel_w = 2,
                               .stride_h = 1,
                               .stride_w = 3,
                               .dilation_h = 2,
                               .dilation_w = 3,
                               .pad_top = 2,
                               .pad_left = 0},
                              1, 3));
  // Padding wider than the image.
  shapes.push_back(WithOutput({.in_channels = 2,
                               .out_channels = 3,
                               .in_h = 2,
                               .in_w = 2,
                               .kernel_h = 7,
                               .kernel_w = 7,
                               .pad_top = 5,
                               .pad_left = 5},
                              5, 5));
  // Grouped.
  shapes.push_back(WithOutput({.batch = 2,
                               .group = 3,
                               .in_channels = 4,
                               .out_channels = 5,
                               .in_h = 9,
                               .in_w = 10,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .pad_top = 1,
                               .pad_left = 1},
                              1, 1));
  // Depthwise.
  for (const std::size_t kernel : {1u, 2u, 3u, 5u, 7u}) {
    for (const std::size_t stride : {1u, 2u, 3u}) {
      for (const std::size_t size : {7u, 8u, 33u, 70u}) {
        shapes.push_back(WithOutput({.batch = 2,
                                     .group = 3,
                                     .in_channels = 1,
                                     .out_channels = 1,
                                     .in_h = size / 2 + 4,
                                     .in_w = size,
                                     .kernel_h = kernel,
                                     .kernel_w = kernel,
                                     .stride_h = stride,
                                     .stride_w = stride,
                                     .pad_top = kernel / 2,
                                     .pad_left = kernel / 2},
                                    kernel / 2, kernel - 1 - kernel / 2));
      }
    }
  }
  shapes.push_back(WithOutput({.group = 4,
                               .in_channels = 1,
                               .out_channels = 1,
                               .in_h = 24,
                               .in_w = 40,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .stride_h = 2,
                               .stride_w = 1,
                               .pad_top = 0,
                               .pad_left = 2},
                              1, 0));
  shapes.push_back(WithOutput({.group = 4,
                               .in_channels = 1,
                               .out_channels = 1,
                               .in_h = 24,
                               .in_w = 40,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .dilation_h = 2,
                               .dilation_w = 2,
                               .pad_top = 2,
                               .pad_left = 2},
                              2, 2));
  // One input channel a group, several output channels.
  shapes.push_back(WithOutput({.group = 3,
                               .in_channels = 1,
                               .out_channels = 2,
                               .in_h = 10,
                               .in_w = 19,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .pad_top = 1,
                               .pad_left = 1},
                              1, 1));
  return shapes;
}

}  // namespace test
}  // namespace zeropoint

#endif  // ZEROPOINT_TESTS_KERNELS_CONV_SHAPES_H_

// The float convolution against sums in double.
#include <cmath>
#include <ostream>

#include "tests/kernels/each_target.h"

namespace zeropoint {

std::ostream& operator<<(std::ostream& out, const ConvShape& s) {
  return out << "batch " << s.batch << " group " << s.group << " channels "
             << s.in_channels << " -> " << s.out_channels << " image " << s.in_h
             << "x" << s.in_w << " -> " << s.out_h << "x" << s.out_w
             << " kernel " << s.kernel_h << "x" << s.kernel_w << " stride "
             << s.stride_h << "x" << s.stride_w << " dilation " << s.dilation_h
             << "x" << s.dilation_w << " pad " << s.pad_top << ","
             << s.pad_left;
}

namespace test {
namespace {

struct Problem {
  ConvShape shape;
  std::vector<float> x, w, bias;
};

/// Fills the output size in; the padding at the end is what makes the size of
/// the formula, `extra` rows and columns larger.
ConvShape WithOutput(ConvShape s, std::size_t pad_bottom,
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

Problem RandomProblem(const ConvShape& s) {
  return {s,
          RandomFloats(s.batch * s.group * s.in_channels * s.in_h * s.in_w,
                       -1.0f, 1.0f, 1),
          RandomFloats(s.group * s.out_channels * s.in_channels * s.kernel_h *
                           s.kernel_w,
                       -1.0f, 1.0f, 2),
          RandomFloats(s.group * s.out_channels, -1.0f, 1.0f, 3)};
}

std::vector<float> Convolve(const KernelTable& kernels, const Problem& p,
                            bool with_bias, Clamp clamp,
                            std::size_t tasks_per_call) {
  const ConvShape& s = p.shape;
  std::vector<float> packed(kernels.packed_conv_count_f32(s));
  kernels.pack_conv_f32(s, p.w.data(), packed.data());
  const std::size_t scratch_count = kernels.conv_scratch_count_f32(s);
  std::vector<float> y(
      s.batch * s.group * s.out_channels * s.out_h * s.out_w + 1, 77.0f);
  const std::size_t tasks = kernels.conv_task_count_f32(s);
  for (std::size_t task = 0; task < tasks; task += tasks_per_call) {
    // NaN where a kernel would read scratch that it did not write.
    std::vector<float> scratch(scratch_count + 1, std::nanf(""));
    scratch.back() = 77.0f;
    kernels.conv_f32(s, p.x.data(), packed.data(),
                     with_bias ? p.bias.data() : nullptr, clamp, y.data(),
                     scratch.data(), task,
                     std::min(tasks, task + tasks_per_call));
    BOOST_TEST(scratch.back() == 77.0f);
  }
  BOOST_TEST(y.back() == 77.0f);
  y.pop_back();
  return y;
}

/// One output value and the sum of the sizes of its terms.
std::pair<double, double> Expected(const Problem& p, bool with_bias,
                                   std::size_t n, std::size_t channel,
                                   std::size_t oh, std::size_t ow) {
  const ConvShape& s = p.shape;
  const std::size_t g = channel / s.out_channels;
  double sum = with_bias ? p.bias[channel] : 0.0;
  double size = std::abs(sum);
  for (std::size_t c = 0; c < s.in_channels; ++c) {
    for (std::size_t kh = 0; kh < s.kernel_h; ++kh) {
      for (std::size_t kw = 0; kw < s.kernel_w; ++kw) {
        // Unsigned: what lies above or left of the image wraps to past its end.
        const std::size_t h = oh * s.stride_h + kh * s.dilation_h - s.pad_top;
        const std::size_t w = ow * s.stride_w + kw * s.dilation_w - s.pad_left;
        if (h >= s.in_h || w >= s.in_w) continue;
        const std::size_t plane = (n * s.group + g) * s.in_channels + c;
        const double product =
            static_cast<double>(p.x[(plane * s.in_h + h) * s.in_w + w]) *
            p.w[((channel * s.in_channels + c) * s.kernel_h + kh) * s.kernel_w +
                kw];
        sum += product;
        size += std::abs(product);
      }
    }
  }
  return {sum, size};
}

void Check(const KernelTable& kernels, const Problem& p, bool with_bias,
           Clamp clamp) {
  const ConvShape& s = p.shape;
  const std::vector<float> y = Convolve(kernels, p, with_bias, clamp, 1000000);
  std::size_t i = 0;
  for (std::size_t n = 0; n < s.batch; ++n) {
    for (std::size_t channel = 0; channel < s.group * s.out_channels;
         ++channel) {
      for (std::size_t oh = 0; oh < s.out_h; ++oh) {
        for (std::size_t ow = 0; ow < s.out_w; ++ow, ++i) {
          const auto [sum, size] = Expected(p, with_bias, n, channel, oh, ow);
          const double expected = std::clamp<double>(sum, clamp.lo, clamp.hi);
          if (!(std::abs(y[i] - expected) <= 2e-6 * size + 1e-30)) {
            BOOST_ERROR(s << ": at " << n << ", " << channel << ", " << oh
                          << ", " << ow << " " << y[i] << ", expected "
                          << expected);
            return;
          }
        }
      }
    }
  }
}

std::vector<ConvShape> Shapes() {
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

}  // namespace

BOOST_AUTO_TEST_SUITE(conv)

BOOST_AUTO_TEST_CASE(EqualsSumsOfProducts) {
  ForEachTarget([&](const KernelTable& kernels) {
    for (const ConvShape& shape : Shapes()) {
      const Problem problem = RandomProblem(shape);
      Check(kernels, problem, false, {});
      Check(kernels, problem, true, {.lo = 0.0f, .hi = 1.0f});
    }
  });
}

BOOST_AUTO_TEST_CASE(DoesNotDependOnTheTaskSplit) {
  ForEachTarget([&](const KernelTable& kernels) {
    for (const ConvShape& shape : Shapes()) {
      const Problem problem = RandomProblem(shape);
      const auto whole = Convolve(kernels, problem, true, {}, 1000000);
      BOOST_TEST((Convolve(kernels, problem, true, {}, 1) == whole), shape);
      BOOST_TEST((Convolve(kernels, problem, true, {}, 3) == whole), shape);
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace test
}  // namespace zeropoint

// The float convolution against sums in double.
#include <cmath>

#include "tests/kernels/conv_shapes.h"
#include "tests/kernels/each_target.h"

namespace zeropoint::test {
namespace {

struct Problem {
  ConvShape shape;
  std::vector<float> x, w, bias;
};

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

}  // namespace

BOOST_AUTO_TEST_SUITE(conv)

BOOST_AUTO_TEST_CASE(EqualsSumsOfProducts) {
  ForEachTarget([&](const KernelTable& kernels) {
    for (const ConvShape& shape : ConvShapes()) {
      const Problem problem = RandomProblem(shape);
      Check(kernels, problem, false, {});
      Check(kernels, problem, true, {.lo = 0.0f, .hi = 1.0f});
    }
  });
}

BOOST_AUTO_TEST_CASE(DoesNotDependOnTheTaskSplit) {
  ForEachTarget([&](const KernelTable& kernels) {
    for (const ConvShape& shape : ConvShapes()) {
      const Problem problem = RandomProblem(shape);
      const auto whole = Convolve(kernels, problem, true, {}, 1000000);
      BOOST_TEST((Convolve(kernels, problem, true, {}, 1) == whole), shape);
      BOOST_TEST((Convolve(kernels, problem, true, {}, 3) == whole), shape);
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint::test

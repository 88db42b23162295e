// The integer convolution against the reference, bit for bit.
#include <cstdint>

#include "tests/kernels/codes.h"
#include "tests/kernels/conv_shapes.h"
#include "tests/kernels/each_target.h"
#include "zeropoint/core/reference.h"
#include "zeropoint/kernels/conv_i32-inl.h"

namespace zeropoint::test {
namespace {

/// As in gemm_i32_test.cc.
KernelTable FourAtOnce() {
  namespace own = zeropoint::HWY_NAMESPACE;
  using Conv = own::EitherConv<own::QuadDot<true>, own::QuadDot<true>>;
  KernelTable table;
  table.target = "four products at once, emulated";
  table.packed_conv_count_i32 = Conv::Count;
  table.pack_conv_i32 = Conv::Pack;
  table.conv_scratch_count_i32 = Conv::ScratchCount;
  table.conv_task_count_i32 = own::ConvTaskCountI32;
  table.conv_i32 = Conv::Run;
  return table;
}

template <class F>
void ForEachMethod(F check) {
  ForEachTargetAnd(FourAtOnce(), check);
}

struct Problem {
  CodeConv conv;  // its lists are those below
  std::vector<std::uint8_t> x, w;
  std::vector<std::int32_t> w_zero_points;  // 1, or one for each channel
  std::vector<std::int32_t> bias;

  const CodeConv& Conv() {
    conv.w_zero_points = {w_zero_points.data(),
                          w_zero_points.size() == 1 ? 0u : 1u};
    conv.bias = bias.empty() ? nullptr : bias.data();
    return conv;
  }
};

Problem RandomProblem(const ConvShape& s, Signs signs, bool each) {
  Problem p;
  p.conv.shape = s;
  p.conv.x_signed = signs.a;
  p.conv.w_signed = signs.b;
  const std::size_t channels = s.group * s.out_channels;
  p.x = RandomCodes(s.batch * s.group * s.in_channels * s.in_h * s.in_w, 1);
  p.w = RandomCodes(channels * s.in_channels * s.kernel_h * s.kernel_w, 2);
  p.conv.x_zero_point = (signs.a ? -128 : 0) + (each ? 200 : 255);
  const std::int32_t least = signs.b ? -128 : 0;
  p.w_zero_points = {signs.b ? 0 : 128};  // what quantizers write
  if (each) {
    p.w_zero_points = RandomIntegers(channels, least, least + 255, 3);
    p.bias = RandomIntegers(channels, -1000000, 1000000, 4);
  }
  return p;
}

template <class X, class W>
std::vector<std::int32_t> ExpectedOf(Problem& p) {
  const ConvShape& s = p.conv.shape;
  const auto* x = reinterpret_cast<const X*>(p.x.data());
  const auto* w = reinterpret_cast<const W*>(p.w.data());
  std::vector<std::int32_t> y;
  for (std::size_t n = 0; n < s.batch; ++n) {
    for (std::size_t m = 0; m < s.group * s.out_channels; ++m) {
      const std::int32_t zw =
          p.w_zero_points[p.w_zero_points.size() == 1 ? 0 : m];
      for (std::size_t o = 0; o < s.out_h * s.out_w; ++o) {
        std::int32_t sum = p.bias.empty() ? 0 : p.bias[m];
        for (std::size_t c = 0; c < s.in_channels; ++c) {
          const std::size_t plane =
              (n * s.group + m / s.out_channels) * s.in_channels + c;
          for (std::size_t tap = 0; tap < s.kernel_h * s.kernel_w; ++tap) {
            // Unsigned: what lies above or left of the image wraps.
            const std::size_t h = o / s.out_w * s.stride_h +
                                  tap / s.kernel_w * s.dilation_h - s.pad_top;
            const std::size_t column = o % s.out_w * s.stride_w +
                                       tap % s.kernel_w * s.dilation_w -
                                       s.pad_left;
            if (h >= s.in_h || column >= s.in_w) continue;
            sum = reference::DotProduct(
                1, x + (plane * s.in_h + h) * s.in_w + column, 1,
                p.conv.x_zero_point,
                w + (m * s.in_channels + c) * s.kernel_h * s.kernel_w + tap, 1,
                zw, sum);
          }
        }
        y.push_back(sum);
      }
    }
  }
  return y;
}

std::vector<std::int32_t> Expected(Problem& p) {
  if (p.conv.x_signed) {
    return p.conv.w_signed ? ExpectedOf<std::int8_t, std::int8_t>(p)
                           : ExpectedOf<std::int8_t, std::uint8_t>(p);
  }
  return p.conv.w_signed ? ExpectedOf<std::uint8_t, std::int8_t>(p)
                         : ExpectedOf<std::uint8_t, std::uint8_t>(p);
}

std::vector<std::int32_t> Convolve(const KernelTable& kernels, Problem& p,
                                   std::size_t tasks_per_call) {
  const CodeConv& conv = p.Conv();
  const ConvShape& s = conv.shape;
  std::vector<std::int32_t> packed(kernels.packed_conv_count_i32(s) + 1, 77);
  kernels.pack_conv_i32(conv, p.w.data(), packed.data());
  BOOST_TEST(packed.back() == 77);
  std::vector<std::int32_t> y(
      s.batch * s.group * s.out_channels * s.out_h * s.out_w + 1, 77);
  const std::size_t tasks = kernels.conv_task_count_i32(s);
  const std::size_t scratch_count = kernels.conv_scratch_count_i32(s);
  for (std::size_t task = 0; task < tasks; task += tasks_per_call) {
    // Large codes where a kernel would read scratch that it did not write.
    std::vector<std::int32_t> scratch(scratch_count + 1, 0x7f7f7f7f);
    kernels.conv_i32(conv, p.x.data(), packed.data(), y.data(), scratch.data(),
                     task, std::min(tasks, task + tasks_per_call));
    BOOST_TEST(scratch.back() == 0x7f7f7f7f);
  }
  BOOST_TEST(y.back() == 77);
  y.pop_back();
  return y;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(conv_i32)

BOOST_AUTO_TEST_CASE(EqualsTheReference) {
  for (const ConvShape& shape : ConvShapes()) {
    for (const Signs signs : kSigns) {
      for (const bool each : {false, true}) {
        if (each == signs.a && shape.in_channels == 1) continue;  // many
        Problem p = RandomProblem(shape, signs, each);
        const std::vector<std::int32_t> expected = Expected(p);
        ForEachMethod([&](const KernelTable& kernels) {
          BOOST_TEST((Convolve(kernels, p, 1000000) == expected),
                     shape << ", x signed " << signs.a << ", w signed "
                           << signs.b << ", each " << each);
        });
      }
    }
  }
}

/// Several blocks of k and of pixels; channels below, at and above a tile.
BOOST_AUTO_TEST_CASE(EveryChannelCount) {
  for (std::size_t channels = 1; channels <= 19; channels += 3) {
    for (const std::size_t size : {3u, 9u, 30u}) {
      const ConvShape shape = WithOutput({.in_channels = 61 * channels % 59 + 1,
                                          .out_channels = channels,
                                          .in_h = size,
                                          .in_w = size + channels,
                                          .kernel_h = 3,
                                          .kernel_w = 3,
                                          .stride_h = 1 + channels % 2,
                                          .stride_w = 1 + channels % 2,
                                          .pad_top = 1,
                                          .pad_left = 1},
                                         1, 1);
      for (const bool small : {false, true}) {
        const Signs signs = kSigns[channels % 4];
        Problem p = RandomProblem(shape, signs, size == 9);
        if (small) Halve(signs.b, p.w);
        const std::vector<std::int32_t> expected = Expected(p);
        ForEachMethod([&](const KernelTable& kernels) {
          BOOST_TEST((Convolve(kernels, p, 1000000) == expected), shape);
        });
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(DoesNotDependOnTheTaskSplit) {
  for (const ConvShape& shape : ConvShapes()) {
    Problem p = RandomProblem(shape, {false, true}, true);
    ForEachMethod([&](const KernelTable& kernels) {
      BOOST_TEST((Convolve(kernels, p, 1) == Convolve(kernels, p, 1000000)));
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint::test

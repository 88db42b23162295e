// The integer kernels on one thread, beside the integer multiply-adds that the
// machine does in registers.
#ifndef ZEROPOINT_BENCH_KERNELS_INTEGER_BENCH_H_
#define ZEROPOINT_BENCH_KERNELS_INTEGER_BENCH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/harness.h"
#include "bench/kernels/fma_peak.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint::bench {

class IntegerBench {
 public:
  IntegerBench(const Options& options, const Reporter& reporter)
      : options_(options), reporter_(reporter) {}

  void Run() {
    for (const char* name : {"u8s8-gemm", "u8s7-gemm", "s8s8-gemm"}) {
      RunGemm(name, {128, 768, 768});
      RunGemm(name, {512, 3072, 768});
      RunGemm(name, {1024, 1024, 1024});
      RunGemm(name, {1, 3072, 768});
      RunGemm(name, {1, 4096, 4096});
    }
    struct Layer {
      std::size_t in, out, size, kernel, stride, group;
    };
    for (const Layer& layer :
         {Layer{64, 64, 56, 3, 1, 1}, Layer{256, 256, 14, 3, 1, 1},
          Layer{512, 128, 28, 1, 1, 1}, Layer{3, 32, 224, 3, 2, 1},
          Layer{128, 128, 56, 3, 1, 128}, Layer{128, 128, 56, 3, 2, 128}}) {
      const std::size_t out = (layer.size - 1) / layer.stride + 1;
      const ConvShape shape{.group = layer.group,
                            .in_channels = layer.in / layer.group,
                            .out_channels = layer.out / layer.group,
                            .in_h = layer.size,
                            .in_w = layer.size,
                            .out_h = out,
                            .out_w = out,
                            .kernel_h = layer.kernel,
                            .kernel_w = layer.kernel,
                            .stride_h = layer.stride,
                            .stride_w = layer.stride,
                            .pad_top = layer.kernel / 2,
                            .pad_left = layer.kernel / 2};
      RunConv(shape, false);
      if (layer.group == 1) RunConv(shape, true);
    }
  }

 private:
  /// The limit is measured when the first row wants it.
  double Limit() {
    if (limit_ == 0.0) {
      std::size_t steps = 0;
      const Timing timing = Time(options_.seconds, [&] {
        steps = RunCodeMultiplyAdds(std::size_t{1} << 23);
      });
      limit_ = static_cast<double>(steps) / timing.min / 1e9;
    }
    return limit_;
  }

  template <class F>
  void Add(const std::string& name, const std::string& size, std::size_t count,
           F&& run) {
    if (name.find(options_.filter) == std::string::npos) return;
    const double products = static_cast<double>(count) / 1e9;
    reporter_.Add({.name = name,
                   .size_kind = "shape",
                   .size = size,
                   .value = products / Time(options_.seconds, run).min,
                   .unit = "GMAC/s",
                   .limit = Limit()});
  }

  /// int8 codes, or the same bytes as uint8; of 7 bits where `seven`.
  static std::vector<std::int8_t> SomeCodes(std::size_t count,
                                            bool seven = false) {
    std::vector<std::int8_t> codes(count);
    std::uint32_t state = 1;
    for (std::int8_t& code : codes) {
      state = state * 1664525u + 1013904223u;
      code = static_cast<std::int8_t>(state >> 24);
      if (seven) code = static_cast<std::int8_t>(code / 2);
    }
    return codes;
  }

  /// Weights are int8 without a zero point; activations have one. s7: weights
  /// of which no two neighbours leave 16 bits, which older x86 multiplies
  /// faster.
  void RunGemm(const std::string& name, GemmShape shape) {
    const bool a_signed = name[0] == 's';
    const KernelTable& k = DispatchedKernels();
    const std::vector<std::int8_t> a = SomeCodes(shape.m * shape.k);
    const std::vector<std::int8_t> b =
        SomeCodes(shape.k * shape.n, name[3] == '7');
    std::vector<std::int32_t> packed(k.packed_b_count_i32(shape));
    std::vector<std::int32_t> c(shape.m * shape.n);
    const std::int32_t a_zero_point = a_signed ? -3 : 125;
    const std::int32_t b_zero_point = 0;
    const CodeProduct product{.shape = shape,
                              .a_signed = a_signed,
                              .b_signed = true,
                              .a_zero_points = {&a_zero_point, 0},
                              .b_zero_points = {&b_zero_point, 0}};
    const std::string size = std::to_string(shape.m) + "x" +
                             std::to_string(shape.n) + "x" +
                             std::to_string(shape.k);
    const std::size_t products = shape.m * shape.n * shape.k;
    const auto pack = [&] {
      k.pack_b_i32(shape, true, b.data(), shape.n, 1, packed.data());
    };
    const auto multiply = [&] {
      k.gemm_i32(product, a.data(), shape.k, packed.data(), c.data(), shape.n,
                 {0, shape.m}, {0, shape.n});
    };
    pack();
    Add(name, size, products, multiply);
    Add(name + "-pack-b", size, products, [&] {
      pack();
      multiply();
    });
  }

  /// With the requantization of the sums, as QLinearConv.
  void RunConv(const ConvShape& s, bool seven) {
    const KernelTable& k = DispatchedKernels();
    const std::size_t channels = s.group * s.out_channels;
    const std::size_t pixels = s.out_h * s.out_w;
    const std::size_t taps = s.in_channels * s.kernel_h * s.kernel_w;
    const std::vector<std::int8_t> x =
        SomeCodes(s.group * s.in_channels * s.in_h * s.in_w);
    const std::vector<std::int8_t> w = SomeCodes(channels * taps, seven);
    const std::vector<std::int32_t> bias(channels);
    const std::int32_t w_zero_point = 0;
    const CodeConv conv{.shape = s,
                        .x_signed = false,
                        .w_signed = true,
                        .x_zero_point = 125,
                        .w_zero_points = {&w_zero_point, 0},
                        .bias = bias.data()};
    std::vector<std::int32_t> packed(k.packed_conv_count_i32(s));
    std::vector<std::int32_t> scratch(k.conv_scratch_count_i32(s));
    std::vector<std::int32_t> sums(channels * pixels);
    std::vector<std::uint8_t> y(channels * pixels);
    k.pack_conv_i32(conv, w.data(), packed.data());
    const std::string size =
        std::to_string(s.group * s.in_channels) + "->" +
        std::to_string(channels) + " " + std::to_string(s.kernel_h) + "x" +
        std::to_string(s.kernel_w) + "/" + std::to_string(s.stride_h) + " " +
        std::to_string(s.in_h) + "x" + std::to_string(s.in_w);
    const char* name = s.group > 1 ? "u8s8-depthwise"
                       : seven     ? "u8s7-conv"
                                   : "u8s8-conv";
    Add(name, size, y.size() * taps, [&] {
      k.conv_i32(conv, x.data(), packed.data(), sums.data(), scratch.data(), 0,
                 k.conv_task_count_i32(s));
      for (std::size_t m = 0; m < channels; ++m) {
        k.requantize_u8(sums.data() + m * pixels, pixels, 0.002f, 128, {0, 255},
                        y.data() + m * pixels);
      }
    });
  }

  const Options& options_;
  const Reporter& reporter_;
  double limit_ = 0.0;
};

}  // namespace zeropoint::bench

#endif  // ZEROPOINT_BENCH_KERNELS_INTEGER_BENCH_H_

// Each kernel on one thread, beside what the machine allows: memcpy of as many
// bytes for what streams, multiply-adds in registers for what computes.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bench/harness.h"
#include "bench/kernels/fma_peak.h"
#include "bench/kernels/integer_bench.h"
#include "zeropoint/kernels/kernel_table.h"

namespace zeropoint::bench {
namespace {

/// Values of about [-4, 4], cheap to make in any number.
std::vector<float> SomeFloats(std::size_t count) {
  std::vector<float> values(count);
  std::uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / (1 << 21) - 4.0f;
  }
  return values;
}

class KernelsBench {
 public:
  explicit KernelsBench(const Options& options)
      : options_(options), reporter_(options) {
    std::size_t steps = 0;
    const Timing timing = Time(options.seconds, [&] {
      steps = RunMultiplyAdds(std::size_t{1} << 22);
    });
    multiply_add_limit_ = static_cast<double>(steps) / timing.min / 1e9;
  }

  void Run() {
    for (const std::size_t bytes :
         {std::size_t{256} << 10, std::size_t{8} << 20,
          std::size_t{256} << 20}) {
      RunStreams(bytes);
    }
    for (const std::size_t size : {64u, 128u, 256u, 512u, 1024u}) {
      RunGemm({size, size, size});
    }
    RunGemm({1, 1000, 1280});
    RunGemm({128, 1536, 384});
    RunConvs();
    IntegerBench(options_, reporter_).Run();
  }

 private:
  bool Wanted(const std::string& name) const {
    return name.find(options_.filter) != std::string::npos;
  }

  /// A kernel that reads and writes `bytes_per_value` for each value of a float
  /// array of `bytes`.
  template <class F>
  void Stream(const std::string& name, std::size_t bytes,
              std::size_t bytes_per_value, F&& run) {
    if (!Wanted(name)) return;
    const std::size_t moved = bytes / sizeof(float) * bytes_per_value;
    const double gigabytes = static_cast<double>(moved) / 1e9;
    const Timing timing = Time(options_.seconds, run);
    // The same number of bytes read and written.
    std::vector<char> from(moved / 2, 1);
    std::vector<char> to(moved / 2, 2);
    const Timing copy = Time(options_.seconds, [&] {
      std::memcpy(to.data(), from.data(), from.size());
    });
    reporter_.Add({.name = name,
                   .size_kind = "bytes",
                   .size = std::to_string(bytes),
                   .value = gigabytes / timing.min,
                   .unit = "GB/s",
                   .limit = gigabytes / copy.min});
  }

  void RunStreams(std::size_t bytes) {
    const std::size_t count = bytes / sizeof(float);
    const std::vector<float> x = SomeFloats(count);
    std::vector<float> y(count, 0.0f);
    std::vector<std::uint8_t> q8(count, 1);
    std::vector<std::uint16_t> q16(count, 1);
    std::vector<std::int32_t> acc(count);
    for (std::size_t i = 0; i < count; ++i) {
      acc[i] = static_cast<std::int32_t>(i * 2654435761u) >> 12;
    }
    const KernelTable& k = DispatchedKernels();
    const QParams params{8.0f / 255, 127};
    const QParams params16{8.0f / 65535, 32767};
    const CodeRange codes{0, 255};
    Stream("f32-qu8-quantize", bytes, 5,
           [&] { k.quantize_u8(x.data(), count, params, codes, q8.data()); });
    Stream("f32-qu16-quantize", bytes, 6, [&] {
      k.quantize_u16(x.data(), count, params16, {0, 65535}, q16.data());
    });
    Stream("qu8-f32-dequantize", bytes, 5,
           [&] { k.dequantize_u8(q8.data(), count, params, y.data()); });
    Stream("qu16-f32-dequantize", bytes, 6,
           [&] { k.dequantize_u16(q16.data(), count, params16, y.data()); });
    Stream("i32-qu8-requantize", bytes, 5, [&] {
      k.requantize_u8(acc.data(), count, 0.0003f, 128, codes, q8.data());
    });
    Stream("f32-rminmax", bytes, 4, [&] {
      MinMaxState state;
      k.min_max(x.data(), count, &state);
    });
    Stream("f32-rsum", bytes, 4, [&] { y[0] = k.sum_f32(x.data(), count); });
    Stream("f32-vadd", bytes, 12, [&] {
      k.binary_f32(BinaryOp::kAdd, x.data(), 1, x.data(), 1, count, y.data());
    });
    Stream("f32-vclamp", bytes, 8, [&] {
      k.clamp_f32(x.data(), count, {0.0f, 6.0f}, y.data());
    });
    Stream("f32-vhswish", bytes, 8, [&] {
      k.unary_f32(UnaryOp::kHardSwish, x.data(), count, 0, 0, y.data());
    });
    Stream("f32-vsigmoid", bytes, 8, [&] {
      k.unary_f32(UnaryOp::kSigmoid, x.data(), count, 0, 0, y.data());
    });
    Stream("f32-vgelu", bytes, 8, [&] {
      k.unary_f32(UnaryOp::kGelu, x.data(), count, 0, 0, y.data());
    });
    Stream("f32-vtanh", bytes, 8, [&] {
      k.unary_f32(UnaryOp::kTanh, x.data(), count, 0, 0, y.data());
    });
    Stream("f32-rsoftmax", bytes, 8,
           [&] { k.softmax_f32(x.data(), count, y.data()); });
    Stream("f32-layernorm", bytes, 8, [&] {
      constexpr std::size_t kRow = 384;
      for (std::size_t i = 0; i + kRow <= count; i += kRow) {
        k.layer_norm_f32(x.data() + i, kRow, x.data(), x.data(), 1e-5f,
                         y.data() + i);
      }
    });
  }

  void RunGemm(GemmShape shape) {
    const KernelTable& k = DispatchedKernels();
    const std::vector<float> a = SomeFloats(shape.m * shape.k);
    const std::vector<float> b = SomeFloats(shape.k * shape.n);
    std::vector<float> packed(k.packed_b_count_f32(shape));
    std::vector<float> c(shape.m * shape.n);
    const std::string size = std::to_string(shape.m) + "x" +
                             std::to_string(shape.n) + "x" +
                             std::to_string(shape.k);
    const auto products =
        static_cast<double>(shape.m * shape.n * shape.k) / 1e9;
    const auto add = [&](const std::string& name, auto&& run) {
      if (!Wanted(name)) return;
      reporter_.Add({.name = name,
                     .size_kind = "shape",
                     .size = size,
                     .value = products / Time(options_.seconds, run).min,
                     .unit = "GMAC/s",
                     .limit = multiply_add_limit_});
    };
    const auto pack = [&] {
      k.pack_b_f32(shape, b.data(), shape.n, 1, packed.data());
    };
    const auto multiply = [&] {
      k.gemm_f32(shape, a.data(), shape.k, packed.data(), nullptr, {}, c.data(),
                 shape.n, 0, shape.m);
    };
    pack();
    add("f32-gemm", multiply);
    add("f32-gemm-pack-b", [&] {
      pack();
      multiply();
    });
    add("f32-gemm-pack-bt", [&] {
      k.pack_b_f32(shape, b.data(), 1, shape.k, packed.data());
      multiply();
    });
  }

  void RunConv(const ConvShape& s) {
    const bool depthwise = s.group > 1;
    const std::string name = depthwise ? "f32-dwconv" : "f32-conv";
    if (!Wanted(name)) return;
    const KernelTable& k = DispatchedKernels();
    const std::size_t x_count =
        s.batch * s.group * s.in_channels * s.in_h * s.in_w;
    const std::size_t w_count =
        s.group * s.out_channels * s.in_channels * s.kernel_h * s.kernel_w;
    const std::size_t y_count =
        s.batch * s.group * s.out_channels * s.out_h * s.out_w;
    const std::vector<float> x = SomeFloats(x_count);
    const std::vector<float> w = SomeFloats(w_count);
    const std::vector<float> bias = SomeFloats(s.group * s.out_channels);
    std::vector<float> packed(k.packed_conv_count_f32(s));
    std::vector<float> scratch(k.conv_scratch_count_f32(s));
    std::vector<float> y(y_count);
    k.pack_conv_f32(s, w.data(), packed.data());
    const Timing timing = Time(options_.seconds, [&] {
      k.conv_f32(s, x.data(), packed.data(), bias.data(), {0.0f, 6.0f},
                 y.data(), scratch.data(), 0, k.conv_task_count_f32(s));
    });
    Row row{
        .name = name,
        .size_kind = "shape",
        .size = std::to_string(s.group * s.in_channels) + "->" +
                std::to_string(s.group * s.out_channels) + " " +
                std::to_string(s.kernel_h) + "x" + std::to_string(s.kernel_w) +
                "/" + std::to_string(s.stride_h) +
                (s.stride_h == s.stride_w ? "" : std::to_string(s.stride_w)) +
                " " + std::to_string(s.in_h) + "x" + std::to_string(s.in_w),
        .unit = ""};
    if (depthwise) {
      const double gigabytes =
          static_cast<double>((x_count + y_count) * sizeof(float)) / 1e9;
      std::vector<char> from((x_count + y_count) * sizeof(float) / 2, 1);
      std::vector<char> to(from.size(), 2);
      const Timing copy = Time(options_.seconds, [&] {
        std::memcpy(to.data(), from.data(), from.size());
      });
      row.value = gigabytes / timing.min;
      row.unit = "GB/s";
      row.limit = gigabytes / copy.min;
    } else {
      const auto products = static_cast<double>(y_count * s.in_channels *
                                                s.kernel_h * s.kernel_w);
      row.value = products / 1e9 / timing.min;
      row.unit = "GMAC/s";
      row.limit = multiply_add_limit_;
    }
    reporter_.Add(row);
  }

  /// Shapes of EfficientNet-Lite0 (224 x 224) and of text detection (320 x 320)
  /// and recognition (48 x 320) networks.
  void RunConvs() {
    struct Dense {
      std::size_t in, out, h, w, kernel_h, kernel_w, stride;
    };
    for (const Dense& c : std::initializer_list<Dense>{
             {3, 32, 224, 224, 3, 3, 2},  {32, 16, 112, 112, 1, 1, 1},
             {16, 96, 112, 112, 1, 1, 1}, {144, 24, 56, 56, 1, 1, 1},
             {240, 40, 28, 28, 1, 1, 1},  {480, 112, 14, 14, 1, 1, 1},
             {672, 112, 14, 14, 1, 1, 1}, {1152, 192, 7, 7, 1, 1, 1},
             {320, 1280, 7, 7, 1, 1, 1},  {3, 16, 320, 320, 3, 3, 2},
             {16, 32, 160, 160, 1, 1, 1}, {96, 96, 40, 40, 1, 1, 1},
             {192, 192, 20, 20, 1, 1, 1}, {384, 384, 10, 10, 1, 1, 1},
             {96, 24, 80, 80, 3, 3, 1},   {96, 24, 20, 20, 3, 3, 1},
             {240, 240, 12, 80, 1, 1, 1}, {480, 480, 3, 80, 1, 1, 1},
             {480, 60, 1, 40, 1, 3, 1},   {480, 120, 1, 1, 1, 1, 1},
             {64, 64, 56, 56, 3, 3, 1},   {256, 256, 14, 14, 3, 3, 1}}) {
      RunConv({.in_channels = c.in,
               .out_channels = c.out,
               .in_h = c.h,
               .in_w = c.w,
               .out_h = (c.h - 1) / c.stride + 1,
               .out_w = (c.w - 1) / c.stride + 1,
               .kernel_h = c.kernel_h,
               .kernel_w = c.kernel_w,
               .stride_h = c.stride,
               .stride_w = c.stride,
               .pad_top = c.kernel_h / 2,
               .pad_left = c.kernel_w / 2});
    }
    struct Depthwise {
      std::size_t channels, h, w, kernel, stride_h, stride_w;
    };
    for (const Depthwise& c :
         std::initializer_list<Depthwise>{{32, 112, 112, 3, 1, 1},
                                          {96, 112, 112, 3, 2, 2},
                                          {144, 56, 56, 3, 1, 1},
                                          {144, 56, 56, 5, 2, 2},
                                          {240, 28, 28, 5, 1, 1},
                                          {480, 14, 14, 3, 1, 1},
                                          {672, 14, 14, 5, 1, 1},
                                          {1152, 7, 7, 5, 1, 1},
                                          {1152, 7, 7, 3, 1, 1},
                                          {16, 160, 160, 3, 1, 1},
                                          {32, 160, 160, 3, 2, 2},
                                          {192, 20, 20, 5, 1, 1},
                                          {384, 10, 10, 5, 1, 1},
                                          {240, 12, 80, 5, 1, 1},
                                          {64, 24, 160, 3, 2, 1},
                                          {128, 12, 160, 3, 1, 2}}) {
      RunConv({.group = c.channels,
               .in_channels = 1,
               .out_channels = 1,
               .in_h = c.h,
               .in_w = c.w,
               .out_h = (c.h - 1) / c.stride_h + 1,
               .out_w = (c.w - 1) / c.stride_w + 1,
               .kernel_h = c.kernel,
               .kernel_w = c.kernel,
               .stride_h = c.stride_h,
               .stride_w = c.stride_w,
               .pad_top = c.kernel / 2,
               .pad_left = c.kernel / 2});
    }
  }

  Options options_;
  Reporter reporter_;
  double multiply_add_limit_ = 0.0;
};

}  // namespace
}  // namespace zeropoint::bench

int main(int argc, char** argv) {
  const zeropoint::bench::Options options =
      zeropoint::bench::ParseOptions(argc, argv);
  std::fprintf(stderr, "target %s\n", zeropoint::DispatchedKernels().target);
  zeropoint::bench::KernelsBench(options).Run();
}

// ConvTranspose on the float convolution kernel.
//
// A transposed convolution is a pointwise one (every input pixel times every
// tap of the kernel) and a sum of its results where the windows overlap.
#ifndef ZEROPOINT_EXEC_OPERATORS_CONV_TRANSPOSE_H_
#define ZEROPOINT_EXEC_OPERATORS_CONV_TRANSPOSE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operators/convolution.h"

namespace zeropoint {
namespace convolution {

/// The transpose of a convolution: every input pixel adds its value times the
/// kernel to a window of the output. One to three spatial axes.
///
/// Shapes: x [N, C, ...], w [C, M / group, ...], bias [M], y [N, M, ...] with
/// axes of stride * (in - 1) + output_padding + extent - pads, or output_shape.
class ConvTranspose final : public Operator {
 public:
  ConvTranspose(const OperatorInit& init, WindowAttributes window)
      : window_(std::move(window)),
        group_(GetInt(init.node, "group", 1)),
        output_padding_(GetInts(init.node, "output_padding")),
        output_shape_(GetInts(init.node, "output_shape")) {}

  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    ZEROPOINT_ASSIGN_OR_RETURN(auto window, WindowAttributes::Read(init.node));
    return std::unique_ptr<Operator>(
        std::make_unique<ConvTranspose>(init, std::move(window)));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<float>(0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto w, context.Input<float>(1));
    const auto x_dims = context.input(0).dims();
    const auto w_dims = context.input(1).dims();
    if (x_dims.size() != w_dims.size() || x_dims.size() < 3 ||
        x_dims.size() > 2 + kAxes || group_ < 1 || x_dims[1] % group_ != 0 ||
        w_dims[0] != x_dims[1]) {
      return Misfit(context, group_);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(auto axes,
                               Axes(x_dims.subspan(2), w_dims.subspan(2)));
    Dims dims{x_dims[0], 0};
    if (__builtin_mul_overflow(w_dims[1], group_, &dims[1])) {
      return Misfit(context, group_);
    }
    for (const WindowAxis& axis : axes) dims.push_back(axis.out);
    ZEROPOINT_ASSIGN_OR_RETURN(
        const float* bias, BiasOf(context, static_cast<std::size_t>(dims[1])));
    ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.Output<float>(0, dims));
    if (CountOf(dims) == 0) return Status();

    // taps [N, M * kernel, pixels] = every pixel times every weight
    const std::size_t pixels = CountOf(x_dims.subspan(2));
    const std::size_t kernel = CountOf(w_dims.subspan(2));
    const auto rows = static_cast<std::size_t>(w_dims[1]) * kernel;
    const ConvShape shape{
        .batch = static_cast<std::size_t>(x_dims[0]),
        .group = static_cast<std::size_t>(group_),
        .in_channels = static_cast<std::size_t>(x_dims[1] / group_),
        .out_channels = rows,
        .in_h = 1,
        .in_w = pixels,
        .out_h = 1,
        .out_w = pixels};
    ZEROPOINT_ASSIGN_OR_RETURN(const float* packed, Packed(context, shape, w));
    const auto taps_count =
        ElementCount(Dims{x_dims[0], dims[1], static_cast<std::int64_t>(kernel),
                          static_cast<std::int64_t>(pixels)});
    if (!taps_count) return Misfit(context, group_);
    ZEROPOINT_ASSIGN_OR_RETURN(float* taps,
                               context.Scratch<float>(*taps_count));
    ZEROPOINT_RETURN_IF_ERROR(
        RunKernel(context, shape, x.data(), packed, nullptr, Clamp(), taps));
    while (axes.size() < kAxes) {
      WindowAxis flat;
      flat.in = flat.out = 1;
      axes.insert(axes.begin(), flat);
    }
    const std::size_t image = CountOf(std::span(dims).subspan(2));
    const auto channels = static_cast<std::size_t>(dims[1]);
    context.pool().ParallelFor(
        CountOf(std::span(dims).first(2)), [&](std::size_t i) {
          float* plane = y + i * image;
          const float start = bias == nullptr ? 0.0f : bias[i % channels];
          std::fill_n(plane, image, start);
          AddTaps(axes, taps + i * kernel * pixels, plane);
        });
    return Status();
  }

 private:
  static constexpr std::size_t kAxes = 3;

  Result<std::vector<WindowAxis>> Axes(
      std::span<const std::int64_t> in,
      std::span<const std::int64_t> kernel) const {
    ZEROPOINT_ASSIGN_OR_RETURN(auto axes, window_.Axes(in, kernel));
    const auto fits = [&](const auto& list) {
      return list.empty() || list.size() == axes.size();
    };
    if (!fits(output_padding_) || !fits(output_shape_)) {
      return InvalidModel("output_padding or output_shape does not have " +
                          std::to_string(axes.size()) + " entries");
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      WindowAxis& axis = axes[i];
      std::int64_t whole = 0;
      if (__builtin_mul_overflow(axis.stride, axis.in - 1, &whole) ||
          __builtin_add_overflow(whole, axis.extent(), &whole) ||
          __builtin_add_overflow(
              whole, output_padding_.empty() ? 0 : output_padding_[i],
              &whole)) {
        return InvalidData("the output's size overflows");
      }
      const bool same = window_.auto_pad().starts_with("SAME");
      if (!output_shape_.empty() || same) {
        axis.out =
            output_shape_.empty() ? axis.in * axis.stride : output_shape_[i];
        if (axis.out < 0) return InvalidModel("output_shape is negative");
        const std::int64_t pad = std::max<std::int64_t>(0, whole - axis.out);
        axis.pad_begin =
            window_.auto_pad() == "SAME_UPPER" ? pad / 2 : pad - pad / 2;
      } else {
        axis.out = whole - axis.pad_begin - axis.pad_end;
      }
      if (axis.out < 0) {
        return InvalidData("the pads leave nothing of an axis");
      }
    }
    return axes;
  }

  // w [C, M / group, kernel] as the weights [M / group * kernel, C / group] of
  // a pointwise convolution, for each group.
  Result<const float*> Packed(OpContext& context, const ConvShape& shape,
                              std::span<const float> w) {
    const bool constant = context.is_constant(1);
    if (constant && has_transposed_) {
      return packed_.Get(context, shape, constant, nullptr);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(float* transposed,
                               context.Scratch<float>(w.size()));
    const std::size_t block = shape.in_channels * shape.out_channels;
    for (std::size_t g = 0; g < shape.group; ++g) {
      for (std::size_t c = 0; c < shape.in_channels; ++c) {
        for (std::size_t r = 0; r < shape.out_channels; ++r) {
          transposed[g * block + r * shape.in_channels + c] =
              w[g * block + c * shape.out_channels + r];
        }
      }
    }
    has_transposed_ = constant;
    return packed_.Get(context, shape, constant, transposed);
  }

  // Adds one channel's taps [kernel, pixels] to its output plane.
  static void AddTaps(std::span<const WindowAxis> axes, const float* taps,
                      float* plane) {
    const WindowAxis& d = axes[0];
    const WindowAxis& h = axes[1];
    const WindowAxis& w = axes[2];
    for (std::int64_t kd = 0; kd < d.kernel; ++kd) {
      for (std::int64_t kh = 0; kh < h.kernel; ++kh) {
        for (std::int64_t kw = 0; kw < w.kernel; ++kw) {
          for (std::int64_t id = 0; id < d.in; ++id) {
            const std::int64_t od = Target(d, id, kd);
            for (std::int64_t ih = 0; ih < h.in; ++ih, taps += w.in) {
              const std::int64_t oh = Target(h, ih, kh);
              if (od < 0 || od >= d.out || oh < 0 || oh >= h.out) continue;
              AddRow(w, kw, taps, plane + (od * h.out + oh) * w.out);
            }
          }
        }
      }
    }
  }

  static void AddRow(const WindowAxis& w, std::int64_t kw, const float* taps,
                     float* row) {
    const std::int64_t first = Target(w, 0, kw);
    const std::int64_t begin =
        first >= 0 ? 0 : (-first + w.stride - 1) / w.stride;
    const std::int64_t end =
        first >= w.out
            ? 0
            : std::min(w.in, (w.out - first + w.stride - 1) / w.stride);
    for (std::int64_t iw = begin; iw < end; ++iw) {
      row[first + iw * w.stride] += taps[iw];
    }
  }

  static std::int64_t Target(const WindowAxis& axis, std::int64_t in,
                             std::int64_t k) {
    return in * axis.stride + k * axis.dilation - axis.pad_begin;
  }

  WindowAttributes window_;
  std::int64_t group_;
  std::vector<std::int64_t> output_padding_;
  std::vector<std::int64_t> output_shape_;
  PackedWeights packed_;
  bool has_transposed_ = false;
};

}  // namespace convolution

inline void AddConvTransposeOperators(OperatorRegistry& registry) {
  registry.Add("", "ConvTranspose", {}, convolution::ConvTranspose::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_CONV_TRANSPOSE_H_

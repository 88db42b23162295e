// Conv on the float convolution kernel.
//
// The kernel picks its method by shape; this file makes the shape, keeps the
// packed weights and splits the work.
#ifndef ZEROPOINT_EXEC_OPERATORS_CONVOLUTION_H_
#define ZEROPOINT_EXEC_OPERATORS_CONVOLUTION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/tensor.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/window.h"
#include "zeropoint/exec/operators/window_walk.h"

namespace zeropoint {
namespace convolution {

/// Runs conv_f32 over all tasks on the pool.
inline Status RunKernel(OpContext& context, const ConvShape& shape,
                        const float* x, const float* packed, const float* bias,
                        Clamp clamp, float* y) {
  const KernelTable& kernels = context.kernels();
  const std::size_t scratch_count = kernels.conv_scratch_count_f32(shape);
  ZEROPOINT_ASSIGN_OR_RETURN(
      float* scratch,
      context.Scratch<float>(scratch_count * context.pool().threads()));
  context.pool().ParallelRanges(
      kernels.conv_task_count_f32(shape), 1,
      [&](std::size_t begin, std::size_t end, std::size_t worker) {
        kernels.conv_f32(shape, x, packed, bias, clamp, y,
                         scratch + worker * scratch_count, begin, end);
      });
  return Status();
}

/// Weights as the kernel reads them; made once when they are constant. The
/// layout depends on channels, kernel, strides and dilations, not on the image.
class PackedWeights {
 public:
  Result<const float*> Get(OpContext& context, const ConvShape& shape,
                           bool constant, const float* weights) {
    const KernelTable& kernels = context.kernels();
    const std::size_t count = kernels.packed_conv_count_f32(shape);
    if (!constant) {
      ZEROPOINT_ASSIGN_OR_RETURN(float* packed, context.Scratch<float>(count));
      kernels.pack_conv_f32(shape, weights, packed);
      return static_cast<const float*>(packed);
    }
    if (!packed_) {
      packed_.emplace(DataType::kFloat, Dims{static_cast<std::int64_t>(count)});
      kernels.pack_conv_f32(shape, weights, packed_->MutableAs<float>().data());
    }
    return packed_->As<float>().data();
  }

 private:
  std::optional<Tensor> packed_;
};

/// The bias, input 2: one number for each of `channels`, or nullptr.
inline Result<const float*> BiasOf(const OpContext& context,
                                   std::size_t channels) {
  if (!context.has_input(2)) return static_cast<const float*>(nullptr);
  ZEROPOINT_ASSIGN_OR_RETURN(const auto bias, context.Input<float>(2));
  if (bias.size() != channels) {
    return InvalidData("the bias has " + std::to_string(bias.size()) +
                       " values for " + std::to_string(channels) +
                       " output channels");
  }
  return bias.data();
}

inline Status Misfit(const OpContext& context, std::int64_t group) {
  return InvalidData(
      "an input of shape " + FormatDims(context.input(0).dims()) +
      " does not fit weights of shape " + FormatDims(context.input(1).dims()) +
      " in " + std::to_string(group) + " groups");
}

/// The kernel's shape of x [N, C, ...] and w [M, C / group, ...] with one or
/// two spatial axes; one is an image of height 1.
inline ConvShape ShapeOf(std::span<const std::int64_t> x_dims,
                         std::span<const std::int64_t> w_dims,
                         std::span<const WindowAxis> axes, std::int64_t group) {
  WindowAxis flat;
  flat.in = flat.out = 1;
  const WindowAxis& h = axes.size() == 1 ? flat : axes[0];
  const WindowAxis& w = axes.back();
  const auto size = [](std::int64_t value) {
    return static_cast<std::size_t>(value);
  };
  return {.batch = size(x_dims[0]),
          .group = size(group),
          .in_channels = size(w_dims[1]),
          .out_channels = size(w_dims[0] / group),
          .in_h = size(h.in),
          .in_w = size(w.in),
          .out_h = size(h.out),
          .out_w = size(w.out),
          .kernel_h = size(h.kernel),
          .kernel_w = size(w.kernel),
          .stride_h = size(h.stride),
          .stride_w = size(w.stride),
          .dilation_h = size(h.dilation),
          .dilation_w = size(w.dilation),
          .pad_top = size(h.pad_begin),
          .pad_left = size(w.pad_begin)};
}

/// y[n, m] = sum over c of x[n, c] (*) w[m, c] + bias[m], one or two spatial
/// axes in the kernel, more and doubles by the definition.
///
/// Shapes: x [N, C, ...], w [M, C / group, ...], bias [M], y [N, M, ...].
class Conv final : public Operator {
 public:
  Conv(const OperatorInit& init, WindowAttributes window)
      : window_(std::move(window)), group_(GetInt(init.node, "group", 1)) {}

  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    ZEROPOINT_ASSIGN_OR_RETURN(auto window, WindowAttributes::Read(init.node));
    return std::unique_ptr<Operator>(
        std::make_unique<Conv>(init, std::move(window)));
  }

  bool AcceptsClamp() const override { return true; }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    const auto x_dims = context.input(0).dims();
    const auto w_dims = context.input(1).dims();
    if (x_dims.size() != w_dims.size() || x_dims.size() < 3) {
      return Misfit(context, group_);
    }
    if (x_dims.size() > 4 || context.input(0).type() == DataType::kDouble) {
      return window_walk::RunConvolution(context, window_, group_);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<float>(0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto w, context.Input<float>(1));
    if (group_ < 1 || w_dims[0] % group_ != 0 || x_dims[1] % group_ != 0 ||
        w_dims[1] != x_dims[1] / group_) {
      return Misfit(context, group_);
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto axes, window_.Over(x_dims.subspan(2), w_dims.subspan(2)));
    const ConvShape shape = ShapeOf(x_dims, w_dims, axes, group_);
    Dims dims{x_dims[0], w_dims[0]};
    for (const WindowAxis& axis : axes) dims.push_back(axis.out);
    ZEROPOINT_ASSIGN_OR_RETURN(
        const float* bias,
        BiasOf(context, static_cast<std::size_t>(w_dims[0])));
    ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.Output<float>(0, dims));
    if (CountOf(dims) == 0) return Status();
    ZEROPOINT_ASSIGN_OR_RETURN(
        const float* packed,
        packed_.Get(context, shape, context.is_constant(1), w.data()));
    return RunKernel(context, shape, x.data(), packed, bias, context.clamp(),
                     y);
  }

 private:
  WindowAttributes window_;
  std::int64_t group_;
  PackedWeights packed_;
};

}  // namespace convolution

inline void AddConvolutionOperators(OperatorRegistry& registry) {
  registry.Add("", "Conv", {}, convolution::Conv::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_CONVOLUTION_H_

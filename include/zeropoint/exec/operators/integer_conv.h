// ConvInteger and QLinearConv on the integer convolution kernel;
// integer_matmul.h says how sums are made and requantized.
#ifndef ZEROPOINT_EXEC_OPERATORS_INTEGER_CONV_H_
#define ZEROPOINT_EXEC_OPERATORS_INTEGER_CONV_H_

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
#include "zeropoint/exec/operators/convolution.h"
#include "zeropoint/exec/operators/integer_conv_loop.h"
#include "zeropoint/exec/operators/integer_operands.h"

namespace zeropoint {
namespace integer {

/// The sums of ConvInteger and QLinearConv: one to three spatial axes; the
/// padding has the code of real 0.
class IntegerConv {
 public:
  /// Numbers of the inputs.
  struct Arguments {
    std::size_t x = 0;
    std::size_t x_zero_point = 0;
    std::size_t w = 0;
    std::size_t w_zero_point = 0;
  };
  /// One run's sizes and zero points.
  struct Job {
    Dims dims;  // [N, M, ...]
    std::vector<WindowAxis> axes;
    PerIndex<std::int32_t> x_zero_point;
    PerIndex<std::int32_t> w_zero_points;

    std::size_t channels() const { return static_cast<std::size_t>(dims[1]); }
    /// Elements of one output channel.
    std::size_t image() const { return CountOf(std::span(dims).subspan(2)); }
  };

  static Result<IntegerConv> Make(const OperatorInit& init,
                                  const Arguments& inputs) {
    IntegerConv conv;
    ZEROPOINT_ASSIGN_OR_RETURN(conv.attributes_,
                               WindowAttributes::Read(init.node));
    conv.group_ = GetInt(init.node, "group", 1);
    conv.inputs_ = inputs;
    return conv;
  }

  /// Errors: inputs that do not fit each other.
  Result<Job> Prepare(const OpContext& context) const {
    ZEROPOINT_RETURN_IF_ERROR(CodesOf(context, inputs_.x).status());
    ZEROPOINT_RETURN_IF_ERROR(CodesOf(context, inputs_.w).status());
    const auto x_dims = context.input(inputs_.x).dims();
    const auto w_dims = context.input(inputs_.w).dims();
    if (x_dims.size() != w_dims.size() || x_dims.size() < 3 ||
        x_dims.size() > 5 || group_ < 1 || w_dims[0] % group_ != 0 ||
        x_dims[1] % group_ != 0 || w_dims[1] != x_dims[1] / group_) {
      return InvalidData("an input of shape " + FormatDims(x_dims) +
                         " does not fit weights of shape " +
                         FormatDims(w_dims) + " in " + std::to_string(group_) +
                         " groups");
    }
    Job job;
    ZEROPOINT_ASSIGN_OR_RETURN(
        job.axes, attributes_.Over(x_dims.subspan(2), w_dims.subspan(2)));
    job.dims = {x_dims[0], w_dims[0]};
    for (const WindowAxis& axis : job.axes) job.dims.push_back(axis.out);
    ZEROPOINT_ASSIGN_OR_RETURN(job.x_zero_point,
                               ZeroPointsOf(context, inputs_.x_zero_point, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(
        job.w_zero_points,
        ZeroPointsOf(context, inputs_.w_zero_point, job.channels()));
    return job;
  }

  /// sums [N, M, ...] = bias[M] (null: 0) + the products.
  Status Run(OpContext& context, const Job& job, const std::int32_t* bias,
             std::int32_t* sums) {
    const std::size_t count = CountOf(job.dims);
    if (count == 0) return Status();
    const auto x_dims = context.input(inputs_.x).dims();
    const auto w_dims = context.input(inputs_.w).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const Codes x, CodesOf(context, inputs_.x));
    ZEROPOINT_ASSIGN_OR_RETURN(const Codes w, CodesOf(context, inputs_.w));
    if (x_dims.size() > 4 || !AreCodes(job.x_zero_point, x.is_signed) ||
        !AreCodes(job.w_zero_points, w.is_signed)) {
      return RunLoop(context, job, bias, {sums, count});
    }
    const CodeConv conv{
        .shape = convolution::ShapeOf(x_dims, w_dims, job.axes, group_),
        .x_signed = x.is_signed,
        .w_signed = w.is_signed,
        .x_zero_point = job.x_zero_point[0],
        .w_zero_points = ListOf(job.w_zero_points),
        .bias = bias};
    ZEROPOINT_ASSIGN_OR_RETURN(const std::int32_t* packed,
                               Packed(context, conv, w.data));
    const KernelTable& kernels = context.kernels();
    const std::size_t scratch_count =
        kernels.conv_scratch_count_i32(conv.shape);
    ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * scratch,
                               context.Scratch<std::int32_t>(
                                   scratch_count * context.pool().threads()));
    context.pool().ParallelRanges(
        kernels.conv_task_count_i32(conv.shape), 1,
        [&](std::size_t begin, std::size_t end, std::size_t worker) {
          kernels.conv_i32(conv, x.data, packed, sums,
                           scratch + worker * scratch_count, begin, end);
        });
    return Status();
  }

 private:
  static bool AreCodes(const PerIndex<std::int32_t>& zero_points,
                       bool is_signed) {
    const std::int32_t least = is_signed ? -128 : 0;
    return std::ranges::all_of(zero_points.values, [&](std::int32_t value) {
      return value >= least && value <= least + 255;
    });
  }

  /// Weights as the kernel reads them; made once when they and their zero
  /// points are constant. The layout depends on channels, kernel, strides and
  /// dilations, not on the image.
  Result<const std::int32_t*> Packed(OpContext& context, const CodeConv& conv,
                                     const std::uint8_t* weights) {
    const KernelTable& kernels = context.kernels();
    const std::size_t count = kernels.packed_conv_count_i32(conv.shape);
    const bool constant = context.is_constant(inputs_.w) &&
                          (!context.has_input(inputs_.w_zero_point) ||
                           context.is_constant(inputs_.w_zero_point));
    if (!constant) {
      ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * packed,
                                 context.Scratch<std::int32_t>(count));
      kernels.pack_conv_i32(conv, weights, packed);
      return static_cast<const std::int32_t*>(packed);
    }
    if (!packed_) {
      packed_.emplace(DataType::kInt32, Dims{static_cast<std::int64_t>(count)});
      kernels.pack_conv_i32(conv, weights,
                            packed_->MutableAs<std::int32_t>().data());
    }
    return packed_->As<std::int32_t>().data();
  }

  Status RunLoop(OpContext& context, const Job& job, const std::int32_t* bias,
                 std::span<std::int32_t> sums) const {
    const auto x_dims = context.input(inputs_.x).dims();
    const auto w_dims = context.input(inputs_.w).dims();
    const ConvLoop loop{.window = pooling::ToWindow(job.axes),
                        .group = static_cast<std::size_t>(group_),
                        .depth = static_cast<std::size_t>(w_dims[1]),
                        .channels = job.channels(),
                        .plane = CountOf(x_dims.subspan(2)),
                        .taps = CountOf(w_dims.subspan(2)),
                        .image = job.image()};
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto x,
        Centred(context, inputs_.x, job.x_zero_point,
                std::max<std::size_t>(1, context.input(inputs_.x).size())));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto w,
        Centred(context, inputs_.w, job.w_zero_points,
                std::max<std::size_t>(1, loop.depth * loop.taps)));
    loop.Run(context.pool(), x, w, bias, sums);
    return Status();
  }

  WindowAttributes attributes_;
  std::int64_t group_ = 1;
  Arguments inputs_;
  std::optional<Tensor> packed_;
};

class ConvInteger final : public Operator {
 public:
  static constexpr IntegerConv::Arguments kInputs{
      .x = 0, .x_zero_point = 2, .w = 1, .w_zero_point = 3};

  explicit ConvInteger(IntegerConv conv) : conv_(std::move(conv)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto job, conv_.Prepare(context));
    ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * y,
                               context.Output<std::int32_t>(0, job.dims));
    return conv_.Run(context, job, nullptr, y);
  }

 private:
  IntegerConv conv_;
};

/// Inputs: x, its scale and zero point, w, its scale and zero point (one or one
/// for each output channel), the output's scale and zero point, and an int32
/// bias in steps of x_scale * w_scale.
class QLinearConv final : public Operator {
 public:
  static constexpr IntegerConv::Arguments kInputs{
      .x = 0, .x_zero_point = 2, .w = 3, .w_zero_point = 5};

  explicit QLinearConv(IntegerConv conv) : conv_(std::move(conv)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(8));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto job, conv_.Prepare(context));
    const std::size_t channels = job.channels();
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x_scale, ScalesOf(context, 1, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto w_scale,
                               ScalesOf(context, 4, channels));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto y_scale, ScalesOf(context, 6, 1));
    const std::int32_t* bias = nullptr;
    if (context.has_input(8)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto values,
                                 context.Input<std::int32_t>(8));
      if (values.size() != channels) {
        return InvalidData("the bias has " + std::to_string(values.size()) +
                           " values for " + std::to_string(channels) +
                           " output channels");
      }
      bias = values.data();
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto y,
                               RequantizedOutput::Make(context, job.dims, 7));
    const std::size_t count = CountOf(job.dims);
    if (count == 0) return Status();
    ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * sums,
                               context.Scratch<std::int32_t>(count));
    ZEROPOINT_RETURN_IF_ERROR(conv_.Run(context, job, bias, sums));
    constexpr std::size_t kGrain = std::size_t{1} << 14;
    const std::size_t image = job.image();
    context.pool().ParallelRanges(
        count / image, kGrain / image + 1,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            y.Write(sums + i * image, image,
                    reference::RequantizeMultiplier(
                        x_scale[0], w_scale[i % channels], y_scale[0]),
                    i * image);
          }
        });
    return Status();
  }

 private:
  IntegerConv conv_;
};

template <class Op>
Result<std::unique_ptr<Operator>> MakeConv(const OperatorInit& init) {
  ZEROPOINT_ASSIGN_OR_RETURN(auto conv, IntegerConv::Make(init, Op::kInputs));
  return std::unique_ptr<Operator>(std::make_unique<Op>(std::move(conv)));
}

}  // namespace integer

inline void AddIntegerConvOperators(OperatorRegistry& registry) {
  using namespace integer;  // NOLINT(google-build-using-namespace)
  constexpr OpsetRange kSince{.first = 10};
  registry.Add("", "ConvInteger", kSince, MakeConv<ConvInteger>);
  registry.Add("", "QLinearConv", kSince, MakeConv<QLinearConv>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_INTEGER_CONV_H_

// ConvInteger and QLinearConv; integer_matmul.h says how they compute.
#ifndef ZEROPOINT_EXEC_OPERATORS_INTEGER_CONV_H_
#define ZEROPOINT_EXEC_OPERATORS_INTEGER_CONV_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operators/binary_formulas.h"
#include "zeropoint/exec/operators/integer_operands.h"
#include "zeropoint/exec/operators/pool_window.h"

namespace zeropoint {
namespace integer {

/// The codes of input `i` as int32.
inline Result<std::vector<std::int32_t>> WidenedCodes(const OpContext& context,
                                                      std::size_t i) {
  ZEROPOINT_ASSIGN_OR_RETURN(const Codes codes, CodesOf(context, i));
  std::vector<std::int32_t> wide(context.input(i).size());
  for (std::size_t k = 0; k < wide.size(); ++k) {
    wide[k] = codes.is_signed ? static_cast<std::int8_t>(codes.data[k])
                              : codes.data[k];
  }
  return wide;
}

/// Accumulators for an output of shape `dims`, in the context's scratch.
inline Result<std::span<std::int32_t>> Zeros(OpContext& context,
                                             const Dims& dims) {
  const auto count = ElementCount(dims);
  if (!count) {
    return InvalidData("shape " + FormatDims(dims) + " is not possible");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * zeros,
                             context.Scratch<std::int32_t>(*count));
  std::fill_n(zeros, *count, 0);
  return std::span(zeros, *count);
}

/// The integer convolution behind ConvInteger and QLinearConv: one to three
/// spatial axes; the padding has the code of real 0.
class IntegerConv {
 public:
  struct Arguments {
    std::size_t x = 0;  // numbers of the inputs
    std::size_t x_zero_point = 0;
    std::size_t w = 0;
    std::size_t w_zero_point = 0;
  };
  struct Sums {
    std::span<std::int32_t> values;  // scratch of the context
    Dims dims;                       // [N, M, ...]
    std::size_t image = 1;           // elements of one channel
  };

  static Result<IntegerConv> Make(const OperatorInit& init) {
    IntegerConv conv;
    ZEROPOINT_ASSIGN_OR_RETURN(conv.attributes_,
                               WindowAttributes::Read(init.node));
    conv.group_ = GetInt(init.node, "group", 1);
    return conv;
  }

  Result<Sums> Run(OpContext& context, const Arguments& inputs) const {
    ZEROPOINT_ASSIGN_OR_RETURN(auto x, WidenedCodes(context, inputs.x));
    ZEROPOINT_ASSIGN_OR_RETURN(auto w, WidenedCodes(context, inputs.w));
    const auto x_dims = context.input(inputs.x).dims();
    const auto w_dims = context.input(inputs.w).dims();
    if (x_dims.size() != w_dims.size() || x_dims.size() < 3 ||
        x_dims.size() > 5 || group_ < 1 || w_dims[0] % group_ != 0 ||
        x_dims[1] % group_ != 0 || w_dims[1] != x_dims[1] / group_) {
      return InvalidData("an input of shape " + FormatDims(x_dims) +
                         " does not fit weights of shape " +
                         FormatDims(w_dims) + " in " + std::to_string(group_) +
                         " groups");
    }
    const auto channels = static_cast<std::size_t>(w_dims[0]);
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x_zero_point,
                               ZeroPointsOf(context, inputs.x_zero_point, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto w_zero_point,
        ZeroPointsOf(context, inputs.w_zero_point, channels));
    for (std::int32_t& code : x) code -= x_zero_point[0];
    const std::size_t filter = CountOf(w_dims.subspan(1));
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= w_zero_point[i / filter];

    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto axes,
        attributes_.Over(x_dims.subspan(2), w_dims.subspan(2)));
    Sums sums;
    sums.dims = {x_dims[0], w_dims[0]};
    for (const WindowAxis& axis : axes) sums.dims.push_back(axis.out);
    ZEROPOINT_ASSIGN_OR_RETURN(sums.values, Zeros(context, sums.dims));
    sums.image = CountOf(std::span(sums.dims).subspan(2));
    const auto window = pooling::ToWindow(axes);
    const std::size_t plane = CountOf(x_dims.subspan(2));
    const std::size_t taps = CountOf(w_dims.subspan(2));
    const auto depth = static_cast<std::size_t>(w_dims[1]);
    const std::size_t group_size = channels / static_cast<std::size_t>(group_);
    context.pool().ParallelFor(
        CountOf(std::span(sums.dims).first(2)), [&](std::size_t i) {
          const std::size_t m = i % channels;
          const std::size_t image = i / channels;
          const std::size_t first_channel =
              image * static_cast<std::size_t>(x_dims[1]) +
              m / group_size * depth;
          for (std::size_t c = 0; c < depth; ++c) {
            AddPlane(window, x.data() + (first_channel + c) * plane,
                     w.data() + (m * depth + c) * taps,
                     sums.values.data() + i * sums.image);
          }
        });
    return sums;
  }

 private:
  static void AddPlane(const pooling::Window& window, const std::int32_t* x,
                       const std::int32_t* w, std::int32_t* y) {
    const std::int64_t stride = window[2].stride;
    pooling::ForEachTap(window, [&](std::size_t tap, std::int64_t in,
                                    std::int64_t out, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        y[out + i] = binary::Add::Apply(
            y[out + i], binary::Mul::Apply(x[in + i * stride], w[tap]));
      }
    });
  }

  WindowAttributes attributes_;
  std::int64_t group_ = 1;
};

class ConvInteger final : public Operator {
 public:
  explicit ConvInteger(IntegerConv conv) : conv_(std::move(conv)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto sums,
        conv_.Run(context,
                  {.x = 0, .x_zero_point = 2, .w = 1, .w_zero_point = 3}));
    ZEROPOINT_ASSIGN_OR_RETURN(std::int32_t * y,
                               context.Output<std::int32_t>(0, sums.dims));
    std::ranges::copy(sums.values, y);
    return Status();
  }

 private:
  IntegerConv conv_;
};

/// Inputs: x, its scale and zero point, w, its scale and zero point (one or one
/// for each output channel), the output's scale and zero point, and an int32
/// bias in steps of x_scale * w_scale.
class QLinearConv final : public Operator {
 public:
  explicit QLinearConv(IntegerConv conv) : conv_(std::move(conv)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(8));
    ZEROPOINT_ASSIGN_OR_RETURN(
        auto sums,
        conv_.Run(context,
                  {.x = 0, .x_zero_point = 2, .w = 3, .w_zero_point = 5}));
    const auto channels = static_cast<std::size_t>(sums.dims[1]);
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x_scale, ScalesOf(context, 1, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto w_scale,
                               ScalesOf(context, 4, channels));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto y_scale, ScalesOf(context, 6, 1));
    const auto channel_of = [&](std::size_t i) {
      return i / sums.image % channels;
    };
    if (context.has_input(8)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto bias,
                                 context.Input<std::int32_t>(8));
      if (bias.size() != channels) {
        return InvalidData("the bias has " + std::to_string(bias.size()) +
                           " values for " + std::to_string(channels) +
                           " output channels");
      }
      for (std::size_t i = 0; i < sums.values.size(); ++i) {
        sums.values[i] =
            binary::Add::Apply(sums.values[i], bias[channel_of(i)]);
      }
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto y,
                               RequantizedOutput::Make(context, sums.dims, 7));
    for (std::size_t at = 0; at < sums.values.size(); at += sums.image) {
      const float multiplier = reference::RequantizeMultiplier(
          x_scale[0], w_scale[channel_of(at)], y_scale[0]);
      y.Write(sums.values.data() + at, sums.image, multiplier, at);
    }
    return Status();
  }

 private:
  IntegerConv conv_;
};

template <class Op>
Result<std::unique_ptr<Operator>> MakeConv(const OperatorInit& init) {
  ZEROPOINT_ASSIGN_OR_RETURN(auto conv, IntegerConv::Make(init));
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

// DeformConv: a convolution whose taps stand where the data says.
#ifndef ZEROPOINT_EXEC_OPERATORS_DEFORM_CONV_H_
#define ZEROPOINT_EXEC_OPERATORS_DEFORM_CONV_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/exec/operators/window.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace deform_conv {

/// The pixel at (y, x), bilinear between pixels, 0 outside.
inline double PixelAt(const double* plane, std::int64_t height,
                      std::int64_t width, double y, double x) {
  if (!(y > -1 && y < static_cast<double>(height) && x > -1 &&
        x < static_cast<double>(width))) {
    return 0;
  }
  const auto y0 = static_cast<std::int64_t>(std::floor(y));
  const auto x0 = static_cast<std::int64_t>(std::floor(x));
  double sum = 0;
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t j = 0; j < 2; ++j) {
      const std::int64_t row = y0 + i;
      const std::int64_t column = x0 + j;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      sum += (1 - std::abs(y - static_cast<double>(row))) *
             (1 - std::abs(x - static_cast<double>(column))) *
             plane[row * width + column];
    }
  }
  return sum;
}

/// y[n, m, o] = b[m] + sum over c, k of w[m, c, k] mask[n, g, k, o] x[n, c] at
/// o * stride + k * dilation - pad + offset[n, g, k, o].
///
/// Inputs: x [N, C, H, W], w [M, C / group, kh, kw], offset [N, G * kh * kw *
/// 2, oh, ow] (y before x), b [M], mask [N, G * kh * kw, oh, ow]; G =
/// offset_group.
class DeformConv final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto op = std::make_unique<DeformConv>();
    ZEROPOINT_ASSIGN_OR_RETURN(op->attributes_,
                               WindowAttributes::Read(init.node));
    op->groups_ = GetInt(init.node, "group", 1);
    op->offset_groups_ = GetInt(init.node, "offset_group", 1);
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto w, ReadReals(context, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto offset, ReadReals(context, 2));
    const auto x_dims = context.input(0).dims();
    const auto w_dims = context.input(1).dims();
    if (x_dims.size() != 4 || w_dims.size() != 4 || groups_ < 1 ||
        offset_groups_ < 1 || x_dims[1] % groups_ != 0 ||
        w_dims[0] % groups_ != 0 || w_dims[1] != x_dims[1] / groups_ ||
        x_dims[1] % offset_groups_ != 0) {
      return InvalidData("weights of shape " + FormatDims(w_dims) +
                         " do not fit an input of shape " + FormatDims(x_dims) +
                         "; DeformConv works on images");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto window,
        attributes_.Over(x_dims.subspan(2), w_dims.subspan(2)));
    const WindowAxis& h = window[0];
    const WindowAxis& v = window[1];
    const std::int64_t taps = h.kernel * v.kernel;
    const std::int64_t plane = h.out * v.out;
    const std::int64_t places = x_dims[0] * offset_groups_ * taps * plane;
    std::vector<double> mask(static_cast<std::size_t>(places), 1.0);
    std::vector<double> bias(static_cast<std::size_t>(w_dims[0]));
    if (std::ssize(offset) != 2 * places) {
      return InvalidData("the offsets need two numbers for each tap");
    }
    if (context.has_input(3)) {
      ZEROPOINT_ASSIGN_OR_RETURN(auto given, ReadReals(context, 3));
      given.swap(bias);
      if (given.size() != bias.size()) return InvalidData("a wrong bias");
    }
    if (context.has_input(4)) {
      ZEROPOINT_ASSIGN_OR_RETURN(auto given, ReadReals(context, 4));
      given.swap(mask);
      if (given.size() != mask.size()) return InvalidData("a wrong mask");
    }
    const Dims dims = {x_dims[0], w_dims[0], h.out, v.out};
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    const std::int64_t in_group = x_dims[1] / groups_;
    const std::int64_t out_group = w_dims[0] / groups_;
    const std::int64_t per_offset = x_dims[1] / offset_groups_;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const auto flat = static_cast<std::int64_t>(i);
      const std::int64_t at = flat % plane;
      const std::int64_t m = flat / plane % w_dims[0];
      const std::int64_t n = flat / plane / w_dims[0];
      double sum = bias[static_cast<std::size_t>(m)];
      for (std::int64_t c = 0; c < in_group; ++c) {
        const std::int64_t channel = m / out_group * in_group + c;
        const std::int64_t group = n * offset_groups_ + channel / per_offset;
        const double* image =
            x.data() + (n * x_dims[1] + channel) * h.in * v.in;
        for (std::int64_t k = 0; k < taps; ++k) {
          const std::int64_t place = (group * taps + k) * plane + at;
          const std::int64_t shift = (group * taps + k) * 2 * plane + at;
          const std::int64_t whole_row =
              at / v.out * h.stride + k / v.kernel * h.dilation - h.pad_begin;
          const std::int64_t whole_column =
              at % v.out * v.stride + k % v.kernel * v.dilation - v.pad_begin;
          const auto row = static_cast<double>(whole_row);
          const auto column = static_cast<double>(whole_column);
          sum +=
              w[static_cast<std::size_t>((m * in_group + c) * taps + k)] *
              mask[static_cast<std::size_t>(place)] *
              PixelAt(image, h.in, v.in,
                      row + offset[static_cast<std::size_t>(shift)],
                      column + offset[static_cast<std::size_t>(shift + plane)]);
        }
      }
      y[i] = sum;
    }
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  WindowAttributes attributes_;
  std::int64_t groups_ = 1;
  std::int64_t offset_groups_ = 1;
};

}  // namespace deform_conv

inline void AddDeformConvOperators(OperatorRegistry& registry) {
  registry.Add("", "DeformConv", {}, deform_conv::DeformConv::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_DEFORM_CONV_H_

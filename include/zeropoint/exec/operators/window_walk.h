// Operators with sliding windows of any rank, by their definitions:
// convolutions over more than two axes, DeformConv, LpPool, MaxUnpool, Col2Im.
#ifndef ZEROPOINT_EXEC_OPERATORS_WINDOW_WALK_H_
#define ZEROPOINT_EXEC_OPERATORS_WINDOW_WALK_H_

#include <algorithm>
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
namespace window_walk {

using Window = std::vector<WindowAxis>;

inline Dims OutputDims(std::span<const std::int64_t> first,
                       const Window& window) {
  Dims dims = ToDims(first);
  for (const WindowAxis& axis : window) dims.push_back(axis.out);
  return dims;
}

/// Calls visit(output, input, tap) for every output of a window, every tap of
/// it that lies in the input, as flat indices. Errors: too many elements.
template <class Visit>
Status Walk(const Window& window, Visit&& visit) {
  Dims in;
  Dims out;
  Dims taps;
  for (const WindowAxis& axis : window) {
    in.push_back(axis.in);
    out.push_back(axis.out);
    taps.push_back(axis.kernel);
  }
  const auto outputs = ElementCount(out);
  const auto each = ElementCount(taps);
  if (!outputs || !each || !ElementCount(in)) {
    return InvalidData("the window's sizes are not possible");
  }
  const auto strides = RowMajorStrides(in);
  std::vector<std::int64_t> place(window.size());
  for (std::size_t o = 0; o < *outputs; ++o) {
    std::vector<std::int64_t> tap(window.size());
    for (std::size_t k = 0; k < *each; ++k) {
      std::ptrdiff_t at = 0;
      bool inside = true;
      for (std::size_t i = 0; i < window.size(); ++i) {
        const WindowAxis& axis = window[i];
        const std::int64_t x =
            place[i] * axis.stride + tap[i] * axis.dilation - axis.pad_begin;
        inside = inside && x >= 0 && x < axis.in;
        at += x * strides[i];
      }
      if (inside) visit(o, static_cast<std::size_t>(at), k);
      NextIndex(taps, tap);
    }
    NextIndex(out, place);
  }
  return Status();
}

/// y[n, m, o] = b[m] + sum over c, k of w[m, c, k] x[n, group's c, o * stride +
/// k * dilation - pad], for any number of spatial axes.
inline Status RunConvolution(OpContext& context,
                             const WindowAttributes& attributes,
                             std::int64_t groups) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
  ZEROPOINT_ASSIGN_OR_RETURN(const auto w, ReadReals(context, 1));
  const auto x_dims = context.input(0).dims();
  const auto w_dims = context.input(1).dims();
  if (x_dims.size() < 3 || w_dims.size() != x_dims.size() || groups < 1 ||
      x_dims[1] % groups != 0 || w_dims[0] % groups != 0 ||
      w_dims[1] != x_dims[1] / groups) {
    return InvalidData("weights of shape " + FormatDims(w_dims) +
                       " do not fit an input of shape " + FormatDims(x_dims));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(
      const Window window,
      attributes.Over(x_dims.subspan(2), w_dims.subspan(2)));
  std::vector<double> bias(static_cast<std::size_t>(w_dims[0]));
  if (context.has_input(2)) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto given, ReadReals(context, 2));
    if (given.size() != bias.size()) {
      return InvalidData("the bias needs a number for each output channel");
    }
    bias = given;
  }
  const Dims dims = OutputDims(Dims{x_dims[0], w_dims[0]}, window);
  ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
  const std::size_t image = CountOf(x_dims.subspan(2));
  const std::size_t kernel = CountOf(w_dims.subspan(2));
  const std::size_t plane = CountOf(std::span(dims).subspan(2));
  const auto channels = static_cast<std::size_t>(w_dims[1]);
  const auto outputs = static_cast<std::size_t>(w_dims[0]);
  const auto each = outputs / static_cast<std::size_t>(groups);
  context.pool().ParallelFor(
      static_cast<std::size_t>(x_dims[0]) * outputs, [&](std::size_t i) {
        const std::size_t m = i % outputs;
        double* to = y.data() + i * plane;
        std::fill_n(to, plane, bias[m]);
        for (std::size_t c = 0; c < channels; ++c) {
          const double* from =
              x.data() + (i / outputs * static_cast<std::size_t>(x_dims[1]) +
                          m / each * channels + c) *
                             image;
          const double* weights = w.data() + (m * channels + c) * kernel;
          // Sizes were checked when y was made.
          (void)Walk(window, [&](std::size_t o, std::size_t at, std::size_t k) {
            to[o] += weights[k] * from[at];
          });
        }
      });
  const Clamp clamp = context.clamp();
  for (double& value : y) {
    if (value < clamp.lo) value = static_cast<double>(clamp.lo);
    if (value > clamp.hi) value = static_cast<double>(clamp.hi);
  }
  return WriteReals(context, 0, context.input(0).type(), dims, y);
}

/// y = (sum over the window of |x|^p)^(1/p).
class LpPool final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto op = std::make_unique<LpPool>();
    ZEROPOINT_ASSIGN_OR_RETURN(op->attributes_,
                               WindowAttributes::Read(init.node));
    op->p_ = static_cast<double>(GetInt(init.node, "p", 2));
    op->ceil_ = GetInt(init.node, "ceil_mode", 0) != 0;
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    const auto x_dims = context.input(0).dims();
    if (x_dims.size() < 3) return InvalidData("a pool needs [N, C, ...]");
    ZEROPOINT_ASSIGN_OR_RETURN(
        const Window window,
        attributes_.Over(x_dims.subspan(2), attributes_.kernel(), ceil_));
    const Dims dims = OutputDims(x_dims.first(2), window);
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    const std::size_t image = CountOf(x_dims.subspan(2));
    const std::size_t plane = CountOf(std::span(dims).subspan(2));
    for (std::size_t i = 0; i < CountOf(x_dims.first(2)); ++i) {
      ZEROPOINT_RETURN_IF_ERROR(
          Walk(window, [&](std::size_t o, std::size_t at, std::size_t) {
            y[i * plane + o] += std::pow(std::abs(x[i * image + at]), p_);
          }));
    }
    for (double& value : y) value = std::pow(value, 1 / p_);
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  WindowAttributes attributes_;
  double p_ = 2;
  bool ceil_ = false;
};

/// The same over all of each channel.
class GlobalLpPool final : public Operator {
 public:
  explicit GlobalLpPool(const OperatorInit& init)
      : p_(static_cast<double>(GetInt(init.node, "p", 2))) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    const auto x_dims = context.input(0).dims();
    if (x_dims.size() < 2) return InvalidData("a pool needs [N, C, ...]");
    Dims dims = ToDims(x_dims);
    std::fill(dims.begin() + 2, dims.end(), 1);
    std::vector<double> y(CountOf(dims));
    const std::size_t image = CountOf(x_dims.subspan(2));
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i / image] += std::pow(std::abs(x[i]), p_);
    }
    for (double& value : y) value = std::pow(value, 1 / p_);
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  double p_;
};

/// MaxPool undone: each element goes where its index says, in the flat tensor
/// that was pooled; zeros elsewhere. A larger output_shape adds zeros behind.
class MaxUnpool final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto op = std::make_unique<MaxUnpool>();
    ZEROPOINT_ASSIGN_OR_RETURN(op->attributes_,
                               WindowAttributes::Read(init.node));
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto indices, ReadIntegers(context, 1));
    const auto x_dims = context.input(0).dims();
    if (x_dims.size() < 3 || indices.size() != x.size()) {
      return InvalidData(
          "MaxUnpool needs [N, C, ...] and an index for each "
          "element");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const Window window,
        attributes_.Axes(x_dims.subspan(2), attributes_.kernel()));
    Dims pooled = ToDims(x_dims.first(2));
    for (const WindowAxis& axis : window) {
      pooled.push_back((axis.in - 1) * axis.stride + axis.extent() -
                       axis.pad_begin - axis.pad_end);
    }
    Dims dims = pooled;
    if (context.has_input(2)) {
      ZEROPOINT_ASSIGN_OR_RETURN(dims, ReadIntegers(context, 2));
      bool fits = dims.size() == pooled.size();
      for (std::size_t i = 0; fits && i < dims.size(); ++i) {
        fits = dims[i] >= pooled[i];
      }
      if (!fits) {
        return InvalidData("output_shape " + FormatDims(dims) +
                           " is smaller than " + FormatDims(pooled));
      }
    }
    const auto count = ElementCount(pooled);
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    const auto strides = RowMajorStrides(dims);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!count || indices[i] < 0 ||
          static_cast<std::size_t>(indices[i]) >= *count) {
        return InvalidData("index " + std::to_string(indices[i]) +
                           " is outside a tensor of shape " +
                           FormatDims(pooled));
      }
      std::int64_t rest = indices[i];
      std::ptrdiff_t to = 0;
      for (std::size_t k = pooled.size(); k-- > 0;) {
        to += rest % pooled[k] * strides[k];
        rest /= pooled[k];
      }
      y[static_cast<std::size_t>(to)] = x[i];
    }
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  WindowAttributes attributes_;
};

/// Columns of blocks [N, C * block, blocks] added up into an image
/// [N, C, image...].
class Col2Im final : public Operator {
 public:
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    auto op = std::make_unique<Col2Im>();
    ZEROPOINT_ASSIGN_OR_RETURN(op->attributes_,
                               WindowAttributes::Read(init.node));
    return std::unique_ptr<Operator>(std::move(op));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    ZEROPOINT_ASSIGN_OR_RETURN(const Dims image, ReadIntegers(context, 1));
    ZEROPOINT_ASSIGN_OR_RETURN(const Dims block, ReadIntegers(context, 2));
    const auto x_dims = context.input(0).dims();
    const auto image_size = ElementCount(image);
    const auto block_size = ElementCount(block);
    if (x_dims.size() != 3 || image.size() != block.size() || !image_size ||
        !block_size || *block_size == 0) {
      return InvalidData(
          "Col2Im needs [N, C * block, blocks], and an image "
          "and a block of the same rank");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const Window window,
                               attributes_.Over(image, block));
    const Dims blocks = OutputDims({}, window);
    const auto columns = ElementCount(blocks);
    const auto taps = static_cast<std::int64_t>(*block_size);
    if (!columns || x_dims[1] % taps != 0 ||
        static_cast<std::int64_t>(*columns) != x_dims[2]) {
      return InvalidData("columns of shape " + FormatDims(x_dims) +
                         " do not fit an image of shape " + FormatDims(image));
    }
    Dims dims = {x_dims[0], x_dims[1] / taps};
    dims.insert(dims.end(), image.begin(), image.end());
    ZEROPOINT_ASSIGN_OR_RETURN(auto y, ZeroReals(dims));
    for (std::size_t i = 0; i < CountOf(std::span(dims).first(2)); ++i) {
      ZEROPOINT_RETURN_IF_ERROR(
          Walk(window, [&](std::size_t o, std::size_t at, std::size_t k) {
            y[i * *image_size + at] += x[(i * *block_size + k) * *columns + o];
          }));
    }
    return WriteReals(context, 0, context.input(0).type(), dims, y);
  }

 private:
  WindowAttributes attributes_;
};

}  // namespace window_walk

inline void AddWindowWalkOperators(OperatorRegistry& registry) {
  using namespace window_walk;  // NOLINT(google-build-using-namespace)
  registry.Add("", "Col2Im", {}, Col2Im::Make);
  registry.Add("", "GlobalLpPool", {}, Construct<GlobalLpPool>);
  registry.Add("", "LpPool", {}, LpPool::Make);
  registry.Add("", "MaxUnpool", {}, MaxUnpool::Make);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_WINDOW_WALK_H_

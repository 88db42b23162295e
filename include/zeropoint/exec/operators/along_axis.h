// CumSum, CumProd, LpNormalization, LRN, ReverseSequence, DepthToSpace and
// SpaceToDepth: operators along an axis, or between axes.
#ifndef ZEROPOINT_EXEC_OPERATORS_ALONG_AXIS_H_
#define ZEROPOINT_EXEC_OPERATORS_ALONG_AXIS_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/binary_formulas.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/exec/operators/reals.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace along_axis {

/// y[k] = f(x[0], ..., x[k]) along the axis that input 1 names; `exclusive`
/// leaves x[k] out, `reverse` goes from the end.
template <class F>
class Cumulate final : public Operator {
 public:
  explicit Cumulate(const OperatorInit& init)
      : exclusive_(GetInt(init.node, "exclusive", 0) != 0),
        reverse_(GetInt(init.node, "reverse", 0) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto axes, ReadIntegers(context, 1));
    if (axes.size() != 1) return InvalidData("the axis must be one number");
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axes[0], x.rank()));
    const AroundAxis around(x.dims(), axis);
    return VisitDataType(x.type(), [&]<class T>() -> Status {
      if constexpr (std::same_as<T, bool>) {
        return Unsupported("booleans have no sum");
      } else {
        ZEROPOINT_ASSIGN_OR_RETURN(T * y,
                                   context.Output<T>(0, ToDims(x.dims())));
        const T* values = x.As<T>().data();
        for (std::size_t i = 0; i < around.outer * around.inner; ++i) {
          const std::size_t base =
              i / around.inner * around.size * around.inner + i % around.inner;
          T total = F::kNeutral;
          for (std::size_t k = 0; k < around.size; ++k) {
            const std::size_t step = reverse_ ? around.size - 1 - k : k;
            const std::size_t at = base + step * around.inner;
            const T next = F::Formula::Apply(total, values[at]);
            y[at] = exclusive_ ? total : next;
            total = next;
          }
        }
        return Status();
      }
    });
  }

 private:
  bool exclusive_;
  bool reverse_;
};

struct SumOf {
  using Formula = binary::Add;
  static constexpr int kNeutral = 0;
};
struct ProductOf {
  using Formula = binary::Mul;
  static constexpr int kNeutral = 1;
};

/// y = x / (sum of |x|^p along the axis)^(1/p), p = 1 or 2; 0 where that is 0.
class LpNormalization final : public Operator {
 public:
  explicit LpNormalization(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", -1)), p_(GetInt(init.node, "p", 2)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(auto x, ReadReals(context, 0));
    const auto dims = context.input(0).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, dims.size()));
    const AroundAxis around(dims, axis);
    for (std::size_t i = 0; i < around.outer * around.inner; ++i) {
      const std::size_t base =
          i / around.inner * around.size * around.inner + i % around.inner;
      double sum = 0;
      for (std::size_t k = 0; k < around.size; ++k) {
        const double value = x[base + k * around.inner];
        sum += p_ == 1 ? std::abs(value) : value * value;
      }
      const double norm = p_ == 1 ? sum : std::sqrt(sum);
      for (std::size_t k = 0; k < around.size; ++k) {
        double& value = x[base + k * around.inner];
        value = norm == 0 ? 0 : value / norm;
      }
    }
    return WriteReals(context, 0, context.input(0).type(), ToDims(dims), x);
  }

 private:
  std::int64_t axis_;
  std::int64_t p_;
};

/// y[n, c] = x[n, c] / (bias + alpha / size * sum of x[n, j]^2)^beta, j over
/// `size` channels around c.
class Lrn final : public Operator {
 public:
  explicit Lrn(const OperatorInit& init)
      : size_(GetInt(init.node, "size", 0)),
        alpha_(static_cast<double>(GetFloat(init.node, "alpha", 1e-4f))),
        beta_(static_cast<double>(GetFloat(init.node, "beta", 0.75f))),
        bias_(static_cast<double>(GetFloat(init.node, "bias", 1.0f))) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, ReadReals(context, 0));
    const auto dims = context.input(0).dims();
    if (dims.size() < 2 || size_ < 1) {
      return InvalidData("LRN needs channels and a size above 0");
    }
    const AroundAxis around(dims, 1);
    const auto channels = static_cast<std::int64_t>(around.size);
    std::vector<double> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto c = static_cast<std::int64_t>(i / around.inner % around.size);
      const std::int64_t begin = std::max<std::int64_t>(0, c - (size_ - 1) / 2);
      const std::int64_t end = std::min(
          channels, c - (size_ - 1) / 2 + std::min(size_, 2 * channels));
      double squares = 0;
      for (std::int64_t j = begin; j < end; ++j) {
        const auto at = static_cast<std::ptrdiff_t>(i) +
                        (j - c) * static_cast<std::ptrdiff_t>(around.inner);
        const double value = x[static_cast<std::size_t>(at)];
        squares += value * value;
      }
      y[i] =
          x[i] / std::pow(bias_ + alpha_ / static_cast<double>(size_) * squares,
                          beta_);
    }
    return WriteReals(context, 0, context.input(0).type(), ToDims(dims), y);
  }

 private:
  std::int64_t size_;
  double alpha_;
  double beta_;
  double bias_;
};

/// The first lengths[b] elements along the time axis in reverse, for each b
/// along the batch axis; the others stay.
class ReverseSequence final : public Operator {
 public:
  explicit ReverseSequence(const OperatorInit& init)
      : batch_axis_(GetInt(init.node, "batch_axis", 1)),
        time_axis_(GetInt(init.node, "time_axis", 0)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto lengths, ReadIntegers(context, 1));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width,
                               data_movement::ElementWidth(x));
    const auto batch = static_cast<std::size_t>(batch_axis_);
    const auto time = static_cast<std::size_t>(time_axis_);
    if (x.rank() < 2 || batch > 1 || time > 1 || batch == time ||
        std::ssize(lengths) != x.dims()[batch]) {
      return InvalidData(
          "ReverseSequence needs axes 0 and 1, one for batches and one for "
          "time, and a length for each batch");
    }
    for (const std::int64_t length : lengths) {
      if (length < 0 || length > x.dims()[time]) {
        return InvalidData("a sequence of length " + std::to_string(length));
      }
    }
    ZEROPOINT_ASSIGN_OR_RETURN(void* out,
                               context.Output(0, x.type(), ToDims(x.dims())));
    auto* y = static_cast<std::byte*>(out);
    const std::size_t run = CountOf(x.dims().subspan(2)) * width;
    if (run == 0) return Status();
    const auto inner = static_cast<std::size_t>(x.dims()[1]);
    for (std::size_t i = 0; i < CountOf(x.dims().first(2)); ++i) {
      std::size_t index[2] = {i / inner, i % inner};
      const auto length = static_cast<std::size_t>(lengths[index[batch]]);
      if (index[time] < length) index[time] = length - 1 - index[time];
      std::memcpy(y + i * run,
                  data_movement::Bytes(x) + (index[0] * inner + index[1]) * run,
                  run);
    }
    return Status();
  }

 private:
  std::int64_t batch_axis_;
  std::int64_t time_axis_;
};

/// [N, C, H, W] cut into blocks of b x b: DepthToSpace makes [N, C / b^2, H b,
/// W b] of it, SpaceToDepth [N, C b^2, H / b, W / b].
class BlockMove final : public Operator {
 public:
  BlockMove(const OperatorInit& init, bool to_space)
      : block_(GetInt(init.node, "blocksize", 0)),
        columns_first_(GetString(init.node, "mode", "DCR") == "CRD"),
        to_space_(to_space) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width,
                               data_movement::ElementWidth(x));
    const std::int64_t b = block_;
    constexpr std::int64_t kMost = 1 << 15;
    if (x.rank() != 4 || b < 1 || b > kMost) {
      return InvalidData("blocks need an input [N, C, H, W] and a blocksize");
    }
    const std::int64_t n = x.dims()[0];
    const std::int64_t c = x.dims()[1];
    const std::int64_t h = x.dims()[2];
    const std::int64_t w = x.dims()[3];
    if (to_space_ ? c % (b * b) != 0 : h % b != 0 || w % b != 0) {
      return InvalidData("blocks of " + std::to_string(b) + " do not fit " +
                         FormatDims(x.dims()));
    }
    // The input as six axes, and where each of them goes.
    Dims split;
    std::vector<std::size_t> order;
    Dims dims;
    if (to_space_) {
      const std::int64_t depth = c / (b * b);
      split = columns_first_ ? Dims{n, depth, b, b, h, w}
                             : Dims{n, b, b, depth, h, w};
      order = columns_first_ ? std::vector<std::size_t>{0, 1, 4, 2, 5, 3}
                             : std::vector<std::size_t>{0, 3, 4, 1, 5, 2};
      dims = {n, depth, h * b, w * b};
    } else {
      split = {n, c, h / b, b, w / b, b};
      order = columns_first_ ? std::vector<std::size_t>{0, 1, 3, 5, 2, 4}
                             : std::vector<std::size_t>{0, 3, 5, 1, 2, 4};
      dims = {n, c * b * b, h / b, w / b};
    }
    ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(0, x.type(), dims));
    const auto strides = RowMajorStrides(split);
    Dims box;
    std::vector<std::ptrdiff_t> from;
    for (const std::size_t axis : order) {
      box.push_back(split[axis]);
      from.push_back(strides[axis]);
    }
    data_movement::CopyBox(box, from, data_movement::Bytes(x),
                           RowMajorStrides(box), static_cast<std::byte*>(y),
                           width, context.pool());
    return Status();
  }

 private:
  std::int64_t block_;
  bool columns_first_;
  bool to_space_;
};

template <bool kToSpace>
Result<std::unique_ptr<Operator>> MakeBlockMove(const OperatorInit& init) {
  return std::unique_ptr<Operator>(std::make_unique<BlockMove>(init, kToSpace));
}

}  // namespace along_axis

inline void AddAlongAxisOperators(OperatorRegistry& registry) {
  using namespace along_axis;  // NOLINT(google-build-using-namespace)
  registry.Add("", "CumProd", {}, Construct<Cumulate<ProductOf>>);
  registry.Add("", "CumSum", {}, Construct<Cumulate<SumOf>>);
  registry.Add("", "DepthToSpace", {}, MakeBlockMove<true>);
  registry.Add("", "LRN", {}, Construct<Lrn>);
  registry.Add("", "LpNormalization", {}, Construct<LpNormalization>);
  registry.Add("", "ReverseSequence", {}, Construct<ReverseSequence>);
  registry.Add("", "SpaceToDepth", {}, MakeBlockMove<false>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_ALONG_AXIS_H_

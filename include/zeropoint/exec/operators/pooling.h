// MaxPool, AveragePool and their global forms.
#ifndef ZEROPOINT_EXEC_OPERATORS_POOLING_H_
#define ZEROPOINT_EXEC_OPERATORS_POOLING_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/pool_window.h"

namespace zeropoint {
namespace pooling {

/// What pools share: the window's attributes and the split over planes.
class Pool : public Operator {
 public:
  Pool(const OperatorInit& init, WindowAttributes attributes)
      : attributes_(std::move(attributes)),
        ceil_(GetInt(init.node, "ceil_mode", 0) != 0) {}

 protected:
  struct Plan {
    Window window;
    Dims dims;
    std::size_t planes;
    std::int64_t in;   // elements of an input plane
    std::int64_t out;  // of an output plane
  };

  Result<Plan> PlanFor(const TensorView& x) const {
    if (x.rank() < 3 || x.rank() > 5) {
      return Unsupported("a pool over an input of shape " +
                         FormatDims(x.dims()) +
                         "; expected one to three spatial axes");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(
        const auto axes,
        attributes_.Over(x.dims().subspan(2), attributes_.kernel(), ceil_));
    Plan plan{ToWindow(axes), {x.dims()[0], x.dims()[1]}, 0, 0, 0};
    for (const WindowAxis& axis : axes) plan.dims.push_back(axis.out);
    if (!ElementCount(plan.dims)) {
      return InvalidData("shape " + FormatDims(plan.dims) + " is not possible");
    }
    plan.planes = CountOf(x.dims().first(2));
    plan.in = static_cast<std::int64_t>(CountOf(x.dims().subspan(2)));
    plan.out =
        static_cast<std::int64_t>(CountOf(std::span(plan.dims).subspan(2)));
    return plan;
  }

 private:
  WindowAttributes attributes_;
  bool ceil_;
};

/// The greatest element of each window; output 1 says where it lies.
class MaxPool final : public Pool {
 public:
  MaxPool(const OperatorInit& init, WindowAttributes attributes)
      : Pool(init, std::move(attributes)),
        column_major_(GetInt(init.node, "storage_order", 0) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    return VisitDataType(context.input(0).type(), [&]<class T>() -> Status {
      if constexpr (std::floating_point<T> || sizeof(T) == 1) {
        return RunTyped<T>(context);
      } else {
        return Unsupported("a pool of elements of type " +
                           std::string(DataTypeName(DataTypeOf<T>())));
      }
    });
  }

 private:
  template <class T>
  Status RunTyped(OpContext& context) const {
    const std::span<const T> x = context.input(0).As<T>();
    ZEROPOINT_ASSIGN_OR_RETURN(const Plan plan, PlanFor(context.input(0)));
    ZEROPOINT_ASSIGN_OR_RETURN(T * y, context.Output<T>(0, plan.dims));
    std::int64_t* where = nullptr;
    if (context.wants_output(1)) {
      ZEROPOINT_ASSIGN_OR_RETURN(where,
                                 context.Output<std::int64_t>(1, plan.dims));
    }
    context.pool().ParallelFor(plan.planes, [&](std::size_t i) {
      const auto plane = static_cast<std::int64_t>(i);
      RunPlane(plan, x.data() + plane * plan.in, y + plane * plan.out);
      if (where != nullptr) {
        Locate(plan, x.data(), y, plane, where + plane * plan.out);
      }
    });
    return Status();
  }

  template <class T>
  static void RunPlane(const Plan& plan, const T* x, T* y) {
    const std::int64_t stride = plan.window[2].stride;
    std::fill_n(y, plan.out,
                std::floating_point<T> ? -std::numeric_limits<T>::infinity()
                                       : std::numeric_limits<T>::lowest());
    ForEachTap(plan.window, [&](std::size_t, std::int64_t in, std::int64_t out,
                                std::int64_t count) {
      const T* from = x + in;
      T* to = y + out;
      for (std::int64_t i = 0; i < count; ++i) {
        const T value = from[i * stride];
        to[i] = value > to[i] ? value : to[i];
      }
    });
  }

  // The flat index, in the whole input, of the first element of each window
  // that equals its maximum.
  template <class T>
  void Locate(const Plan& plan, const T* x, const T* y, std::int64_t plane,
              std::int64_t* where) const {
    const std::int64_t stride = plan.window[2].stride;
    const T* values = x + plane * plan.in;
    const T* greatest = y + plane * plan.out;
    std::fill_n(where, plan.out, -1);
    ForEachTap(plan.window, [&](std::size_t, std::int64_t in, std::int64_t out,
                                std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t at = in + i * stride;
        if (where[out + i] < 0 && values[at] == greatest[out + i]) {
          where[out + i] = at;
        }
      }
    });
    const auto& [d, h, w] = plan.window;
    for (std::int64_t i = 0; i < plan.out; ++i) {
      std::int64_t at = where[i];
      if (column_major_) {
        at = (at % w.in * h.in + at / w.in % h.in) * d.in + at / (w.in * h.in);
      }
      where[i] = plane * plan.in + at;
    }
  }

  bool column_major_;
};

/// The mean of each window, over the elements inside the input or, with
/// count_include_pad, over the padded input's.
class AveragePool final : public Pool {
 public:
  AveragePool(const OperatorInit& init, WindowAttributes attributes)
      : Pool(init, std::move(attributes)),
        counts_pads_(GetInt(init.node, "count_include_pad", 0) != 0) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<float>(0));
    ZEROPOINT_ASSIGN_OR_RETURN(const Plan plan, PlanFor(context.input(0)));
    ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.Output<float>(0, plan.dims));
    const std::vector<float> shares = Shares(plan.window);
    const std::int64_t stride = plan.window[2].stride;
    context.pool().ParallelFor(plan.planes, [&](std::size_t i) {
      const auto plane = static_cast<std::int64_t>(i);
      const float* from = x.data() + plane * plan.in;
      float* to = y + plane * plan.out;
      std::fill_n(to, plan.out, 0.0f);
      ForEachTap(plan.window, [&](std::size_t, std::int64_t in,
                                  std::int64_t out, std::int64_t count) {
        for (std::int64_t k = 0; k < count; ++k) {
          to[out + k] += from[in + k * stride];
        }
      });
      for (std::size_t k = 0; k < shares.size(); ++k) to[k] *= shares[k];
    });
    return Status();
  }

 private:
  // Taps of the window at output `out` that count.
  std::int64_t Count(const WindowAxis& axis, std::int64_t out) const {
    const std::int64_t least = counts_pads_ ? -axis.pad_begin : 0;
    const std::int64_t end = axis.in + (counts_pads_ ? axis.pad_end : 0);
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < axis.kernel; ++k) {
      const std::int64_t at =
          out * axis.stride + k * axis.dilation - axis.pad_begin;
      if (at >= least && at < end) ++count;
    }
    return count;
  }

  // 1 / elements of each window of a plane.
  std::vector<float> Shares(const Window& window) const {
    std::vector<float> shares;
    const auto& [d, h, w] = window;
    for (std::int64_t od = 0; od < d.out; ++od) {
      for (std::int64_t oh = 0; oh < h.out; ++oh) {
        const std::int64_t outer = Count(d, od) * Count(h, oh);
        for (std::int64_t ow = 0; ow < w.out; ++ow) {
          shares.push_back(1.0f / static_cast<float>(outer * Count(w, ow)));
        }
      }
    }
    return shares;
  }

  bool counts_pads_;
};

template <class Op>
Result<std::unique_ptr<Operator>> MakePool(const OperatorInit& init) {
  ZEROPOINT_ASSIGN_OR_RETURN(auto attributes,
                             WindowAttributes::Read(init.node));
  if (attributes.kernel().empty()) {
    return InvalidModel("kernel_shape is missing");
  }
  return std::unique_ptr<Operator>(
      std::make_unique<Op>(init, std::move(attributes)));
}

/// [N, C, ...] to [N, C, 1, ...]: the mean or the greatest element of each
/// channel.
template <bool kMean>
Status RunGlobal(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<float>(0));
  const auto in_dims = context.input(0).dims();
  if (in_dims.size() < 2) {
    return InvalidData("shape " + FormatDims(in_dims) +
                       " has no channels; expected [N, C, ...]");
  }
  Dims dims = ToDims(in_dims);
  std::fill(dims.begin() + 2, dims.end(), 1);
  const std::size_t image = CountOf(in_dims.subspan(2));
  if (image == 0) return InvalidData("there is nothing to pool");
  ZEROPOINT_ASSIGN_OR_RETURN(float* y, context.Output<float>(0, dims));
  constexpr std::size_t kGrain = 32768;
  context.pool().ParallelRanges(
      CountOf(dims), kGrain / image + 1,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          const float* plane = x.data() + i * image;
          y[i] = kMean ? context.kernels().sum_f32(plane, image) /
                             static_cast<float>(image)
                       : *std::max_element(plane, plane + image);
        }
      });
  return Status();
}

}  // namespace pooling

inline void AddPoolingOperators(OperatorRegistry& registry) {
  using namespace pooling;  // NOLINT(google-build-using-namespace)
  registry.Add("", "AveragePool", {}, MakePool<AveragePool>);
  registry.Add("", "GlobalAveragePool", {}, Stateless<RunGlobal<true>>);
  registry.Add("", "GlobalMaxPool", {}, Stateless<RunGlobal<false>>);
  registry.Add("", "MaxPool", {}, MakePool<MaxPool>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_POOLING_H_

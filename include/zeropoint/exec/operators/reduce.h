// ReduceSum, ReduceMean, ReduceMax and their like: many elements to one.
//
// The reduced axes are brought innermost first (at no cost where they already
// are), so every operator is a function of one contiguous row.
#ifndef ZEROPOINT_EXEC_OPERATORS_REDUCE_H_
#define ZEROPOINT_EXEC_OPERATORS_REDUCE_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/operators/binary_formulas.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/exec/operators/shape.h"

namespace zeropoint {
namespace reduce {

using binary::Integer;
using binary::Number;

/// Sums of reals run in double, sums of integers wrap in their own type.
template <Number T, class F>
auto SumOf(std::span<const T> row, F f) {
  if constexpr (Integer<T>) {
    T sum{0};
    for (const T x : row) sum = binary::Add::Apply(sum, f(x));
    return sum;
  } else {
    double sum = 0.0;
    for (const T x : row) sum += f(static_cast<double>(x));
    return sum;
  }
}

struct Sum {
  template <Number T>
  static T Row(std::span<const T> row, const KernelTable& kernels) {
    if constexpr (std::same_as<T, float>) {
      return kernels.sum_f32(row.data(), row.size());
    } else {
      return static_cast<T>(SumOf(row, [](auto x) { return x; }));
    }
  }
};
struct Mean {
  template <Number T>
  static T Row(std::span<const T> row, const KernelTable& kernels) {
    if constexpr (Integer<T>) {
      if (row.empty()) return T{0};
    }
    return static_cast<T>(Sum::Row(row, kernels) / static_cast<T>(row.size()));
  }
};
struct Max {
  template <class T>
  static T Row(std::span<const T> row, const KernelTable&) {
    T greatest = std::floating_point<T> ? -std::numeric_limits<T>::infinity()
                                        : std::numeric_limits<T>::lowest();
    for (const T x : row) greatest = x > greatest || x != x ? x : greatest;
    return greatest;
  }
};
struct Min {
  template <class T>
  static T Row(std::span<const T> row, const KernelTable&) {
    T least = std::floating_point<T> ? std::numeric_limits<T>::infinity()
                                     : std::numeric_limits<T>::max();
    for (const T x : row) least = x < least || x != x ? x : least;
    return least;
  }
};
struct Prod {
  template <Number T>
  static T Row(std::span<const T> row, const KernelTable&) {
    T product{1};
    for (const T x : row) product = binary::Mul::Apply(product, x);
    return product;
  }
};
struct L1 {
  template <Number T>
  static T Row(std::span<const T> row, const KernelTable&) {
    return static_cast<T>(SumOf(row, [](auto x) {
      return x < 0 ? binary::Sub::Apply(decltype(x){0}, x) : x;
    }));
  }
};
struct SumSquare {
  template <Number T>
  static T Row(std::span<const T> row, const KernelTable&) {
    return static_cast<T>(
        SumOf(row, [](auto x) { return binary::Mul::Apply(x, x); }));
  }
};
struct L2 {
  template <Number T>
  static T Row(std::span<const T> row, const KernelTable&) {
    const auto squares = static_cast<double>(
        SumOf(row, [](auto x) { return binary::Mul::Apply(x, x); }));
    return ConvertElement<T>(std::sqrt(squares));
  }
};
struct LogSum {
  template <Number T>
  static T Row(std::span<const T> row, const KernelTable&) {
    return ConvertElement<T>(
        std::log(static_cast<double>(SumOf(row, [](auto x) { return x; }))));
  }
};
/// Shifted by the greatest element, so that nothing overflows.
struct LogSumExp {
  template <Number T>
  static T Row(std::span<const T> row, const KernelTable& kernels) {
    const auto greatest = static_cast<double>(Max::Row(row, kernels));
    const double shift = std::isfinite(greatest) && !row.empty() ? greatest : 0;
    double sum = 0.0;
    for (const T x : row) sum += std::exp(static_cast<double>(x) - shift);
    return ConvertElement<T>(std::log(sum) + shift);
  }
};

/// y[i] = Function over row i, for rows [begin, end).
using RowsFunction = void (*)(const void* x, std::size_t row_size,
                              std::size_t begin, std::size_t end,
                              const KernelTable& kernels, void* y);

template <class Function, class T>
void ReduceRows(const void* x, std::size_t row_size, std::size_t begin,
                std::size_t end, const KernelTable& kernels, void* y) {
  const T* rows = static_cast<const T*>(x);
  T* out = static_cast<T*>(y);
  for (std::size_t i = begin; i < end; ++i) {
    out[i] = Function::Row(std::span<const T>(rows + i * row_size, row_size),
                           kernels);
  }
}

/// The function for elements of `type`; nullptr where there is none.
template <class Function>
RowsFunction RowsFunctionFor(DataType type) {
  RowsFunction function = nullptr;
  (void)VisitDataType(type, [&function]<class T>() {
    if constexpr (requires(std::span<const T> row, const KernelTable& kernels) {
                    Function::Row(row, kernels);
                  }) {
      function = ReduceRows<Function, T>;
    }
    return Status();
  });
  return function;
}

/// y = Function over the elements along `axes` (all, when none are given).
///
/// Shapes: y has x's axes, the reduced ones of size 1 (keepdims) or gone.
class Reduce final : public Operator {
 public:
  Reduce(const OperatorInit& init, std::int64_t axes_input_since,
         RowsFunction (*function)(DataType))
      : axes_(init, axes_input_since, 1),
        keep_(GetInt(init.node, "keepdims", 1) != 0),
        none_is_none_(GetInt(init.node, "noop_with_empty_axes", 0) != 0),
        function_(function) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    const RowsFunction rows_function = function_(x.type());
    if (rows_function == nullptr) {
      return Unsupported("no rule for elements of type " +
                         std::string(DataTypeName(x.type())));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const auto axes, axes_.Get(context));
    std::vector<bool> reduced(x.rank(), true);
    if (axes && (!axes->empty() || none_is_none_)) {
      ZEROPOINT_ASSIGN_OR_RETURN(reduced, MarkAxes(*axes, x.rank()));
    } else if (none_is_none_) {
      reduced.assign(x.rank(), false);
    }
    Dims dims;
    std::size_t row_size = 1;
    bool innermost = true;  // no kept axis follows a reduced one
    for (std::size_t i = 0; i < x.rank(); ++i) {
      if (reduced[i]) {
        row_size *= static_cast<std::size_t>(x.dims()[i]);
        if (keep_) dims.push_back(1);
      } else {
        dims.push_back(x.dims()[i]);
        if (row_size != 1) innermost = innermost && x.dims()[i] == 1;
      }
    }
    const void* rows = x.data();
    if (!innermost) {
      ZEROPOINT_ASSIGN_OR_RETURN(rows, MoveInnermost(context, reduced));
    }
    const std::size_t count = CountOf(dims);
    ZEROPOINT_ASSIGN_OR_RETURN(void* y,
                               context.Output(0, x.type(), std::move(dims)));
    constexpr std::size_t kGrain = 16384;
    context.pool().ParallelRanges(count, kGrain / (row_size + 1) + 1,
                                  [&](std::size_t begin, std::size_t end) {
                                    rows_function(rows, row_size, begin, end,
                                                  context.kernels(), y);
                                  });
    return Status();
  }

 private:
  // A copy of x with the reduced axes behind the kept ones.
  static Result<const void*> MoveInnermost(OpContext& context,
                                           const std::vector<bool>& reduced) {
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(std::byte* const rows,
                               context.ScratchBytes(x.bytes()));
    const auto strides = RowMajorStrides(x.dims());
    Dims dims;
    std::vector<std::ptrdiff_t> from_strides;
    for (const bool want : {false, true}) {
      for (std::size_t i = 0; i < x.rank(); ++i) {
        if (reduced[i] != want) continue;
        dims.push_back(x.dims()[i]);
        from_strides.push_back(strides[i]);
      }
    }
    data_movement::CopyBox(dims, from_strides, data_movement::Bytes(x),
                           RowMajorStrides(dims), rows, BytesOf(x.type(), 1),
                           context.pool());
    return static_cast<const void*>(rows);
  }

  AxesArgument axes_;
  bool keep_;
  bool none_is_none_;
  RowsFunction (*function_)(DataType);
};

template <class Function, std::int64_t kAxesInputSince>
Result<std::unique_ptr<Operator>> MakeReduce(const OperatorInit& init) {
  return std::unique_ptr<Operator>(std::make_unique<Reduce>(
      init, kAxesInputSince, RowsFunctionFor<Function>));
}

}  // namespace reduce

inline void AddReduceOperators(OperatorRegistry& registry) {
  using namespace reduce;  // NOLINT(google-build-using-namespace)
  registry.Add("", "ReduceL1", {}, MakeReduce<L1, 18>);
  registry.Add("", "ReduceL2", {}, MakeReduce<L2, 18>);
  registry.Add("", "ReduceLogSum", {}, MakeReduce<LogSum, 18>);
  registry.Add("", "ReduceLogSumExp", {}, MakeReduce<LogSumExp, 18>);
  registry.Add("", "ReduceMax", {}, MakeReduce<reduce::Max, 18>);
  registry.Add("", "ReduceMean", {}, MakeReduce<Mean, 18>);
  registry.Add("", "ReduceMin", {}, MakeReduce<reduce::Min, 18>);
  registry.Add("", "ReduceProd", {}, MakeReduce<Prod, 18>);
  registry.Add("", "ReduceSum", {}, MakeReduce<reduce::Sum, 13>);
  registry.Add("", "ReduceSumSquare", {}, MakeReduce<SumSquare, 18>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_REDUCE_H_

// Softmax and LogSoftmax.
#ifndef ZEROPOINT_EXEC_OPERATORS_SOFTMAX_H_
#define ZEROPOINT_EXEC_OPERATORS_SOFTMAX_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace softmax {

/// y = e^x / sum(e^x) of one row, or its logarithm; x and y may be the same.
using RowFunction = void (*)(const void* x, std::size_t count,
                             const KernelTable& kernels, void* y);

template <bool kLogarithm, class T>
void RunRow(const void* x, std::size_t count, const KernelTable& kernels,
            void* y) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(y);
  if constexpr (!kLogarithm && std::same_as<T, float>) {
    kernels.softmax_f32(from, count, to);
    return;
  }
  const T greatest = *std::max_element(from, from + count);
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += std::exp(static_cast<double>(from[i] - greatest));
  }
  const double shift = std::log(sum) + static_cast<double>(greatest);
  for (std::size_t i = 0; i < count; ++i) {
    const double logarithm = static_cast<double>(from[i]) - shift;
    to[i] = static_cast<T>(kLogarithm ? logarithm : std::exp(logarithm));
  }
}

/// Softmax, or LogSoftmax, along `axis`. Before opset 13 the tensor counts as
/// [axes before `axis`, axes from `axis` on].
template <bool kLogarithm>
class Softmax final : public Operator {
 public:
  explicit Softmax(const OperatorInit& init)
      : flattens_(init.opset < 13),
        axis_(GetInt(init.node, "axis", flattens_ ? 1 : -1)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    if (x.type() == DataType::kDouble) {
      return RunRows(context, RunRow<kLogarithm, double>);
    }
    ZEROPOINT_RETURN_IF_ERROR(context.Input<float>(0).status());
    return RunRows(context, RunRow<kLogarithm, float>);
  }

 private:
  Status RunRows(OpContext& context, RowFunction run_row) const {
    const TensorView& x = context.input(0);
    // A scalar is a row of one element.
    const std::int64_t one = 1;
    const auto dims = x.rank() == 0 ? std::span(&one, 1) : x.dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, dims.size()));
    const auto behind = dims.subspan(axis + 1);
    ZEROPOINT_ASSIGN_OR_RETURN(
        void* out, context.OutputOver(0, 0, x.type(), ToDims(x.dims())));
    if (x.size() == 0) return Status();
    auto* y = static_cast<std::byte*>(out);
    const auto* from = static_cast<const std::byte*>(x.data());
    const std::size_t width = BytesOf(x.type(), 1);
    if (flattens_ || CountOf(behind) == 1) {
      RunAll(context, run_row, from, CountOf(dims.subspan(axis)), width, y);
      return Status();
    }
    // [outer, axis, inner] to [outer, inner, axis] and back.
    ZEROPOINT_ASSIGN_OR_RETURN(std::byte * rows,
                               context.ScratchBytes(x.bytes()));
    const Dims box{static_cast<std::int64_t>(CountOf(dims.first(axis))),
                   static_cast<std::int64_t>(CountOf(behind)), dims[axis]};
    const std::vector<std::ptrdiff_t> apart{box[1] * box[2], 1, box[1]};
    const auto together = RowMajorStrides(box);
    data_movement::CopyBox(box, apart, from, together, rows, width,
                           context.pool());
    RunAll(context, run_row, rows, static_cast<std::size_t>(box[2]), width,
           rows);
    data_movement::CopyBox(box, together, rows, apart, y, width,
                           context.pool());
    return Status();
  }

  // Every row of `row` elements.
  static void RunAll(const OpContext& context, RowFunction run_row,
                     const std::byte* x, std::size_t row, std::size_t width,
                     std::byte* y) {
    constexpr std::size_t kGrain = 4096;  // elements worth a task of their own
    context.pool().ParallelRanges(
        context.input(0).size() / row, kGrain / row + 1,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            const std::size_t at = i * row * width;
            run_row(x + at, row, context.kernels(), y + at);
          }
        });
  }

  bool flattens_;
  std::int64_t axis_;
};

}  // namespace softmax

inline void AddSoftmaxOperators(OperatorRegistry& registry) {
  registry.Add("", "LogSoftmax", {}, Construct<softmax::Softmax<true>>);
  registry.Add("", "Softmax", {}, Construct<softmax::Softmax<false>>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_SOFTMAX_H_

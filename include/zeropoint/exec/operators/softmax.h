// Softmax and LogSoftmax.
#ifndef ZEROPOINT_EXEC_OPERATORS_SOFTMAX_H_
#define ZEROPOINT_EXEC_OPERATORS_SOFTMAX_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace softmax {

// Elements that are worth a task of their own.
inline constexpr std::size_t kRowsGrain = 4096;

inline void LogSoftmaxRow(const float* x, std::size_t count, float* y) {
  const float greatest = *std::max_element(x, x + count);
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += std::exp(static_cast<double>(x[i] - greatest));
  }
  const auto shift = static_cast<float>(std::log(sum));
  for (std::size_t i = 0; i < count; ++i) y[i] = x[i] - greatest - shift;
}

/// e^x / sum(e^x), or its logarithm, along `axis`. Before opset 13 the tensor
/// counts as [axes before `axis`, axes from `axis` on].
class Softmax final : public Operator {
 public:
  Softmax(const OperatorInit& init, bool logarithm)
      : logarithm_(logarithm),
        flattens_(init.opset < 13),
        axis_(GetInt(init.node, "axis", flattens_ ? 1 : -1)) {}

  template <bool kLogarithm>
  static Result<std::unique_ptr<Operator>> Make(const OperatorInit& init) {
    return std::unique_ptr<Operator>(
        std::make_unique<Softmax>(init, kLogarithm));
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto x, context.Input<float>(0));
    const auto dims = context.input(0).dims();
    if (x.empty() || dims.empty()) {
      ZEROPOINT_ASSIGN_OR_RETURN(float* y,
                                 context.Output<float>(0, ToDims(dims)));
      std::fill_n(y, x.size(), logarithm_ ? 0.0f : 1.0f);
      return Status();
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, dims.size()));
    const auto behind = dims.subspan(axis + 1);
    if (flattens_ || CountOf(behind) == 1) {
      ZEROPOINT_ASSIGN_OR_RETURN(float* y,
                                 context.OutputOver<float>(0, 0, ToDims(dims)));
      RunRows(context, x.data(), x.size(), CountOf(dims.subspan(axis)), y);
      return Status();
    }
    // [outer, axis, inner] to [outer, inner, axis] and back.
    ZEROPOINT_ASSIGN_OR_RETURN(float* rows, context.Scratch<float>(x.size()));
    const Dims box{static_cast<std::int64_t>(CountOf(dims.first(axis))),
                   static_cast<std::int64_t>(CountOf(behind)), dims[axis]};
    const std::vector<std::ptrdiff_t> apart{box[1] * box[2], 1, box[1]};
    const auto together = RowMajorStrides(box);
    auto* rows_bytes = reinterpret_cast<std::byte*>(rows);
    data_movement::CopyBox(box, apart, data_movement::Bytes(context.input(0)),
                           together, rows_bytes, sizeof(float), context.pool());
    RunRows(context, rows, x.size(), static_cast<std::size_t>(box[2]), rows);
    ZEROPOINT_ASSIGN_OR_RETURN(float* y,
                               context.Output<float>(0, ToDims(dims)));
    data_movement::CopyBox(box, together, rows_bytes, apart,
                           reinterpret_cast<std::byte*>(y), sizeof(float),
                           context.pool());
    return Status();
  }

 private:
  void RunRows(const OpContext& context, const float* x, std::size_t count,
               std::size_t row, float* y) const {
    context.pool().ParallelRanges(
        count / row, kRowsGrain / row + 1,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            if (logarithm_) {
              LogSoftmaxRow(x + i * row, row, y + i * row);
            } else {
              context.kernels().softmax_f32(x + i * row, row, y + i * row);
            }
          }
        });
  }

  bool logarithm_;
  bool flattens_;
  std::int64_t axis_;
};

}  // namespace softmax

inline void AddSoftmaxOperators(OperatorRegistry& registry) {
  registry.Add("", "LogSoftmax", {}, softmax::Softmax::Make<true>);
  registry.Add("", "Softmax", {}, softmax::Softmax::Make<false>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_SOFTMAX_H_

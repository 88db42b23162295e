// Grid: scales and zero points laid over a tensor.
//
// Each scale covers a run of elements that lie together (a whole tensor, a
// channel's image) or one by one (channels last, blocks).
#ifndef ZEROPOINT_EXEC_OPERATORS_QUANTIZE_GRID_H_
#define ZEROPOINT_EXEC_OPERATORS_QUANTIZE_GRID_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/core/qparams.h"
#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operators/reals.h"

namespace zeropoint::quantize {

/// Scales and zero points of a Q or DQ node, laid over x.
struct Grid {
  std::vector<QParams> params;
  // x is [outer, axis, inner]; element (o, a, i) has the params
  // [(o * axis_params + a / block) * inner_params + (i if inner_params > 1)]
  std::size_t outer = 1;
  std::size_t axis = 1;
  std::size_t inner = 1;
  std::size_t block = 1;
  std::size_t axis_params = 1;
  std::size_t inner_params = 1;
  bool blocked = false;

  const QParams& At(std::size_t o, std::size_t a, std::size_t i) const {
    const std::size_t row = (blocked ? o * axis_params : 0) + a / block;
    return params[row * inner_params + (inner_params > 1 ? i : 0)];
  }
};

/// Input `i`, one zero point or none; missing gives zeros.
inline Result<std::vector<std::int32_t>> ZeroPoints(const OpContext& context,
                                                    std::size_t i,
                                                    std::size_t count) {
  std::vector<std::int32_t> zero_points(count, 0);
  if (!context.has_input(i)) return zero_points;
  const TensorView& view = context.input(i);
  if (view.size() != count) {
    return InvalidModel(std::to_string(view.size()) + " zero points for " +
                        std::to_string(count) + " scales");
  }
  if (IsSmall(view.type())) {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto values, ReadReals(context, i));
    std::ranges::transform(values, zero_points.begin(),
                           ConvertElement<std::int32_t, double>);
    return zero_points;
  }
  ZEROPOINT_RETURN_IF_ERROR(
      VisitDataType(view.type(), [&]<class T>() -> Status {
        if constexpr (std::integral<T> && !std::same_as<T, bool> &&
                      (sizeof(T) <= 2 || std::same_as<T, std::int32_t>)) {
          std::ranges::copy(view.As<T>(), zero_points.begin());
          return Status();
        } else {
          return Unsupported("zero points of type " +
                             std::string(DataTypeName(view.type())));
        }
      }));
  return zero_points;
}

/// The grid of inputs 1 (scales) and 2 (zero points) over input 0.
inline Result<Grid> GridOf(const OpContext& context, std::int64_t axis,
                           std::int64_t block_size) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto real_scales, ReadReals(context, 1));
  const std::vector<float> scales(real_scales.begin(), real_scales.end());
  ZEROPOINT_ASSIGN_OR_RETURN(const auto zero_points,
                             ZeroPoints(context, 2, scales.size()));
  const auto dims = context.input(0).dims();
  const auto scale_dims = context.input(1).dims();
  Grid grid;
  for (std::size_t i = 0; i < scales.size(); ++i) {
    grid.params.push_back({scales[i], zero_points[i]});
  }
  if (scales.size() == 1 && scale_dims.size() <= 1) {
    grid.inner = context.input(0).size();
    return grid;
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t at,
                             NormalizeAxis(axis, dims.size()));
  grid.outer = CountOf(dims.first(at));
  grid.axis = static_cast<std::size_t>(dims[at]);
  grid.inner = CountOf(dims.subspan(at + 1));
  grid.axis_params = grid.axis;
  Dims expected{dims[at]};
  if (scale_dims.size() > 1 || block_size > 0) {
    if (block_size < 1) return InvalidModel("block_size is missing");
    grid.blocked = true;
    grid.block = static_cast<std::size_t>(block_size);
    grid.axis_params = (grid.axis + grid.block - 1) / grid.block;
    grid.inner_params = grid.inner;
    expected = ToDims(dims);
    expected[at] = static_cast<std::int64_t>(grid.axis_params);
  }
  if (!std::ranges::equal(scale_dims, expected)) {
    return InvalidModel("scales of shape " + FormatDims(scale_dims) +
                        " do not fit " + FormatDims(dims) + " along axis " +
                        std::to_string(at) + "; expected " +
                        FormatDims(expected));
  }
  return grid;
}

/// Calls run(begin, count, params) for stretches of x that have one scale.
template <class F>
void ForEachRun(const OpContext& context, const Grid& grid, F run) {
  constexpr std::size_t kGrain = 16384;
  if (grid.params.size() == 1) {
    context.pool().ParallelRanges(grid.inner, kGrain,
                                  [&](std::size_t begin, std::size_t end) {
                                    run(begin, end - begin, grid.params[0]);
                                  });
    return;
  }
  const std::size_t run_size = grid.inner_params > 1 ? 1 : grid.inner;
  context.pool().ParallelRanges(
      grid.outer * grid.axis, kGrain / (grid.inner + 1) + 1,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
          for (std::size_t i = 0; i < grid.inner; i += run_size) {
            run(row * grid.inner + i, run_size,
                grid.At(row / grid.axis, row % grid.axis, i));
          }
        }
      });
}

}  // namespace zeropoint::quantize

#endif  // ZEROPOINT_EXEC_OPERATORS_QUANTIZE_GRID_H_

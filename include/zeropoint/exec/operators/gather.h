// Gather, GatherElements: elements chosen by indices that come as data, so each
// one is checked.
#ifndef ZEROPOINT_EXEC_OPERATORS_GATHER_H_
#define ZEROPOINT_EXEC_OPERATORS_GATHER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace gather {

/// Input `i` (int32 or int64) as positions in an axis of `size`; negative ones
/// count from the end.
inline Result<std::vector<std::size_t>> Positions(const OpContext& context,
                                                  std::size_t i,
                                                  std::int64_t size) {
  const TensorView& indices = context.input(i);
  std::vector<std::size_t> positions(indices.size());
  const auto fill = [&](const auto& values) -> Status {
    for (std::size_t k = 0; k < values.size(); ++k) {
      const std::int64_t index = values[k];
      if (index < -size || index >= size) {
        return InvalidData("index " + std::to_string(index) +
                           " is outside an axis of size " +
                           std::to_string(size));
      }
      positions[k] = static_cast<std::size_t>(index < 0 ? index + size : index);
    }
    return Status();
  };
  if (indices.type() == DataType::kInt32) {
    ZEROPOINT_RETURN_IF_ERROR(fill(indices.As<std::int32_t>()));
  } else {
    ZEROPOINT_ASSIGN_OR_RETURN(const auto wide, context.Input<std::int64_t>(i));
    ZEROPOINT_RETURN_IF_ERROR(fill(wide));
  }
  return positions;
}

/// y[outer, k..., inner] = x[outer, indices[k...], inner], the index standing
/// at `axis`.
class Gather final : public Operator {
 public:
  explicit Gather(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 0)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, x.rank()));
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width,
                               data_movement::ElementWidth(x));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto positions,
                               Positions(context, 1, x.dims()[axis]));
    Dims dims = ToDims(x.dims().first(axis));
    const auto indices_dims = context.input(1).dims();
    const auto inner_dims = x.dims().subspan(axis + 1);
    dims.insert(dims.end(), indices_dims.begin(), indices_dims.end());
    dims.insert(dims.end(), inner_dims.begin(), inner_dims.end());
    ZEROPOINT_ASSIGN_OR_RETURN(void* out, context.Output(0, x.type(), dims));
    const std::size_t run = CountOf(inner_dims) * width;
    const std::size_t outer = CountOf(x.dims().first(axis));
    if (run == 0 || outer == 0) return Status();
    const auto size = static_cast<std::size_t>(x.dims()[axis]);
    auto* y = static_cast<std::byte*>(out);
    context.pool().ParallelRanges(
        outer * positions.size(), 65536 / run + 1,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            const std::size_t from =
                i / positions.size() * size + positions[i % positions.size()];
            std::memcpy(y + i * run, data_movement::Bytes(x) + from * run, run);
          }
        });
    return Status();
  }

 private:
  std::int64_t axis_;
};

/// y[i, j, ...] = x[i, indices[i, j, ...], ...], the index standing at `axis`.
class GatherElements final : public Operator {
 public:
  explicit GatherElements(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 0)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    const TensorView& x = context.input(0);
    const auto dims = context.input(1).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, x.rank()));
    bool fits = dims.size() == x.rank();
    for (std::size_t i = 0; fits && i < dims.size(); ++i) {
      fits = i == axis || dims[i] <= x.dims()[i];
    }
    if (!fits) {
      return InvalidData("indices of shape " + FormatDims(dims) +
                         " reach outside " + FormatDims(x.dims()));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width,
                               data_movement::ElementWidth(x));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto positions,
                               Positions(context, 1, x.dims()[axis]));
    ZEROPOINT_ASSIGN_OR_RETURN(void* out,
                               context.Output(0, x.type(), ToDims(dims)));
    auto* y = static_cast<std::byte*>(out);
    const auto strides = RowMajorStrides(x.dims());
    std::vector<std::int64_t> index(dims.size());
    for (std::size_t i = 0; i < positions.size(); ++i) {
      std::ptrdiff_t from = 0;
      for (std::size_t k = 0; k < dims.size(); ++k) {
        from +=
            (k == axis ? static_cast<std::ptrdiff_t>(positions[i]) : index[k]) *
            strides[k];
      }
      std::memcpy(
          y + i * width,
          data_movement::Bytes(x) + from * static_cast<std::ptrdiff_t>(width),
          width);
      for (std::size_t k = dims.size(); k-- > 0;) {
        if (++index[k] < dims[k]) break;
        index[k] = 0;
      }
    }
    return Status();
  }

 private:
  std::int64_t axis_;
};

}  // namespace gather

inline void AddGatherOperators(OperatorRegistry& registry) {
  registry.Add("", "Gather", {}, Construct<gather::Gather>);
  registry.Add("", "GatherElements", {}, Construct<gather::GatherElements>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_GATHER_H_

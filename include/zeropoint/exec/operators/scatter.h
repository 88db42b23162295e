// ScatterElements, ScatterND, GatherND and TensorScatter: elements that move to
// or from places that come as data.
#ifndef ZEROPOINT_EXEC_OPERATORS_SCATTER_H_
#define ZEROPOINT_EXEC_OPERATORS_SCATTER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "zeropoint/exec/operators/combine.h"
#include "zeropoint/exec/operators/gather.h"
#include "zeropoint/exec/operators/reals.h"

namespace zeropoint {
namespace scatter {

using data_movement::Bytes;
using data_movement::ElementWidth;

/// Output 0 as a copy of input 0.
inline Result<std::byte*> CopyInput(OpContext& context) {
  const TensorView& x = context.input(0);
  ZEROPOINT_ASSIGN_OR_RETURN(void* y,
                             context.Output(0, x.type(), ToDims(x.dims())));
  if (x.bytes() > 0) std::memcpy(y, x.data(), x.bytes());
  return static_cast<std::byte*>(y);
}

/// y = x; y[i, indices[i, j, ...], ...] = f(y[...], updates[i, j, ...]), the
/// index standing at `axis`.
class ScatterElements final : public Operator {
 public:
  explicit ScatterElements(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 0)),
        reduction_(GetString(init.node, "reduction", "none")) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(3));
    const TensorView& x = context.input(0);
    const TensorView& updates = context.input(2);
    const auto dims = context.input(1).dims();
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, x.rank()));
    bool fits = dims.size() == x.rank() && updates.type() == x.type() &&
                std::ranges::equal(dims, updates.dims());
    for (std::size_t i = 0; fits && i < dims.size(); ++i) {
      fits = i == axis || dims[i] <= x.dims()[i];
    }
    if (!fits) {
      return InvalidData("indices of shape " + FormatDims(dims) +
                         " and updates of shape " + FormatDims(updates.dims()) +
                         " do not fit data of shape " + FormatDims(x.dims()));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
    ZEROPOINT_ASSIGN_OR_RETURN(const Combine combine,
                               FindCombine(reduction_, x.type()));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto positions,
                               gather::Positions(context, 1, x.dims()[axis]));
    ZEROPOINT_ASSIGN_OR_RETURN(std::byte * y, CopyInput(context));
    const auto strides = RowMajorStrides(x.dims());
    std::vector<std::int64_t> index(dims.size());
    for (std::size_t i = 0; i < positions.size(); ++i) {
      std::ptrdiff_t to = 0;
      for (std::size_t k = 0; k < dims.size(); ++k) {
        to +=
            strides[k] *
            (k == axis ? static_cast<std::ptrdiff_t>(positions[i]) : index[k]);
      }
      combine(Bytes(updates) + i * width,
              y + to * static_cast<std::ptrdiff_t>(width));
      NextIndex(dims, index);
    }
    return Status();
  }

 private:
  std::int64_t axis_;
  std::string reduction_;
};

/// Row i of `indices` ([..., k]) as a place in the first k axes of a tensor of
/// shape `dims`, in elements, for every i. Errors: an index outside.
inline Result<std::vector<std::ptrdiff_t>> Places(
    const OpContext& context, std::size_t input,
    std::span<const std::int64_t> dims, std::size_t first_axis,
    std::size_t depth) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto indices, ReadIntegers(context, input));
  const auto strides = RowMajorStrides(dims);
  std::vector<std::ptrdiff_t> places(CountOf(
      context.input(input).dims().first(context.input(input).rank() - 1)));
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (std::size_t k = 0; k < depth; ++k) {
      std::int64_t index = indices[i * depth + k];
      const std::int64_t size = dims[first_axis + k];
      if (index < -size || index >= size) {
        return InvalidData("index " + std::to_string(index) +
                           " is outside an axis of size " +
                           std::to_string(size));
      }
      if (index < 0) index += size;
      places[i] += index * strides[first_axis + k];
    }
  }
  return places;
}

/// y = x; y[indices[i...]] = f(y[...], updates[i...]), where the last axis of
/// indices names a place in the first axes of x.
class ScatterNd final : public Operator {
 public:
  explicit ScatterNd(const OperatorInit& init)
      : reduction_(GetString(init.node, "reduction", "none")) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(3));
    const TensorView& x = context.input(0);
    const auto index_dims = context.input(1).dims();
    const TensorView& updates = context.input(2);
    if (index_dims.empty() || index_dims.back() > std::ssize(x.dims())) {
      return InvalidData("indices of shape " + FormatDims(index_dims) +
                         " name no places in " + FormatDims(x.dims()));
    }
    const auto depth = static_cast<std::size_t>(index_dims.back());
    Dims expected = ToDims(index_dims.first(index_dims.size() - 1));
    const auto inner = x.dims().subspan(depth);
    expected.insert(expected.end(), inner.begin(), inner.end());
    if (!std::ranges::equal(expected, updates.dims()) ||
        updates.type() != x.type()) {
      return InvalidData("updates of shape " + FormatDims(updates.dims()) +
                         "; expected " + FormatDims(expected));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
    ZEROPOINT_ASSIGN_OR_RETURN(const Combine combine,
                               FindCombine(reduction_, x.type()));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto places,
                               Places(context, 1, x.dims(), 0, depth));
    ZEROPOINT_ASSIGN_OR_RETURN(std::byte * y, CopyInput(context));
    const std::size_t run = CountOf(inner);
    for (std::size_t i = 0; i < places.size(); ++i) {
      for (std::size_t k = 0; k < run; ++k) {
        combine(Bytes(updates) + (i * run + k) * width,
                y + (static_cast<std::size_t>(places[i]) + k) * width);
      }
    }
    return Status();
  }

 private:
  std::string reduction_;
};

/// y[b..., i...] = x[b..., indices[b..., i...]], where the last axis of indices
/// names a place in the axes of x behind the `batch_dims` first ones.
class GatherNd final : public Operator {
 public:
  explicit GatherNd(const OperatorInit& init)
      : batch_dims_(GetInt(init.node, "batch_dims", 0)) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    const TensorView& x = context.input(0);
    const auto index_dims = context.input(1).dims();
    const auto rank = std::ssize(x.dims());
    if (batch_dims_ < 0 || index_dims.empty() || batch_dims_ >= rank ||
        batch_dims_ >= std::ssize(index_dims) ||
        index_dims.back() > rank - batch_dims_) {
      return InvalidData("indices of shape " + FormatDims(index_dims) +
                         " name no places in " + FormatDims(x.dims()));
    }
    const auto batch_rank = static_cast<std::size_t>(batch_dims_);
    const auto depth = static_cast<std::size_t>(index_dims.back());
    if (!std::ranges::equal(x.dims().first(batch_rank),
                            index_dims.first(batch_rank))) {
      return InvalidData("data and indices have different batches");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto places,
                               Places(context, 1, x.dims(), batch_rank, depth));
    Dims dims = ToDims(index_dims.first(index_dims.size() - 1));
    const auto inner = x.dims().subspan(batch_rank + depth);
    dims.insert(dims.end(), inner.begin(), inner.end());
    ZEROPOINT_ASSIGN_OR_RETURN(void* out, context.Output(0, x.type(), dims));
    auto* y = static_cast<std::byte*>(out);
    const std::size_t run = CountOf(inner) * width;
    const std::size_t batches = CountOf(x.dims().first(batch_rank));
    const std::size_t batch = CountOf(x.dims().subspan(batch_rank));
    if (run == 0) return Status();
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::size_t which = i / (places.size() / batches);
      std::memcpy(
          y + i * run,
          Bytes(x) +
              (which * batch + static_cast<std::size_t>(places[i])) * width,
          run);
    }
    return Status();
  }

 private:
  std::int64_t batch_dims_;
};

/// y = past; y[b, ..., write[b] + t, ...] = update[b, ..., t, ...] at `axis`:
/// one step of a cache of keys and values. "circular": positions wrap.
class TensorScatter final : public Operator {
 public:
  explicit TensorScatter(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", -2)),
        wraps_(GetString(init.node, "mode", "linear") == "circular") {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(2));
    const TensorView& x = context.input(0);
    const TensorView& update = context.input(1);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, x.rank()));
    Dims expected = ToDims(x.dims());
    if (update.rank() == x.rank()) expected[axis] = update.dims()[axis];
    if (axis == 0 || !std::ranges::equal(expected, update.dims()) ||
        update.type() != x.type()) {
      return InvalidData("an update of shape " + FormatDims(update.dims()) +
                         " does not fit " + FormatDims(x.dims()));
    }
    std::vector<std::int64_t> starts(static_cast<std::size_t>(x.dims()[0]));
    if (context.has_input(2)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto given, ReadIntegers(context, 2));
      if (given.size() != starts.size()) {
        return InvalidData("write_indices needs one index a batch");
      }
      starts = given;
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
    ZEROPOINT_ASSIGN_OR_RETURN(std::byte * y, CopyInput(context));
    const AroundAxis to(x.dims(), axis);
    const AroundAxis from(update.dims(), axis);
    const auto size = static_cast<std::int64_t>(to.size);
    const std::size_t run = to.inner * width;
    for (std::size_t outer = 0; outer < from.outer; ++outer) {
      const std::int64_t start = starts[outer / (from.outer / starts.size())];
      for (std::size_t t = 0; t < from.size; ++t) {
        std::int64_t at = start;
        if (start < 0 || start >= size ||
            (!wraps_ && start + static_cast<std::int64_t>(t) >= size)) {
          return InvalidData("position " + std::to_string(start) + " + " +
                             std::to_string(t) + " is outside an axis of " +
                             std::to_string(size));
        }
        at = (start + static_cast<std::int64_t>(t)) % size;
        if (run == 0) continue;
        std::memcpy(y + (outer * to.size + static_cast<std::size_t>(at)) * run,
                    Bytes(update) + (outer * from.size + t) * run, run);
      }
    }
    return Status();
  }

 private:
  std::int64_t axis_;
  bool wraps_;
};

}  // namespace scatter

inline void AddScatterOperators(OperatorRegistry& registry) {
  using namespace scatter;  // NOLINT(google-build-using-namespace)
  registry.Add("", "GatherND", {}, Construct<GatherNd>);
  registry.Add("", "Scatter", {}, Construct<ScatterElements>);
  registry.Add("", "ScatterElements", {}, Construct<ScatterElements>);
  registry.Add("", "ScatterND", {}, Construct<ScatterNd>);
  registry.Add("", "TensorScatter", {}, Construct<TensorScatter>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_SCATTER_H_

// Operators that move elements without looking at them: Concat, Split,
// Transpose, Expand, Tile. Each describes its box to CopyBox; the element's
// type matters only by its width.
#ifndef ZEROPOINT_EXEC_OPERATORS_DATA_MOVEMENT_H_
#define ZEROPOINT_EXEC_OPERATORS_DATA_MOVEMENT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_factory.h"
#include "zeropoint/exec/operators/copy_box.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {
namespace data_movement {

/// The inputs one after another along `axis`.
class Concat final : public Operator {
 public:
  explicit Concat(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 1)) {}

  Status Run(OpContext& context) override {
    const std::size_t inputs = std::max<std::size_t>(1, context.input_count());
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(inputs));
    const TensorView& first = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, first.rank()));
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(first));
    Dims dims = ToDims(first.dims());
    for (std::size_t i = 1; i < inputs; ++i) {
      const TensorView& x = context.input(i);
      Dims expected = dims;
      if (x.rank() == dims.size()) expected[axis] = x.dims()[axis];
      if (!std::ranges::equal(x.dims(), expected) || x.type() != first.type() ||
          __builtin_add_overflow(dims[axis], expected[axis], &dims[axis])) {
        return InvalidData("input " + std::to_string(i) + " of shape " +
                           FormatDims(x.dims()) + " does not continue " +
                           FormatDims(dims) + " along axis " +
                           std::to_string(axis));
      }
    }
    ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(0, first.type(), dims));
    const auto to_strides = RowMajorStrides(dims);
    auto* to = static_cast<std::byte*>(y);
    for (std::size_t i = 0; i < inputs; ++i) {
      const TensorView& x = context.input(i);
      CopyBox(x.dims(), RowMajorStrides(x.dims()), Bytes(x), to_strides, to,
              width, context.pool());
      to += x.dims()[axis] * to_strides[axis] *
            static_cast<std::ptrdiff_t>(width);
    }
    return Status();
  }

 private:
  std::int64_t axis_;
};

/// Input 0 cut along `axis` into pieces of the sizes in `split` (attribute
/// before opset 13, input 1 from then on), or into equal ones, the last of
/// which may be shorter.
class Split final : public Operator {
 public:
  explicit Split(const OperatorInit& init)
      : axis_(GetInt(init.node, "axis", 0)), by_input_(init.opset >= 13) {
    if (!by_input_) sizes_ = GetInts(init.node, "split");
  }

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                               NormalizeAxis(axis_, x.rank()));
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto sizes,
                               Sizes(context, x.dims()[axis]));
    const auto from_strides = RowMajorStrides(x.dims());
    const std::byte* from = Bytes(x);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      Dims dims = ToDims(x.dims());
      dims[axis] = sizes[i];
      ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(i, x.type(), dims));
      CopyBox(dims, from_strides, from, RowMajorStrides(dims),
              static_cast<std::byte*>(y), width, context.pool());
      from +=
          sizes[i] * from_strides[axis] * static_cast<std::ptrdiff_t>(width);
    }
    return Status();
  }

 private:
  Result<std::vector<std::int64_t>> Sizes(const OpContext& context,
                                          std::int64_t whole) const {
    std::vector<std::int64_t> sizes = sizes_;
    if (by_input_ && context.has_input(1)) {
      ZEROPOINT_ASSIGN_OR_RETURN(const auto given,
                                 context.Input<std::int64_t>(1));
      sizes.assign(given.begin(), given.end());
    }
    const auto pieces = static_cast<std::int64_t>(context.output_count());
    if (sizes.empty()) {
      const std::int64_t size = (whole + pieces - 1) / pieces;
      for (std::int64_t at = 0; std::ssize(sizes) < pieces; at += size) {
        sizes.push_back(std::clamp<std::int64_t>(whole - at, 0, size));
      }
    }
    std::int64_t sum = 0;
    for (const std::int64_t size : sizes) {
      if (size < 0 || size > whole - sum) sum = whole + 1;
      if (sum > whole) break;
      sum += size;
    }
    if (sum != whole || std::ssize(sizes) != pieces) {
      return InvalidData("an axis of size " + std::to_string(whole) +
                         " is not split into " + std::to_string(pieces) +
                         " pieces by " + FormatDims(sizes));
    }
    return sizes;
  }

  std::int64_t axis_;
  bool by_input_;
  std::vector<std::int64_t> sizes_;
};

/// Axis i of y is axis perm[i] of x; without perm, the axes reversed.
class Transpose final : public Operator {
 public:
  explicit Transpose(const OperatorInit& init)
      : permutation_(GetInts(init.node, "perm")) {}

  Status Run(OpContext& context) override {
    ZEROPOINT_RETURN_IF_ERROR(context.RequireInputs(1));
    const TensorView& x = context.input(0);
    std::vector<std::int64_t> permutation = permutation_;
    if (permutation.empty()) {
      permutation.resize(x.rank());
      std::iota(permutation.rbegin(), permutation.rend(), 0);
    }
    ZEROPOINT_RETURN_IF_ERROR(MarkAxes(permutation, x.rank()).status());
    if (permutation.size() != x.rank()) {
      return InvalidModel("perm " + FormatDims(permutation) +
                          " is not an order of the axes of " +
                          FormatDims(x.dims()));
    }
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
    const auto strides = RowMajorStrides(x.dims());
    Dims dims(x.rank());
    std::vector<std::ptrdiff_t> from_strides(x.rank());
    bool in_order = true;  // moving axes of size 1 moves no element
    std::size_t last = 0;
    for (std::size_t i = 0; i < x.rank(); ++i) {
      ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t axis,
                                 NormalizeAxis(permutation[i], x.rank()));
      dims[i] = x.dims()[axis];
      from_strides[i] = strides[axis];
      if (dims[i] != 1) {
        in_order = in_order && axis >= last;
        last = axis;
      }
    }
    if (in_order) return context.Forward(0, 0, std::move(dims));
    ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(0, x.type(), dims));
    CopyBox(dims, from_strides, Bytes(x), RowMajorStrides(dims),
            static_cast<std::byte*>(y), width, context.pool());
    return Status();
  }

 private:
  std::vector<std::int64_t> permutation_;
};

/// Input 0 broadcast with the shape that input 1 holds.
inline Status RunExpand(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto shape, context.Input<std::int64_t>(1));
  const TensorView& x = context.input(0);
  ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
  if (!ElementCount(shape)) {
    return InvalidData("shape " + FormatDims(shape) + " is not possible");
  }
  ZEROPOINT_ASSIGN_OR_RETURN(Dims dims, BroadcastDims(x.dims(), shape));
  if (std::ranges::equal(dims, x.dims())) {
    return context.Forward(0, 0, std::move(dims));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(0, x.type(), dims));
  CopyBox(dims, BroadcastStrides(x.dims(), dims), Bytes(x),
          RowMajorStrides(dims), static_cast<std::byte*>(y), width,
          context.pool());
  return Status();
}

/// Input 0 repeated repeats[i] times along axis i.
inline Status RunTile(OpContext& context) {
  ZEROPOINT_ASSIGN_OR_RETURN(const auto repeats,
                             context.Input<std::int64_t>(1));
  const TensorView& x = context.input(0);
  ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width, ElementWidth(x));
  if (repeats.size() != x.rank()) {
    return InvalidData("repeats " + FormatDims(repeats) +
                       " needs one entry an axis of " + FormatDims(x.dims()));
  }
  // Each axis becomes two: which copy, and where in it.
  Dims dims(x.rank());
  Dims box;
  std::vector<std::ptrdiff_t> from_strides;
  const auto strides = RowMajorStrides(x.dims());
  for (std::size_t i = 0; i < x.rank(); ++i) {
    if (__builtin_mul_overflow(x.dims()[i], repeats[i], &dims[i])) {
      return InvalidData("repeats " + FormatDims(repeats) + " are too many");
    }
    box.insert(box.end(), {repeats[i], x.dims()[i]});
    from_strides.insert(from_strides.end(), {0, strides[i]});
  }
  ZEROPOINT_ASSIGN_OR_RETURN(void* y, context.Output(0, x.type(), dims));
  CopyBox(box, from_strides, Bytes(x), RowMajorStrides(box),
          static_cast<std::byte*>(y), width, context.pool());
  return Status();
}

}  // namespace data_movement

inline void AddDataMovementOperators(OperatorRegistry& registry) {
  registry.Add("", "Concat", {.first = 4}, Construct<data_movement::Concat>);
  registry.Add("", "Expand", {}, Stateless<data_movement::RunExpand>);
  registry.Add("", "Split", {.first = 2}, Construct<data_movement::Split>);
  registry.Add("", "Tile", {.first = 6}, Stateless<data_movement::RunTile>);
  registry.Add("", "Transpose", {}, Construct<data_movement::Transpose>);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_DATA_MOVEMENT_H_

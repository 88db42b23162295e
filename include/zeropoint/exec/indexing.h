// Axes, strides and broadcasting: the arithmetic of shapes.
//
// Shapes come from models and data that nobody has checked, so everything that
// can be wrong is an error here; TensorView and OpContext::Output keep element
// counts from overflowing.
#ifndef ZEROPOINT_EXEC_INDEXING_H_
#define ZEROPOINT_EXEC_INDEXING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// `dims` as an own list.
inline Dims ToDims(std::span<const std::int64_t> dims) {
  return Dims(dims.begin(), dims.end());
}

/// Elements of a part of a valid shape.
inline std::size_t CountOf(std::span<const std::int64_t> dims) {
  std::size_t count = 1;
  for (const std::int64_t dim : dims) count *= static_cast<std::size_t>(dim);
  return count;
}

/// Maps an axis in [-rank, rank) to [0, rank).
inline Result<std::size_t> NormalizeAxis(std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    return InvalidModel("axis " + std::to_string(axis) +
                        " is outside a tensor of rank " + std::to_string(rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

/// Which axes of a tensor of `rank` are named; each may be named once.
inline Result<std::vector<bool>> MarkAxes(std::span<const std::int64_t> axes,
                                          std::size_t rank) {
  std::vector<bool> marked(rank, false);
  for (const std::int64_t axis : axes) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t index,
                               NormalizeAxis(axis, rank));
    if (marked[index]) {
      return InvalidModel("axis " + std::to_string(axis) + " is named twice");
    }
    marked[index] = true;
  }
  return marked;
}

/// Elements from one index to the next along each axis of a row-major tensor.
inline std::vector<std::ptrdiff_t> RowMajorStrides(
    std::span<const std::int64_t> dims) {
  std::vector<std::ptrdiff_t> strides(dims.size());
  std::ptrdiff_t stride = 1;
  for (std::size_t axis = dims.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= static_cast<std::ptrdiff_t>(dims[axis]);
  }
  return strides;
}

/// The shape that `a` and `b` broadcast to: aligned at the last axis, an axis
/// of size 1 or none stretches.
inline Result<Dims> BroadcastDims(std::span<const std::int64_t> a,
                                  std::span<const std::int64_t> b) {
  const auto larger = a.size() >= b.size() ? a : b;
  const auto smaller = a.size() >= b.size() ? b : a;
  Dims dims = ToDims(larger);
  const std::size_t offset = larger.size() - smaller.size();
  for (std::size_t i = 0; i < smaller.size(); ++i) {
    std::int64_t& dim = dims[offset + i];
    if (dim == smaller[i] || smaller[i] == 1) continue;
    if (dim != 1) {
      return InvalidData("shapes " + FormatDims(a) + " and " + FormatDims(b) +
                         " do not broadcast");
    }
    dim = smaller[i];
  }
  return dims;
}

/// Strides that make a tensor of shape `dims` look like `broadcast`, to which
/// it broadcasts: 0 along axes that stretch.
inline std::vector<std::ptrdiff_t> BroadcastStrides(
    std::span<const std::int64_t> dims,
    std::span<const std::int64_t> broadcast) {
  const auto own = RowMajorStrides(dims);
  std::vector<std::ptrdiff_t> strides(broadcast.size(), 0);
  const std::size_t offset = broadcast.size() - dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1) strides[offset + i] = own[i];
  }
  return strides;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_INDEXING_H_

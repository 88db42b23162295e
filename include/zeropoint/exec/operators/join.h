// JoinValues: tensors one after another, as loops and sequences make one of
// many.
#ifndef ZEROPOINT_EXEC_OPERATORS_JOIN_H_
#define ZEROPOINT_EXEC_OPERATORS_JOIN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator.h"
#include "zeropoint/exec/operators/copy_box.h"

namespace zeropoint {

/// A tensor of the run, its content undefined. Errors: as OpContext::Output's.
inline Result<RunValue> NewTensor(const ExecResources& resources, DataType type,
                                  Dims dims) {
  const auto count = ElementCount(dims);
  if (!count) {
    return InvalidData("shape " + FormatDims(dims) + " is not possible");
  }
  RunValue value;
  value.type = type;
  const std::size_t bytes = BytesOf(type, *count);
  if (bytes <= resources.most_bytes) {
    value.buffer = resources.arena.Allocate(bytes);
  }
  if (value.buffer.data() == nullptr) {
    return Unsupported("no memory for a tensor of shape " + FormatDims(dims));
  }
  value.data = value.buffer.data();
  value.dims = std::move(dims);
  return value;
}

/// A tensor of rank 0.
template <class T>
Result<RunValue> NewScalar(const ExecResources& resources, T x) {
  ZEROPOINT_ASSIGN_OR_RETURN(RunValue value,
                             NewTensor(resources, DataTypeOf<T>(), {}));
  std::memcpy(value.buffer.data(), &x, sizeof(T));
  return value;
}

/// The part [begin, begin + count) of a tensor along `axis`, copied.
/// Requires that it lies within. Errors: memory; elements without an address.
inline Result<RunValue> CopyPart(const ExecResources& resources,
                                 const RunValue& value, std::size_t axis,
                                 std::int64_t begin, std::int64_t count,
                                 bool keep_axis) {
  const TensorView x = value.view();
  ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width,
                             data_movement::ElementWidth(x));
  const auto strides = RowMajorStrides(x.dims());
  Dims dims = ToDims(x.dims());
  dims[axis] = count;
  ZEROPOINT_ASSIGN_OR_RETURN(RunValue part,
                             NewTensor(resources, x.type(), dims));
  data_movement::CopyBox(
      dims, strides,
      data_movement::Bytes(x) +
          begin * strides[axis] * static_cast<std::ptrdiff_t>(width),
      RowMajorStrides(dims), part.buffer.data(), width, resources.pool);
  if (!keep_axis) {
    part.dims.erase(part.dims.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return part;
}

/// The tensors of `values` along `axis`, which is a new one if `new_axis`.
/// Errors: none at all, or shapes and types that do not fit each other.
inline Result<RunValue> JoinValues(const ExecResources& resources,
                                   std::span<const RunValue> values,
                                   std::int64_t signed_axis, bool new_axis) {
  if (values.empty() || !values[0].is_tensor()) {
    return InvalidData("there are no tensors to join");
  }
  const RunValue& first = values[0];
  ZEROPOINT_ASSIGN_OR_RETURN(
      const std::size_t axis,
      NormalizeAxis(signed_axis, first.dims.size() + (new_axis ? 1 : 0)));
  const auto shape_of = [&](const RunValue& value) {
    Dims dims = value.dims;
    if (new_axis && axis <= dims.size()) {
      dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), 1);
    }
    return dims;
  };
  Dims dims = shape_of(first);
  dims[axis] = 0;
  for (const RunValue& value : values) {
    Dims part = shape_of(value);
    Dims expected = dims;
    if (part.size() == dims.size()) expected[axis] = part[axis];
    if (part != expected || value.type != first.type ||
        __builtin_add_overflow(dims[axis], part[axis], &dims[axis])) {
      return InvalidData("tensors of shapes " + FormatDims(first.dims) +
                         " and " + FormatDims(value.dims) +
                         " cannot be joined along axis " +
                         std::to_string(axis));
    }
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const std::size_t width,
                             data_movement::ElementWidth(first.view()));
  ZEROPOINT_ASSIGN_OR_RETURN(RunValue joined,
                             NewTensor(resources, first.type, dims));
  const auto to_strides = RowMajorStrides(dims);
  std::byte* to = joined.buffer.data();
  for (const RunValue& value : values) {
    const Dims part = shape_of(value);
    data_movement::CopyBox(part, RowMajorStrides(part),
                           static_cast<const std::byte*>(value.data),
                           to_strides, to, width, resources.pool);
    to += part[axis] * to_strides[axis] * static_cast<std::ptrdiff_t>(width);
  }
  return joined;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_JOIN_H_

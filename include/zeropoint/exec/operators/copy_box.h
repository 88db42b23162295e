// CopyBox: moving elements by their width, whatever their type.
#ifndef ZEROPOINT_EXEC_OPERATORS_COPY_BOX_H_
#define ZEROPOINT_EXEC_OPERATORS_COPY_BOX_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_view.h"
#include "zeropoint/exec/strided_copy.h"

namespace zeropoint::data_movement {

/// Bytes of an element. Errors: types whose elements have no address.
inline Result<std::size_t> ElementWidth(const TensorView& x) {
  const int bits = BitsOf(x.type());
  if (bits == 0 || bits % 8 != 0) {
    return Unsupported("elements of type " +
                       std::string(DataTypeName(x.type())) +
                       " cannot be moved one by one");
  }
  return static_cast<std::size_t>(bits / 8);
}

inline const std::byte* Bytes(const TensorView& x) {
  return static_cast<const std::byte*>(x.data());
}

/// Copies a box of shape `dims` between tensors with the given strides.
inline void CopyBox(std::span<const std::int64_t> dims,
                    std::span<const std::ptrdiff_t> from_strides,
                    const std::byte* from,
                    std::span<const std::ptrdiff_t> to_strides, std::byte* to,
                    std::size_t width, ThreadPool& pool) {
  std::vector<CopyAxis> axes(dims.size());
  for (std::size_t i = 0; i < dims.size(); ++i) {
    axes[i] = {static_cast<std::size_t>(dims[i]), from_strides[i],
               to_strides[i]};
  }
  StridedCopy(axes, from, to, width, pool);
}

}  // namespace zeropoint::data_movement

#endif  // ZEROPOINT_EXEC_OPERATORS_COPY_BOX_H_

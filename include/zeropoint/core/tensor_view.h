// TensorView: somebody else's tensor; Dims: its shape.
#ifndef ZEROPOINT_CORE_TENSOR_VIEW_H_
#define ZEROPOINT_CORE_TENSOR_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "zeropoint/core/assert.h"
#include "zeropoint/core/data_type.h"

namespace zeropoint {

/// A shape, outermost axis first. A scalar has no axes.
using Dims = std::vector<std::int64_t>;

/// Number of elements; nothing when an axis is negative or the product is so
/// large that the tensor's bytes would overflow, whatever its type. An axis of
/// 0 excuses none of the others.
constexpr std::optional<std::size_t> ElementCount(
    std::span<const std::int64_t> dims) {
  std::size_t count = 1;
  bool empty = false;
  for (const std::int64_t dim : dims) {
    if (dim < 0) return std::nullopt;
    if (dim == 0) {
      empty = true;
      continue;
    }
    const auto size = static_cast<std::size_t>(dim);
    // BytesOf multiplies by up to 128 bits and rounds up.
    if (count > std::numeric_limits<std::size_t>::max() / 256 / size) {
      return std::nullopt;
    }
    count *= size;
  }
  return empty ? 0 : count;
}

/// "[1, 3, 224, 224]"
inline std::string FormatDims(std::span<const std::int64_t> dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(dims[i]);
  }
  return text + "]";
}

/// A dense, row-major tensor owned elsewhere. The view is valid as long as its
/// owner is.
class TensorView {
 public:
  constexpr TensorView() = default;
  constexpr TensorView(DataType type, std::span<const std::int64_t> dims,
                       const void* data)
      : type_(type), dims_(dims), data_(data) {
    const auto count = ElementCount(dims);
    ZEROPOINT_ASSERT(count.has_value(), "a TensorView needs a valid shape");
    size_ = count.value_or(0);
  }

  constexpr DataType type() const { return type_; }
  constexpr std::span<const std::int64_t> dims() const { return dims_; }
  constexpr std::size_t rank() const { return dims_.size(); }
  constexpr std::size_t size() const { return size_; }  // elements
  constexpr std::size_t bytes() const { return BytesOf(type_, size_); }
  constexpr const void* data() const { return data_; }

  /// The elements. Requires type() == DataTypeOf<T>().
  template <class T>
  std::span<const T> As() const {
    ZEROPOINT_ASSERT(type_ == DataTypeOf<T>(),
                     "TensorView::As<T> needs the tensor's own type");
    return {static_cast<const T*>(data_), size_};
  }

 private:
  DataType type_ = DataType::kUndefined;
  std::span<const std::int64_t> dims_;
  const void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_TENSOR_VIEW_H_

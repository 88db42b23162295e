// Tensor: an owned, dense, row-major tensor.
#ifndef ZEROPOINT_CORE_TENSOR_H_
#define ZEROPOINT_CORE_TENSOR_H_

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

/// Owns its elements, aligned to a cache line. Moves; copies only by Clone(),
/// so that no copy of weights happens unseen. Default-constructed or moved
/// from, it is no tensor: type kUndefined, no elements, data() null.
class Tensor {
 public:
  static constexpr std::size_t kAlignment = 64;

  Tensor() = default;
  Tensor(Tensor&& other) noexcept
      : type_(std::exchange(other.type_, DataType::kUndefined)),
        dims_(std::exchange(other.dims_, {})),
        size_(std::exchange(other.size_, 0)),
        data_(std::move(other.data_)) {}
  Tensor& operator=(Tensor&& other) noexcept {
    type_ = std::exchange(other.type_, DataType::kUndefined);
    dims_ = std::exchange(other.dims_, {});
    size_ = std::exchange(other.size_, 0);
    data_ = std::move(other.data_);
    return *this;
  }
  ~Tensor() = default;

  /// Elements start as zero bytes. Requires a valid shape (ElementCount) and a
  /// type of fixed size.
  Tensor(DataType type, Dims dims) : type_(type), dims_(std::move(dims)) {
    const auto count = ElementCount(dims_);
    ZEROPOINT_ASSERT(count.has_value() && BitsOf(type) > 0,
                     "a Tensor needs a valid shape and a type of fixed size");
    size_ = count.value_or(0);
    const std::size_t bytes = BytesOf(type_, size_);
    data_.reset(static_cast<std::byte*>(
        ::operator new(bytes == 0 ? 1 : bytes, std::align_val_t{kAlignment})));
    std::memset(data_.get(), 0, bytes);
  }

  /// A copy of `view`; of a default one, no tensor either.
  static Tensor CopyOf(const TensorView& view) {
    if (view.type() == DataType::kUndefined) return Tensor();
    Tensor copy(view.type(), Dims(view.dims().begin(), view.dims().end()));
    if (view.bytes() > 0) {
      std::memcpy(copy.data_.get(), view.data(), view.bytes());
    }
    return copy;
  }

  /// A tensor of `values` with shape `dims`. Requires as many values as the
  /// shape has elements.
  template <class T>
  static Tensor Of(Dims dims, std::span<const T> values) {
    Tensor tensor(DataTypeOf<T>(), std::move(dims));
    ZEROPOINT_ASSERT(values.size() == tensor.size_,
                     "Tensor::Of needs one value an element");
    if (!values.empty()) {
      std::memcpy(tensor.data_.get(), values.data(), values.size_bytes());
    }
    return tensor;
  }

  Tensor Clone() const { return CopyOf(view()); }

  DataType type() const { return type_; }
  const Dims& dims() const { return dims_; }
  std::size_t rank() const { return dims_.size(); }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return BytesOf(type_, size_); }
  const void* data() const { return data_.get(); }
  void* mutable_data() { return data_.get(); }

  TensorView view() const {
    if (type_ == DataType::kUndefined) return TensorView();
    return TensorView(type_, dims_, data_.get());
  }

  template <class T>
  std::span<const T> As() const {
    return view().As<T>();
  }
  template <class T>
  std::span<T> MutableAs() {
    ZEROPOINT_ASSERT(type_ == DataTypeOf<T>(),
                     "Tensor::MutableAs<T> needs the tensor's own type");
    return {static_cast<T*>(mutable_data()), size_};
  }

 private:
  struct Free {
    void operator()(std::byte* data) const {
      ::operator delete(data, std::align_val_t{kAlignment});
    }
  };
  DataType type_ = DataType::kUndefined;
  Dims dims_;
  std::size_t size_ = 0;
  std::unique_ptr<std::byte, Free> data_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_TENSOR_H_

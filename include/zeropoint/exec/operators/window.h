// WindowAttributes: the geometry that convolutions and pools share.
#ifndef ZEROPOINT_EXEC_OPERATORS_WINDOW_H_
#define ZEROPOINT_EXEC_OPERATORS_WINDOW_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/operator_registry.h"
#include "zeropoint/graph/attributes.h"

namespace zeropoint {

/// One spatial axis of a sliding window.
struct WindowAxis {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_begin = 0;
  std::int64_t pad_end = 0;

  /// From a window's first element to its last.
  std::int64_t extent() const { return dilation * (kernel - 1) + 1; }
};

/// kernel_shape, strides, dilations, pads and auto_pad of a node.
class WindowAttributes {
 public:
  /// Errors: values that no window has. Every value is below 2^31 afterwards,
  /// so sums and products of two cannot overflow.
  static Result<WindowAttributes> Read(const onnx::NodeProto& node) {
    WindowAttributes window;
    window.kernel_ = GetInts(node, "kernel_shape");
    window.strides_ = GetInts(node, "strides");
    window.dilations_ = GetInts(node, "dilations");
    window.pads_ = GetInts(node, "pads");
    window.auto_pad_ = GetString(node, "auto_pad", "NOTSET");
    if (window.auto_pad_.empty()) window.auto_pad_ = "NOTSET";
    for (const auto* positive :
         {&window.kernel_, &window.strides_, &window.dilations_}) {
      ZEROPOINT_RETURN_IF_ERROR(CheckRange(*positive, 1));
    }
    ZEROPOINT_RETURN_IF_ERROR(CheckRange(window.pads_, 0));
    for (const std::string_view known :
         {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}) {
      if (window.auto_pad_ == known) return window;
    }
    return InvalidModel("auto_pad '" + window.auto_pad_ + "' is unknown");
  }

  const std::vector<std::int64_t>& kernel() const { return kernel_; }
  std::string_view auto_pad() const { return auto_pad_; }

  /// The window over an input whose spatial axes are `in`; `kernel` is the
  /// weights' (convolutions) or kernel_shape. The output size is that of a
  /// window that slides over the padded input; with `ceil` the last window may
  /// hang over its end, but must not start in the padding behind it.
  Result<std::vector<WindowAxis>> Over(std::span<const std::int64_t> in,
                                       std::span<const std::int64_t> kernel,
                                       bool ceil = false) const {
    ZEROPOINT_ASSIGN_OR_RETURN(auto axes, Axes(in, kernel));
    for (WindowAxis& axis : axes) {
      const bool same = auto_pad_.starts_with("SAME");
      if (same) {
        axis.out = (axis.in + axis.stride - 1) / axis.stride;
        const std::int64_t pad = std::max<std::int64_t>(
            0, (axis.out - 1) * axis.stride + axis.extent() - axis.in);
        const bool upper = auto_pad_ == "SAME_UPPER";
        axis.pad_begin = upper ? pad / 2 : pad - pad / 2;
        axis.pad_end = pad - axis.pad_begin;
        continue;
      }
      const std::int64_t room =
          axis.in + axis.pad_begin + axis.pad_end - axis.extent();
      if (room < 0) {
        return InvalidData("a window of " + std::to_string(axis.extent()) +
                           " does not fit an axis of " +
                           std::to_string(axis.in) + " padded by " +
                           std::to_string(axis.pad_begin + axis.pad_end));
      }
      axis.out = (ceil ? room + axis.stride - 1 : room) / axis.stride + 1;
      if (ceil && (axis.out - 1) * axis.stride >= axis.in + axis.pad_begin) {
        --axis.out;
      }
    }
    return axes;
  }

  /// The attributes with their defaults for `in.size()` spatial axes; `out` is
  /// left 0. Errors: lists of another length.
  Result<std::vector<WindowAxis>> Axes(
      std::span<const std::int64_t> in,
      std::span<const std::int64_t> kernel) const {
    const std::size_t rank = in.size();
    const auto fits = [](const auto& list, std::size_t size) {
      return list.empty() || list.size() == size;
    };
    if (kernel.size() != rank || !fits(strides_, rank) ||
        !fits(dilations_, rank) || !fits(pads_, 2 * rank) ||
        (!kernel_.empty() && !std::ranges::equal(kernel, kernel_))) {
      return InvalidData("the window's attributes do not fit an input with " +
                         std::to_string(rank) +
                         " spatial axes and a kernel of " + FormatDims(kernel));
    }
    std::vector<WindowAxis> axes(rank);
    for (std::size_t i = 0; i < rank; ++i) {
      WindowAxis& axis = axes[i];
      axis.in = in[i];
      axis.kernel = kernel[i];
      if (!strides_.empty()) axis.stride = strides_[i];
      if (!dilations_.empty()) axis.dilation = dilations_[i];
      if (!pads_.empty() && auto_pad_ == "NOTSET") {
        axis.pad_begin = pads_[i];
        axis.pad_end = pads_[rank + i];
      }
      if (axis.in > kMost || axis.kernel < 1 || axis.kernel > kMost) {
        return InvalidData("an axis or a kernel is empty or above 2^31");
      }
    }
    return axes;
  }

 private:
  static constexpr std::int64_t kMost = 0x7fffffff;

  static Status CheckRange(const std::vector<std::int64_t>& values,
                           std::int64_t least) {
    for (const std::int64_t value : values) {
      if (value < least || value > kMost) {
        return InvalidModel("a window with " + std::to_string(value) +
                            " among its sizes, strides, dilations or pads");
      }
    }
    return Status();
  }

  std::vector<std::int64_t> kernel_;
  std::vector<std::int64_t> strides_;
  std::vector<std::int64_t> dilations_;
  std::vector<std::int64_t> pads_;
  std::string auto_pad_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_OPERATORS_WINDOW_H_

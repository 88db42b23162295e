// Walking a sliding window over one channel's plane.
//
// For each tap of the window the walk goes along output rows, so that the
// innermost loop runs over contiguous outputs; where a window leaves the input,
// the loop's limits say so, and no element is tested.
#ifndef ZEROPOINT_EXEC_OPERATORS_POOL_WINDOW_H_
#define ZEROPOINT_EXEC_OPERATORS_POOL_WINDOW_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "zeropoint/exec/operators/window.h"

namespace zeropoint::pooling {

/// Three spatial axes; missing ones in front are of size 1.
using Window = std::array<WindowAxis, 3>;

inline Window ToWindow(std::span<const WindowAxis> axes) {
  Window window;
  for (WindowAxis& axis : window) axis.in = axis.out = 1;
  std::ranges::copy(axes, window.end() - std::ssize(axes));
  return window;
}

/// The outputs [begin, end) of an axis for which tap `k` of the window lies in
/// the input.
struct OutputRange {
  std::int64_t begin;
  std::int64_t end;
};
inline OutputRange Covered(const WindowAxis& axis, std::int64_t k) {
  const std::int64_t offset = k * axis.dilation - axis.pad_begin;
  const std::int64_t begin =
      offset >= 0 ? 0 : (-offset + axis.stride - 1) / axis.stride;
  const std::int64_t room = axis.in - offset;  // of out * stride
  const std::int64_t end =
      room <= 0 ? 0 : (room + axis.stride - 1) / axis.stride;
  return {std::min(begin, axis.out), std::min(end, axis.out)};
}

/// Calls row(tap, in, out, count) for every tap of the window, numbered in
/// row-major order, and every output row: outputs [out, out + count) of the
/// plane meet the inputs in, in + stride, ...
template <class Row>
void ForEachTap(const Window& window, Row row) {
  const auto& [d, h, w] = window;
  std::size_t tap = 0;
  for (std::int64_t kd = 0; kd < d.kernel; ++kd) {
    for (std::int64_t kh = 0; kh < h.kernel; ++kh) {
      for (std::int64_t kw = 0; kw < w.kernel; ++kw, ++tap) {
        const OutputRange rd = Covered(d, kd);
        const OutputRange rh = Covered(h, kh);
        const OutputRange rw = Covered(w, kw);
        if (rw.begin >= rw.end) continue;
        const std::int64_t iw =
            rw.begin * w.stride + kw * w.dilation - w.pad_begin;
        for (std::int64_t od = rd.begin; od < rd.end; ++od) {
          const std::int64_t id = od * d.stride + kd * d.dilation - d.pad_begin;
          for (std::int64_t oh = rh.begin; oh < rh.end; ++oh) {
            const std::int64_t ih =
                oh * h.stride + kh * h.dilation - h.pad_begin;
            row(tap, (id * h.in + ih) * w.in + iw,
                (od * h.out + oh) * w.out + rw.begin, rw.end - rw.begin);
          }
        }
      }
    }
  }
}

}  // namespace zeropoint::pooling

#endif  // ZEROPOINT_EXEC_OPERATORS_POOL_WINDOW_H_

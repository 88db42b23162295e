// StridedCopy: the one loop behind Transpose, Slice, Concat, Split, Expand,
// Tile and Pad.
//
// Each of these moves a box of elements from one set of strides to another.
// Merging axes first turns most of them into a few long memcpy calls; what is
// left is a true transpose, done in square tiles so that both sides are read
// and written in cache lines.
#ifndef ZEROPOINT_EXEC_STRIDED_COPY_H_
#define ZEROPOINT_EXEC_STRIDED_COPY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "zeropoint/exec/thread_pool.h"

namespace zeropoint {

/// One axis of the box: its size, and the elements from one index to the next
/// in the source and in the target (0 repeats, negative walks backwards).
struct CopyAxis {
  std::size_t size = 1;
  std::ptrdiff_t from = 0;
  std::ptrdiff_t to = 0;
};

namespace internal {

/// Without axes of size 1, neighbours merged where both sides allow it.
inline std::vector<CopyAxis> MergeCopyAxes(const std::vector<CopyAxis>& axes) {
  std::vector<CopyAxis> merged;
  for (const CopyAxis& axis : axes) {
    if (axis.size == 1) continue;
    const auto size = static_cast<std::ptrdiff_t>(axis.size);
    if (!merged.empty() && merged.back().from == size * axis.from &&
        merged.back().to == size * axis.to) {
      merged.back() = {merged.back().size * axis.size, axis.from, axis.to};
    } else {
      merged.push_back(axis);
    }
  }
  return merged;
}

/// Makes the axis along which the source is contiguous the second innermost, so
/// that a transpose happens within one plane.
inline void MoveContiguousInward(std::vector<CopyAxis>& axes) {
  if (axes.size() < 3 || axes.back().from == 1) return;
  const auto contiguous =
      std::find_if(axes.begin(), axes.end() - 1,
                   [](const CopyAxis& axis) { return axis.from == 1; });
  if (contiguous != axes.end() - 1) {
    std::rotate(contiguous, contiguous + 1, axes.end() - 1);
  }
}

/// The two innermost axes: rows of `inner.size` elements.
template <std::size_t kBytes>
void CopyPlane(const CopyAxis& outer, const CopyAxis& inner,
               const std::byte* from, std::byte* to) {
  constexpr auto kWidth = static_cast<std::ptrdiff_t>(kBytes);
  constexpr std::size_t kTile = 16;
  if (inner.from == 1 && inner.to == 1) {
    for (std::size_t i = 0; i < outer.size; ++i) {
      const auto row = static_cast<std::ptrdiff_t>(i);
      std::memcpy(to + row * outer.to * kWidth,
                  from + row * outer.from * kWidth, inner.size * kBytes);
    }
    return;
  }
  // Rows one by one would read a new cache line for each element when the
  // source runs along the outer axis.
  const bool transposes = outer.from == 1 && inner.from != 1;
  const std::size_t step = transposes ? kTile : inner.size;
  for (std::size_t begin = 0; begin < inner.size; begin += step) {
    const std::size_t end = std::min(inner.size, begin + step);
    for (std::size_t i = 0; i < outer.size; ++i) {
      const auto row = static_cast<std::ptrdiff_t>(i);
      const std::byte* source = from + row * outer.from * kWidth;
      std::byte* target = to + row * outer.to * kWidth;
      for (std::size_t j = begin; j < end; ++j) {
        const auto column = static_cast<std::ptrdiff_t>(j);
        std::memcpy(target + column * inner.to * kWidth,
                    source + column * inner.from * kWidth, kBytes);
      }
    }
  }
}

using CopyPlaneFunction = void (*)(const CopyAxis& outer, const CopyAxis& inner,
                                   const std::byte* from, std::byte* to);

inline CopyPlaneFunction CopyPlaneFor(std::size_t element_bytes) {
  switch (element_bytes) {
    case 1:
      return CopyPlane<1>;
    case 2:
      return CopyPlane<2>;
    case 4:
      return CopyPlane<4>;
    case 8:
      return CopyPlane<8>;
    default:
      ZEROPOINT_ASSERT(element_bytes == 16, "elements are 1 to 16 bytes wide");
      return CopyPlane<16>;
  }
}

}  // namespace internal

/// Copies the box that `axes` describe, outermost first. `from` and `to` point
/// at its first element; elements are 1, 2, 4, 8 or 16 bytes wide. Requires
/// that source and target do not overlap.
inline void StridedCopy(const std::vector<CopyAxis>& axes,
                        const std::byte* from, std::byte* to,
                        std::size_t element_bytes, ThreadPool& pool) {
  for (const CopyAxis& axis : axes) {
    if (axis.size == 0) return;
  }
  std::vector<CopyAxis> planes = internal::MergeCopyAxes(axes);
  internal::MoveContiguousInward(planes);
  while (planes.size() < 2) planes.insert(planes.begin(), CopyAxis{});
  const CopyAxis inner = planes.back();
  planes.pop_back();
  const CopyAxis outer = planes.back();
  planes.pop_back();
  std::size_t plane_count = 1;
  for (const CopyAxis& axis : planes) plane_count *= axis.size;

  const auto copy_plane = internal::CopyPlaneFor(element_bytes);
  const auto width = static_cast<std::ptrdiff_t>(element_bytes);
  constexpr std::size_t kGrainBytes = std::size_t{1} << 16;
  if (plane_count == 1 && outer.size == 1) {  // one run: cut it
    pool.ParallelRanges(
        inner.size, kGrainBytes / element_bytes,
        [&](std::size_t begin, std::size_t end) {
          const CopyAxis part{end - begin, inner.from, inner.to};
          const auto at = static_cast<std::ptrdiff_t>(begin) * width;
          copy_plane(outer, part, from + at * inner.from, to + at * inner.to);
        });
    return;
  }
  // A piece is some rows of one plane.
  const std::size_t run_bytes = inner.size * element_bytes;
  const std::size_t piece_rows =
      std::min(outer.size, kGrainBytes / run_bytes + 1);
  const std::size_t pieces = (outer.size + piece_rows - 1) / piece_rows;
  const std::size_t grain = kGrainBytes / (piece_rows * run_bytes) + 1;
  pool.ParallelRanges(
      plane_count * pieces, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          const std::size_t row = i % pieces * piece_rows;
          const CopyAxis part{std::min(piece_rows, outer.size - row),
                              outer.from, outer.to};
          auto source = static_cast<std::ptrdiff_t>(row) * outer.from;
          auto target = static_cast<std::ptrdiff_t>(row) * outer.to;
          std::size_t plane = i / pieces;
          for (std::size_t axis = planes.size(); axis-- > 0;) {
            const auto index =
                static_cast<std::ptrdiff_t>(plane % planes[axis].size);
            plane /= planes[axis].size;
            source += index * planes[axis].from;
            target += index * planes[axis].to;
          }
          copy_plane(part, inner, from + source * width, to + target * width);
        }
      });
}

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_STRIDED_COPY_H_

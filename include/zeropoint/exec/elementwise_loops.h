// ElementwiseLoops: an elementwise operation on operands that broadcast, as a
// list of rows.
//
// Neighbouring axes along which every operand advances evenly are one axis, so
// equal shapes are one row, and a channel's bias against an image is one row a
// channel. In a row an operand advances by 1 or stays at one value.
#ifndef ZEROPOINT_EXEC_ELEMENTWISE_LOOPS_H_
#define ZEROPOINT_EXEC_ELEMENTWISE_LOOPS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/core/tensor_view.h"
#include "zeropoint/exec/indexing.h"
#include "zeropoint/exec/thread_pool.h"

namespace zeropoint {

template <std::size_t kOperands>
class ElementwiseLoops {
 public:
  using Offsets = std::array<std::ptrdiff_t, kOperands>;

  /// Requires that every operand broadcasts to `out`, a shape that
  /// ElementCount accepts.
  ElementwiseLoops(
      std::span<const std::int64_t> out,
      const std::array<std::span<const std::int64_t>, kOperands>& operands) {
    std::array<std::vector<std::ptrdiff_t>, kOperands> strides;
    for (std::size_t i = 0; i < kOperands; ++i) {
      strides[i] = BroadcastStrides(operands[i], out);
    }
    // Innermost first, merging each axis into the one before it if it can.
    for (std::size_t axis = out.size(); axis-- > 0;) {
      const auto size = static_cast<std::size_t>(out[axis]);
      count_ *= size;
      if (size == 1) continue;
      Axis next{size, {}};
      for (std::size_t i = 0; i < kOperands; ++i) {
        next.strides[i] = strides[i][axis];
      }
      if (!axes_.empty() && Continues(axes_.back(), next)) {
        axes_.back().size *= size;
      } else {
        axes_.push_back(next);
      }
    }
    if (axes_.empty()) axes_.push_back({1, {}});
    std::reverse(axes_.begin(), axes_.end());
  }

  /// Elements of a row.
  std::size_t row_size() const { return axes_.back().size; }
  /// How far each operand advances from one element of a row to the next.
  const Offsets& steps() const { return axes_.back().strides; }

  /// Calls row(out_offset, operand_offsets, count) for rows or parts of rows
  /// that cover the output, from many threads.
  template <class Row>
  void Run(ThreadPool& pool, Row&& row) const {
    if (count_ == 0) return;
    const std::size_t rows = count_ / row_size();
    if (rows == 1) {
      pool.ParallelRanges(row_size(), kGrain,
                          [&](std::size_t begin, std::size_t end) {
                            Offsets offsets{};
                            Advance(axes_.back(), begin, offsets);
                            row(begin, offsets, end - begin);
                          });
      return;
    }
    pool.ParallelRanges(
        rows, kGrain / row_size() + 1,
        [&](std::size_t begin, std::size_t end) { RunRows(begin, end, row); });
  }

 private:
  // Elements that are worth a task of their own.
  static constexpr std::size_t kGrain = 8192;

  struct Axis {
    std::size_t size;
    Offsets strides;
  };

  static bool Continues(const Axis& inner, const Axis& outer) {
    for (std::size_t i = 0; i < kOperands; ++i) {
      const auto whole =
          static_cast<std::ptrdiff_t>(inner.size) * inner.strides[i];
      if (outer.strides[i] != whole) return false;
    }
    return true;
  }

  static void Advance(const Axis& axis, std::size_t by, Offsets& offsets) {
    for (std::size_t i = 0; i < kOperands; ++i) {
      offsets[i] += static_cast<std::ptrdiff_t>(by) * axis.strides[i];
    }
  }

  template <class Row>
  void RunRows(std::size_t begin, std::size_t end, Row& row) const {
    const std::size_t outer = axes_.size() - 1;
    std::vector<std::size_t> index(outer);
    Offsets offsets{};
    std::size_t rest = begin;
    for (std::size_t axis = outer; axis-- > 0;) {
      index[axis] = rest % axes_[axis].size;
      rest /= axes_[axis].size;
      Advance(axes_[axis], index[axis], offsets);
    }
    for (std::size_t r = begin; r < end; ++r) {
      row(r * row_size(), offsets, row_size());
      for (std::size_t axis = outer; axis-- > 0;) {
        const Axis& a = axes_[axis];
        for (std::size_t i = 0; i < kOperands; ++i) offsets[i] += a.strides[i];
        if (++index[axis] < a.size) break;
        for (std::size_t i = 0; i < kOperands; ++i) {
          offsets[i] -= static_cast<std::ptrdiff_t>(a.size) * a.strides[i];
        }
        index[axis] = 0;
      }
    }
  }

  std::vector<Axis> axes_;  // outermost first
  std::size_t count_ = 1;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_ELEMENTWISE_LOOPS_H_

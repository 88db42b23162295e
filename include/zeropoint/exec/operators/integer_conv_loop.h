// The integer convolution by its definition, for what the kernel does not take:
// three spatial axes, and zero points that no code has.
#ifndef ZEROPOINT_EXEC_OPERATORS_INTEGER_CONV_LOOP_H_
#define ZEROPOINT_EXEC_OPERATORS_INTEGER_CONV_LOOP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/exec/operators/binary_formulas.h"
#include "zeropoint/exec/operators/integer_operands.h"
#include "zeropoint/exec/operators/pool_window.h"

namespace zeropoint::integer {

/// The codes of input `i` without their zero points; one zero point for each
/// `size` codes.
inline Result<std::vector<std::int32_t>> Centred(
    const OpContext& context, std::size_t i,
    const PerIndex<std::int32_t>& zero_points, std::size_t size) {
  ZEROPOINT_ASSIGN_OR_RETURN(const Codes codes, CodesOf(context, i));
  std::vector<std::int32_t> values(context.input(i).size());
  for (std::size_t k = 0; k < values.size(); ++k) {
    const std::int32_t code = codes.is_signed
                                  ? static_cast<std::int8_t>(codes.data[k])
                                  : codes.data[k];
    values[k] = binary::Sub::Apply(code, zero_points[k / size]);
  }
  return values;
}

/// A convolution of centred x [N, group * depth, ...] with centred w [M, depth,
/// ...].
struct ConvLoop {
  pooling::Window window;
  std::size_t group = 1;
  std::size_t depth = 1;     // input channels of a group
  std::size_t channels = 1;  // M
  std::size_t plane = 1;     // elements of one input channel
  std::size_t taps = 1;      // of one channel's kernel
  std::size_t image = 1;     // elements of one output channel

  /// sums [N, M, ...] = bias[M] (null: 0) + the products.
  void Run(ThreadPool& pool, std::span<const std::int32_t> x,
           std::span<const std::int32_t> w, const std::int32_t* bias,
           std::span<std::int32_t> sums) const {
    const std::size_t group_size = channels / group;
    pool.ParallelFor(sums.size() / image, [&](std::size_t i) {
      const std::size_t m = i % channels;
      const std::size_t first = (i / channels * group + m / group_size) * depth;
      std::int32_t* y = sums.data() + i * image;
      std::fill_n(y, image, bias == nullptr ? 0 : bias[m]);
      for (std::size_t c = 0; c < depth; ++c) {
        AddPlane(x.data() + (first + c) * plane,
                 w.data() + (m * depth + c) * taps, y);
      }
    });
  }

 private:
  void AddPlane(const std::int32_t* x, const std::int32_t* w,
                std::int32_t* y) const {
    const std::int64_t stride = window[2].stride;
    pooling::ForEachTap(window, [&](std::size_t tap, std::int64_t in,
                                    std::int64_t out, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        y[out + i] = binary::Add::Apply(
            y[out + i], binary::Mul::Apply(x[in + i * stride], w[tap]));
      }
    });
  }
};

}  // namespace zeropoint::integer

#endif  // ZEROPOINT_EXEC_OPERATORS_INTEGER_CONV_LOOP_H_

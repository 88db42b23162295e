// The arguments of the kernels: plain structs that cross the border between CPU
// targets, so they hold no vectors.
#ifndef ZEROPOINT_KERNELS_LAYOUT_H_
#define ZEROPOINT_KERNELS_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <limits>

namespace zeropoint {

/// What min-max saw. NaN and infinities are counted and kept out of lo and hi.
struct MinMaxState {
  float lo = std::numeric_limits<float>::infinity();
  float hi = -std::numeric_limits<float>::infinity();
  std::uint64_t finite = 0;
  std::uint64_t nan = 0;
  std::uint64_t infinite = 0;
};

/// Bins of a histogram; a power of two.
inline constexpr std::size_t kHistogramBins = 2048;

/// Values that one call of exact_sum_f32 or exact_square_sum_f32 takes at most.
inline constexpr std::size_t kSumBlock = 4096;

/// Real interval that an output is limited to: Relu is {0, inf}, Relu6 {0, 6}.
/// The default limits nothing.
struct Clamp {
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();
};

/// y[m, n] = a[m, k] * b[k, n] + bias[n]
struct GemmShape {
  std::size_t m = 0;
  std::size_t n = 0;
  std::size_t k = 0;
};

/// The zero points of an operand: one (step 0), or one for each row or column
/// (step 1). Any int32: a difference to a code wraps.
struct ZeroPointList {
  const std::int32_t* values = nullptr;
  std::size_t step = 0;
};

/// A product of matrices of 8-bit codes, in int32, which wraps:
///
///   c[m, n] = bias[n] + sum over k of (a[m, k] - za[m]) * (b[k, n] - zb[n])
struct CodeProduct {
  GemmShape shape;
  bool a_signed = false;  // int8 codes; otherwise uint8
  bool b_signed = false;
  ZeroPointList a_zero_points = {};    // for each row
  ZeroPointList b_zero_points = {};    // for each column
  const std::int32_t* bias = nullptr;  // [n] or null
};

/// Rows or columns [begin, end).
struct IndexRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A two-dimensional convolution of x [batch, group * in_channels, in_h, in_w]
/// with w [group * out_channels, in_channels, kernel_h, kernel_w]; channel
/// counts are those of one group.
struct ConvShape {
  std::size_t batch = 1;
  std::size_t group = 1;
  std::size_t in_channels = 0;
  std::size_t out_channels = 0;
  std::size_t in_h = 0;
  std::size_t in_w = 0;
  std::size_t out_h = 0;
  std::size_t out_w = 0;
  std::size_t kernel_h = 1;
  std::size_t kernel_w = 1;
  std::size_t stride_h = 1;
  std::size_t stride_w = 1;
  std::size_t dilation_h = 1;
  std::size_t dilation_w = 1;
  std::size_t pad_top = 0;
  std::size_t pad_left = 0;
};

/// A convolution of 8-bit codes, in int32, which wraps: x and w without their
/// zero points. Padding is real 0.
struct CodeConv {
  ConvShape shape;
  bool x_signed = false;  // int8 codes; otherwise uint8
  bool w_signed = false;
  std::int32_t x_zero_point = 0;       // a code of x
  ZeroPointList w_zero_points = {};    // codes of w, for each output channel
  const std::int32_t* bias = nullptr;  // [group * out_channels] or null
};

/// Elementwise functions of one argument that have a vector kernel.
enum class UnaryOp : std::uint8_t {
  kAbs,
  kErf,
  kExp,
  kGelu,         // x/2 * (1 + erf(x / sqrt 2))
  kHardSigmoid,  // clamp(a * x + b, 0, 1)
  kHardSwish,    // x * clamp(x / 6 + 1/2, 0, 1)
  kNeg,
  kReciprocal,
  kRelu,
  kSigmoid,
  kSqrt,
  kTanh,
};

/// Elementwise functions of two arguments that have a vector kernel.
enum class BinaryOp : std::uint8_t { kAdd, kSub, kMul, kDiv, kMin, kMax };

}  // namespace zeropoint

#endif  // ZEROPOINT_KERNELS_LAYOUT_H_

// KernelTable: the kernels as plain function pointers.
//
// The only kernels header that other layers include: no Highway, no vectors, no
// templates. A table is made by dispatch.h (the best one for the CPU at hand),
// static.h (the compiler's own target) or a user's own translation unit. Every
// function works on the calling thread alone and allocates nothing; work is
// split by task ranges or row ranges, and the result does not depend on how it
// was split.
#ifndef ZEROPOINT_KERNELS_KERNEL_TABLE_H_
#define ZEROPOINT_KERNELS_KERNEL_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "zeropoint/core/qparams.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/kernels/layout.h"

namespace zeropoint {

struct KernelTable {
  /// Name of the CPU target that the functions were compiled for ("AVX3_DL").
  const char* target = nullptr;

  // --- quantization: bit-equal to core/reference.h on every target ---

  /// q[i] = reference::Quantize(x[i], params, codes)
  void (*quantize_u8)(const float* x, std::size_t count, QParams params,
                      CodeRange codes, std::uint8_t* q) = nullptr;
  void (*quantize_i8)(const float* x, std::size_t count, QParams params,
                      CodeRange codes, std::int8_t* q) = nullptr;
  void (*quantize_u16)(const float* x, std::size_t count, QParams params,
                       CodeRange codes, std::uint16_t* q) = nullptr;
  void (*quantize_i16)(const float* x, std::size_t count, QParams params,
                       CodeRange codes, std::int16_t* q) = nullptr;

  /// x[i] = reference::Dequantize(q[i], params)
  void (*dequantize_u8)(const std::uint8_t* q, std::size_t count,
                        QParams params, float* x) = nullptr;
  void (*dequantize_i8)(const std::int8_t* q, std::size_t count, QParams params,
                        float* x) = nullptr;
  void (*dequantize_u16)(const std::uint16_t* q, std::size_t count,
                         QParams params, float* x) = nullptr;
  void (*dequantize_i16)(const std::int16_t* q, std::size_t count,
                         QParams params, float* x) = nullptr;
  void (*dequantize_i32)(const std::int32_t* q, std::size_t count,
                         QParams params, float* x) = nullptr;

  /// q[i] = reference::Requantize(acc[i], multiplier, zero_point, codes)
  void (*requantize_u8)(const std::int32_t* acc, std::size_t count,
                        float multiplier, std::int32_t zero_point,
                        CodeRange codes, std::uint8_t* q) = nullptr;
  void (*requantize_i8)(const std::int32_t* acc, std::size_t count,
                        float multiplier, std::int32_t zero_point,
                        CodeRange codes, std::int8_t* q) = nullptr;

  /// The same with a multiplier for each value.
  void (*requantize_each_u8)(const std::int32_t* acc, std::size_t count,
                             const float* multipliers, std::int32_t zero_point,
                             CodeRange codes, std::uint8_t* q) = nullptr;
  void (*requantize_each_i8)(const std::int32_t* acc, std::size_t count,
                             const float* multipliers, std::int32_t zero_point,
                             CodeRange codes, std::int8_t* q) = nullptr;

  /// The sum of importance[i] * (x'[i] - x[i])^2, x' what quantizing and
  /// dequantizing leaves of x; `importance` null: 1. As
  /// reference::QuantizationError, to within the rounding of float sums.
  double (*quantization_error_f32)(const float* x, const float* importance,
                                   std::size_t count, QParams params,
                                   CodeRange codes,
                                   std::int32_t pair_limit) = nullptr;

  /// Folds `count` values into `state`; exact, so order and grouping do not
  /// matter.
  void (*min_max)(const float* x, std::size_t count,
                  MinMaxState* state) = nullptr;

  // --- statistics: exact, so order and grouping do not matter ---

  /// For each i: ++counts[reference::HistogramBin(x[i], exponent) &
  /// (kHistogramBins - 1)]. Bins that follow one another are thus neighbours in
  /// a ring, wherever they begin. Requires what HistogramBin requires.
  void (*histogram)(const float* x, std::size_t count, int exponent,
                    std::uint64_t* counts) = nullptr;
  /// Two doubles whose exact sum is the exact sum of x, count <= kSumBlock.
  /// Requires |x| <= greatest < infinity. False, and nothing said, for blocks
  /// with a value more than 58 powers of two below `greatest`: add those one by
  /// one.
  bool (*exact_sum_f32)(const float* x, std::size_t count, float greatest,
                        double* parts) = nullptr;
  /// The same of squares: three doubles; at most 37 powers of two.
  bool (*exact_square_sum_f32)(const float* x, std::size_t count,
                               float greatest, double* parts) = nullptr;

  // --- float matrix product ---

  /// Floats that pack_b_f32 writes for a k x n matrix.
  std::size_t (*packed_b_count_f32)(GemmShape shape) = nullptr;
  /// Lays b out as gemm_f32 reads it. Element (row, column) is b[row *
  /// row_stride + column * column_stride].
  void (*pack_b_f32)(GemmShape shape, const float* b, std::size_t row_stride,
                     std::size_t column_stride, float* packed) = nullptr;
  /// c[m, n] = clamp(a[m, k] * b[k, n] + bias[n]) for rows [row_begin,
  /// row_end). a and c are row-major with leading dimensions lda and ldc; bias
  /// may be null.
  void (*gemm_f32)(GemmShape shape, const float* a, std::size_t lda,
                   const float* packed_b, const float* bias, Clamp clamp,
                   float* c, std::size_t ldc, std::size_t row_begin,
                   std::size_t row_end) = nullptr;

  // --- integer matrix product: bit-equal to core/reference.h ---

  /// int32 that pack_b_i32 writes for a k x n matrix.
  std::size_t (*packed_b_count_i32)(GemmShape shape) = nullptr;
  /// Lays b (int8, or uint8 codes) out as gemm_i32 reads it, with the sums of
  /// its columns. Element (row, column) is b[row * row_stride + column *
  /// column_stride].
  void (*pack_b_i32)(GemmShape shape, bool b_signed, const void* b,
                     std::size_t row_stride, std::size_t column_stride,
                     std::int32_t* packed) = nullptr;
  /// Ranges of columns begin at multiples of this.
  std::size_t (*column_step_i32)() = nullptr;
  /// The rows and columns of c that the ranges name; see CodeProduct. a and c
  /// are row-major with leading dimensions lda and ldc.
  void (*gemm_i32)(const CodeProduct& product, const void* a, std::size_t lda,
                   const std::int32_t* packed_b, std::int32_t* c,
                   std::size_t ldc, IndexRange rows,
                   IndexRange columns) = nullptr;

  // --- float convolution (NCHW); the kernel picks depthwise, pointwise or
  // im2col by the shape ---

  /// Floats that pack_conv_f32 writes.
  std::size_t (*packed_conv_count_f32)(const ConvShape& shape) = nullptr;
  void (*pack_conv_f32)(const ConvShape& shape, const float* weights,
                        float* packed) = nullptr;
  /// Floats of scratch that one call of conv_f32 needs.
  std::size_t (*conv_scratch_count_f32)(const ConvShape& shape) = nullptr;
  /// Number of independent tasks that the convolution is split into.
  std::size_t (*conv_task_count_f32)(const ConvShape& shape) = nullptr;
  /// y = clamp(conv(x, w) + bias[group * out_channels]) for tasks [task_begin,
  /// task_end); bias may be null.
  void (*conv_f32)(const ConvShape& shape, const float* x, const float* packed,
                   const float* bias, Clamp clamp, float* y, float* scratch,
                   std::size_t task_begin, std::size_t task_end) = nullptr;

  // --- integer convolution (NCHW): bit-equal to core/reference.h ---

  /// int32 that pack_conv_i32 writes. The layout depends on channels, kernel,
  /// strides and dilations, not on the image.
  std::size_t (*packed_conv_count_i32)(const ConvShape& shape) = nullptr;
  /// Needs everything of `conv` but x's zero point and the bias.
  void (*pack_conv_i32)(const CodeConv& conv, const void* weights,
                        std::int32_t* packed) = nullptr;
  /// int32 of scratch that one call of conv_i32 needs.
  std::size_t (*conv_scratch_count_i32)(const ConvShape& shape) = nullptr;
  /// Number of independent tasks that the convolution is split into.
  std::size_t (*conv_task_count_i32)(const ConvShape& shape) = nullptr;
  /// y = conv(x, w) + bias for tasks [task_begin, task_end); see CodeConv.
  void (*conv_i32)(const CodeConv& conv, const void* x,
                   const std::int32_t* packed, std::int32_t* y,
                   std::int32_t* scratch, std::size_t task_begin,
                   std::size_t task_end) = nullptr;

  // --- elementwise and rows ---

  /// y[i] = op(x[i]); x and y may be the same. `a` and `b` are the op's
  /// constants (kHardSigmoid). kRelu, kAbs, kNeg, kSqrt, kReciprocal are exact;
  /// the others are within 4 units in the last place of the true value, or 1e-7
  /// where that is larger.
  void (*unary_f32)(UnaryOp op, const float* x, std::size_t count, float a,
                    float b, float* y) = nullptr;
  /// y[i] = min(max(x[i], clamp.lo), clamp.hi); NaN stays NaN.
  void (*clamp_f32)(const float* x, std::size_t count, Clamp clamp,
                    float* y) = nullptr;
  /// y[i] = op(a[i * a_step], b[i * b_step]); a step is 1, or 0 for one value
  /// against all.
  void (*binary_f32)(BinaryOp op, const float* a, std::size_t a_step,
                     const float* b, std::size_t b_step, std::size_t count,
                     float* y) = nullptr;
  /// Softmax of one contiguous row.
  void (*softmax_f32)(const float* x, std::size_t count, float* y) = nullptr;
  /// One row: y = (x - mean) / sqrt(variance + epsilon) * scale + bias; bias
  /// may be null.
  void (*layer_norm_f32)(const float* x, std::size_t count, const float* scale,
                         const float* bias, float epsilon, float* y) = nullptr;
  /// Sum of `count` contiguous values, in an order fixed by `count` alone.
  float (*sum_f32)(const float* x, std::size_t count) = nullptr;
};

/// The table for the best target of this CPU. Defined by the one translation
/// unit that includes dispatch.h; link
/// //:kernels_dispatch, or write that unit yourself.
const KernelTable& DispatchedKernels();

}  // namespace zeropoint

#endif  // ZEROPOINT_KERNELS_KERNEL_TABLE_H_

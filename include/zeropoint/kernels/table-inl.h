// The table of one CPU target.
#ifndef ZEROPOINT_KERNELS_TABLE_INL_H_
#define ZEROPOINT_KERNELS_TABLE_INL_H_

#include "zeropoint/kernels/baseline.h"
#include "zeropoint/kernels/kernel_table.h"

#endif  // ZEROPOINT_KERNELS_TABLE_INL_H_

#if defined(ZEROPOINT_KERNELS_TABLE_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef ZEROPOINT_KERNELS_TABLE_TOGGLE
#undef ZEROPOINT_KERNELS_TABLE_TOGGLE
#else
#define ZEROPOINT_KERNELS_TABLE_TOGGLE
#endif

#include "hwy/highway.h"
#include "zeropoint/kernels/conv-inl.h"
#include "zeropoint/kernels/conv_i32-inl.h"
#include "zeropoint/kernels/dequantize-inl.h"
#include "zeropoint/kernels/elementwise-inl.h"
#include "zeropoint/kernels/exact_sum-inl.h"
#include "zeropoint/kernels/gemm-inl.h"
#include "zeropoint/kernels/gemm_i32-inl.h"
#include "zeropoint/kernels/histogram-inl.h"
#include "zeropoint/kernels/min_max-inl.h"
#include "zeropoint/kernels/quantization_error-inl.h"
#include "zeropoint/kernels/quantize-inl.h"
#include "zeropoint/kernels/rows-inl.h"

namespace zeropoint::HWY_NAMESPACE {
inline namespace ZEROPOINT_BASELINE {

namespace hn = hwy::HWY_NAMESPACE;

inline constexpr KernelTable kKernels = {
    .target = &HWY_STR(HWY_NAMESPACE)[2],  // without the "N_"
    .quantize_u8 = Quantize<std::uint8_t>,
    .quantize_i8 = Quantize<std::int8_t>,
    .quantize_u16 = Quantize<std::uint16_t>,
    .quantize_i16 = Quantize<std::int16_t>,
    .dequantize_u8 = Dequantize<std::uint8_t>,
    .dequantize_i8 = Dequantize<std::int8_t>,
    .dequantize_u16 = Dequantize<std::uint16_t>,
    .dequantize_i16 = Dequantize<std::int16_t>,
    .dequantize_i32 = Dequantize<std::int32_t>,
    .requantize_u8 = Requantize<std::uint8_t>,
    .requantize_i8 = Requantize<std::int8_t>,
    .requantize_each_u8 = RequantizeEach<std::uint8_t>,
    .requantize_each_i8 = RequantizeEach<std::int8_t>,
    .quantization_error_f32 = QuantizationError,
    .min_max = MinMax,
    .histogram = Histogram,
    .exact_sum_f32 = ExactSumParts,
    .exact_square_sum_f32 = ExactSquareSumParts,
    .packed_b_count_f32 = PackedBCount,
    .pack_b_f32 = PackB,
    .gemm_f32 = Gemm,
    .packed_b_count_i32 = BestGemm::Count,
    .pack_b_i32 = BestGemm::Pack,
    .column_step_i32 = IntTileColumns,
    .gemm_i32 = BestGemm::Multiply,
    .packed_conv_count_f32 = PackedConvCount,
    .pack_conv_f32 = PackConv,
    .conv_scratch_count_f32 = ConvScratchCount,
    .conv_task_count_f32 = ConvTaskCount,
    .conv_f32 = Conv,
    .packed_conv_count_i32 = BestConv::Count,
    .pack_conv_i32 = BestConv::Pack,
    .conv_scratch_count_i32 = BestConv::ScratchCount,
    .conv_task_count_i32 = ConvTaskCountI32,
    .conv_i32 = BestConv::Run,
    .unary_f32 = Unary,
    .clamp_f32 = ClampAll,
    .binary_f32 = Binary,
    .softmax_f32 = Softmax,
    .layer_norm_f32 = LayerNorm,
    .sum_f32 = Sum,
};

}  // namespace ZEROPOINT_BASELINE
}  // namespace zeropoint::HWY_NAMESPACE

#endif  // ZEROPOINT_KERNELS_TABLE_TOGGLE

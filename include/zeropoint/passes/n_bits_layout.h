// How MatMulNBits and GatherBlockQuantized lay out codes of a few bits.
#ifndef ZEROPOINT_PASSES_N_BITS_LAYOUT_H_
#define ZEROPOINT_PASSES_N_BITS_LAYOUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zeropoint/core/assert.h"
#include "zeropoint/core/tensor.h"
#include "zeropoint/passes/quantize_tensor.h"

namespace zeropoint {

/// Rows of codes, low bits first, each row in whole bytes:
/// [rows, ceil(columns * bits / 8)]. What is left of a last byte is 0.
///
/// Requires: bits 2, 4 or 8; codes [rows, columns], each below 2^bits.
/// Source:   com.microsoft GatherBlockQuantized-1 (data, zero_points),
///           MatMulNBits-1 (zero_points).
inline Tensor PackRows(std::span<const std::uint8_t> codes, std::size_t columns,
                       int bits) {
  ZEROPOINT_ASSERT(columns > 0 && codes.size() % columns == 0,
                   "PackRows needs whole rows");
  const auto width = static_cast<std::size_t>(bits);
  const std::size_t rows = codes.size() / columns;
  const std::size_t row_bytes = (columns * width + 7) / 8;
  Tensor packed(DataType::kUint8, {static_cast<std::int64_t>(rows),
                                   static_cast<std::int64_t>(row_bytes)});
  const auto bytes = packed.MutableAs<std::uint8_t>();
  std::ranges::fill(bytes, std::uint8_t{0});
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      std::uint8_t& byte = bytes[r * row_bytes + c * width / 8];
      byte = static_cast<std::uint8_t>(
          byte | (unsigned{codes[r * columns + c]} << (c * width % 8)));
    }
  }
  return packed;
}

/// The codes of a matrix [rows, columns] in blocks, [rows, blocks,
/// block * bits / 8]. A short last block is filled up with its zero point,
/// which stands for 0.
///
/// Requires: unsigned codes in blocks along axis 1; a block in whole bytes.
/// Source:   com.microsoft MatMulNBits-1 (B).
inline Tensor PackBlocks(const QuantizedTensor& matrix, int bits) {
  const auto rows = static_cast<std::size_t>(matrix.codes.dims()[0]);
  const auto columns = static_cast<std::size_t>(matrix.codes.dims()[1]);
  const auto block = static_cast<std::size_t>(matrix.params.block);
  const std::size_t blocks = (columns + block - 1) / block;
  const auto codes = matrix.codes.As<std::uint8_t>();
  std::vector<std::uint8_t> filled(rows * blocks * block);
  for (std::size_t r = 0; r < rows; ++r) {
    std::uint8_t* row = filled.data() + r * blocks * block;
    std::copy_n(codes.data() + r * columns, columns, row);
    std::fill(row + columns, row + blocks * block,
              static_cast<std::uint8_t>(
                  matrix.params.channels[(r + 1) * blocks - 1].zero_point));
  }
  const Tensor packed = PackRows(filled, block, bits);
  return Tensor::CopyOf(
      TensorView(DataType::kUint8,
                 Dims{static_cast<std::int64_t>(rows),
                      static_cast<std::int64_t>(blocks), packed.dims()[1]},
                 packed.data()));
}

/// The zero points of its blocks, in packed rows.
/// Source: com.microsoft MatMulNBits-1, GatherBlockQuantized-1 (zero_points).
inline Tensor PackZeroPoints(const QuantizedTensor& matrix, int bits) {
  std::vector<std::uint8_t> codes;
  codes.reserve(matrix.params.channels.size());
  for (const QParams& params : matrix.params.channels) {
    codes.push_back(static_cast<std::uint8_t>(params.zero_point));
  }
  return PackRows(codes, static_cast<std::size_t>(matrix.params.block_dims[1]),
                  bits);
}

/// The scales of its blocks, [rows, blocks].
inline Tensor BlockScales(const QuantizedTensor& matrix) {
  Tensor scales(DataType::kFloat, matrix.params.block_dims);
  const auto values = scales.MutableAs<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = matrix.params.channels[i].scale;
  }
  return scales;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_N_BITS_LAYOUT_H_

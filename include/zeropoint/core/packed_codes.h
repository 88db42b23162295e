// Packing of 4-bit codes, as ONNX stores them: two in a byte, the first in the
// low nibble, over the flattened tensor.
#ifndef ZEROPOINT_CORE_PACKED_CODES_H_
#define ZEROPOINT_CORE_PACKED_CODES_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "zeropoint/core/assert.h"

namespace zeropoint {

/// Bytes that `count` 4-bit codes take; an odd count leaves the last high
/// nibble 0.
constexpr std::size_t PackedNibbleBytes(std::size_t count) {
  return count / 2 + count % 2;
}

/// Packs codes of -8..15 into nibbles; the bits above are dropped. Rows are not
/// padded: a row of odd length ends in the middle of a byte.
/// Requires: packed.size() == PackedNibbleBytes(codes.size()).
/// Source: ONNX, TensorProto.int32_data and raw_data of INT4 and UINT4.
template <class Code>
constexpr void PackNibbles(std::span<const Code> codes,
                           std::span<std::uint8_t> packed) {
  ZEROPOINT_ASSERT(packed.size() == PackedNibbleBytes(codes.size()),
                   "PackNibbles needs one byte for two codes");
  for (std::uint8_t& byte : packed) byte = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const unsigned nibble = static_cast<unsigned>(codes[i]) & 0xFU;
    packed[i / 2] = static_cast<std::uint8_t>(packed[i / 2] |
                                              (nibble << (i % 2 == 0 ? 0 : 4)));
  }
}

/// The reverse: signed codes are sign-extended where Code is signed.
/// Requires: packed.size() == PackedNibbleBytes(codes.size()).
template <class Code>
constexpr void UnpackNibbles(std::span<const std::uint8_t> packed,
                             std::span<Code> codes) {
  ZEROPOINT_ASSERT(packed.size() == PackedNibbleBytes(codes.size()),
                   "UnpackNibbles needs one byte for two codes");
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const int nibble = (packed[i / 2] >> (i % 2 == 0 ? 0 : 4)) & 0xF;
    const bool negative = Code(-1) < Code(0) && nibble >= 8;
    codes[i] = static_cast<Code>(negative ? nibble - 16 : nibble);
  }
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_PACKED_CODES_H_

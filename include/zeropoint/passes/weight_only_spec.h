// WeightOnlySpec: how weights alone become codes of a few bits.
#ifndef ZEROPOINT_PASSES_WEIGHT_ONLY_SPEC_H_
#define ZEROPOINT_PASSES_WEIGHT_ONLY_SPEC_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/status.h"
#include "zeropoint/passes/round_blocks.h"

namespace zeropoint {

/// What reads the codes.
enum class WeightFormat : std::uint8_t {
  kMatMulNBits,  // MatMulNBits and GatherBlockQuantized of com.microsoft
  kQdq,          // a DequantizeLinear in front of the operator
};

struct WeightOnlySpec {
  int bits = 4;
  /// Weights in a row that share a scale; 0: all inputs of an output.
  std::int64_t block = 32;
  /// Without zero points: real 0 is the middle code.
  bool symmetric = false;
  BlockRounding rounding = BlockRounding::kMse;
  WeightFormat format = WeightFormat::kMatMulNBits;
  /// Of MatMulNBits, how its products are computed: 0 leaves it to the runtime,
  /// 1 to 4 are float, float16, bfloat16 and int8 at least.
  int accuracy_level = 0;
};

inline constexpr std::array<std::string_view, 3> kBlockRoundingNames = {
    "nearest", "mse", "second-order"};
inline constexpr std::array<std::string_view, 2> kWeightFormatNames = {
    "matmulnbits", "qdq"};

constexpr std::string_view NameOf(BlockRounding rounding) {
  return kBlockRoundingNames[static_cast<std::size_t>(rounding)];
}
constexpr std::string_view NameOf(WeightFormat format) {
  return kWeightFormatNames[static_cast<std::size_t>(format)];
}

namespace internal {
template <class Enum>
Result<Enum> ParseOneOf(std::string_view text, std::string_view what,
                        std::span<const std::string_view> names) {
  std::string known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return static_cast<Enum>(i);
    known += (i > 0 ? ", " : "") + std::string(names[i]);
  }
  return InvalidArgument("unknown " + std::string(what) + " '" +
                         std::string(text) + "'; known: " + known);
}
}  // namespace internal

/// Errors: kInvalidArgument, naming what is known.
inline Result<BlockRounding> ParseBlockRounding(std::string_view text) {
  return internal::ParseOneOf<BlockRounding>(text, "rounding",
                                             kBlockRoundingNames);
}
inline Result<WeightFormat> ParseWeightFormat(std::string_view text) {
  return internal::ParseOneOf<WeightFormat>(text, "format of weights",
                                            kWeightFormatNames);
}

/// The scheme of the codes. MatMulNBits has unsigned ones, whose zero point is
/// the middle where none is stored; so 2-bit codes need no storage type.
constexpr SchemeSpec SchemeOf(const WeightOnlySpec& spec) {
  SchemeSpec scheme;
  scheme.symmetric = spec.symmetric;
  scheme.block = spec.block;
  scheme.per_channel = spec.block == 0;
  const bool is_signed = spec.format == WeightFormat::kQdq && spec.symmetric;
  if (spec.bits == 4) {
    scheme.storage = is_signed ? DataType::kInt4 : DataType::kUint4;
  } else {
    scheme.storage = is_signed ? DataType::kInt8 : DataType::kUint8;
  }
  const std::int32_t codes = 1 << spec.bits;
  scheme.qmin = is_signed ? -codes / 2 : 0;
  scheme.qmax = scheme.qmin + codes - 1;
  return scheme;
}

/// "u4:sym:block=32", for a report.
inline std::string FormatWeightOnly(const WeightOnlySpec& spec) {
  std::string text = FormatScheme(SchemeOf(spec));
  if (spec.bits == 2) text.replace(0, text.find(':'), "u2");
  return text;
}

/// Errors: kInvalidArgument for what the format cannot say.
inline Status CheckWeightOnly(const WeightOnlySpec& spec) {
  if (spec.bits != 2 && spec.bits != 4 && spec.bits != 8) {
    return InvalidArgument("weights have 2, 4 or 8 bits, not " +
                           std::to_string(spec.bits));
  }
  if (spec.accuracy_level < 0 || spec.accuracy_level > 4) {
    return InvalidArgument("accuracy levels are 0 to 4, not " +
                           std::to_string(spec.accuracy_level));
  }
  constexpr std::int64_t kMostBlock = 1 << 20;
  if (spec.block < 0 || spec.block > kMostBlock) {
    return InvalidArgument("blocks of " + std::to_string(spec.block) +
                           " weights; use 0 for one scale a channel, or at "
                           "most 1048576");
  }
  if (spec.format == WeightFormat::kQdq) {
    if (spec.bits == 2) {
      return InvalidArgument(
          "DequantizeLinear takes 4 and 8 bits; 2 bits need the format "
          "matmulnbits");
    }
    return Status();
  }
  constexpr std::int64_t kLeast = 16;
  constexpr std::int64_t kMostOfTwoBits = 256;
  if (spec.block < kLeast ||
      !std::has_single_bit(static_cast<std::uint64_t>(spec.block))) {
    return InvalidArgument(
        "MatMulNBits has blocks of 16, 32, 64 ... weights, not " +
        std::to_string(spec.block) +
        "; other blocks, and one scale a channel, need the format qdq");
  }
  if (spec.bits == 2 && spec.block > kMostOfTwoBits) {
    return InvalidArgument("blocks of 2-bit weights have at most 256");
  }
  return Status();
}

}  // namespace zeropoint

#endif  // ZEROPOINT_PASSES_WEIGHT_ONLY_SPEC_H_

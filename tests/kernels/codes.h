// 8-bit codes for tests of the integer kernels.
#ifndef ZEROPOINT_TESTS_KERNELS_CODES_H_
#define ZEROPOINT_TESTS_KERNELS_CODES_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace zeropoint::test {

/// Whether operands are int8 rather than uint8.
struct Signs {
  bool a, b;
};
inline constexpr Signs kSigns[] = {
    {false, true}, {true, true}, {false, false}, {true, false}};

inline constexpr std::uint8_t kExtremes[] = {0, 127, 128, 255};

/// The bytes of codes: every third one an extreme of uint8 or int8.
inline std::vector<std::uint8_t> RandomCodes(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<std::uint8_t> codes(count);
  for (std::uint8_t& code : codes) {
    const std::uint32_t bits = static_cast<std::uint32_t>(engine());
    code = bits % 3 == 0 ? kExtremes[bits / 3 % 4]
                         : static_cast<std::uint8_t>(bits >> 16);
  }
  return codes;
}

inline std::vector<std::int32_t> RandomIntegers(std::size_t count,
                                                std::int32_t lo,
                                                std::int32_t hi,
                                                unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_int_distribution<std::int32_t> uniform(lo, hi);
  std::vector<std::int32_t> values(count);
  for (std::int32_t& value : values) value = uniform(engine);
  return values;
}

/// Halves codes (uint8: their distance to 128), so that no two of them leave 16
/// bits when they are multiplied with uint8 codes.
inline void Halve(bool is_signed, std::vector<std::uint8_t>& codes) {
  const std::uint8_t flip = is_signed ? 0 : 128;
  for (std::uint8_t& code : codes) {
    const int value = static_cast<std::int8_t>(code ^ flip);
    code = static_cast<std::uint8_t>(value / 2) ^ flip;
  }
}

}  // namespace zeropoint::test

#endif  // ZEROPOINT_TESTS_KERNELS_CODES_H_

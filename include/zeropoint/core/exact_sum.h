// ExactSum: sums without rounding, so that any order and grouping gives the
// same bits.
#ifndef ZEROPOINT_CORE_EXACT_SUM_H_
#define ZEROPOINT_CORE_EXACT_SUM_H_

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "zeropoint/core/assert.h"

namespace zeropoint {

/// A long two's complement fixed-point number: `kLimbs` words of 64 bits, least
/// first, in units of 2^kLowest. Addition of integers is exact, associative and
/// commutative; addition of floating-point numbers is none of these.
///
/// Source: U. Kulisch, "Computer Arithmetic and Validity" (the long
/// accumulator).
template <int kLowest, std::size_t kLimbs>
class ExactSum {
 public:
  using Limbs = std::array<std::uint64_t, kLimbs>;

  ExactSum() = default;
  explicit ExactSum(const Limbs& limbs) : limbs_(limbs) {}

  /// Requires: x is finite, a multiple of 2^kLowest, and far enough below the
  /// top that the sum stays there.
  void Add(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const auto biased = static_cast<int>(bits >> 52 & 0x7ff);
    ZEROPOINT_ASSERT(biased != 0x7ff, "ExactSum takes finite numbers");
    std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52) - 1);
    if (biased != 0) mantissa |= std::uint64_t{1} << 52;
    if (mantissa == 0) return;
    int shift = (biased == 0 ? 1 : biased) - 1075 - kLowest;
    if (shift < 0) {  // the bits below the unit are zero
      mantissa >>= -shift;
      shift = 0;
    }
    const auto limb = static_cast<std::size_t>(shift) / 64;
    const auto offset = static_cast<unsigned>(shift) % 64;
    ZEROPOINT_ASSERT(limb + 1 < kLimbs, "ExactSum is too short for the number");
    const std::uint64_t low = mantissa << offset;
    const std::uint64_t high = offset == 0 ? 0 : mantissa >> (64 - offset);
    if ((bits >> 63) == 0) {
      AddAt(limb, low, high);
    } else {
      SubtractAt(limb, low, high);
    }
  }

  void Merge(const ExactSum& other) {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < kLimbs; ++i) {
      const std::uint64_t with_carry = limbs_[i] + carry;
      carry = with_carry < carry ? 1 : 0;
      limbs_[i] = with_carry + other.limbs_[i];
      carry += limbs_[i] < with_carry ? 1 : 0;
    }
  }

  /// The nearest double, ties to even.
  double value() const {
    Limbs magnitude = limbs_;
    const bool negative = (limbs_.back() >> 63) != 0;
    if (negative) {
      std::uint64_t carry = 1;
      for (std::uint64_t& limb : magnitude) {
        limb = ~limb + carry;
        carry = carry != 0 && limb == 0 ? 1 : 0;
      }
    }
    std::size_t top = kLimbs;
    while (top > 0 && magnitude[top - 1] == 0) --top;
    if (top == 0) return 0.0;
    --top;
    const auto zeros = static_cast<unsigned>(std::countl_zero(magnitude[top]));
    std::uint64_t leading = magnitude[top] << zeros;
    bool rest = false;
    if (top > 0) {
      if (zeros > 0) leading |= magnitude[top - 1] >> (64 - zeros);
      rest = (magnitude[top - 1] << zeros) != 0;
      for (std::size_t i = 0; i + 1 < top; ++i) {
        rest = rest || magnitude[i] != 0;
      }
    }
    // The conversion rounds 64 bits to 53; the last bit says whether more
    // follow.
    if (rest) leading |= 1;
    const int exponent =
        static_cast<int>(64 * top) - static_cast<int>(zeros) + kLowest;
    const double value = std::ldexp(static_cast<double>(leading), exponent);
    return negative ? -value : value;
  }

  /// What value() leaves out, again rounded: value() + remainder() has twice
  /// the digits.
  double remainder() const {
    ExactSum rest = *this;
    rest.Add(-value());
    return rest.value();
  }

  const Limbs& limbs() const { return limbs_; }
  friend bool operator==(const ExactSum&, const ExactSum&) = default;

 private:
  void AddAt(std::size_t limb, std::uint64_t low, std::uint64_t high) {
    limbs_[limb] += low;
    // high has at most 53 bits, so this does not wrap
    std::uint64_t carry = high + (limbs_[limb] < low ? 1 : 0);
    for (std::size_t i = limb + 1; carry != 0 && i < kLimbs; ++i) {
      limbs_[i] += carry;
      carry = limbs_[i] < carry ? 1 : 0;
    }
  }
  void SubtractAt(std::size_t limb, std::uint64_t low, std::uint64_t high) {
    std::uint64_t borrow = high + (limbs_[limb] < low ? 1 : 0);
    limbs_[limb] -= low;
    for (std::size_t i = limb + 1; borrow != 0 && i < kLimbs; ++i) {
      const bool wraps = limbs_[i] < borrow;
      limbs_[i] -= borrow;
      borrow = wraps ? 1 : 0;
    }
  }

  Limbs limbs_{};
};

/// Sums of floats: from the smallest denormal, 2^-149, with room for 2^64 of
/// the largest.
using ExactFloatSum = ExactSum<-149, 6>;
/// Sums of squares of floats, which doubles hold exactly.
using ExactSquareSum = ExactSum<-298, 10>;

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_EXACT_SUM_H_

// SplitMix64: random numbers that are the same on every machine.
#ifndef ZEROPOINT_DATA_SPLIT_MIX_H_
#define ZEROPOINT_DATA_SPLIT_MIX_H_

#include <cstdint>

namespace zeropoint {

/// 64 well-mixed bits for a counter. Source: Steele, Lea, Flood, "Fast
/// splittable pseudorandom number generators".
constexpr std::uint64_t SplitMix64(std::uint64_t counter) {
  std::uint64_t bits = (counter + 1) * 0x9e3779b97f4a7c15u;
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
  return bits ^ bits >> 31;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_SPLIT_MIX_H_

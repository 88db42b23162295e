// XxHash64: a fast checksum for files and identities. It finds accidents, not
// attacks.
#ifndef ZEROPOINT_CORE_XXHASH64_H_
#define ZEROPOINT_CORE_XXHASH64_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace zeropoint {

/// XXH64 of `data`, the same on machines of either byte order.
/// Source: github.com/Cyan4973/xxHash, doc/xxhash_spec.md.
inline std::uint64_t XxHash64(std::string_view data, std::uint64_t seed = 0) {
  constexpr std::uint64_t k1 = 0x9E3779B185EBCA87u;
  constexpr std::uint64_t k2 = 0xC2B2AE3D27D4EB4Fu;
  constexpr std::uint64_t k3 = 0x165667B19E3779F9u;
  constexpr std::uint64_t k4 = 0x85EBCA77C2B2AE63u;
  constexpr std::uint64_t k5 = 0x27D4EB2F165667C5u;
  const auto read = [](const char* from, std::size_t bytes) {
    std::uint64_t value = 0;
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(&value, from, bytes);
    } else {
      for (std::size_t i = 0; i < bytes; ++i) {
        value |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
      }
    }
    return value;
  };
  const auto round = [](std::uint64_t lane, std::uint64_t input) {
    return std::rotl(lane + input * k2, 31) * k1;
  };
  const char* at = data.data();
  const char* const end = at + data.size();
  std::uint64_t hash = seed + k5;
  if (data.size() >= 32) {
    std::uint64_t lanes[4] = {seed + k1 + k2, seed + k2, seed, seed - k1};
    for (; end - at >= 32; at += 32) {
      for (std::size_t i = 0; i < 4; ++i) {
        lanes[i] = round(lanes[i], read(at + 8 * i, 8));
      }
    }
    hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) +
           std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
    for (const std::uint64_t lane : lanes) {
      hash = (hash ^ round(0, lane)) * k1 + k4;
    }
  }
  hash += data.size();
  for (; end - at >= 8; at += 8) {
    hash = std::rotl(hash ^ round(0, read(at, 8)), 27) * k1 + k4;
  }
  if (end - at >= 4) {
    hash = std::rotl(hash ^ (read(at, 4) * k1), 23) * k2 + k3;
    at += 4;
  }
  for (; at != end; ++at) {
    hash = std::rotl(hash ^ (read(at, 1) * k5), 11) * k1;
  }
  hash = (hash ^ (hash >> 33)) * k2;
  hash = (hash ^ (hash >> 29)) * k3;
  return hash ^ (hash >> 32);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_XXHASH64_H_

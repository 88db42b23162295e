#include "zeropoint/exec/arena.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace zeropoint {
namespace {

BOOST_AUTO_TEST_SUITE(arena)

BOOST_AUTO_TEST_CASE(AlignsAndSharesBlocks) {
  Arena arena;
  Arena::Buffer a = arena.Allocate(100);
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(a.data()) % Arena::kAlignment ==
             0);
  BOOST_TEST(a.unique());
  {
    const Arena::Buffer shared = a;  // NOLINT(performance-unnecessary-copy-*)
    BOOST_TEST(!a.unique());
    BOOST_TEST(shared.data() == a.data());
  }
  BOOST_TEST(a.unique());
  BOOST_TEST(arena.in_use() == 128);
  a = Arena::Buffer();
  BOOST_TEST(arena.in_use() == 0);
}

BOOST_AUTO_TEST_CASE(GivesEmptyTensorsAnAddress) {
  Arena arena;
  BOOST_TEST(arena.Allocate(0).data() != nullptr);
}

BOOST_AUTO_TEST_CASE(RefusesWhatCannotBeHad) {
  Arena arena;
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  BOOST_TEST(arena.Allocate(kMost).data() == nullptr);
  BOOST_TEST(arena.Allocate(kMost / 4).data() == nullptr);
  BOOST_TEST(arena.Allocate(64).data() != nullptr);
}

BOOST_AUTO_TEST_CASE(JoinsFreedNeighbours) {
  Arena arena;
  std::vector<Arena::Buffer> parts;
  for (int i = 0; i < 16; ++i) parts.push_back(arena.Allocate(4096));
  const std::size_t capacity = arena.capacity();
  const std::byte* first = parts[0].data();
  std::swap(parts[3], parts[9]);  // free them out of order
  std::swap(parts[0], parts[5]);
  parts.clear();
  const Arena::Buffer whole = arena.Allocate(capacity);
  BOOST_TEST(whole.data() == first);
  BOOST_TEST(arena.capacity() == capacity);
}

BOOST_AUTO_TEST_CASE(BecomesOneRegionOfThePeakSize) {
  Arena arena;
  {
    const Arena::Buffer a = arena.Allocate(1 << 20);
    const Arena::Buffer b = arena.Allocate(2 << 20);
  }
  { const Arena::Buffer c = arena.Allocate(5 << 20); }
  BOOST_TEST(arena.capacity() == (8 << 20));
  BOOST_TEST(arena.peak() == (5 << 20));
  arena.Consolidate();
  BOOST_TEST(arena.capacity() == (5 << 20));
  BOOST_TEST(arena.peak() == 0);
  const Arena::Buffer c = arena.Allocate(5 << 20);
  BOOST_TEST(arena.capacity() == (5 << 20));
}

BOOST_AUTO_TEST_CASE(BlocksNeverOverlap) {
  Arena arena;
  std::mt19937 random(1);
  std::vector<std::pair<Arena::Buffer, std::size_t>> live;
  for (int step = 0; step < 5000; ++step) {
    if (live.size() > 40 || (!live.empty() && random() % 2 == 0)) {
      const std::size_t i = random() % live.size();
      const auto& [buffer, size] = live[i];
      for (std::size_t k = 1; k < size; ++k) {
        BOOST_REQUIRE(buffer.data()[k] == buffer.data()[0]);
      }
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      const std::size_t size = 1 + random() % 3000;
      live.emplace_back(arena.Allocate(size), size);
      std::memset(live.back().first.data(), step, size);
    }
  }
  live.clear();
  BOOST_TEST(arena.in_use() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

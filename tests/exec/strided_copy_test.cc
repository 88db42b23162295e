#include "zeropoint/exec/strided_copy.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

namespace zeropoint {
namespace {

// What StridedCopy means, one element at a time.
void CopyOneByOne(const std::vector<CopyAxis>& axes, std::size_t axis,
                  const std::byte* from, std::byte* to, std::size_t width) {
  if (axis == axes.size()) {
    for (std::size_t i = 0; i < width; ++i) to[i] = from[i];
    return;
  }
  for (std::size_t i = 0; i < axes[axis].size; ++i) {
    const auto step =
        static_cast<std::ptrdiff_t>(i) * static_cast<std::ptrdiff_t>(width);
    CopyOneByOne(axes, axis + 1, from + step * axes[axis].from,
                 to + step * axes[axis].to, width);
  }
}

BOOST_AUTO_TEST_SUITE(strided_copy)

BOOST_AUTO_TEST_CASE(EqualsTheLoopForEveryOrderOfAxes) {
  std::mt19937 random(7);
  ThreadPool pool(2);
  for (int round = 0; round < 300; ++round) {
    const std::size_t width = std::size_t{1} << (random() % 5);
    const std::size_t rank = random() % 5;
    std::vector<CopyAxis> axes(rank);
    std::ptrdiff_t count = 1;
    for (std::size_t i = rank; i-- > 0;) {
      axes[i].size = 1 + random() % (round % 10 == 0 ? 40 : 5);
      axes[i].to = count;
      count *= static_cast<std::ptrdiff_t>(axes[i].size);
    }
    // A random order of the same axes in the source; some of them repeat, some
    // run backwards.
    std::vector<std::size_t> order(rank);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    std::ptrdiff_t stride = 1;
    std::ptrdiff_t first = 0;
    for (const std::size_t i : order) {
      const auto last = static_cast<std::ptrdiff_t>(axes[i].size) - 1;
      const unsigned kind = random() % 8;
      axes[i].from = kind == 0 ? 0 : stride;
      if (kind == 1) {
        axes[i].from = -stride;
        first += last * stride;
      }
      stride *= last + 1;
    }
    std::vector<std::byte> source(static_cast<std::size_t>(stride) * width);
    for (std::byte& byte : source) byte = static_cast<std::byte>(random());
    std::vector<std::byte> expected(static_cast<std::size_t>(count) * width);
    std::vector<std::byte> found(expected.size());
    const std::byte* from =
        source.data() + first * static_cast<std::ptrdiff_t>(width);
    CopyOneByOne(axes, 0, from, expected.data(), width);
    StridedCopy(axes, from, found.data(), width, pool);
    BOOST_REQUIRE(found == expected);
  }
}

BOOST_AUTO_TEST_CASE(SharesOneLongRun) {
  ThreadPool pool(2);
  std::vector<std::int64_t> source(100000);
  std::iota(source.begin(), source.end(), 0);
  std::vector<std::int64_t> target(source.size());
  StridedCopy({{source.size(), 1, 1}},
              reinterpret_cast<const std::byte*>(source.data()),
              reinterpret_cast<std::byte*>(target.data()), 8, pool);
  BOOST_TEST(target == source);
}

BOOST_AUTO_TEST_CASE(CopiesNothingOfAnEmptyBox) {
  ThreadPool pool(1);
  StridedCopy({{3, 4, 0}, {0, 1, 1}}, nullptr, nullptr, 4, pool);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

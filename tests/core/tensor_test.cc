#include "zeropoint/core/tensor.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "zeropoint/core/feeds.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {
namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

std::optional<std::size_t> Count(const Dims& dims) {
  return ElementCount(dims);
}

BOOST_AUTO_TEST_SUITE(tensor)

BOOST_AUTO_TEST_CASE(CountsElements) {
  BOOST_TEST(Count({}).value() == 1u);  // a scalar
  BOOST_TEST(Count({7}).value() == 7u);
  BOOST_TEST(Count({2, 3, 4}).value() == 24u);
  BOOST_TEST(Count({2, 0, 4}).value() == 0u);
}

BOOST_AUTO_TEST_CASE(RefusesShapesThatNoMemoryHolds) {
  BOOST_TEST(!Count({-1}).has_value());
  BOOST_TEST(!Count({0, -1}).has_value());
  BOOST_TEST(!Count({kHuge}).has_value());
  BOOST_TEST(!Count({std::int64_t{1} << 32, std::int64_t{1} << 32}));
  BOOST_TEST(!Count({3, kHuge / 2, 1}).has_value());
  // Walking the other axes of an empty tensor must not overflow either.
  BOOST_TEST(!Count({0, kHuge, kHuge}).has_value());
}

// A shape that ElementCount takes must have a size in bytes for every type: a
// wrapped product would be a small allocation with a large claim.
BOOST_AUTO_TEST_CASE(BytesOfACountedShapeDoNotWrap) {
  std::size_t accepted = 0;
  for (int shift = 40; shift < 63; ++shift) {
    for (const std::int64_t past : {-1, 0, 1}) {
      const auto count = Count({(std::int64_t{1} << shift) + past});
      if (!count) continue;
      ++accepted;
      for (const auto& facts : internal::kDataTypeFacts) {
        const auto bits = static_cast<std::size_t>(facts.bits);
        BOOST_TEST(BytesOf(facts.type, *count) >= *count / 8 * bits);
      }
    }
  }
  BOOST_TEST(accepted > 0u);
}

BOOST_AUTO_TEST_CASE(FormatsShapes) {
  BOOST_TEST(FormatDims({}) == "[]");
  BOOST_TEST(FormatDims(Dims{1, 3, 224}) == "[1, 3, 224]");
}

BOOST_AUTO_TEST_CASE(StartsAsZeros) {
  const Tensor made(DataType::kInt16, {2, 3});
  BOOST_TEST(made.size() == 6u);
  BOOST_TEST(made.bytes() == 12u);
  BOOST_TEST(made.rank() == 2u);
  for (const std::int16_t value : made.As<std::int16_t>()) {
    BOOST_TEST(value == 0);
  }
}

BOOST_AUTO_TEST_CASE(IsAlignedToACacheLine) {
  for (const std::int64_t size : {0, 1, 3, 1000}) {
    const Tensor made(DataType::kUint8, {size});
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(made.data()) %
                   Tensor::kAlignment ==
               0u);
  }
}

BOOST_AUTO_TEST_CASE(HoldsScalarsAndEmptyTensors) {
  const Tensor scalar = Tensor::Of<float>({}, std::array{2.5f});
  BOOST_TEST(scalar.rank() == 0u);
  BOOST_TEST(scalar.As<float>()[0] == 2.5f);
  const Tensor empty(DataType::kFloat, {3, 0});
  BOOST_TEST(empty.size() == 0u);
  BOOST_TEST(empty.As<float>().empty());
  BOOST_TEST((empty.Clone().dims() == Dims{3, 0}));
}

BOOST_AUTO_TEST_CASE(PacksSubByteTypes) {
  const Tensor nibbles(DataType::kInt4, {5});
  BOOST_TEST(nibbles.size() == 5u);
  BOOST_TEST(nibbles.bytes() == 3u);
  BOOST_TEST(Tensor(DataType::kUint2, {5}).bytes() == 2u);
}

BOOST_AUTO_TEST_CASE(CopiesOnlyWhenAsked) {
  static_assert(!std::is_copy_constructible_v<Tensor>);
  static_assert(!std::is_copy_assignable_v<Tensor>);
  static_assert(std::is_nothrow_move_constructible_v<Tensor>);
  Tensor original = Tensor::Of<std::int32_t>({2}, std::array{1, 2});
  Tensor copy = original.Clone();
  copy.MutableAs<std::int32_t>()[0] = 9;
  BOOST_TEST(original.As<std::int32_t>()[0] == 1);
  BOOST_TEST(copy.As<std::int32_t>()[1] == 2);
  BOOST_TEST(copy.data() != original.data());
}

BOOST_AUTO_TEST_CASE(IsNoTensorOnceMovedFrom) {
  Tensor original = Tensor::Of<std::int32_t>({2}, std::array{1, 2});
  const void* data = original.data();
  Tensor moved = std::move(original);
  BOOST_TEST(moved.data() == data);
  for (const Tensor* gone : {&original}) {  // NOLINT(bugprone-use-after-move)
    BOOST_TEST((gone->type() == DataType::kUndefined));
    BOOST_TEST(gone->size() == 0u);
    BOOST_TEST(gone->view().size() == 0u);
    BOOST_TEST(gone->data() == nullptr);
  }
  Tensor assigned(DataType::kFloat, {4});
  assigned = std::move(moved);
  BOOST_TEST(assigned.As<std::int32_t>()[1] == 2);
  BOOST_TEST(moved.size() == 0u);  // NOLINT(bugprone-use-after-move)
}

BOOST_AUTO_TEST_CASE(NoTensorHasAViewAndAClone) {
  const Tensor none;
  BOOST_TEST((none.type() == DataType::kUndefined));
  BOOST_TEST(none.view().size() == 0u);
  BOOST_TEST(none.bytes() == 0u);
  BOOST_TEST((none.Clone().type() == DataType::kUndefined));
}

BOOST_AUTO_TEST_CASE(ViewsShareTheData) {
  Tensor owner = Tensor::Of<float>({1, 2}, std::array{1.0f, 2.0f});
  const TensorView view = owner.view();
  owner.MutableAs<float>()[1] = 5.0f;
  BOOST_TEST(view.As<float>()[1] == 5.0f);
  BOOST_TEST(view.dims()[1] == 2);
  BOOST_TEST(view.bytes() == 8u);
  BOOST_TEST(Tensor::CopyOf(view).As<float>()[1] == 5.0f);
}

BOOST_AUTO_TEST_CASE(FeedsAreFoundByName) {
  Feeds feeds;
  feeds.push_back({"a", Tensor(DataType::kFloat, {1})});
  feeds.push_back({"b", Tensor(DataType::kInt8, {2})});
  BOOST_REQUIRE(FindFeed(feeds, "b") != nullptr);
  BOOST_TEST(FindFeed(feeds, "b")->size() == 2u);
  BOOST_TEST(FindFeed(feeds, "c") == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

#include "zeropoint/passes/n_bits_layout.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <vector>

#include "zeropoint/kernels/kernel_table.h"
#include "zeropoint/passes/round_blocks.h"

namespace zeropoint {
namespace {

std::vector<int> BytesOfTensor(const Tensor& tensor) {
  const auto bytes = tensor.As<std::uint8_t>();
  return {bytes.begin(), bytes.end()};
}

/// A row of a 20-weight matrix in blocks of 16, with codes 0, 1, 2 ... of 4
/// bits and the zero points 3 and 9.
QuantizedTensor TwoBlocks() {
  QuantizedTensor matrix;
  matrix.codes = Tensor(DataType::kUint8, {1, 20});
  const auto codes = matrix.codes.MutableAs<std::uint8_t>();
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<std::uint8_t>(i % 16);
  }
  matrix.params.axis = 1;
  matrix.params.block = 16;
  matrix.params.block_dims = {1, 2};
  matrix.params.channels = {{0.5f, 3}, {0.25f, 9}};
  return matrix;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(n_bits_layout)

BOOST_AUTO_TEST_CASE(TheFirstCodeHasTheLowBits) {
  const std::vector<std::uint8_t> codes = {0x1, 0xf, 0x8, 0x2};
  BOOST_TEST(
      BytesOfTensor(PackRows(codes, 4, 4)) == std::vector<int>({0xf1, 0x28}),
      boost::test_tools::per_element());
  const std::vector<std::uint8_t> pairs = {1, 2, 3, 0};
  BOOST_TEST(
      BytesOfTensor(PackRows(pairs, 4, 2)) == std::vector<int>({0b00111001}),
      boost::test_tools::per_element());
  BOOST_TEST(BytesOfTensor(PackRows(codes, 4, 8)) ==
                 std::vector<int>({0x1, 0xf, 0x8, 0x2}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(AnOddRowEndsInAByteOfItsOwn) {
  const std::vector<std::uint8_t> codes = {1, 2, 3, 4, 5, 6};
  const Tensor packed = PackRows(codes, 3, 4);
  BOOST_TEST(packed.dims() == Dims({2, 2}), boost::test_tools::per_element());
  BOOST_TEST(
      BytesOfTensor(packed) == std::vector<int>({0x21, 0x03, 0x54, 0x06}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(AShortLastBlockIsFilledWithItsZeroPoint) {
  const Tensor packed = PackBlocks(TwoBlocks(), 4);
  BOOST_TEST(packed.dims() == Dims({1, 2, 8}),
             boost::test_tools::per_element());
  BOOST_TEST(
      BytesOfTensor(packed) ==
          std::vector<int>({0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe,
                            0x10, 0x32, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ScalesAndZeroPointsLieByRowsOfBlocks) {
  BOOST_TEST(
      BytesOfTensor(PackZeroPoints(TwoBlocks(), 4)) == std::vector<int>({0x93}),
      boost::test_tools::per_element());
  const Tensor scales = BlockScales(TwoBlocks());
  BOOST_TEST(scales.dims() == Dims({1, 2}), boost::test_tools::per_element());
  BOOST_TEST(scales.As<float>()[0] == 0.5f);
  BOOST_TEST(scales.As<float>()[1] == 0.25f);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>

#include "onnx/onnx_pb.h"
#include "zeropoint/graph/initializer.h"

namespace zeropoint {
namespace {

onnx::TensorProto SixBits(std::initializer_list<int> values) {
  onnx::TensorProto tensor;
  tensor.set_name("t");
  tensor.set_data_type(onnx::TensorProto::FLOAT6E2M3);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  for (const int value : values) tensor.add_int32_data(value);
  return tensor;
}

BOOST_AUTO_TEST_SUITE(float6)

// byte0 = x0 | (x1 & 3) << 6, byte1 = x1 >> 2 | (x2 & 15) << 4,
// byte2 = x2 >> 4 | x3 << 2
BOOST_AUTO_TEST_CASE(TypedFieldPacksFourValuesIntoThreeBytes) {
  const auto decoded = DecodeTensor(SixBits({0x21, 0x3f, 0x2a, 0x15, 0x3e}));
  BOOST_REQUIRE_MESSAGE(decoded.ok(), decoded.status().message());
  BOOST_REQUIRE(decoded->bytes() == 4u);
  const auto* bytes = static_cast<const std::uint8_t*>(decoded->data());
  BOOST_TEST(int{bytes[0]} == (0x21 | (0x3f & 3) << 6));
  BOOST_TEST(int{bytes[1]} == (0x3f >> 2 | (0x2a & 15) << 4));
  BOOST_TEST(int{bytes[2]} == (0x2a >> 4 | 0x15 << 2));
  BOOST_TEST(int{bytes[3]} == 0x3e);
}

BOOST_AUTO_TEST_CASE(RefusesValuesOfMoreThanSixBits) {
  BOOST_TEST(!DecodeTensor(SixBits({64})).ok());
  BOOST_TEST(!DecodeTensor(SixBits({-1})).ok());
}

BOOST_AUTO_TEST_CASE(RefusesAWrongCount) {
  onnx::TensorProto tensor = SixBits({1, 2, 3});
  tensor.set_dims(0, 4);
  BOOST_TEST(!DecodeTensor(tensor).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

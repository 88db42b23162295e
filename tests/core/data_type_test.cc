#include "zeropoint/core/data_type.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>

#include "onnx/onnx_pb.h"

namespace zeropoint {
namespace {

BOOST_AUTO_TEST_SUITE(data_type)

// A type that onnx gains must not be met first in a user's model.
BOOST_AUTO_TEST_CASE(KnowsEveryTypeOfOnnxByNumberAndName) {
  for (int i = onnx::TensorProto::DataType_MIN;
       i <= onnx::TensorProto::DataType_MAX; ++i) {
    if (!onnx::TensorProto::DataType_IsValid(i)) continue;
    std::string name = onnx::TensorProto::DataType_Name(
        static_cast<onnx::TensorProto::DataType>(i));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    BOOST_TEST(DataTypeName(static_cast<DataType>(i)) == name);
  }
}

BOOST_AUTO_TEST_CASE(NumbersOutsideTheEnumerationAreUnknown) {
  for (const int number : {-1, 1000}) {
    const auto type = static_cast<DataType>(number);
    BOOST_TEST(DataTypeName(type) == "unknown");
    BOOST_TEST(BitsOf(type) == 0);
  }
}

BOOST_AUTO_TEST_CASE(SizesRoundUpToBytesOnce) {
  BOOST_TEST(BytesOf(DataType::kFloat, 3) == 12u);
  BOOST_TEST(BytesOf(DataType::kComplex128, 2) == 32u);
  BOOST_TEST(BytesOf(DataType::kInt4, 0) == 0u);
  BOOST_TEST(BytesOf(DataType::kInt4, 1) == 1u);
  BOOST_TEST(BytesOf(DataType::kInt4, 4) == 2u);
  BOOST_TEST(BytesOf(DataType::kUint2, 9) == 3u);
  BOOST_TEST(BytesOf(DataType::kString, 9) == 0u);
}

BOOST_AUTO_TEST_CASE(VisitsTheTypeItIsGiven) {
  const auto visited = [](DataType type) {
    DataType seen = DataType::kUndefined;
    const Status status = VisitDataType(type, [&]<class T>() {
      seen = DataTypeOf<T>();
      if (BytesOf(type, 1) != sizeof(T)) seen = DataType::kUndefined;
      return Status();
    });
    return status.ok() ? seen : DataType::kUndefined;
  };
  for (const DataType type :
       {DataType::kFloat, DataType::kDouble, DataType::kUint8, DataType::kInt8,
        DataType::kUint16, DataType::kInt16, DataType::kInt32,
        DataType::kUint32, DataType::kInt64, DataType::kUint64,
        DataType::kBool}) {
    BOOST_TEST((visited(type) == type), DataTypeName(type));
  }
}

BOOST_AUTO_TEST_CASE(NamesTheTypeThatItCannotVisit) {
  const auto visit = [](DataType type) {
    return VisitDataType(type, []<class T>() { return Status(); });
  };
  BOOST_TEST((visit(DataType::kInt4).code() == StatusCode::kUnsupported));
  BOOST_TEST(visit(DataType::kInt4).message().find("int4") !=
             std::string::npos);
  BOOST_TEST(!visit(DataType::kString).ok());
  BOOST_TEST(!visit(DataType::kFloat16).ok());
  BOOST_TEST(!visit(DataType::kUndefined).ok());
}

BOOST_AUTO_TEST_CASE(PassesTheVisitorsErrorOn) {
  const Status status = VisitDataType(
      DataType::kFloat, []<class T>() { return InvalidData("mine"); });
  BOOST_TEST(status.message() == "mine");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

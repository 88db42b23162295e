#include "zeropoint/data/npy.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/data/numpy_files.h"
#include "tests/testing.h"

namespace zeropoint {
namespace {

// The header at the start of `bytes`.
Result<NpyHeader> Parse(std::string_view bytes) {
  return ReadNpyHeader([&bytes](void* into, std::size_t count) -> Status {
    if (count > bytes.size()) return InvalidData("ends too early");
    if (count > 0) std::memcpy(into, bytes.data(), count);
    bytes.remove_prefix(count);
    return Status();
  });
}

std::string Header(std::string_view dictionary) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(dictionary.size() & 0xff);
  bytes += static_cast<char>(dictionary.size() >> 8);
  return bytes + std::string(dictionary);
}

Result<NpyHeader> ParseType(std::string_view type) {
  return Parse(Header("{'descr': '" + std::string(type) +
                      "', 'fortran_order': False, 'shape': (2,), }\n"));
}

BOOST_AUTO_TEST_SUITE(npy)

BOOST_AUTO_TEST_CASE(ReadsVersionTwo) {
  const std::string file = FromHex(kVersion2Npy);
  const auto header = Parse(file);
  REQUIRE_OK(header);
  BOOST_TEST((header->type == DataType::kFloat));
  BOOST_TEST((header->dims == Dims{2, 1}));
  BOOST_TEST(header->header_bytes + *header->data_bytes() == file.size());
}

BOOST_AUTO_TEST_CASE(ReadsVersionThree) {
  const std::string file = FromHex(kVersion3Npy);
  const auto header = Parse(file);
  REQUIRE_OK(header);
  BOOST_TEST((header->type == DataType::kInt16));
  BOOST_TEST((header->dims == Dims{2}));
  BOOST_TEST(header->header_bytes + *header->data_bytes() == file.size());
}

BOOST_AUTO_TEST_CASE(EveryPrefixIsAnError) {
  const std::string file = FromHex(kVersion2Npy);
  const std::size_t header = Parse(file)->header_bytes;
  for (std::size_t size = 0; size < header; ++size) {
    BOOST_TEST_CONTEXT("size " << size) {
      BOOST_TEST(!Parse(std::string_view(file).substr(0, size)).ok());
    }
  }
}

BOOST_AUTO_TEST_CASE(KeysComeInAnyOrderAndQuotes) {
  const auto header = Parse(
      Header("{ \"shape\":( ),'fortran_order' :True ,\"descr\" : \"<i8\" }"));
  REQUIRE_OK(header);
  BOOST_TEST((header->type == DataType::kInt64));
  BOOST_TEST(header->fortran_order);
  BOOST_TEST(header->dims.empty());
  BOOST_TEST(*header->data_bytes() == 8u);
}

BOOST_AUTO_TEST_CASE(KnowsTheTypes) {
  BOOST_TEST((ParseType("|b1")->type == DataType::kBool));
  BOOST_TEST((ParseType("|u1")->type == DataType::kUint8));
  BOOST_TEST((ParseType("<f2")->type == DataType::kFloat16));
  BOOST_TEST((ParseType("=f8")->type == DataType::kDouble));
  BOOST_TEST(ParseType(">i4")->swapped);
  BOOST_TEST(!ParseType("<i4")->swapped);
  const auto text = ParseType("<U26");
  REQUIRE_OK(text);
  BOOST_TEST((text->type == DataType::kString));
  BOOST_TEST(text->item_bytes == 104u);
}

BOOST_AUTO_TEST_CASE(RefusesOtherTypesByName) {
  CheckError(ParseType("|O").status(), StatusCode::kUnsupported, {"objects"});
  CheckError(ParseType("|O8").status(), StatusCode::kUnsupported, {"objects"});
  for (const std::string_view type :
       {"<c8", "<f16", "<M8[ns]", "|V4", "|S3", "<U0", "<U99999999999999999999",
        "<i3", "i4", "", "<", "<i", "<i4x", "<i-4"}) {
    BOOST_TEST_CONTEXT(type) {
      CheckError(ParseType(type).status(), StatusCode::kUnsupported, {type});
    }
  }
  CheckError(Parse(Header("{'descr': [('a', '<i4')], 'fortran_order': False, "
                          "'shape': (1,)}"))
                 .status(),
             StatusCode::kUnsupported, {"records"});
}

BOOST_AUTO_TEST_CASE(RefusesBrokenHeaders) {
  for (const std::string_view dictionary :
       {"", "{", "{}", "[]", "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
        "{'descr': '<f4', 'fortran_order': false, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}",
        "{'descr': <f4, 'fortran_order': False, 'shape': (2,)}",
        "{'descr':'<f4','fortran_order':False,'shape':(99999999999999999999,)}",
        "{'descr': '<f4"}) {
    BOOST_TEST_CONTEXT(dictionary) {
      CheckError(Parse(Header(dictionary)).status(), StatusCode::kInvalidData,
                 {"broken"});
    }
  }
}

BOOST_AUTO_TEST_CASE(RefusesImpossibleSizes) {
  CheckError(Parse(Header("{'descr': '<f4', 'fortran_order': False, 'shape': "
                          "(4611686018427387904, 4)}"))
                 .status(),
             StatusCode::kInvalidData, {"shape", "4611686018427387904"});
  CheckError(Parse(Header("{'descr': '<U1000000000', 'fortran_order': False, "
                          "'shape': (100000000000,)}"))
                 .status(),
             StatusCode::kInvalidData, {"shape", "100000000000"});
  const std::string long_header("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12);
  CheckError(Parse(long_header).status(), StatusCode::kInvalidData,
             {"4294967295 bytes"});
}

BOOST_AUTO_TEST_CASE(RefusesOtherFiles) {
  CheckError(Parse("PK\x03\x04 not an array").status(),
             StatusCode::kInvalidData, {".npy"});
  CheckError(Parse(std::string("\x93NUMPY\x04\x00", 8)).status(),
             StatusCode::kUnsupported, {"version 4"});
}

BOOST_AUTO_TEST_CASE(WritesWhatItReads) {
  for (const Dims& dims : {Dims{}, Dims{5}, Dims{64, 1, 3, 224, 224}}) {
    const std::string text = FormatNpyHeader(DataType::kInt64, dims);
    BOOST_TEST(text.size() % 64 == 0u);
    const auto header = Parse(text);
    REQUIRE_OK(header);
    BOOST_TEST((header->type == DataType::kInt64));
    BOOST_TEST((header->dims == dims));
    BOOST_TEST(header->header_bytes == text.size());
    BOOST_TEST(!header->swapped);
    BOOST_TEST(!header->fortran_order);
  }
  BOOST_TEST(HasNpyType(DataType::kBool));
  BOOST_TEST(!HasNpyType(DataType::kBfloat16));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

#include "zeropoint/core/scheme_spec.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace zeropoint {
namespace {

struct Text {
  std::string text;
  SchemeSpec spec;
};

SchemeSpec Parse(const std::string& text) {
  const Result<SchemeSpec> parsed = ParseScheme(text);
  BOOST_REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  return *parsed;
}

// Every storage type, symmetry, granularity and range that exists.
std::vector<SchemeSpec> AllSpecs() {
  std::vector<SchemeSpec> specs;
  for (const DataType storage :
       {DataType::kUint8, DataType::kInt8, DataType::kUint16, DataType::kInt16,
        DataType::kUint4, DataType::kInt4}) {
    const CodeRange full = *FullCodeRange(storage);
    for (const bool symmetric : {false, true}) {
      for (const bool narrow : {false, true}) {
        if (narrow && full.qmin == 0) continue;
        SchemeSpec spec{storage,
                        symmetric,
                        false,
                        kOperatorAxis,
                        full.qmin + (narrow ? 1 : 0),
                        full.qmax};
        specs.push_back(spec);
        spec.block = 32;
        specs.push_back(spec);
        spec.block = 0;
        spec.per_channel = true;
        for (const int axis : {kOperatorAxis, 0, 1, 7, -1, -2,
                               std::numeric_limits<int>::max()}) {
          spec.axis = axis;
          specs.push_back(spec);
        }
      }
    }
  }
  return specs;
}

BOOST_AUTO_TEST_SUITE(scheme_spec)

BOOST_AUTO_TEST_CASE(TextReadsBackAsTheSameSpec) {
  for (const SchemeSpec& spec : AllSpecs()) {
    const std::string text = FormatScheme(spec);
    BOOST_TEST((Parse(text) == spec), text);
    BOOST_TEST(FormatScheme(Parse(text)) == text);
  }
}

BOOST_AUTO_TEST_CASE(TextsAreWhatTheyWere) {
  BOOST_TEST(FormatScheme(SpecOf<Affine<std::uint8_t>>()) == "u8:asym");
  BOOST_TEST(FormatScheme(SpecOf<Affine<std::int8_t, Symmetric, PerChannel<>,
                                        NarrowRange>>()) ==
             "i8:sym:channel:narrow");
  BOOST_TEST(FormatScheme(
                 SpecOf<Affine<std::int16_t, Asymmetric, PerChannel<-1>>>()) ==
             "i16:asym:axis=-1");
  BOOST_TEST(FormatScheme(SpecOf<Affine<std::uint16_t, Symmetric>>()) ==
             "u16:sym");
}

BOOST_AUTO_TEST_CASE(ReadsEverySpelling) {
  const std::vector<std::pair<std::string, std::string>> same = {
      {"u8", "u8:asym"},
      {"uint8", "u8:asym"},
      {"u16", "u16:asym"},
      {"uint16", "u16:asym"},
      // Signed storage is symmetric unless said otherwise.
      {"i8", "i8:sym"},
      {"s8", "i8:sym"},
      {"int8", "i8:sym"},
      {"i16", "i16:sym"},
      {"s16", "i16:sym"},
      {"int16", "i16:sym"},
      {"i8:asym", "i8:asym"},
      // Parts come in any order.
      {"i8:narrow:channel:sym", "i8:sym:channel:narrow"},
      {"u8:tensor", "u8:asym"},
      {"i8:full", "i8:sym"},
      {"i8:axis=-0", "i8:sym:axis=0"},
      // The later of two holds, and leaves nothing of the earlier behind.
      {"i4", "i4:sym"},
      {"s4", "i4:sym"},
      {"int4", "i4:sym"},
      {"u4", "u4:asym"},
      {"uint4", "u4:asym"},
      {"i4:block=32:narrow", "i4:sym:block=32:narrow"},
      {"i4:channel:block=32", "i4:sym:block=32"},
      {"i4:block=32:channel", "i4:sym:channel"},
      {"i4:block=32:tensor", "i4:sym"},
      {"i4:block=32:axis=1", "i4:sym:axis=1"},
      {"i8:axis=1:tensor", "i8:sym"},
      {"i8:axis=1:channel", "i8:sym:channel"},
      {"i8:channel:axis=1", "i8:sym:axis=1"},
      {"i8:narrow:full", "i8:sym"},
      {"u8:sym:asym", "u8:asym"},
  };
  for (const auto& [text, plain] : same) {
    BOOST_TEST((Parse(text) == Parse(plain)), text);
    BOOST_TEST(FormatScheme(Parse(text)) == plain);
  }
}

BOOST_AUTO_TEST_CASE(ErrorsNameThePartAndWhatIsKnown) {
  const std::vector<std::vector<std::string>> cases = {
      {"", "storage type ''", "known: u8, i8, u16, i16"},
      {"f8", "storage type 'f8'", "known: u8, i8, u16, i16"},
      {"U8", "storage type 'U8'"},
      {":sym", "storage type ''"},
      {" u8", "storage type ' u8'"},
      {"u8:", "unknown part ''", "axis=N"},
      {"u8::sym", "unknown part ''"},
      {"u8:symm", "unknown part 'symm'", "sym, asym, tensor, channel"},
      {"i8:sym:axis", "unknown part 'axis'"},
      {"i8:axis=", "axis ''", "write axis=0"},
      {"i8:axis=x", "axis 'x'"},
      {"i8:axis=1x", "axis '1x'"},
      {"i8:axis= 1", "axis ' 1'"},
      {"i8:axis=99999999999", "axis '99999999999'"},
      // The number that stands for "the operator decides".
      {"i8:axis=-2147483648", "axis '-2147483648'"},
      {"u8:narrow", "unsigned storage has no narrow range"},
      {"i4:block=0", "block '0'", "write block=32"},
      {"i4:block=-1", "block '-1'"},
      {"i4:block=", "block ''"},
      {"i4:block=3x", "block '3x'"},
      {"u4:narrow", "unsigned storage has no narrow range"},
      {"u16:narrow", "unsigned storage has no narrow range"},
  };
  for (const auto& words : cases) {
    const Result<SchemeSpec> parsed = ParseScheme(words[0]);
    BOOST_REQUIRE_MESSAGE(!parsed.ok(), words[0]);
    BOOST_TEST((parsed.status().code() == StatusCode::kInvalidArgument));
    const std::string& message = parsed.status().message();
    BOOST_TEST(message.starts_with("scheme '" + words[0] + "': "), message);
    for (std::size_t i = 1; i < words.size(); ++i) {
      BOOST_TEST(message.find(words[i]) != std::string::npos,
                 message << " does not say: " << words[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(OnlyAffineStorageHasACodeRange) {
  for (const auto& facts : internal::kDataTypeFacts) {
    const bool affine =
        facts.type == DataType::kUint8 || facts.type == DataType::kInt8 ||
        facts.type == DataType::kUint16 || facts.type == DataType::kInt16 ||
        facts.type == DataType::kUint4 || facts.type == DataType::kInt4;
    BOOST_TEST(FullCodeRange(facts.type).has_value() == affine, facts.name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

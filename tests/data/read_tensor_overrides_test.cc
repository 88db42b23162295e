#include "zeropoint/data/read_tensor_overrides.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace zeropoint {
namespace {

BOOST_AUTO_TEST_SUITE(read_tensor_overrides)

BOOST_AUTO_TEST_CASE(ReadsEveryKey) {
  const auto read = ParseTensorOverrides(R"({
    "a": [{"quant_type": "QUInt16", "symmetric": true, "rmin": -1, "rmax": 2.5,
           "convert": {"quant_type": "u8", "recv_nodes": ["n", "m"],
                       "scale": 0.5, "zero_point": 3}}],
    "w": [{"axis": -1, "quant_type": "QuantType.QInt8", "reduce_range": true},
          {"quant_type": "int8", "scale": [0.25], "zero_point": 0}]})");
  BOOST_REQUIRE_MESSAGE(read.ok(), read.status().message());
  const TensorOverride& a = read->at("a");
  BOOST_TEST(!a.axis.has_value());
  BOOST_TEST((a.at(0).quant_type == DataType::kUint16));
  BOOST_TEST(*a.at(0).symmetric);
  BOOST_TEST(*a.at(0).rmin == -1.0f);
  BOOST_TEST(*a.at(0).rmax == 2.5f);
  BOOST_REQUIRE(a.conversion.has_value());
  BOOST_TEST((a.conversion->to.quant_type == DataType::kUint8));
  BOOST_TEST((a.conversion->to.params == QParams{0.5f, 3}));
  BOOST_TEST(a.conversion->receivers == (std::vector<std::string>{"n", "m"}),
             boost::test_tools::per_element());
  const TensorOverride& w = read->at("w");
  BOOST_TEST(*w.axis == -1);
  BOOST_TEST(w.channels.size() == 2u);
  BOOST_TEST(w.at(0).reduce_range);
  BOOST_TEST((w.at(1).params == QParams{0.25f, 0}));
  BOOST_TEST((w.at(1).quant_type == DataType::kInt8));
}

BOOST_AUTO_TEST_CASE(ErrorsSayWhereAndWhatIsKnown) {
  const std::vector<std::vector<std::string>> cases = {
      {"[", "is not JSON"},
      {"[]", "is no object of tensor names"},
      {R"({"a": {}})", "tensor 'a'", "no list"},
      {R"({"a": []})", "tensor 'a'", "no list"},
      {R"({"a": [3]})", "tensor 'a', entry 0", "is no object"},
      {R"({"a": [{"quant_typ": "QInt8"}]})", "unknown key 'quant_typ'",
       "nearest: 'quant_type'"},
      {R"({"a": [{"quant_type": "QInt7"}]})", "'QInt7'", "known: QUInt8"},
      {R"({"a": [{"quant_type": "i8:sym"}]})", "'i8:sym'"},
      {R"({"a": [{"quant_type": 3}]})", "no text"},
      {R"({"a": [{"symmetric": 1}]})", "neither true nor false"},
      {R"({"a": [{"rmin": "x"}]})", "'rmin' is no number"},
      {R"({"a": [{"rmin": 1e300}]})", "not a finite float"},
      {R"({"a": [{"rmin": 2, "rmax": 1}]})", "above 'rmax'"},
      {R"({"a": [{"scale": 1.0}]})", "go together"},
      {R"({"a": [{"scale": 0, "zero_point": 0}]})", "no positive number"},
      {R"({"a": [{"scale": 1, "zero_point": 0.5}]})", "no code"},
      {R"({"a": [{"scale": 1, "zero_point": 0, "rmin": 0}]})", "leave nothing"},
      {R"({"a": [{"axis": 0.5}]})", "no whole number"},
      {R"({"a": [{}, {"axis": 0}]})", "entry 1", "first entry"},
      {R"({"a": [{}, {}]})", "several entries need the 'axis'"},
      {R"({"a": [{"axis": 0}, {"convert": {}}]})", "entry 1", "first entry"},
      {R"({"a": [{"convert": 1}]})", "'convert'", "no object"},
      {R"({"a": [{"convert": {}}]})", "no 'quant_type' to convert to"},
      {R"({"a": [{"convert": {"quant_type": "QInt8", "recv_node": []}}]})",
       "unknown key 'recv_node'", "nearest: 'recv_nodes'"},
      {R"({"a": [{"convert": {"quant_type": "QInt8", "recv_nodes": [1]}}]})",
       "no list of names"},
  };
  for (const auto& words : cases) {
    const auto read = ParseTensorOverrides(words[0]);
    BOOST_REQUIRE_MESSAGE(!read.ok(), words[0]);
    for (std::size_t i = 1; i < words.size(); ++i) {
      BOOST_TEST(read.status().message().find(words[i]) != std::string::npos,
                 read.status().message() << " does not say: " << words[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(AMissingFileIsNamed) {
  const auto read = ReadTensorOverrides("/no/such/file.json");
  BOOST_REQUIRE(!read.ok());
  BOOST_TEST(read.status().message().find("/no/such/file.json") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

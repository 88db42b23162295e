// The tables of other tools, written and read.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/calibration/table_reader.h"
#include "zeropoint/calibration/table_writer.h"

namespace zeropoint {
namespace {

CalibrationTable SomeTable() {
  CalibrationTable table;
  table["z"].range = {-5.0f, 1.0f};
  table["a: b c"].range = {-0.1f, 0.30000001f};
  table["m"].range = {0.0f, 3.4e38f};
  table["e"].range = {-1e-30f, 0.0f};
  table["d"].range = {0.0f, 0.0f};
  return table;
}

std::string Write(TableFormat format, const std::string& rule = "minmax") {
  return WriteCalibrationTable(SomeTable(), format,
                               ParseCalibration(rule).value())
      .value();
}

constexpr TableFormat kFormats[] = {
    TableFormat::kFlatBuffers, TableFormat::kJson, TableFormat::kJsonPairs,
    TableFormat::kJsonCache,   TableFormat::kText, TableFormat::kTensorRt};

BOOST_AUTO_TEST_SUITE(table_file)

BOOST_AUTO_TEST_CASE(WhatIsWrittenIsRead) {
  for (const TableFormat format : kFormats) {
    const auto read = ReadCalibrationTable(Write(format));
    BOOST_REQUIRE_MESSAGE(read.ok(), read.status().message());
    BOOST_TEST(read->size() == SomeTable().size());
    for (const auto& [name, tensor] : SomeTable()) {
      const float m = std::max(-tensor.range.lo, tensor.range.hi);
      const RealRange expected =
          IsSymmetric(format) ? RealRange{-m, m} : tensor.range;
      const RealRange& actual = read->at(name).range;
      if (format == TableFormat::kTensorRt) {  // through a division by 127
        BOOST_TEST(std::abs(actual.hi - expected.hi) <= 1e-6f * m);
        BOOST_TEST(actual.lo == -actual.hi);
      } else {
        BOOST_TEST((actual == expected));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(TextHoldsTheMagnitudeSortedByName) {
  BOOST_TEST(Write(TableFormat::kText) ==
             "a: b c 0.3\nd 0.0\ne 1e-30\nm 3.4e+38\nz 5.0\n");
}

BOOST_AUTO_TEST_CASE(TensorRtHoldsTheScalesBits) {
  CalibrationTable table;
  table["x"].range = {-127.0f, 12.0f};
  const auto text = WriteCalibrationTable(table, TableFormat::kTensorRt,
                                          ParseCalibration("entropy").value());
  BOOST_TEST(text.value() == "TRT-8601-EntropyCalibration2\nx: 3f800000\n");
}

BOOST_AUTO_TEST_CASE(JsonHasTheKeysOfTheOtherTool) {
  const auto json = nlohmann::json::parse(Write(TableFormat::kJson));
  BOOST_TEST(json["z"]["CLS"] == "TensorData");
  BOOST_TEST(json["z"]["lowest"]["data"] == -5.0);
  BOOST_TEST(json["z"]["highest"]["dtype"] == "float32");
  const auto pairs = nlohmann::json::parse(Write(TableFormat::kJsonPairs));
  BOOST_TEST(pairs["z"][0] == -5.0);
  const auto cache =
      nlohmann::json::parse(Write(TableFormat::kJsonCache, "entropy"));
  BOOST_TEST(cache["calibration_method"]["value"] ==
             "CalibrationMethod.Entropy");
  BOOST_TEST(cache["smooth_quant"] == false);
}

BOOST_AUTO_TEST_CASE(TheSameTableGivesTheSameBytes) {
  for (const TableFormat format : kFormats) {
    BOOST_TEST((Write(format) == Write(format)));
  }
}

BOOST_AUTO_TEST_CASE(OlderAndForeignFormsAreRead) {
  const auto range = [](std::string_view text, std::string_view name) {
    const auto table = ReadCalibrationTable(text);
    BOOST_REQUIRE_MESSAGE(table.ok(), table.status().message());
    return table->at(std::string(name)).range;
  };
  // Numbers as such, as lists, as numpy's arrays of one.
  BOOST_TEST((range(R"({"x": [-1, 2.5]})", "x") == RealRange{-1.0f, 2.5f}));
  BOOST_TEST((range(R"({"x": {"lowest": -1.5, "highest": 2}})", "x") ==
              RealRange{-1.5f, 2.0f}));
  BOOST_TEST((range(R"({"x": {"lowest": {"data": [-3], "dtype": "float32"},
                        "highest": {"data": 4}, "CLS": "TensorData"}})",
                    "x") == RealRange{-3.0f, 4.0f}));
  BOOST_TEST((range("x 3.5\r\ny 2\n", "x") == RealRange{-3.5f, 3.5f}));
  // A magnitude written without the absolute value.
  BOOST_TEST((range("x -3.5\n", "x") == RealRange{-3.5f, 3.5f}));
  BOOST_TEST((range("TRT-7103-EntropyCalibration2\nconv:0: 3f800000\n",
                    "conv:0") == RealRange{-127.0f, 127.0f}));
}

BOOST_AUTO_TEST_CASE(WhatNoRangeCanBeIsRefusedByName) {
  for (const std::string_view text :
       {R"({"x": [2, 1]})", R"({"x": [1]})", R"({"x": "1"})",
        R"({"x": [1e39, 1e40]})", R"({"x": {"lowest": 1}})", R"([1, 2])",
        R"({"CLS": "TensorsData"})", "x nan\n", "x inf\n", "x\n", "x 1\nx 2\n",
        "TRT-1-M\nx: 3f8\n", "TRT-1-M\nx 3f800000\n", "TRT-1-M\nx: 7f800000\n",
        "", "{}", "   "}) {
    const auto table = ReadCalibrationTable(text);
    BOOST_TEST(!table.ok(), text);
  }
  BOOST_TEST(
      ReadCalibrationTable("a 1\nb 2x\n").status().message().find("line 2") !=
      std::string::npos);
}

BOOST_AUTO_TEST_CASE(DamagedFlatBuffersAreNoDanger) {
  const std::string bytes = Write(TableFormat::kFlatBuffers);
  std::mt19937 random(1);
  for (int repeat = 0; repeat < 5000; ++repeat) {
    std::string damaged = bytes.substr(0, 1 + random() % bytes.size());
    damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto table = ReadCalibrationTable(damaged);
    BOOST_TEST((table.ok() || !table.status().message().empty()));
  }
}

BOOST_AUTO_TEST_CASE(NamesThatAFormatCannotHoldAreRefused) {
  CalibrationTable table;
  table["two\nlines"].range = {0.0f, 1.0f};
  for (const TableFormat format : kFormats) {
    const bool lines =
        format == TableFormat::kText || format == TableFormat::kTensorRt;
    BOOST_TEST(WriteCalibrationTable(table, format, {}).ok() == !lines);
  }
}

BOOST_AUTO_TEST_CASE(TheEndingSaysTheFormat) {
  BOOST_TEST((TableFormatOf("a/calibration.flatbuffers").value() ==
              TableFormat::kFlatBuffers));
  BOOST_TEST((TableFormatOf("x.cache").value() == TableFormat::kText));
  BOOST_TEST(!TableFormatOf("x.bin").ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeropoint

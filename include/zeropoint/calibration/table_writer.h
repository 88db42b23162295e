// WriteCalibrationTable: ranges in the formats that other tools read.
#ifndef ZEROPOINT_CALIBRATION_TABLE_WRITER_H_
#define ZEROPOINT_CALIBRATION_TABLE_WRITER_H_

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/calibration/trt_table_generated.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

/// The files that other tools read ranges from.
enum class TableFormat : std::uint8_t {
  kFlatBuffers,  // TrtTable: name -> text of max(|lo|, |hi|)
  kJson,         // {name: {lowest, highest, CLS}}
  kJsonPairs,    // {name: [lo, hi]}, as before ONNX Runtime 1.16
  kJsonCache,    // what quantize_static's calibration_cache_path reads
  kText,         // "name max(|lo|, |hi|)" a line
  kTensorRt,     // TensorRT's own: scale as hexadecimal float bits
};

/// By the name of a file: .flatbuffers, .json, .cache (text), .trt.
/// Errors: kInvalidArgument for another ending.
inline Result<TableFormat> TableFormatOf(std::string_view path) {
  if (path.ends_with(".flatbuffers")) return TableFormat::kFlatBuffers;
  if (path.ends_with(".json")) return TableFormat::kJson;
  if (path.ends_with(".cache")) return TableFormat::kText;
  if (path.ends_with(".trt")) return TableFormat::kTensorRt;
  return InvalidArgument("'" + std::string(path) +
                         "' says no format; end it in .flatbuffers, .json, "
                         ".cache or .trt");
}

/// Whether the format holds one magnitude a tensor, which is for symmetric
/// schemes, and not a range.
constexpr bool IsSymmetric(TableFormat format) {
  return format == TableFormat::kFlatBuffers || format == TableFormat::kText ||
         format == TableFormat::kTensorRt;
}

namespace internal {

/// The shortest decimal text that reads back as the same float.
inline std::string ShortestText(float value) {
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  std::string result(text, end);
  // Python writes 3.0, and readers may tell numbers by the point.
  if (result.find_first_of(".en") == std::string::npos) result += ".0";
  return result;
}

inline float Magnitude(const RealRange& range) {
  return std::max(std::abs(range.lo), std::abs(range.hi));
}

inline std::string WriteFlatBuffers(const CalibrationTable& table) {
  namespace schema = CalTableFlatBuffers;
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<schema::KeyValue>> entries;
  // In the order of names, by which the schema lets readers search.
  for (const auto& [name, tensor] : table) {
    const auto key = builder.CreateString(name);
    const auto value =
        builder.CreateString(ShortestText(Magnitude(tensor.range)));
    entries.push_back(schema::CreateKeyValue(builder, key, value));
  }
  builder.Finish(
      schema::CreateTrtTable(builder, builder.CreateVector(entries)));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()),
          builder.GetSize()};
}

inline std::string WriteJson(const CalibrationTable& table, TableFormat format,
                             const CalibrationSpec& spec) {
  using Json = nlohmann::ordered_json;
  Json tensors = Json::object();
  const auto scalar = [](float value) {
    return Json{{"data", value}, {"dtype", "float32"}, {"CLS", "numpy.array"}};
  };
  for (const auto& [name, tensor] : table) {
    const RealRange& range = tensor.range;
    if (format == TableFormat::kJsonPairs) {
      tensors[name] = Json::array({range.lo, range.hi});
    } else {
      tensors[name] = Json{{"lowest", scalar(range.lo)},
                           {"highest", scalar(range.hi)},
                           {"CLS", "TensorData"}};
    }
  }
  Json document = std::move(tensors);
  if (format == TableFormat::kJsonCache) {
    // The reader asks for its own quantizer's method; every other rule of ours
    // also gives a plain range.
    const std::string_view method =
        spec.method == CalibrationMethod::kEntropy      ? "Entropy"
        : spec.method == CalibrationMethod::kPercentile ? "Percentile"
                                                        : "MinMax";
    document = Json{{"CLS", "TensorsData"},
                    {"data", std::move(document)},
                    {"calibration_method",
                     {{"CLS", "CalibrationMethod"},
                      {"value", "CalibrationMethod." + std::string(method)}}},
                    {"smooth_quant", false}};
  }
  // Names are untrusted bytes: what is no UTF-8 is replaced.
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

inline Result<std::string> WriteLines(const CalibrationTable& table,
                                      TableFormat format,
                                      const CalibrationSpec& spec) {
  std::string text;
  if (format == TableFormat::kTensorRt) {
    text = spec.method == CalibrationMethod::kEntropy
               ? "TRT-8601-EntropyCalibration2\n"
               : "TRT-8601-MinMaxCalibration\n";
  }
  for (const auto& [name, tensor] : table) {
    if (name.find_first_of("\r\n") != std::string::npos) {
      return InvalidArgument(
          "a tensor's name holds a line break, which this format cannot; use "
          ".flatbuffers or .json");
    }
    const float magnitude = Magnitude(tensor.range);
    if (format == TableFormat::kText) {
      text += name + " " + ShortestText(magnitude) + "\n";
      continue;
    }
    char bits[16];
    std::snprintf(bits, sizeof(bits), "%08x",
                  std::bit_cast<std::uint32_t>(magnitude / 127.0f));
    text += name + ": " + bits + "\n";
  }
  return text;
}

}  // namespace internal

/// The bytes of a file of `format`, sorted by name: the layouts of ONNX
/// Runtime's write_calibration_table, with max(|lo|, |hi|) where it wants a
/// magnitude, and of TensorRT's calibration cache. `spec` is named in the
/// formats that name a method. Errors: kInvalidArgument for a name that the
/// format cannot hold.
inline Result<std::string> WriteCalibrationTable(const CalibrationTable& table,
                                                 TableFormat format,
                                                 const CalibrationSpec& spec) {
  switch (format) {
    case TableFormat::kFlatBuffers:
      return internal::WriteFlatBuffers(table);
    case TableFormat::kJson:
    case TableFormat::kJsonPairs:
    case TableFormat::kJsonCache:
      return internal::WriteJson(table, format, spec);
    case TableFormat::kText:
    case TableFormat::kTensorRt:
      break;
  }
  return internal::WriteLines(table, format, spec);
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_TABLE_WRITER_H_

// ReadCalibrationTable: ranges from the formats that other tools write.
#ifndef ZEROPOINT_CALIBRATION_TABLE_READER_H_
#define ZEROPOINT_CALIBRATION_TABLE_READER_H_

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <ios>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "zeropoint/calibration/calibration_table.h"
#include "zeropoint/calibration/trt_table_generated.h"
#include "zeropoint/core/status.h"

namespace zeropoint {

namespace internal {

/// Collects entries and refuses what no range can be.
class TableEntries {
 public:
  Status Add(std::string_view name, std::optional<double> lo,
             std::optional<double> hi) {
    if (!lo || !hi || !std::isfinite(*lo) || !std::isfinite(*hi) || *lo > *hi) {
      return InvalidData("tensor '" + std::string(name) +
                         "' has no finite range in order");
    }
    constexpr double kMost = std::numeric_limits<float>::max();
    if (*lo < -kMost || *hi > kMost) {
      return InvalidData("the range of tensor '" + std::string(name) +
                         "' is beyond what a float holds");
    }
    CalibratedTensor tensor;
    tensor.range = {static_cast<float>(*lo), static_cast<float>(*hi)};
    tensor.why = "from a calibration table";
    if (!table_.emplace(std::string(name), std::move(tensor)).second) {
      return InvalidData("tensor '" + std::string(name) + "' is there twice");
    }
    return Status();
  }
  Status AddMagnitude(std::string_view name, std::optional<double> magnitude) {
    if (magnitude) magnitude = std::abs(*magnitude);
    return Add(name, magnitude ? std::optional(-*magnitude) : std::nullopt,
               magnitude);
  }
  CalibrationTable Take() && { return std::move(table_); }

 private:
  CalibrationTable table_;
};

inline std::optional<double> NumberOf(std::string_view text) {
  double number = 0.0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

/// A number, a list of one, or numpy's array of one in its JSON form.
inline std::optional<double> NumberOf(const nlohmann::json& value) {
  const nlohmann::json* at = &value;
  if (at->is_object()) {
    const auto data = at->find("data");
    if (data == at->end()) return std::nullopt;
    at = &*data;
  }
  while (at->is_array() && at->size() == 1) at = &(*at)[0];
  if (!at->is_number()) return std::nullopt;
  return at->get<double>();
}

inline Status ReadFlatBuffers(std::string_view bytes, TableEntries& entries) {
  namespace schema = CalTableFlatBuffers;
  std::vector<std::uint64_t> aligned((bytes.size() + 7) / 8);
  std::copy(bytes.begin(), bytes.end(),
            reinterpret_cast<char*>(aligned.data()));
  const auto* data = reinterpret_cast<const std::uint8_t*>(aligned.data());
  flatbuffers::Verifier verifier(data, bytes.size());
  if (bytes.size() < 8 || !schema::VerifyTrtTableBuffer(verifier)) {
    return InvalidData("not a FlatBuffers calibration table, or damaged");
  }
  const auto* dict = schema::GetTrtTable(data)->dict();
  if (dict == nullptr) return Status();
  // One after another: writers do not all sort.
  for (const schema::KeyValue* entry : *dict) {
    if (entry->key() == nullptr || entry->value() == nullptr) {
      return InvalidData("an entry has no key or no value");
    }
    ZEROPOINT_RETURN_IF_ERROR(entries.AddMagnitude(
        entry->key()->string_view(), NumberOf(entry->value()->string_view())));
  }
  return Status();
}

inline Status ReadJson(std::string_view text, TableEntries& entries) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) return InvalidData("not a JSON object");
  const nlohmann::json* tensors = &document;
  const auto kind = document.find("CLS");
  if (kind != document.end() && *kind == "TensorsData") {
    const auto data = document.find("data");
    if (data == document.end() || !data->is_object()) {
      return InvalidData("\"TensorsData\" without \"data\"");
    }
    tensors = &*data;
  }
  for (const auto& [name, value] : tensors->items()) {
    if (value.is_array() && value.size() == 2) {
      ZEROPOINT_RETURN_IF_ERROR(
          entries.Add(name, NumberOf(value[0]), NumberOf(value[1])));
    } else if (value.is_object() && value.contains("lowest") &&
               value.contains("highest")) {
      ZEROPOINT_RETURN_IF_ERROR(entries.Add(name, NumberOf(value["lowest"]),
                                            NumberOf(value["highest"])));
    } else {
      return InvalidData("tensor '" + name +
                         "' is neither [lowest, highest] nor an object with "
                         "both");
    }
  }
  return Status();
}

/// TensorRT's own cache when the first line says so, else "name value" lines.
inline Status ReadLines(std::string_view text, TableEntries& entries) {
  const bool native = text.starts_with("TRT-");
  std::size_t line_number = 0;
  while (!text.empty()) {
    const std::size_t stop = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, stop);
    text.remove_prefix(std::min(stop + 1, text.size()));
    ++line_number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
      line.remove_suffix(1);
    }
    if (line.empty() || (native && line_number == 1)) continue;
    // Names may hold spaces and colons, values do not.
    const std::size_t space = line.rfind(' ');
    const std::string where = "line " + std::to_string(line_number);
    if (space == std::string_view::npos || space == 0) {
      return InvalidData(where + " is not a name and a value");
    }
    const std::string_view value = line.substr(space + 1);
    std::string_view name = line.substr(0, space);
    std::optional<double> magnitude = NumberOf(value);
    if (native) {
      std::uint32_t bits = 0;
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), bits, 16);
      if (!name.ends_with(':') || error != std::errc() ||
          end != value.data() + value.size() || value.size() != 8) {
        return InvalidData(where + " is not 'name: 8 hexadecimal digits'");
      }
      name.remove_suffix(1);
      magnitude = static_cast<double>(std::bit_cast<float>(bits) * 127.0f);
    }
    ZEROPOINT_RETURN_IF_ERROR(
        entries.AddMagnitude(name, magnitude).WithContext(where));
  }
  return Status();
}

}  // namespace internal

/// The ranges in `bytes`; magnitudes m become [-m, m]. The form is told by the
/// content: JSON begins with '{', TensorRT's cache with "TRT-"; FlatBuffers
/// hold zero bytes, text does not.
/// Errors: kInvalidData, naming the line or the tensor.
inline Result<CalibrationTable> ReadCalibrationTable(std::string_view bytes) {
  internal::TableEntries entries;
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  Status status;
  if (bytes.find('\0') != std::string_view::npos) {
    status = internal::ReadFlatBuffers(bytes, entries);
  } else if (first != std::string_view::npos && bytes[first] == '{') {
    status = internal::ReadJson(bytes, entries);
  } else {
    status = internal::ReadLines(bytes, entries);
  }
  ZEROPOINT_RETURN_IF_ERROR(status);
  CalibrationTable table = std::move(entries).Take();
  if (table.empty()) return InvalidData("holds no tensor");
  return table;
}

/// Errors: kNotFound; ReadCalibrationTable's, with the name of the file.
inline Result<CalibrationTable> LoadCalibrationTable(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return NotFound("cannot read '" + path + "'");
  const std::string bytes((std::istreambuf_iterator<char>(file)),
                          std::istreambuf_iterator<char>());
  auto table = ReadCalibrationTable(bytes);
  if (!table.ok()) return table.status().WithContext("'" + path + "'");
  return table;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_CALIBRATION_TABLE_READER_H_

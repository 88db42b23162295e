// ReadTensorOverrides: overrides of single tensors from a JSON file.
//
//   {"conv1_out": [{"quant_type": "QUInt16",
//                   "convert": {"quant_type": "QUInt8",
//                               "recv_nodes": ["conv2"]}}],
//    "conv1_w":   [{"axis": 0, "rmin": -1.0, "rmax": 1.0}, {"rmin": -2.0}]}
#ifndef ZEROPOINT_DATA_READ_TENSOR_OVERRIDES_H_
#define ZEROPOINT_DATA_READ_TENSOR_OVERRIDES_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/nearest_names.h"
#include "zeropoint/core/status.h"
#include "zeropoint/core/tensor_overrides.h"
#include "zeropoint/data/read_file.h"

namespace zeropoint {

namespace internal {

/// "QUInt8" as ONNX Runtime writes it, or "u8" and "uint8" as schemes do.
inline Result<DataType> OverrideType(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, DataType>, 6> kNames = {{
      {"QUInt8", DataType::kUint8},
      {"QInt8", DataType::kInt8},
      {"QUInt16", DataType::kUint16},
      {"QInt16", DataType::kInt16},
      {"QUInt4", DataType::kUint4},
      {"QInt4", DataType::kInt4},
  }};
  const std::string_view name = std::string_view(text).starts_with("QuantType.")
                                    ? std::string_view(text).substr(10)
                                    : std::string_view(text);
  for (const auto& [known, type] : kNames) {
    if (name == known) return type;
  }
  const auto scheme = ParseScheme(name);
  if (scheme.ok() && name.find(':') == std::string_view::npos) {
    return scheme->storage;
  }
  return InvalidArgument("quant_type '" + text +
                         "' is unknown; known: QUInt8, QInt8, QUInt16, QInt16, "
                         "QUInt4, QInt4");
}

/// A number, or a list of one.
inline Result<double> OverrideNumber(const std::string& key,
                                     const nlohmann::json& value) {
  const nlohmann::json& number =
      value.is_array() && value.size() == 1 ? value[0] : value;
  if (!number.is_number()) return InvalidArgument("'" + key + "' is no number");
  const double read = number.get<double>();
  if (!std::isfinite(static_cast<float>(read))) {
    return InvalidArgument("'" + key + "' is not a finite float");
  }
  return read;
}

/// The keys that a tensor and its conversion have in common; whether `key` is
/// one of them.
inline Result<bool> ReadOverrideKey(const std::string& key,
                                    const nlohmann::json& value,
                                    QuantizationOverride& fixed,
                                    std::optional<double>& scale,
                                    std::optional<double>& zero_point) {
  if (key == "quant_type") {
    if (!value.is_string()) return InvalidArgument("'quant_type' is no text");
    ZEROPOINT_ASSIGN_OR_RETURN(fixed.quant_type,
                               OverrideType(value.get<std::string>()));
  } else if (key == "symmetric" || key == "reduce_range") {
    if (!value.is_boolean()) {
      return InvalidArgument("'" + key + "' is neither true nor false");
    }
    if (key == "symmetric") {
      fixed.symmetric = value.get<bool>();
    } else {
      fixed.reduce_range = value.get<bool>();
    }
  } else if (key == "rmin" || key == "rmax" || key == "scale" ||
             key == "zero_point") {
    ZEROPOINT_ASSIGN_OR_RETURN(const double number, OverrideNumber(key, value));
    if (key == "rmin") fixed.rmin = static_cast<float>(number);
    if (key == "rmax") fixed.rmax = static_cast<float>(number);
    if (key == "scale") scale = number;
    if (key == "zero_point") zero_point = number;
  } else {
    return false;
  }
  return true;
}

inline Status SettleOverride(QuantizationOverride& fixed,
                             std::optional<double> scale,
                             std::optional<double> zero_point) {
  if (scale.has_value() != zero_point.has_value()) {
    return InvalidArgument("'scale' and 'zero_point' go together");
  }
  if (fixed.rmin && fixed.rmax && !(*fixed.rmin <= *fixed.rmax)) {
    return InvalidArgument("'rmin' is above 'rmax'");
  }
  if (!scale) return Status();
  if (fixed.symmetric || fixed.reduce_range || fixed.rmin || fixed.rmax) {
    return InvalidArgument(
        "'scale' and 'zero_point' leave nothing for symmetric, reduce_range, "
        "rmin or rmax to say");
  }
  const auto stored = static_cast<float>(*scale);
  if (!(stored >= std::numeric_limits<float>::min())) {
    return InvalidArgument("'scale' is no positive number");
  }
  if (*zero_point != std::floor(*zero_point) ||
      std::abs(*zero_point) > 65536.0) {
    return InvalidArgument("'zero_point' is no code");
  }
  fixed.params = QParams{stored, static_cast<std::int32_t>(*zero_point)};
  return Status();
}

inline Result<ConversionOverride> ReadConversion(const nlohmann::json& entry) {
  static const std::vector<std::string> kKeys = {
      "quant_type", "symmetric", "reduce_range", "rmin",
      "rmax",       "scale",     "zero_point",   "recv_nodes"};
  if (!entry.is_object()) return InvalidArgument("is no object");
  ConversionOverride conversion;
  std::optional<double> scale;
  std::optional<double> zero_point;
  for (const auto& [key, value] : entry.items()) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        const bool known,
        ReadOverrideKey(key, value, conversion.to, scale, zero_point));
    if (known) continue;
    if (key != "recv_nodes") {
      return InvalidArgument("unknown key '" + key + "'" +
                             NearestNames(key, kKeys));
    }
    if (!value.is_array()) return InvalidArgument("'recv_nodes' is no list");
    for (const nlohmann::json& name : value) {
      if (!name.is_string()) {
        return InvalidArgument("'recv_nodes' is no list of names");
      }
      conversion.receivers.push_back(name.get<std::string>());
    }
  }
  if (!conversion.to.quant_type) {
    return InvalidArgument("says no 'quant_type' to convert to");
  }
  ZEROPOINT_RETURN_IF_ERROR(SettleOverride(conversion.to, scale, zero_point));
  return conversion;
}

/// One dictionary of a tensor's list.
inline Status ReadOverride(const nlohmann::json& entry,
                           TensorOverride& tensor) {
  static const std::vector<std::string> kKeys = {
      "quant_type", "axis",  "symmetric",  "reduce_range", "rmin",
      "rmax",       "scale", "zero_point", "convert"};
  if (!entry.is_object()) return InvalidArgument("is no object");
  QuantizationOverride fixed;
  std::optional<double> scale;
  std::optional<double> zero_point;
  for (const auto& [key, value] : entry.items()) {
    ZEROPOINT_ASSIGN_OR_RETURN(
        const bool known,
        ReadOverrideKey(key, value, fixed, scale, zero_point));
    if (known) continue;
    if (key == "axis") {
      if (!value.is_number_integer()) {
        return InvalidArgument("'axis' is no whole number");
      }
      if (!tensor.channels.empty()) {
        return InvalidArgument("'axis' belongs into the first entry");
      }
      tensor.axis = value.get<int>();
    } else if (key == "convert") {
      if (!tensor.channels.empty()) {
        return InvalidArgument("'convert' belongs into the first entry");
      }
      auto conversion = ReadConversion(value);
      ZEROPOINT_RETURN_IF_ERROR(conversion.status().WithContext("'convert'"));
      tensor.conversion = std::move(*conversion);
    } else {
      return InvalidArgument("unknown key '" + key + "'" +
                             NearestNames(key, kKeys));
    }
  }
  ZEROPOINT_RETURN_IF_ERROR(SettleOverride(fixed, scale, zero_point));
  tensor.channels.push_back(fixed);
  return Status();
}

}  // namespace internal

/// Reads the text of such a file: by tensor name a list of dictionaries, one
/// for the tensor or one for each channel (then the first says the axis).
/// Errors: kInvalidArgument, naming the tensor, the entry and the key.
inline Result<TensorOverrides> ParseTensorOverrides(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return InvalidArgument("is not JSON");
  if (!json.is_object()) {
    return InvalidArgument(
        "is no object of tensor names; write {\"name\": [{...}]}");
  }
  TensorOverrides overrides;
  for (const auto& [name, list] : json.items()) {
    if (!list.is_array() || list.empty()) {
      return InvalidArgument("tensor '" + name +
                             "': the value is no list of dictionaries");
    }
    TensorOverride tensor;
    for (std::size_t i = 0; i < list.size(); ++i) {
      ZEROPOINT_RETURN_IF_ERROR(internal::ReadOverride(list[i], tensor)
                                    .WithContext("tensor '" + name +
                                                 "', entry " +
                                                 std::to_string(i)));
    }
    if (tensor.channels.size() > 1 && !tensor.axis) {
      return InvalidArgument("tensor '" + name +
                             "': several entries need the "
                             "'axis' that they count, in the first");
    }
    overrides.emplace(name, std::move(tensor));
  }
  return overrides;
}

/// The same from a file. Errors: ReadFile's; those above, naming the file.
inline Result<TensorOverrides> ReadTensorOverrides(const std::string& path) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  auto overrides = ParseTensorOverrides(text);
  if (!overrides.ok()) return overrides.status().WithContext("'" + path + "'");
  return overrides;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_DATA_READ_TENSOR_OVERRIDES_H_

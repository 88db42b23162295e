// Reports as text, for people at a terminal.
#ifndef ZEROPOINT_REPORT_TEXT_REPORT_H_
#define ZEROPOINT_REPORT_TEXT_REPORT_H_

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/flow/quantization_report.h"

namespace zeropoint {

namespace internal {

/// "Conv_1, Conv_7, Conv_9 and 12 more"
inline std::string ListNames(const std::vector<std::string>& names,
                             std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > most) {
    text += " and " + std::to_string(names.size() - most) + " more";
  }
  return text;
}

}  // namespace internal

/// What was quantized, and what stayed float with the reasons, grouped: one
/// line for each operator type and reason.
inline std::string QuantizationToText(const QuantizationReport& report) {
  constexpr std::size_t kNames = 3;
  std::string text =
      "quantized " + std::to_string(report.quantized.nodes.size()) + " of " +
      std::to_string(report.nodes) + " nodes for " + report.profile +
      " (activations " + report.activations + ", weights " + report.weights +
      ") from " + std::to_string(report.samples) + " samples\n";
  if (!report.quantized.nodes.empty()) {
    text +=
        "  " + internal::ListNames(report.quantized.nodes, 2 * kNames) + "\n";
  }
  for (const std::string& note : report.quantized.notes) {
    text += "note: " + note + "\n";
  }
  for (const NonFiniteTensor& tensor : report.non_finite) {
    text += "warning: tensor '" + tensor.name + "' held " +
            std::to_string(tensor.nan) + " NaN and " +
            std::to_string(tensor.infinite) +
            " infinite values; its range leaves them out\n";
  }
  std::map<std::pair<std::string, std::string>, std::vector<std::string>>
      groups;
  for (const Declined& node : report.float_nodes) {
    groups[{node.reason, node.op_type}].push_back(node.node);
  }
  if (!groups.empty()) text += "float:\n";
  for (const auto& [key, names] : groups) {
    text += "  " + std::to_string(names.size()) + " " + key.second + ": " +
            key.first + " (" + internal::ListNames(names, kNames) + ")\n";
  }
  return text;
}

}  // namespace zeropoint

#endif  // ZEROPOINT_REPORT_TEXT_REPORT_H_

#include "zeropoint/report/text_report.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/quantization_report.h"

namespace zeropoint {

namespace {

/// "Conv_1, Conv_7, Conv_9 and 12 more"
std::string ListNames(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > most) {
    text += " and " + std::to_string(names.size() - most) + " more";
  }
  return text;
}

/// `title`, then one line for each operator type and reason; nothing for an
/// empty list.
std::string GroupByReason(const char* title,
                          const std::vector<Declined>& nodes) {
  constexpr std::size_t kNames = 3;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>>
      groups;
  for (const Declined& node : nodes) {
    groups[{node.reason, node.op_type}].push_back(node.node);
  }
  std::string text;
  if (!groups.empty()) text = std::string(title) + "\n";
  for (const auto& [key, names] : groups) {
    text += "  " + std::to_string(names.size()) + " " + key.second + ": " +
            key.first + " (" + ListNames(names, kNames) + ")\n";
  }
  return text;
}

std::string QualityToText(const TuningStep& step) {
  if (!step.quality) return "";
  std::array<char, 32> quality{};
  std::snprintf(quality.data(), quality.size(), ": %.6g", *step.quality);
  return quality.data();
}

std::string PredictedToText(const QuantizationReport& report) {
  const PredictedTimes& times = report.quantized.predicted;
  if (times.quantized <= 0.0 || report.quantized.nodes.empty()) return "";
  std::array<char, 32> ratio{};
  std::snprintf(ratio.data(), ratio.size(), "%.2f",
                times.real / times.quantized);
  return "predicted on " + report.profile + ": " + ratio.data() +
         " times the speed of float, on " + std::string(times.measured_on) +
         "\n";
}

/// The five least of `decibels`, each with its name.
template <class NameOf>
std::string WorstToText(const char* title, std::span<const double> decibels,
                        NameOf name_of) {
  constexpr std::size_t kWorst = 5;
  std::vector<std::size_t> order(decibels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(
      order.begin(), order.end(),
      [&](std::size_t a, std::size_t b) { return decibels[a] < decibels[b]; });
  if (order.size() > kWorst) order.resize(kWorst);
  std::string text = order.empty() ? "" : std::string(title) + "\n";
  for (const std::size_t i : order) {
    std::array<char, 32> decibel{};
    std::snprintf(decibel.data(), decibel.size(), "  %6.2f dB  ", decibels[i]);
    text += decibel.data() + name_of(i) + "\n";
  }
  return text;
}

}  // namespace

std::string FindingsToText(const CalibrationFindings& findings) {
  constexpr std::size_t kNames = 3;
  std::string text;
  for (const NonFiniteTensor& tensor : findings.non_finite) {
    text += "warning: tensor '" + tensor.name + "' held " +
            std::to_string(tensor.nan) + " NaN and " +
            std::to_string(tensor.infinite) +
            " infinite values; its range leaves them out\n";
  }
  if (!findings.never_produced.empty()) {
    text += "warning: no sample produced " +
            ListNames(findings.never_produced, kNames) +
            "; they have no range\n";
  }
  if (!findings.always_empty.empty()) {
    text += "warning: always empty, so without a range: " +
            ListNames(findings.always_empty, kNames) + "\n";
  }
  if (!findings.settled()) {
    text += "warning: the ranges of " +
            std::to_string(findings.unsettled.size()) + " tensors (" +
            std::to_string(static_cast<int>(100.0 * findings.unsettled_share)) +
            " %) still grew in the last tenth of the samples, as of " +
            ListNames(findings.unsettled, kNames) + "; give more samples\n";
  }
  return text;
}

std::string QuantizationToText(const QuantizationReport& report) {
  constexpr std::size_t kNames = 3;
  std::string text =
      "quantized " + std::to_string(report.quantized.nodes.size()) + " of " +
      std::to_string(report.nodes) + " nodes for " + report.profile +
      " (activations " + report.activations + ", weights " + report.weights +
      ") from " + std::to_string(report.samples) + " samples\n";
  if (!report.quantized.nodes.empty()) {
    text += "  " + ListNames(report.quantized.nodes, 2 * kNames) + "\n";
  }
  for (const IntegerPort& port : report.quantized.integer_io) {
    char scale[32];
    std::snprintf(scale, sizeof(scale), "%.9g",
                  static_cast<double>(port.params.scale));
    text += port.kind + " '" + port.name + "' is " +
            std::string(DataTypeName(port.type)) + ": real = " + scale +
            " * (code - " + std::to_string(port.params.zero_point) + ")\n";
  }
  for (const std::string& note : report.quantized.notes) {
    text += "note: " + note + "\n";
  }
  text += PredictedToText(report);
  text += FindingsToText(report.findings);
  if (!report.tuning_note.empty()) text += report.tuning_note + "\n";
  if (!report.tuning.empty()) text += "on held-out samples:\n";
  for (const TuningStep& step : report.tuning) {
    std::array<char, 32> sqnr{};
    std::snprintf(sqnr.data(), sqnr.size(), "%6.2f dB  ", step.sqnr_db);
    text += "  " + std::string(sqnr.data()) + step.what + QualityToText(step) +
            (step.accepted ? "" : " (not taken)") + "\n";
  }
  return text + GroupByReason("float:", report.float_nodes);
}

std::string ConversionToText(const QuantizationReport& report) {
  return "form " + report.form + ": " +
         std::to_string(report.quantized.nodes.size()) + " of " +
         std::to_string(report.nodes) + " nodes compute on codes\n" +
         GroupByReason("left as they were:", report.left_undone);
}

std::string ComparisonToText(const ComparisonReport& report) {
  const auto number = [](const char* format, double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return std::string(text.data());
  };
  std::string text = std::to_string(report.samples) + " samples\n";
  for (const TensorComparison& output : report.outputs) {
    const OutputMeasures& measures = output.measures;
    text += "output " + output.name + ": SQNR " +
            number("%.2f", measures.sqnr_db()) + " dB (worst sample " +
            number("%.2f", measures.worst_sample_db()) + "), cosine " +
            number("%.5f", measures.cosine()) + ", largest error " +
            number("%.4g", measures.max_abs_error()) + ", same top-1 in " +
            number("%.2f", 100.0 * measures.argmax_agreement()) + " %\n";
    if (measures.non_finite() > 0) {
      text += "warning: " + std::to_string(measures.non_finite()) +
              " values are NaN or infinite\n";
    }
  }
  if (report.float_accuracy) {
    text += "top-1 accuracy against the labels: float " +
            number("%.2f", 100.0 * report.float_accuracy->accuracy()) +
            " %, quantized " +
            number("%.2f", 100.0 * report.quantized_accuracy->accuracy()) +
            " %\n";
  }
  text +=
      WorstToText("samples with the least SQNR:", report.samples_db,
                  [](std::size_t i) { return "sample " + std::to_string(i); });
  const auto layers_to_text = [](const char* title,
                                 const std::vector<TensorComparison>& layers) {
    std::vector<double> decibels;
    for (const TensorComparison& layer : layers) {
      decibels.push_back(layer.measures.sqnr_db());
    }
    return WorstToText(title, decibels,
                       [&](std::size_t i) { return layers[i].name; });
  };
  text += layers_to_text("tensors with the least SQNR:", report.layers);
  text += layers_to_text("tensors that gain most noise in their own layer:",
                         report.layers_alone);
  text += "time a sample in the built-in executor: " +
          number("%.3g", report.float_milliseconds) + " ms float, " +
          number("%.3g", report.quantized_milliseconds) + " ms quantized\n";
  return text;
}

std::string DescriptionToText(const ModelDescription& model) {
  std::string text = "IR version " + std::to_string(model.ir_version);
  for (const auto& [domain, version] : model.opsets) {
    text += ", " + domain + " " + std::to_string(version);
  }
  text += ", form " + model.form + "\n";
  for (const InputDescription& input : model.inputs) {
    text += "input " + input.name + ": " +
            std::string(DataTypeName(input.type)) + " " +
            (input.dims ? FormatDims(*input.dims) : "of any shape") + "\n";
  }
  for (const std::string& output : model.outputs) {
    text += "output " + output + "\n";
  }
  for (const auto& [type, stored] : model.constants) {
    text += "constants " + type + ": " + std::to_string(stored.tensors) +
            " tensors, " + std::to_string(stored.bytes) + " bytes\n";
  }
  for (const auto& [op_type, count] : model.operators) {
    text += "operator " + op_type + ": " + std::to_string(count) + "\n";
  }
  for (const NodeDescription& node : model.nodes) {
    text += "node " + node.op_type + " " +
            (node.name.empty() ? "(unnamed)" : node.name) + ": " +
            ListNames(node.inputs, node.inputs.size()) + " -> " +
            ListNames(node.outputs, node.outputs.size()) + "\n";
  }
  return text;
}

}  // namespace zeropoint

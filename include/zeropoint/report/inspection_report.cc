#include "zeropoint/report/inspection_report.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/core/tensor_view.h"

namespace zeropoint {

namespace {

std::string Number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

/// How the codes of a weight are used.
struct CodeUse {
  std::size_t used = 0;
  double most_frequent_share = 0.0;
};

CodeUse UseOf(const WeightDescription& weight) {
  CodeUse use;
  const auto& counts = weight.code_counts;
  const auto sum =
      std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  use.used = static_cast<std::size_t>(std::ranges::count_if(
      counts, [](std::uint64_t count) { return count > 0; }));
  if (sum > 0) {
    use.most_frequent_share =
        static_cast<double>(*std::ranges::max_element(counts)) /
        static_cast<double>(sum);
  }
  return use;
}

std::pair<float, float> ScaleRange(const WeightDescription& weight) {
  if (weight.scales.empty()) return {0.0f, 0.0f};
  const auto [least, greatest] = std::ranges::minmax(weight.scales);
  return {least, greatest};
}

std::string LabelOf(const NodeDescription& node) {
  if (!node.name.empty() || node.outputs.empty()) return node.name;
  return node.outputs[0];
}

Json NodesOf(const std::vector<NodeDescription>& nodes) {
  Json list = Json::array();
  for (const NodeDescription& node : nodes) {
    list.push_back({{"name", LabelOf(node)}, {"op", node.op_type}});
  }
  return list;
}

}  // namespace

Json WeightsToJson(std::span<const ConstantDistribution> constants,
                   std::span<const WeightDescription> weights) {
  Json document;
  Json& real = document["float"] = Json::array();
  for (const ConstantDistribution& each : constants) {
    real.push_back({{"name", each.name},
                    {"type", DataTypeName(each.type)},
                    {"shape", each.dims},
                    {"least", each.least},
                    {"greatest", each.greatest},
                    {"mean", each.mean},
                    {"standard_deviation", each.standard_deviation}});
  }
  Json& quantized = document["quantized"] = Json::array();
  for (const WeightDescription& each : weights) {
    const auto [least, greatest] = ScaleRange(each);
    const CodeUse use = UseOf(each);
    quantized.push_back(
        {{"name", each.name},
         {"node", each.node},
         {"type", DataTypeName(each.type)},
         {"shape", each.dims},
         {"scales",
          {{"count", each.scales.size()},
           {"least", least},
           {"greatest", greatest}}},
         {"codes_used", use.used},
         {"most_frequent_code_share", use.most_frequent_share}});
  }
  return document;
}

std::string WeightsToText(std::span<const ConstantDistribution> constants,
                          std::span<const WeightDescription> weights) {
  std::string text;
  for (const ConstantDistribution& each : constants) {
    text += "weights " + each.name + " " +
            std::string(DataTypeName(each.type)) + " " + FormatDims(each.dims) +
            ": " + Number(each.least) + " to " + Number(each.greatest) +
            ", mean " + Number(each.mean) + ", standard deviation " +
            Number(each.standard_deviation) + "\n";
  }
  for (const WeightDescription& each : weights) {
    const auto [least, greatest] = ScaleRange(each);
    const CodeUse use = UseOf(each);
    text += "weights " + each.name + " " +
            std::string(DataTypeName(each.type)) + " " + FormatDims(each.dims) +
            " of " + each.node + ": " + std::to_string(each.scales.size()) +
            " scales from " + Number(static_cast<double>(least)) + " to " +
            Number(static_cast<double>(greatest)) + ", " +
            std::to_string(use.used) + " codes used\n";
  }
  return text;
}

Json DifferenceToJson(const ModelDifference& difference) {
  Json document;
  document["operators"] = difference.operators;
  document["opsets"] = difference.opsets;
  document["only_in_first"] = NodesOf(difference.only_in_first);
  document["only_in_second"] = NodesOf(difference.only_in_second);
  Json& changed = document["changed"] = Json::array();
  for (const NodeDifference& each : difference.changed) {
    changed.push_back(
        {{"node", each.node}, {"op", each.op_type}, {"what", each.what}});
  }
  Json& constants = document["constants"];
  constants["only_in_first"] = difference.constants_only_in_first;
  constants["only_in_second"] = difference.constants_only_in_second;
  Json& values = constants["changed"] = Json::array();
  for (const ConstantDifference& each : difference.changed_constants) {
    values.push_back(
        {{"name", each.name},
         {"first", each.first},
         {"second", each.second},
         {"max_abs_difference",
          each.max_abs_difference ? Json(*each.max_abs_difference) : Json()}});
  }
  return document;
}

std::string DifferenceToText(const ModelDifference& difference) {
  if (difference.empty()) return "no difference\n";
  std::string text;
  for (const auto& [domain, versions] : difference.opsets) {
    text += "~ opset " + domain + ": " + std::to_string(versions.first) +
            " -> " + std::to_string(versions.second) + "\n";
  }
  for (const auto& [op_type, counts] : difference.operators) {
    text += "~ operator " + op_type + ": " + std::to_string(counts.first) +
            " -> " + std::to_string(counts.second) + "\n";
  }
  const auto list_nodes = [&](const char* sign,
                              const std::vector<NodeDescription>& nodes) {
    for (const NodeDescription& node : nodes) {
      text += sign + ("node " + node.op_type + " " + LabelOf(node)) + "\n";
    }
  };
  list_nodes("- ", difference.only_in_first);
  list_nodes("+ ", difference.only_in_second);
  for (const NodeDifference& each : difference.changed) {
    text += "~ node " + each.op_type + " " + each.node + ":";
    for (const std::string& what : each.what) text += " " + what;
    text += "\n";
  }
  const auto list_constants = [&](const char* sign,
                                  const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      text += sign + ("constant " + name) + "\n";
    }
  };
  list_constants("- ", difference.constants_only_in_first);
  list_constants("+ ", difference.constants_only_in_second);
  for (const ConstantDifference& each : difference.changed_constants) {
    text += "~ constant " + each.name + ": ";
    if (each.first != each.second) {
      text += each.first + " -> " + each.second;
    } else {
      text += each.first;
    }
    if (each.max_abs_difference) {
      text += ", by at most " + Number(*each.max_abs_difference);
    }
    text += "\n";
  }
  return text;
}

}  // namespace zeropoint

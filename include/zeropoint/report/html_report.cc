#include "zeropoint/report/html_report.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/core/data_type.h"
#include "zeropoint/report/report_page.h"

namespace zeropoint {

namespace {

constexpr std::size_t kMostBins = 64;
constexpr std::size_t kMostScales = 256;

/// With four digits, which is what anyone can see.
double Rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return std::strtod(text, nullptr);
}

/// Neighbours that become one, so that at most `most` are left.
std::size_t Neighbours(std::size_t count, std::size_t most) {
  return std::max<std::size_t>(1, (count + most - 1) / most);
}

std::vector<std::uint64_t> Coarser(std::span<const std::uint64_t> counts,
                                   std::size_t neighbours) {
  std::vector<std::uint64_t> coarse((counts.size() + neighbours - 1) /
                                    neighbours);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    coarse[i / neighbours] += counts[i];
  }
  return coarse;
}

/// The share of the values in bins that lie outside `range` by more than half.
double ShareOutside(const Histogram& histogram, const RealRange& range) {
  std::uint64_t outside = 0;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    const double middle =
        (histogram.first + static_cast<double>(i) + 0.5) * histogram.width;
    if (middle < range.lo || middle > range.hi) outside += histogram.counts[i];
  }
  return static_cast<double>(outside) / static_cast<double>(histogram.total);
}

Json HistogramToJson(const Histogram& histogram, const RealRange* range) {
  const std::size_t neighbours = Neighbours(histogram.counts.size(), kMostBins);
  const auto counts = Coarser(histogram.counts, neighbours);
  const double lo = histogram.first * histogram.width;
  Json json = {
      {"lo", lo},
      {"hi",
       lo + static_cast<double>(counts.size() * neighbours) * histogram.width},
      {"counts", counts},
      {"seen", {Rounded(histogram.seen.lo), Rounded(histogram.seen.hi)}}};
  if (range != nullptr) {
    json["clipped"] = Rounded(ShareOutside(histogram, *range));
  }
  return json;
}

Json ScalesToJson(std::span<const float> scales) {
  Json json = {{"count", scales.size()}};
  if (scales.empty()) return json;
  const auto [lo, hi] = std::minmax_element(scales.begin(), scales.end());
  json["lo"] = Rounded(*lo);
  json["hi"] = Rounded(*hi);
  const std::size_t neighbours = Neighbours(scales.size(), kMostScales);
  json["of_each"] = neighbours;
  Json& greatest = json["greatest"] = Json::array();
  for (std::size_t i = 0; i < scales.size(); i += neighbours) {
    const auto group =
        scales.subspan(i, std::min(neighbours, scales.size() - i));
    greatest.push_back(Rounded(*std::max_element(group.begin(), group.end())));
  }
  return json;
}

Json WeightsToJson(const WeightDescription& weights) {
  const bool is_signed =
      weights.type == DataType::kInt8 || weights.type == DataType::kInt4;
  const std::size_t kinds = weights.code_counts.size();
  const std::size_t neighbours = Neighbours(kinds, kMostBins);
  std::uint64_t total = 0;
  for (const std::uint64_t count : weights.code_counts) total += count;
  return {{"name", weights.name},
          {"node", weights.node},
          {"type", DataTypeName(weights.type)},
          {"dims", weights.dims},
          {"codes",
           {{"lo", is_signed ? -static_cast<int>(kinds / 2) : 0},
            {"width", neighbours},
            {"counts", Coarser(weights.code_counts, neighbours)}}},
          {"saturated",
           Rounded(static_cast<double>(weights.code_counts.front() +
                                       weights.code_counts.back()) /
                   static_cast<double>(std::max<std::uint64_t>(total, 1)))},
          {"scales", ScalesToJson(weights.scales)}};
}

}  // namespace

Json DetailsToJson(const QuantizationDetails& details,
                   const QuantizationReport& report) {
  Json document = {{"graph", NodesToJson(details.nodes)}};
  std::map<std::string_view, const RealRange*> ranges;
  for (const QuantizedActivation& tensor : report.quantized.activations) {
    ranges[tensor.name] = &tensor.range;
  }
  Json& histograms = document["histograms"] = Json::object();
  for (const auto& [name, histogram] : details.histograms) {
    const auto range = ranges.find(name);
    histograms[name] = HistogramToJson(
        histogram, range == ranges.end() ? nullptr : range->second);
  }
  Json& weights = document["weights"] = Json::array();
  for (const WeightDescription& each : details.weights) {
    weights.push_back(WeightsToJson(each));
  }
  return document;
}

std::string FormatHtml(const Json& document) {
  std::string html(kReportPageBefore);
  // "</script>" in a name must not end the element that it stands in.
  for (const char c : FormatJson(document)) {
    if (c == '<') {
      html += "\\u003c";
    } else {
      html += c;
    }
  }
  html += kReportPageAfter;
  return html;
}

}  // namespace zeropoint

#include "zeropoint/report/html_report.h"

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "zeropoint/flow/quantization_details.h"
#include "zeropoint/flow/quantization_report.h"

namespace zeropoint {
namespace {

std::string Between(const std::string& text, const std::string& before,
                    const std::string& after) {
  const std::size_t begin = text.find(before);
  BOOST_REQUIRE(begin != std::string::npos);
  const std::size_t end = text.find(after, begin);
  BOOST_REQUIRE(end != std::string::npos);
  return text.substr(begin + before.size(), end - begin - before.size());
}

Histogram UniformHistogram(std::int32_t first, std::size_t bins, double width) {
  Histogram histogram;
  histogram.width = width;
  histogram.first = first;
  histogram.counts.assign(bins, 2);
  histogram.total = 2 * bins;
  histogram.seen = {
      static_cast<float>(first * width),
      static_cast<float>((first + static_cast<double>(bins)) * width)};
  return histogram;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(html_report)

BOOST_AUTO_TEST_CASE(TheDocumentComesBackFromThePage) {
  // Names are untrusted: none may end the element that the document is in.
  const Json document = {{"title", "</script><script>alert(1)</script>"},
                         {"subtitle", "<!-- & \" ' \\ \n"}};
  const std::string html = FormatHtml(document);
  const std::string embedded = Between(
      html, R"(<script type="application/json" id="document">)", "</script>");
  BOOST_TEST((Json::parse(embedded) == document));
  BOOST_TEST(embedded.find('<') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(ThePageIsOneFileWithItsLibraries) {
  const std::string html = FormatHtml(Json::object());
  BOOST_TEST(html.starts_with("<!doctype html>"));
  BOOST_TEST(html.find("{{") == std::string::npos);
  BOOST_TEST(html.find("Chart.js v3") != std::string::npos);
  BOOST_TEST(html.find("dagre.layout = ") != std::string::npos);
  BOOST_TEST(html.find("export const") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(HistogramsKeepTheirCountsInFewerBins) {
  QuantizationDetails details;
  details.histograms["wide"] = UniformHistogram(-1000, 2000, 0.5);
  details.histograms["narrow"] = UniformHistogram(0, 3, 0.25);
  QuantizationReport report;
  QuantizedActivation& quantized = report.quantized.activations.emplace_back();
  quantized.name = "wide";
  quantized.range = {-250.0f, 500.0f};
  const Json json = DetailsToJson(details, report);
  const Json& wide = json["histograms"]["wide"];
  BOOST_TEST(wide["counts"].size() <= 64U);
  std::uint64_t total = 0;
  for (const Json& count : wide["counts"]) total += count.get<std::uint64_t>();
  BOOST_TEST(total == 4000U);
  BOOST_TEST(wide["lo"].get<double>() == -500.0);
  BOOST_TEST(wide["hi"].get<double>() >= 500.0);
  BOOST_TEST(wide["clipped"].get<double>() == 0.25);
  const Json& narrow = json["histograms"]["narrow"];
  BOOST_TEST((narrow["counts"] == Json({2, 2, 2})));
  BOOST_TEST(narrow["hi"].get<double>() == 0.75);
  BOOST_TEST(!narrow.contains("clipped"));
}

BOOST_AUTO_TEST_CASE(ScalesAndCodesOfWeightsAreSummedUp) {
  QuantizationDetails details;
  WeightDescription& weights = details.weights.emplace_back();
  weights.name = "w";
  weights.node = "conv";
  weights.type = DataType::kInt8;
  weights.dims = {1000, 4};
  weights.code_counts.assign(256, 0);
  weights.code_counts[0] = 1;     // -128
  weights.code_counts[128] = 97;  // 0
  weights.code_counts[255] = 2;   // 127
  for (int i = 0; i < 1000; ++i) {
    weights.scales.push_back(static_cast<float>(i + 1));
  }
  const Json json = DetailsToJson(details, QuantizationReport());
  const Json& one = json["weights"][0];
  BOOST_TEST(one["codes"]["lo"].get<int>() == -128);
  BOOST_TEST(one["codes"]["width"].get<int>() == 4);
  BOOST_TEST(one["codes"]["counts"][32].get<int>() == 97);
  BOOST_TEST(one["saturated"].get<double>() == 0.03);
  BOOST_TEST(one["scales"]["count"].get<int>() == 1000);
  BOOST_TEST(one["scales"]["of_each"].get<int>() == 4);
  BOOST_TEST(one["scales"]["greatest"].size() == 250U);
  BOOST_TEST(one["scales"]["greatest"][0].get<double>() == 4.0);
  BOOST_TEST(one["scales"]["hi"].get<double>() == 1000.0);
}

BOOST_AUTO_TEST_CASE(WithoutScalesThereIsOnlyTheirCount) {
  QuantizationDetails details;
  details.weights.push_back({.name = "w",
                             .node = "n",
                             .type = DataType::kUint4,
                             .dims = {2},
                             .code_counts = std::vector<std::uint64_t>(16, 0),
                             .scales = {}});
  const Json json = DetailsToJson(details, QuantizationReport());
  BOOST_TEST((json["weights"][0]["scales"] == Json({{"count", 0}})));
  BOOST_TEST(json["weights"][0]["saturated"].get<double>() == 0.0);
  BOOST_TEST(json["weights"][0]["codes"]["lo"].get<int>() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeropoint

#include "tools/zeropoint/quantize_output.h"

#include <cstdio>
#include <filesystem>
#include <string>

#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/quantization_details.h"
#include "zeropoint/report/html_report.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

/// A model's file, and the data file that saving puts beside it.
std::size_t BytesOnDisk(const std::string& path) {
  std::error_code none;
  const auto data = std::filesystem::file_size(path + ".data", none);
  return std::filesystem::file_size(path) + (none ? 0 : data);
}

}  // namespace

void AddOutputOptions(CLI::App& command, QuantizeOutput& options) {
  command.add_option("MODEL", options.model, "float model")->required();
  command.add_option("-o,--output", options.output, "quantized model")
      ->required();
  AddReportOption(command, options.reports);
  command
      .add_option("--external-data", options.external_data,
                  "weights in a data file beside the model: always, or auto: "
                  "where the float model has one, and above 2 GB")
      ->check(CLI::IsMember({"auto", "always"}))
      ->capture_default_str();
}

Status SaveQuantized(const Model& model, QuantizationReport report,
                     const QuantizeOutput& options, const CommonOptions& common,
                     const ComparisonReport* comparison) {
  PhaseTimer timer(report.seconds);
  SaveOptions save;
  if (options.external_data == "always") {
    save.external_data = ExternalDataPolicy::kAlways;
  }
  ZEROPOINT_RETURN_IF_ERROR(model.Save(options.output, save));
  timer.End("saving");
  const std::size_t float_bytes = BytesOnDisk(options.model);
  const std::size_t quantized_bytes = BytesOnDisk(options.output);
  const Json json = QuantizationToJson(report, options.output, float_bytes,
                                       quantized_bytes, PeakMemory());
  const auto page = [&]() -> Result<Json> {
    Json document =
        DetailsToJson(report.details.value_or(QuantizationDetails()), report);
    document["title"] = options.output;
    document["subtitle"] = "quantized from " + options.model;
    document["quantization"] = json;
    if (comparison != nullptr) {
      document["comparison"] =
          ComparisonToJson(*comparison, float_bytes, quantized_bytes);
    }
    return document;
  };
  ZEROPOINT_RETURN_IF_ERROR(WriteReports(options.reports, json, page));
  if (common.json) {
    std::printf("%s\n", FormatJson(json).c_str());
  } else if (!common.quiet) {
    double seconds = 0.0;
    for (const PhaseTime& phase : report.seconds) seconds += phase.seconds;
    std::printf("%s%s: %s -> %s in %.2f s, peak memory %s\n",
                QuantizationToText(report).c_str(), options.output.c_str(),
                FormatBytes(float_bytes).c_str(),
                FormatBytes(quantized_bytes).c_str(), seconds,
                FormatBytes(PeakMemory()).c_str());
  }
  return Status();
}

}  // namespace zeropoint::cli

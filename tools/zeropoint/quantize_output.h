// What commands that quantize do with their result: save it, and say so.
#ifndef ZEROPOINT_TOOLS_ZEROPOINT_QUANTIZE_OUTPUT_H_
#define ZEROPOINT_TOOLS_ZEROPOINT_QUANTIZE_OUTPUT_H_

#include <CLI/CLI.hpp>
#include <string>

#include "tools/zeropoint/command.h"
#include "tools/zeropoint/report_file.h"
#include "zeropoint/core/status.h"
#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/model.h"

namespace zeropoint::cli {

struct QuantizeOutput {
  std::string model;  // the float one
  std::string output;
  ReportFiles reports;
  std::string external_data = "auto";
};
void AddOutputOptions(CLI::App& command, QuantizeOutput& options);

/// Saves `model`, writes the reports that are asked for, and prints. A page
/// shows the `comparison` with the float model too, if there is one.
Status SaveQuantized(const Model& model, QuantizationReport report,
                     const QuantizeOutput& options, const CommonOptions& common,
                     const ComparisonReport* comparison = nullptr);

}  // namespace zeropoint::cli

#endif  // ZEROPOINT_TOOLS_ZEROPOINT_QUANTIZE_OUTPUT_H_

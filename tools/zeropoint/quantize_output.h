// What commands that quantize do with their result: save it, and say so.
#ifndef ZEROPOINT_TOOLS_ZEROPOINT_QUANTIZE_OUTPUT_H_
#define ZEROPOINT_TOOLS_ZEROPOINT_QUANTIZE_OUTPUT_H_

#include <CLI/CLI.hpp>
#include <string>

#include "tools/zeropoint/command.h"
#include "zeropoint/core/status.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/model.h"

namespace zeropoint::cli {

struct QuantizeOutput {
  std::string model;  // the float one
  std::string output;
  std::string report;
  std::string external_data = "auto";
};
void AddOutputOptions(CLI::App& command, QuantizeOutput& options);

/// Saves `model`, writes the report where one is asked for, and prints.
Status SaveQuantized(const Model& model, QuantizationReport report,
                     const QuantizeOutput& options,
                     const CommonOptions& common);

}  // namespace zeropoint::cli

#endif  // ZEROPOINT_TOOLS_ZEROPOINT_QUANTIZE_OUTPUT_H_

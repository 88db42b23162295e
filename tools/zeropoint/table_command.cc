// zeropoint table: the ranges of a calibration state for other tools.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/calibration/state_file.h"
#include "zeropoint/calibration/table_writer.h"
#include "zeropoint/core/atomic_file.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

const std::map<std::string, TableFormat>& Formats() {
  static const std::map<std::string, TableFormat> formats = {
      {"cache", TableFormat::kText},
      {"flatbuffers", TableFormat::kFlatBuffers},
      {"json", TableFormat::kJson},
      {"json-cache", TableFormat::kJsonCache},
      {"json-pairs", TableFormat::kJsonPairs},
      {"trt", TableFormat::kTensorRt}};
  return formats;
}

struct TableCommand {
  std::string state;
  std::string output;
  std::string rule = "minmax";
  std::string format;
  std::string scheme;
  bool quiet = false;
};

Status Execute(const TableCommand& command) {
  TableFormat format{};
  if (command.format.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(format, TableFormatOf(command.output));
  } else {
    format = Formats().at(command.format);
  }
  SchemeSpec scheme;
  ZEROPOINT_ASSIGN_OR_RETURN(
      scheme, ParseScheme(!command.scheme.empty() ? command.scheme
                          : IsSymmetric(format)   ? "i8:sym"
                                                  : "u8:asym"));
  ZEROPOINT_ASSIGN_OR_RETURN(const CalibrationSpec rule,
                             ParseCalibration(command.rule));
  ZEROPOINT_ASSIGN_OR_RETURN(const CalibrationState state,
                             LoadState(command.state));
  ZEROPOINT_ASSIGN_OR_RETURN(const CalibrationResult chosen,
                             ChooseRanges(state, rule, scheme));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::string bytes,
                             WriteCalibrationTable(chosen.table, format, rule));
  ZEROPOINT_RETURN_IF_ERROR(WriteFileAtomically(command.output, bytes));
  if (!command.quiet) {
    std::printf("%s%s: %zu tensors, %s\n",
                FindingsToText(chosen.findings).c_str(), command.output.c_str(),
                chosen.table.size(), FormatCalibration(rule).c_str());
  }
  return Status();
}

}  // namespace

void AddTable(CLI::App& program, Run& run) {
  auto command = std::make_shared<TableCommand>();
  CLI::App* app = program.add_subcommand(
      "table", "write a calibration state's ranges for other tools");
  app->add_option("STATE", command->state, "state of `calibrate`")->required();
  app->add_option("-o,--output", command->output,
                  "file; its ending says the format: .flatbuffers, .json, "
                  ".cache or .trt")
      ->required();
  app->add_option("--rule", command->rule,
                  "how ranges are chosen: minmax, percentile[:99.999], "
                  "entropy, mse, moments[:K]")
      ->check([](const std::string& text) {
        return ParseCalibration(text).status().message();
      })
      ->capture_default_str();
  std::vector<std::string> formats;
  for (const auto& [name, format] : Formats()) formats.push_back(name);
  app->add_option("--format", command->format,
                  "format, whatever the file's name; default: by its ending; "
                  "json-pairs is the older "
                  "form, json-cache what ONNX Runtime's quantize_static reads")
      ->check(CLI::IsMember(formats));
  app->add_option("--scheme", command->scheme,
                  "scheme that ranges are chosen for; default: u8:asym for "
                  "ranges, i8:sym for magnitudes");
  app->add_flag("--quiet", command->quiet, "print errors only");
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

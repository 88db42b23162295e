// zeropoint static: quantizes with ranges from calibration samples.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/calibration/state_file.h"
#include "zeropoint/calibration/table_reader.h"
#include "zeropoint/core/atomic_file.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/flow/calibrate_model.h"
#include "zeropoint/flow/quantize_static.h"
#include "zeropoint/profiles/find_profile.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

struct StaticCommand {
  std::string model;
  std::string output;
  std::string report;
  std::string form = "qdq";
  std::string profile{ProfileNames().front()};
  std::string activations;
  std::string weights;
  std::string calibration = "minmax";
  bool calibration_given = false;
  std::string table;
  std::string optimize = "basic";
  std::string bias_correction = "on";
  NodeSelection selection;
  CommonOptions common;
  DataOptions data;
};

Result<StaticQuantizationOptions> MakeOptions(const StaticCommand& command) {
  StaticQuantizationOptions options;
  ZEROPOINT_ASSIGN_OR_RETURN(options.target, FindProfile(command.profile));
  if (!command.activations.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.activation_scheme,
                               ParseScheme(command.activations));
  }
  if (!command.weights.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.weight_scheme,
                               ParseScheme(command.weights));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(options.calibration,
                             ParseCalibration(command.calibration));
  options.selection = command.selection;
  options.optimize = command.optimize == "basic";
  options.correct_bias = command.bias_correction == "on";
  options.threads = command.common.threads;
  return options;
}

/// The ranges of --table, for `model` as loaded.
Result<CalibrationResult> LoadRanges(const StaticCommand& command, Model& model,
                                     const StaticQuantizationOptions& options) {
  CalibrationResult result;
  if (!command.table.ends_with(".zpcal")) {
    if (command.calibration_given) {
      return InvalidArgument("'" + command.table +
                             "' holds ranges already; --calibration chooses "
                             "them from samples or from a .zpcal");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(result.table,
                               LoadCalibrationTable(command.table));
    return result;
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const CalibrationState state,
                             LoadState(command.table));
  ZEROPOINT_RETURN_IF_ERROR(
      CheckStateIsOf(state, model, {options.target, options.optimize}));
  return ChooseRanges(
      state, options.calibration,
      options.activation_scheme.value_or(options.target.activations));
}

Result<QuantizationReport> Quantize(const StaticCommand& command, Model& model,
                                    StaticQuantizationOptions options) {
  if (command.table.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                               OpenData(command.data, model));
    const auto bar = MakeProgressBar(command.common);
    options.progress = MakeProgress(bar);
    auto report = QuantizeStatic(model, *source, options);
    bar->Finish();
    return report;
  }
  ZEROPOINT_ASSIGN_OR_RETURN(CalibrationResult ranges,
                             LoadRanges(command, model, options));
  return QuantizeStatic(model, std::move(ranges), options);
}

Status Execute(const StaticCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(const StaticQuantizationOptions options,
                             MakeOptions(command));
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  ZEROPOINT_ASSIGN_OR_RETURN(QuantizationReport report,
                             Quantize(command, model, options));
  PhaseTimer timer(report.seconds);
  ZEROPOINT_RETURN_IF_ERROR(model.Save(command.output));
  timer.End("saving");
  const std::size_t float_bytes = std::filesystem::file_size(command.model);
  const std::size_t quantized_bytes =
      std::filesystem::file_size(command.output);
  const Json json = QuantizationToJson(report, command.output, float_bytes,
                                       quantized_bytes, PeakMemory());
  if (!command.report.empty()) {
    ZEROPOINT_RETURN_IF_ERROR(
        WriteFileAtomically(command.report, FormatJson(json, 1) + "\n"));
  }
  if (command.common.json) {
    std::printf("%s\n", FormatJson(json).c_str());
  } else if (!command.common.quiet) {
    double seconds = 0.0;
    for (const PhaseTime& phase : report.seconds) seconds += phase.seconds;
    std::printf("%s%s: %s -> %s in %.2f s, peak memory %s\n",
                QuantizationToText(report).c_str(), command.output.c_str(),
                FormatBytes(float_bytes).c_str(),
                FormatBytes(quantized_bytes).c_str(), seconds,
                FormatBytes(PeakMemory()).c_str());
  }
  return Status();
}

}  // namespace

void AddStatic(CLI::App& program, Run& run) {
  auto command = std::make_shared<StaticCommand>();
  CLI::App* app = program.add_subcommand(
      "static", "quantize with ranges from calibration samples");
  app->add_option("MODEL", command->model, "float model")->required();
  app->add_option("-o,--output", command->output, "quantized model")
      ->required();
  app->add_option("--report", command->report,
                  "write what was done to FILE.json");
  app->add_option("--form", command->form, "form of the result")
      ->check(CLI::IsMember({"qdq"}))
      ->capture_default_str();
  std::vector<std::string> profiles;
  for (const auto name : ProfileNames()) profiles.emplace_back(name);
  app->add_option("--profile", command->profile, "runtime to quantize for")
      ->check(CLI::IsMember(profiles))
      ->capture_default_str();
  app->add_option("--activations", command->activations,
                  "scheme of activations, as u8:asym; default: the profile's");
  app->add_option(
      "--weights", command->weights,
      "scheme of weights, as i8:sym:channel:narrow; default: the profile's");
  AddCalibrationOption(*app, command->calibration);
  app->add_option("--table", command->table,
                  "ranges in place of samples: a STATE.zpcal of `calibrate`, "
                  "or a calibration table (.flatbuffers, .json, .cache, .trt)");
  app->add_option("--op-types", command->selection.op_types_to_quantize,
                  "quantize only these operator types")
      ->delimiter(',');
  app->add_option("--nodes", command->selection.nodes_to_quantize,
                  "quantize only these nodes")
      ->delimiter(',');
  app->add_option("--exclude", command->selection.nodes_to_exclude,
                  "leave these nodes in float")
      ->delimiter(',');
  app->add_option("--optimize", command->optimize, "clean the model up first")
      ->check(CLI::IsMember({"basic", "off"}))
      ->capture_default_str();
  app->add_option("--bias-correction", command->bias_correction,
                  "take back in the bias what rounding the weights shifts")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  AddDataOptions(*app, command->data);
  app->get_option("--data")->required(false);
  AddCommonOptions(*app, command->common);
  app->callback([command, app, &run] {
    if (command->table.empty() == command->data.source.empty()) {
      throw CLI::RequiredError("Either samples (--data) or ranges (--table)");
    }
    command->calibration_given = app->get_option("--calibration")->count() > 0;
    run = [command] {
      const Status status = Execute(*command);
      return status.ok() ? kSucceeded : Fail(status);
    };
  });
}

}  // namespace zeropoint::cli

// zeropoint sensitivity: which node costs how much accuracy.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/flow/measure_sensitivity.h"
#include "zeropoint/flow/static_options.h"
#include "zeropoint/profiles/find_profile.h"
#include "zeropoint/report/json_report.h"

namespace zeropoint::cli {
namespace {

struct SensitivityCommand {
  std::string model;
  std::string profile{ProfileNames().front()};
  std::string calibration = "mse";
  SelectionOptions selection;
  CommonOptions common;
  DataOptions data;
};

Status Execute(const SensitivityCommand& command) {
  StaticQuantizationOptions options;
  ZEROPOINT_ASSIGN_OR_RETURN(options.target, FindProfile(command.profile));
  ZEROPOINT_ASSIGN_OR_RETURN(options.calibration,
                             ParseCalibration(command.calibration));
  ZEROPOINT_ASSIGN_OR_RETURN(options.selection,
                             MakeSelection(command.selection));
  // What is slower in int8 may still be asked for.
  options.leave_slower_float = false;
  options.threads = command.common.threads;
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                             OpenData(command.data, model));
  const auto bar = MakeProgressBar(command.common);
  options.progress = MakeProgress(bar);
  ZEROPOINT_ASSIGN_OR_RETURN(const SensitivityReport report,
                             MeasureSensitivity(model, *source, options));
  bar->Finish();
  if (command.common.json) {
    std::printf("%s\n", FormatJson(SensitivityToJson(report)).c_str());
    return Status();
  }
  if (command.common.quiet) return Status();
  std::printf(
      "SQNR of the outputs on %zu held-out samples; all nodes: %.1f dB\n",
      report.samples, report.all_db);
  std::printf("  alone dB  without dB  work %%  node\n");
  for (const NodeSensitivity& node : report.nodes) {
    std::printf("  %8.1f  %10.1f  %6.1f  %s '%s'\n", node.alone_db,
                node.without_db, 100.0 * node.work_share, node.op_type.c_str(),
                node.node.c_str());
  }
  return Status();
}

}  // namespace

void AddSensitivity(CLI::App& program, Run& run) {
  auto command = std::make_shared<SensitivityCommand>();
  CLI::App* app = program.add_subcommand("sensitivity",
                                         "say what quantizing each node costs");
  app->add_option("MODEL", command->model, "float model")->required();
  std::vector<std::string> profiles;
  for (const auto name : ProfileNames()) profiles.emplace_back(name);
  app->add_option("--profile", command->profile, "runtime to quantize for")
      ->check(CLI::IsMember(profiles))
      ->capture_default_str();
  AddCalibrationOption(*app, command->calibration);
  AddSelectionOptions(*app, command->selection);
  AddDataOptions(*app, command->data);
  AddCommonOptions(*app, command->common);
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

// zeropoint merge: calibration states joined.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/calibration_run.h"
#include "tools/zeropoint/command.h"
#include "zeropoint/calibration/state_file.h"

namespace zeropoint::cli {
namespace {

struct MergeCommand {
  std::vector<std::string> inputs;
  std::string output;
  bool json = false;
  bool quiet = false;
};

Status Execute(const MergeCommand& command) {
  std::optional<CalibrationState> merged;
  for (const std::string& input : command.inputs) {
    ZEROPOINT_ASSIGN_OR_RETURN(CalibrationState state, LoadState(input));
    if (!merged) {
      merged = std::move(state);
    } else {
      ZEROPOINT_RETURN_IF_ERROR(
          merged->Merge(state).WithContext("'" + input + "'"));
    }
  }
  ZEROPOINT_RETURN_IF_ERROR(SaveState(*merged, command.output));
  return PrintState(*merged, command.output, command.json, command.quiet);
}

}  // namespace

void AddMerge(CLI::App& program, Run& run) {
  auto command = std::make_shared<MergeCommand>();
  CLI::App* app = program.add_subcommand(
      "merge", "join calibration states of shards into one");
  app->add_option("STATE", command->inputs, "states of `calibrate`")
      ->required();
  app->add_option("-o,--output", command->output, "joined STATE.zpcal")
      ->required();
  app->add_flag("--json", command->json,
                "print the result as JSON on standard output");
  app->add_flag("--quiet", command->quiet, "print errors only");
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

// zeropoint calibrate: a calibration state, made by one process or by those of
// an mpirun.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/calibration_run.h"
#include "tools/zeropoint/command.h"
#include "zeropoint/adapters/open_mpi.h"
#include "zeropoint/flow/calibrate_model.h"
#include "zeropoint/profiles/find_profile.h"

namespace zeropoint::cli {
namespace {

Status Execute(const CalibrateOptions& options) {
  ZEROPOINT_ASSIGN_OR_RETURN(CalibrationRun run,
                             CalibrationRun::Open(options, {}));
  if (options.resume) {
    ZEROPOINT_RETURN_IF_ERROR(run.Resume(options.output));
  }
  ZEROPOINT_RETURN_IF_ERROR(run.Observe(options, options.output));
  return PrintState(run.state(), options.output, options.common.json,
                    options.common.quiet);
}

}  // namespace

void AddCalibrate(CLI::App& program, Run& run) {
  auto command = std::make_shared<CalibrateOptions>();
  CLI::App* app = program.add_subcommand(
      "calibrate", "observe a model's tensors and keep the statistics");
  app->add_option("MODEL", command->model, "float model")->required();
  app->add_option("-o,--output", command->output, "STATE.zpcal")->required();
  std::vector<std::string> profiles;
  for (const auto name : ProfileNames()) profiles.emplace_back(name);
  app->add_option("--profile", command->profile, "runtime to quantize for")
      ->check(CLI::IsMember(profiles))
      ->capture_default_str();
  app->add_option("--optimize", command->optimize, "clean the model up first")
      ->check(CLI::IsMember({"basic", "off"}))
      ->capture_default_str();
  app->add_option("--collect", command->collect,
                  "statistics to keep: all of them, so that the rule can be "
                  "chosen afterwards, or those of minmax only")
      ->check(CLI::IsMember({"all", "minmax"}))
      ->capture_default_str();
  app->add_option("--shard", command->shard,
                  "part k of n of the samples, as 2/7; k counts from 0. "
                  "mpirun divides that part further among its processes")
      ->check([](const std::string& text) {
        return ParseShard(text).status().message();
      })
      ->capture_default_str();
  app->add_flag("--resume", command->resume,
                "go on where STATE.zpcal stopped, if it is there");
  app->add_option("--checkpoint", command->checkpoint,
                  "write the state at least every so many seconds")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  AddDataOptions(*app, command->data);
  AddCommonOptions(*app, command->common);
  app->callback([command, &run] {
    run = [command] {
      if (OpenMpi::StartedByMpirun()) return CalibrateAcrossRanks(*command);
      const Status status = Execute(*command);
      return status.ok() ? kSucceeded : Fail(status);
    };
  });
}

}  // namespace zeropoint::cli

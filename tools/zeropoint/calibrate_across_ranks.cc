// zeropoint calibrate under mpirun.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "tools/zeropoint/calibration_run.h"
#include "tools/zeropoint/command.h"
#include "zeropoint/adapters/merge_across_ranks.h"
#include "zeropoint/adapters/open_mpi.h"
#include "zeropoint/calibration/state_file.h"
#include "zeropoint/exec/usable_processors.h"

namespace zeropoint::cli {
namespace {

/// "folder/states.zpcal" of rank 2 of 4: "folder/states.2-of-4.zpcal".
std::string RankPath(const std::filesystem::path& output,
                     const std::string& rank, int size) {
  std::filesystem::path path = output;
  path.replace_filename(output.stem().string() + "." + rank + "-of-" +
                        std::to_string(size) + output.extension().string());
  return path.string();
}

/// Errors: kInvalidArgument when an earlier run of another number of ranks left
/// states, which this one would not find.
Status CheckNoOtherCount(const std::filesystem::path& output, int size) {
  const std::filesystem::path folder =
      output.has_parent_path() ? output.parent_path() : ".";
  const std::string stem = output.stem().string() + ".";
  const std::string mine =
      "-of-" + std::to_string(size) + output.extension().string();
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(stem) && name.find("-of-") != std::string::npos &&
        name.ends_with(output.extension().string()) && !name.ends_with(mine)) {
      return InvalidArgument(
          "'" + entry.path().string() +
          "' is of a run with another number of ranks; resume with that "
          "number, or `zeropoint merge` those states, or remove them");
    }
  }
  return Status();
}

/// Whether an earlier run has written `options.output` already. Errors:
/// kInvalidArgument when it did so without mpirun and has not ended.
Result<bool> IsFinished(const CalibrateOptions& options) {
  if (!std::filesystem::exists(options.output)) return false;
  ZEROPOINT_ASSIGN_OR_RETURN(CalibrationRun whole,
                             CalibrationRun::Open(options, {}));
  ZEROPOINT_RETURN_IF_ERROR(whole.Resume(options.output));
  if (whole.done() == whole.samples()) return true;
  return InvalidArgument("'" + options.output + "' holds " +
                         std::to_string(whole.done()) + " of the " +
                         std::to_string(whole.samples()) +
                         " samples, of a run without mpirun; resume it "
                         "without, or remove it");
}

/// Gets `run` ready, or leaves it empty when an earlier run has done
/// everything. The same Status on every rank.
Status Start(OpenMpi& ranks, const CalibrateOptions& options,
             const std::string& own_path, std::optional<CalibrationRun>& run) {
  std::string finished;
  const auto start = [&]() -> Status {
    const Shard part{static_cast<std::uint64_t>(ranks.rank()),
                     static_cast<std::uint64_t>(ranks.size())};
    ZEROPOINT_ASSIGN_OR_RETURN(run, CalibrationRun::Open(options, part));
    if (!options.resume) return Status();
    if (ranks.rank() == 0) {
      ZEROPOINT_RETURN_IF_ERROR(
          CheckNoOtherCount(options.output, ranks.size()));
      ZEROPOINT_ASSIGN_OR_RETURN(const bool all, IsFinished(options));
      if (all) finished = "yes";
    }
    return run->Resume(own_path);
  };
  ZEROPOINT_RETURN_IF_ERROR(AgreeAcrossRanks(ranks, start()));
  ZEROPOINT_RETURN_IF_ERROR(BroadcastFromRank0(ranks, finished));
  if (!finished.empty()) run.reset();
  return Status();
}

/// The same Status on every rank.
Status Execute(OpenMpi& ranks, const CalibrateOptions& options) {
  const std::string own_path =
      RankPath(options.output, std::to_string(ranks.rank()), ranks.size());
  std::optional<CalibrationRun> run;
  ZEROPOINT_RETURN_IF_ERROR(Start(ranks, options, own_path, run));
  if (run) {
    const Status observed = run->Observe(options, own_path);
    if (!observed.ok() && ranks.size() > 1) {
      // Now: the other ranks may go on for hours.
      std::fprintf(stderr, "zeropoint: rank %d of %d: %s\n", ranks.rank(),
                   ranks.size(), observed.message().c_str());
    }
    if (observed.code() == StatusCode::kCancelled) {
      // mpirun stops the other ranks, and does not wait for them long.
      std::_Exit(kFailed);
    }
    const Status all = AgreeAcrossRanks(ranks, observed);
    if (!all.ok()) {
      return InvalidArgument(
          all.message() +
          "\nno state was written; what each rank has seen is "
          "in '" +
          RankPath(options.output, "*", ranks.size()) +
          "'; run again with --resume when the cause is mended");
    }
    Status merged = MergeAcrossRanks(ranks, run->state());
    if (merged.ok() && ranks.rank() == 0) {
      merged = SaveState(run->state(), options.output);
    }
    ZEROPOINT_RETURN_IF_ERROR(AgreeAcrossRanks(ranks, merged));
    std::error_code error;
    std::filesystem::remove(own_path, error);
  }
  if (ranks.rank() != 0) return Status();
  ZEROPOINT_ASSIGN_OR_RETURN(const CalibrationState whole,
                             LoadState(options.output));
  return PrintState(whole, options.output, options.common.json,
                    options.common.quiet);
}

}  // namespace

int CalibrateAcrossRanks(CalibrateOptions options) {
  Result<OpenMpi> ranks = OpenMpi::Join();
  if (!ranks.ok()) return Fail(ranks.status());
  if (options.common.threads == 0) {
    // mpirun may have bound this rank to processors of its own, or not.
    const int share = static_cast<int>(std::thread::hardware_concurrency()) /
                      OpenMpi::RanksOnThisMachine();
    options.common.threads = std::clamp(share, 1, UsableProcessors());
  }
  if (ranks->rank() != 0) options.common.progress = "never";
  const Status status = Execute(*ranks, options);
  // One rank says it for all: mpirun kills the others as soon as one fails.
  return status.ok() || ranks->rank() != 0 ? kSucceeded : Fail(status);
}

}  // namespace zeropoint::cli

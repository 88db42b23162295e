// zeropoint calibrate, merge: calibration states, made and joined.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/calibration/state_file.h"
#include "zeropoint/flow/calibrate_model.h"
#include "zeropoint/profiles/find_profile.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

struct CalibrateCommand {
  std::string model;
  std::string output;
  std::string profile{ProfileNames().front()};
  std::string optimize = "basic";
  std::string shard = "0/1";
  std::string collect = "all";
  bool resume = false;
  double checkpoint = 5.0;
  CommonOptions common;
  DataOptions data;
};

struct MergeCommand {
  std::vector<std::string> inputs;
  std::string output;
  bool json = false;
  bool quiet = false;
};

Status Print(const CalibrationState& state, const std::string& output,
             bool json, bool quiet) {
  CalibrationFindings findings;
  if (state.samples.count() > 0) {
    ZEROPOINT_ASSIGN_OR_RETURN(CalibrationResult chosen,
                               ChooseRanges(state, CalibrationSpec{}, {}));
    findings = std::move(chosen.findings);
  }
  if (json) {
    Json document;
    document["output"] = output;
    document["samples"] = state.samples.count();
    document["tensors"] = state.tensors.size();
    Json& intervals = document["intervals"] = Json::array();
    for (const SampleInterval& interval : state.samples.intervals()) {
      intervals.push_back({{"data", interval.data},
                           {"begin", interval.begin},
                           {"end", interval.end}});
    }
    document["calibration"] = FindingsToJson(findings, document["non_finite"]);
    document["peak_rss_bytes"] = PeakMemory();
    std::printf("%s\n", FormatJson(document).c_str());
  } else if (!quiet) {
    std::printf("%s%s: %zu tensors over %llu samples, peak memory %s\n",
                FindingsToText(findings).c_str(), output.c_str(),
                state.tensors.size(),
                static_cast<unsigned long long>(state.samples.count()),
                FormatBytes(PeakMemory()).c_str());
  }
  return Status();
}

/// A line of JSON on standard error, where a scheduler's log keeps it.
void PrintEvent(const CalibrateCommand& command, std::string_view event,
                std::uint64_t samples) {
  if (!command.common.json) return;
  const Json line = {
      {"event", event}, {"samples", samples}, {"state", command.output}};
  std::fprintf(stderr, "%s\n", FormatJson(line).c_str());
}

/// How many samples of this shard, which begins at `first`, `state` has.
/// Errors: kInvalidArgument when it has others too.
Result<std::uint64_t> SamplesDone(const CalibrationState& state,
                                  const std::string& data,
                                  const SampleRange& range) {
  const auto& intervals = state.samples.intervals();
  if (intervals.empty()) return std::uint64_t{0};
  const SampleInterval& done = intervals.front();
  if (intervals.size() > 1 || done.data != data || done.begin != range.first ||
      done.end > range.first + range.count) {
    return InvalidArgument(
        "the state holds samples that are not the beginning of this run's; "
        "resume with the same --data, --shard, --skip and --limit");
  }
  return done.end - done.begin;
}

/// What states call the samples: samples of one name and number are the same.
std::string DataName(const DataOptions& data) {
  std::filesystem::path path =
      std::filesystem::path(data.source).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "folder/"
  std::string name = path.filename().string();
  const auto add = [&name](const char* option, std::uint64_t value) {
    name += std::string(" ") + option + " " + std::to_string(value);
  };
  if (data.start != 0) add("--start-index", data.start);
  if (data.stride != 1) add("--stride", data.stride);
  if (data.shuffle) add("--shuffle", *data.shuffle);
  if (data.batch_size != 1) {
    // Batches are counted, from the first sample that is not skipped.
    add("--skip", data.skip);
    add("--batch-size", data.batch_size);
  }
  return name;
}

/// The options that leave only the `count` feeds from `first` on, feeds being
/// numbered from `base` on.
DataOptions OnlyFeeds(DataOptions data, std::size_t base, std::size_t first,
                      std::size_t count) {
  const std::size_t before = (first - base) * data.batch_size;
  data.skip += before;
  const std::size_t samples = count * data.batch_size;
  data.limit = data.limit ? std::min(*data.limit - before, samples) : samples;
  return data;
}

Status Execute(const CalibrateCommand& command) {
  DataOptions data = command.data;
  if (data.stride == 1 && !data.shuffle) {
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    data.skip += std::min(std::exchange(data.start, 0), kMost - data.skip);
  }
  CalibrationPreparation preparation;
  ZEROPOINT_ASSIGN_OR_RETURN(preparation.target, FindProfile(command.profile));
  preparation.optimize = command.optimize == "basic";
  CollectedStatistics collected = CollectedStatistics::All();
  if (command.collect == "minmax") collected = {};
  ZEROPOINT_ASSIGN_OR_RETURN(const Shard shard, ParseShard(command.shard));
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  ObserveOptions options;
  options.data = DataName(data);
  // The samples of this shard, counted from the first of the whole data set.
  const std::size_t base = data.batch_size == 1 ? data.skip : 0;
  SampleRange range;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> all,
                               OpenData(data, model));
    if (!all->size()) {
      return InvalidArgument("'" + command.data.source +
                             "' does not say how many samples it has");
    }
    range = shard.Of(*all->size());
    range.first += base;
  }
  ZEROPOINT_ASSIGN_OR_RETURN(CalibrationState state,
                             StartCalibration(model, preparation, collected));
  std::uint64_t done = 0;
  if (command.resume && std::filesystem::exists(command.output)) {
    ZEROPOINT_ASSIGN_OR_RETURN(CalibrationState found,
                               LoadState(command.output));
    if (found.model != state.model || found.preparation != state.preparation ||
        found.collected != state.collected) {
      return InvalidArgument("'" + command.output +
                             "' is of another model or of other options; "
                             "remove it, or leave out --resume");
    }
    state = std::move(found);
    ZEROPOINT_ASSIGN_OR_RETURN(done, SamplesDone(state, options.data, range));
  }
  PrintEvent(command, done > 0 ? "resumed" : "started", done);
  const auto bar = MakeProgressBar(command.common);
  options.progress = MakeProgress(bar);
  options.first = range.first + done;
  options.checkpoint_seconds = command.checkpoint;
  options.checkpoint = [&](const CalibrationState& so_far) {
    PrintEvent(command, "checkpoint", so_far.samples.count());
    return SaveState(so_far, command.output);
  };
  if (done < range.count) {
    const DataOptions rest =
        OnlyFeeds(data, base, options.first, range.count - done);
    ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                               OpenData(rest, model));
    ZEROPOINT_RETURN_IF_ERROR(CalibrateModel(
        model, *source, preparation, command.common.threads, state, options));
  }
  bar->Finish();
  if (state.samples.count() == 0) {
    return InvalidData("shard " + command.shard +
                       " holds no sample; use fewer shards");
  }
  ZEROPOINT_RETURN_IF_ERROR(SaveState(state, command.output));
  PrintEvent(command, "finished", state.samples.count());
  return Print(state, command.output, command.common.json,
               command.common.quiet);
}

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
  return Print(*merged, command.output, command.json, command.quiet);
}

template <class Command>
void RunOnCallback(CLI::App& app, std::shared_ptr<Command> command, Run& run) {
  app.callback([command, &run] {
    run = [command] {
      const Status status = Execute(*command);
      return status.ok() ? kSucceeded : Fail(status);
    };
  });
}

}  // namespace

void AddCalibrate(CLI::App& program, Run& run) {
  auto command = std::make_shared<CalibrateCommand>();
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
                  "part k of n of the samples, as 2/7; k counts from 0")
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
  RunOnCallback(*app, command, run);
}

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
  RunOnCallback(*app, command, run);
}

}  // namespace zeropoint::cli

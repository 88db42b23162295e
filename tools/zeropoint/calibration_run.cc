#include "tools/zeropoint/calibration_run.h"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tools/zeropoint/command.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/calibration/state_file.h"
#include "zeropoint/flow/calibrate_model.h"
#include "zeropoint/profiles/find_profile.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

/// Schedulers send SIGTERM some time before they kill. The second one, or a
/// second Ctrl-C, ends the program at once.
void StopAtSignals() {
  for (const int signal : {SIGTERM, SIGINT}) {
    struct sigaction action {};
    action.sa_handler = [](int number) { stop_signal = number; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
  }
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

/// Part `part` of `samples`.
SampleRange PartOf(const SampleRange& samples, const Shard& part) {
  SampleRange range = part.Of(samples.count);
  range.first += samples.first;
  return range;
}

}  // namespace

void PrintEvent(const CalibrateOptions& options, std::string_view event,
                std::uint64_t samples, const std::string& path) {
  if (!options.common.json) return;
  const Json line = {{"event", event}, {"samples", samples}, {"state", path}};
  std::fprintf(stderr, "%s\n", FormatJson(line).c_str());
}

Status PrintState(const CalibrationState& state, const std::string& output,
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

Result<CalibrationRun> CalibrationRun::Open(const CalibrateOptions& options,
                                            const Shard& part) {
  DataOptions data = options.data;
  if (data.stride == 1 && !data.shuffle) {
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    data.skip += std::min(std::exchange(data.start, 0), kMost - data.skip);
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const Shard shard, ParseShard(options.shard));
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(options.model));
  CalibrationRun run(std::move(model), std::move(data));
  ZEROPOINT_ASSIGN_OR_RETURN(run.preparation_.target,
                             FindProfile(options.profile));
  run.preparation_.optimize = options.optimize == "basic";
  run.data_name_ = DataName(run.data_);
  run.base_ = run.data_.batch_size == 1 ? run.data_.skip : 0;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> all,
                               OpenData(run.data_, run.model_));
    if (!all->size()) {
      return InvalidArgument("'" + options.data.source +
                             "' does not say how many samples it has");
    }
    run.range_ = PartOf(PartOf({run.base_, *all->size()}, shard), part);
    if (run.range_.count == 0) {
      return InvalidData("no sample of the " + std::to_string(*all->size()) +
                         " is left for this process; use fewer " +
                         (part.count > 1 ? "ranks" : "shards"));
    }
  }
  CollectedStatistics collected = CollectedStatistics::All();
  if (options.collect == "minmax") collected = {};
  ZEROPOINT_ASSIGN_OR_RETURN(
      run.state_, StartCalibration(run.model_, run.preparation_, collected));
  return run;
}

Status CalibrationRun::Resume(const std::string& path) {
  if (!std::filesystem::exists(path)) return Status();
  ZEROPOINT_ASSIGN_OR_RETURN(CalibrationState found, LoadState(path));
  if (found.model != state_.model || found.preparation != state_.preparation ||
      found.collected != state_.collected) {
    return InvalidArgument("'" + path +
                           "' is of another model or of other options; "
                           "remove it, or leave out --resume");
  }
  const auto& intervals = found.samples.intervals();
  if (!intervals.empty()) {
    const SampleInterval& has = intervals.front();
    if (intervals.size() > 1 || has.data != data_name_ ||
        has.begin != range_.first || has.end > range_.first + range_.count) {
      return InvalidArgument(
          "'" + path +
          "' holds samples that are not the beginning of this run's; resume "
          "with the same --data, --shard, --skip and --limit");
    }
  }
  state_ = std::move(found);
  return Status();
}

DataOptions CalibrationRun::Rest() const {
  const std::size_t first = range_.first + done();
  const std::size_t before = (first - base_) * data_.batch_size;
  const std::size_t samples = (range_.count - done()) * data_.batch_size;
  DataOptions rest = data_;
  rest.skip += before;
  rest.limit = data_.limit ? std::min(*data_.limit - before, samples) : samples;
  return rest;
}

Status CalibrationRun::Observe(const CalibrateOptions& options,
                               const std::string& path) {
  PrintEvent(options, done() > 0 ? "resumed" : "started", done(), path);
  if (done() < range_.count) {
    const auto bar = MakeProgressBar(options.common);
    ObserveOptions observe;
    observe.data = data_name_;
    observe.first = range_.first + done();
    observe.progress = MakeProgress(bar);
    observe.checkpoint_seconds = options.checkpoint;
    observe.checkpoint = [&](const CalibrationState& so_far) {
      PrintEvent(options, "checkpoint", so_far.samples.count(), path);
      return SaveState(so_far, path);
    };
    StopAtSignals();
    observe.stop = [] { return stop_signal != 0; };
    ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                               OpenData(Rest(), model_));
    const Status observed = CalibrateModel(
        model_, *source, preparation_, options.common.threads, state_, observe);
    bar->Finish();
    if (observed.code() == StatusCode::kCancelled) {
      return Cancelled("stopped by signal " + std::to_string(stop_signal) +
                       " after " + std::to_string(done()) + " of " +
                       std::to_string(samples()) + " samples; they are in '" +
                       path + "', --resume goes on from there");
    }
    ZEROPOINT_RETURN_IF_ERROR(observed);
  }
  ZEROPOINT_RETURN_IF_ERROR(SaveState(state_, path));
  PrintEvent(options, "finished", done(), path);
  return Status();
}

}  // namespace zeropoint::cli

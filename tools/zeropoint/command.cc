#include "tools/zeropoint/command.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/data/feed_source.h"
#include "zeropoint/flow/describe_inputs.h"

namespace zeropoint::cli {

void AddCommonOptions(CLI::App& command, CommonOptions& options) {
  command
      .add_option("--threads", options.threads, "threads; 0 is one a processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_flag("--json", options.json,
                   "print the result as JSON on standard output");
  command.add_flag("--quiet", options.quiet, "print errors only");
  command.add_option("--progress", options.progress, "show a progress bar")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
}

void AddDataOptions(CLI::App& command, DataOptions& options) {
  command
      .add_option("--data", options.source,
                  "samples: FILE.npz with one array an input, FILE.npy, a "
                  "folder of JPEG and PNG images, a folder of test_data_set_*, "
                  "or synthetic:N")
      ->required();
  command.add_option(
      "--preprocess", options.preprocess,
      "FILE.json that says how images and stored integers become "
      "the model's inputs");
  command
      .add_option("--limit", options.limit,
                  "use at most so many samples; default: all")
      ->check(CLI::PositiveNumber);
  command.add_option("--skip", options.skip, "leave out so many samples first")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      .add_option("--start-index", options.start,
                  "the number of the first sample, before --shuffle and --skip")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command
      .add_option("--stride", options.stride,
                  "use every Nth sample from --start-index on")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option(
          "--shuffle", options.shuffle,
          "shuffle the samples by this SEED, before --skip and --limit; "
          "default: as they come")
      ->check(CLI::NonNegativeNumber);
  command
      .add_option("--batch-size", options.batch_size,
                  "join so many samples into one run, where the model's batch "
                  "axis is open; labels then do not count")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command
      .add_option(
          "--prefetch", options.prefetch,
          "read so many samples ahead on a thread; default: 2 of images, "
          "0 of the rest")
      ->check(CLI::Range(0, 1 << 10));
}

void AddCalibrationOption(CLI::App& command, std::string& calibration) {
  command
      .add_option("--calibration", calibration,
                  "how ranges are chosen: minmax, percentile[:99.999], "
                  "entropy, mse, moments[:K], moving-average[:WEIGHT]")
      ->check([](const std::string& text) {
        return ParseCalibration(text).status().message();
      })
      ->capture_default_str();
}

Result<std::unique_ptr<FeedSource>> OpenData(const DataOptions& options,
                                             const Model& model) {
  FeedSourceOptions source;
  source.inputs = DescribeInputs(model);
  source.preprocess_file = options.preprocess;
  source.skip = options.skip;
  source.limit = options.limit;
  source.start = options.start;
  source.stride = options.stride;
  source.shuffle_seed = options.shuffle;
  source.batch_size = options.batch_size;
  source.prefetch = options.prefetch;
  return OpenFeedSource(options.source, source);
}

void AddSelectionOptions(CLI::App& command, SelectionOptions& options,
                         const std::string& verb, const std::string& left) {
  command
      .add_option("--op-types", options.op_types,
                  verb + " only these operator types")
      ->delimiter(',');
  command.add_option("--nodes", options.nodes,
                     verb + " only these nodes: A,B or re:^/block3/");
  command.add_option("--exclude", options.exclude,
                     "leave these nodes " + left + ": A,B or re:PATTERN");
  command.add_option("--subgraph", options.subgraphs,
                     verb +
                         " only the nodes between these tensors: "
                         "in1,in2->out1; may be repeated");
}

Result<NodeSelection> MakeSelection(const SelectionOptions& options) {
  NodeSelection selection;
  selection.op_types_to_quantize = options.op_types;
  const auto split = [](const std::vector<std::string>& texts,
                        std::vector<std::string>& names) {
    for (const std::string& text : texts) {
      for (std::string& name : SplitNodeNames(text)) {
        names.push_back(std::move(name));
      }
    }
  };
  split(options.nodes, selection.nodes_to_quantize);
  split(options.exclude, selection.nodes_to_exclude);
  for (const std::string& text : options.subgraphs) {
    ZEROPOINT_ASSIGN_OR_RETURN(Subgraph subgraph, ParseSubgraph(text));
    selection.subgraphs_to_quantize.push_back(std::move(subgraph));
  }
  return selection;
}

std::shared_ptr<ProgressBar> MakeProgressBar(const CommonOptions& options) {
  const bool wanted =
      options.progress == "always" ||
      (options.progress == "auto" && !options.quiet && isatty(STDERR_FILENO));
  return std::make_shared<ProgressBar>(stderr, wanted);
}

ProgressHook MakeProgress(std::shared_ptr<ProgressBar> bar) {
  return [bar = std::move(bar)](std::string_view what, std::size_t done,
                                std::optional<std::size_t> total) {
    bar->Update(what, done, total);
  };
}

std::string FormatBytes(std::size_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000.0 && unit + 1 < kUnits.size()) {
    value /= 1000.0;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s",
                value, kUnits[unit]);
  return text.data();
}

std::size_t PeakMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

int Fail(const Status& status) {
  std::string message = status.message();
  // Messages that come from libraries may span lines.
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fprintf(stderr, "zeropoint: %s\n", message.c_str());
  return kFailed;
}

}  // namespace zeropoint::cli

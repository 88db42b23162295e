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
                  "samples: FILE.npz with one array an input, a folder of "
                  "test_data_set_*, or synthetic:N")
      ->required();
  command.add_option("--preprocess", options.preprocess,
                     "FILE.json that says how stored integers become the "
                     "model's inputs");
  command.add_option("--limit", options.limit, "use at most so many samples")
      ->check(CLI::PositiveNumber);
  command.add_option("--skip", options.skip, "leave out so many samples first")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
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
  return OpenFeedSource(options.source, source);
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

// What the commands of the program share: common options, and how they end.
#ifndef ZEROPOINT_TOOLS_ZEROPOINT_COMMAND_H_
#define ZEROPOINT_TOOLS_ZEROPOINT_COMMAND_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/progress_bar.h"
#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/node_selection.h"

namespace zeropoint::cli {

/// Exit statuses of the program.
inline constexpr int kSucceeded = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

/// Options that every command takes.
struct CommonOptions {
  int threads = 0;
  bool json = false;
  bool quiet = false;
  std::string progress = "auto";
};
void AddCommonOptions(CLI::App& command, CommonOptions& options);

/// Options of commands that read samples.
struct DataOptions {
  std::string source;
  std::string preprocess;
  std::optional<std::size_t> limit;
  std::size_t skip = 0;
  std::size_t start = 0;
  std::size_t stride = 1;
  std::optional<std::uint64_t> shuffle;
  std::size_t batch_size = 1;
  std::optional<std::size_t> prefetch;
};
void AddDataOptions(CLI::App& command, DataOptions& options);

/// --calibration: how ranges are chosen.
void AddCalibrationOption(CLI::App& command, std::string& calibration);

/// The samples that `options` names, checked against the inputs of `model`.
Result<std::unique_ptr<FeedSource>> OpenData(const DataOptions& options,
                                             const Model& model);

/// Options of commands that quantize: which nodes.
struct SelectionOptions {
  std::vector<std::string> op_types;
  std::vector<std::string> nodes;
  std::vector<std::string> exclude;
  std::vector<std::string> subgraphs;
};
/// Their help says what the command does with a node (`verb`), and how it
/// leaves the others (`left`).
void AddSelectionOptions(CLI::App& command, SelectionOptions& options,
                         const std::string& verb = "quantize",
                         const std::string& left = "in float");

/// Errors: kInvalidArgument for a sub-graph that cannot be read.
Result<NodeSelection> MakeSelection(const SelectionOptions& options);

/// A bar on standard error, where `options` want one.
std::shared_ptr<ProgressBar> MakeProgressBar(const CommonOptions& options);
/// Calls of the hook move the bar.
ProgressHook MakeProgress(std::shared_ptr<ProgressBar> bar);

/// "12.3 MB"
std::string FormatBytes(std::size_t bytes);

/// Peak memory of this process, in bytes.
std::size_t PeakMemory();

/// Prints the error as one line on standard error. Returns kFailed.
int Fail(const Status& status);

/// Each command adds itself to the program and says by `run` what to do when it
/// was chosen.
using Run = std::function<int()>;

/// Calls Execute(*command), which the command's own file defines.
template <class Command>
Run Running(std::shared_ptr<Command> command) {
  return [command = std::move(command)] {
    const Status status = Execute(*command);
    return status.ok() ? kSucceeded : Fail(status);
  };
}
template <class Command>
void RunWhenChosen(CLI::App& app, std::shared_ptr<Command> command, Run& run) {
  app.callback(
      [command = std::move(command), &run] { run = Running(command); });
}

void AddStatic(CLI::App& program, Run& run);
void AddCalibrate(CLI::App& program, Run& run);
void AddMerge(CLI::App& program, Run& run);
void AddTable(CLI::App& program, Run& run);
void AddDynamic(CLI::App& program, Run& run);
void AddQat(CLI::App& program, Run& run);
void AddWeights(CLI::App& program, Run& run);
void AddCompare(CLI::App& program, Run& run);
void AddEvaluate(CLI::App& program, Run& run);
void AddEvaluateCoco(CLI::App& evaluate, Run& run);
void AddSensitivity(CLI::App& program, Run& run);
void AddConvert(CLI::App& program, Run& run);
void AddRun(CLI::App& program, Run& run);
void AddInspect(CLI::App& program, Run& run);
void AddPasses(CLI::App& program, Run& run);

/// An example at the end of each command's help.
void AddExamples(CLI::App& program);

}  // namespace zeropoint::cli

#endif  // ZEROPOINT_TOOLS_ZEROPOINT_COMMAND_H_

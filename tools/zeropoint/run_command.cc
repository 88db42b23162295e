// zeropoint run: runs a model on samples and writes its outputs.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tools/zeropoint/command.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/flow/run_samples.h"
#include "zeropoint/report/json_report.h"

namespace zeropoint::cli {
namespace {

struct RunCommand {
  std::string model;
  std::string output;
  CommonOptions common;
  DataOptions data;
};

Result<std::unique_ptr<OutputWriter>> MakeWriter(
    const std::string& path, const std::vector<std::string>& names,
    const FeedSource& source) {
  if (!path.ends_with(".npz")) {
    return std::unique_ptr<OutputWriter>(
        std::make_unique<FolderOutputWriter>(path, names));
  }
  const std::optional<std::size_t> samples = source.size();
  if (!samples) {
    return InvalidArgument(
        "a .npz needs to know the number of samples beforehand; write to a "
        "folder instead");
  }
  return std::unique_ptr<OutputWriter>(
      std::make_unique<NpzOutputWriter>(path, names, *samples));
}

Status Execute(const RunCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(const Model model, Model::Load(command.model));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                             OpenData(command.data, model));
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(model, {.threads = command.common.threads}));
  const std::vector<std::string> names = OutputNames(model);
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<OutputWriter> writer,
                             MakeWriter(command.output, names, *source));
  const auto bar = MakeProgressBar(command.common);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const std::size_t samples,
      RunSamples(executor, *source, names, *writer, MakeProgress(bar)));
  bar->Finish();
  if (command.common.json) {
    std::printf("%s\n", FormatJson({{"output", command.output},
                                    {"samples", samples},
                                    {"outputs", names}})
                            .c_str());
  } else if (!command.common.quiet) {
    std::printf("%s: %zu samples of %zu outputs\n", command.output.c_str(),
                samples, names.size());
  }
  return Status();
}

}  // namespace

void AddRun(CLI::App& program, Run& run) {
  auto command = std::make_shared<RunCommand>();
  CLI::App* app =
      program.add_subcommand("run", "run a model on samples, keep its outputs");
  app->add_option("MODEL", command->model, "model to run")->required();
  app->add_option("-o,--output", command->output,
                  "OUT.npz with one array an output, or a folder of "
                  "test_data_set_*")
      ->required();
  AddDataOptions(*app, command->data);
  AddCommonOptions(*app, command->common);
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

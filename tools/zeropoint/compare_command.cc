// zeropoint compare: a quantized model beside the float one.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "tools/zeropoint/command.h"
#include "zeropoint/core/atomic_file.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

struct CompareCommand {
  std::string float_model;
  std::string quantized_model;
  std::string report;
  CommonOptions common;
  DataOptions data;
};

Status Execute(const CompareCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(Model real, Model::Load(command.float_model));
  ZEROPOINT_ASSIGN_OR_RETURN(Model quantized,
                             Model::Load(command.quantized_model));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                             OpenData(command.data, real));
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView real_graph, GraphView::Over(real));
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView quantized_graph,
                             GraphView::Over(quantized));
  const std::vector<TensorPair> layers =
      MatchLayers(real_graph, quantized_graph);
  const ExecutorOptions options{.threads = command.common.threads};
  ZEROPOINT_ASSIGN_OR_RETURN(BuiltinExecutor real_executor,
                             BuiltinExecutor::Create(real, options));
  ZEROPOINT_ASSIGN_OR_RETURN(BuiltinExecutor quantized_executor,
                             BuiltinExecutor::Create(quantized, options));
  const auto bar = MakeProgressBar(command.common);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const ComparisonReport report,
      Compare(real_executor, quantized_executor, *source, OutputNames(real),
              layers, MakeProgress(bar)));
  bar->Finish();
  const std::size_t float_bytes =
      std::filesystem::file_size(command.float_model);
  const std::size_t quantized_bytes =
      std::filesystem::file_size(command.quantized_model);
  const Json json = ComparisonToJson(report, float_bytes, quantized_bytes);
  if (!command.report.empty()) {
    ZEROPOINT_RETURN_IF_ERROR(
        WriteFileAtomically(command.report, FormatJson(json, 1) + "\n"));
  }
  if (command.common.json) {
    std::printf("%s\n", FormatJson(json).c_str());
  } else if (!command.common.quiet) {
    std::printf(
        "%ssize: %s -> %s (%.2fx smaller)\n", ComparisonToText(report).c_str(),
        FormatBytes(float_bytes).c_str(), FormatBytes(quantized_bytes).c_str(),
        static_cast<double>(float_bytes) /
            static_cast<double>(quantized_bytes));
  }
  return Status();
}

}  // namespace

void AddCompare(CLI::App& program, Run& run) {
  auto command = std::make_shared<CompareCommand>();
  CLI::App* app = program.add_subcommand(
      "compare", "score a quantized model against the float one");
  app->add_option("FLOAT", command->float_model, "float model")->required();
  app->add_option("QUANTIZED", command->quantized_model, "quantized model")
      ->required();
  app->add_option("--report", command->report,
                  "write the result to FILE.json as well");
  AddDataOptions(*app, command->data);
  AddCommonOptions(*app, command->common);
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

// zeropoint evaluate: how well a model does its task; top-k accuracy here.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/flow/evaluate_top_k.h"
#include "zeropoint/report/json_report.h"

namespace zeropoint::cli {
namespace {

struct TopKCommand {
  std::string model;
  std::vector<std::size_t> ks = {1, 5};
  std::vector<std::string> outputs;
  std::string labels{kLabels};
  CommonOptions common;
  DataOptions data;
};

Status Execute(const TopKCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                             OpenData(command.data, model));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::vector<std::int64_t> labels,
                             source->ClassLabels(command.labels));
  ZEROPOINT_ASSIGN_OR_RETURN(
      BuiltinExecutor executor,
      BuiltinExecutor::Create(model, {.threads = command.common.threads}));
  std::vector<std::string> outputs = command.outputs;
  if (outputs.empty()) outputs = {OutputNames(model).front()};
  const auto bar = MakeProgressBar(command.common);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const TopKReport report,
      EvaluateTopK(executor, *source, labels, command.data.batch_size, outputs,
                   command.ks, MakeProgress(bar)));
  bar->Finish();
  Json document = {{"samples", report.samples}, {"outputs", Json::array()}};
  for (const OutputAccuracy& output : report.outputs) {
    Json& entry = document["outputs"].emplace_back();
    entry["name"] = output.name;
    for (std::size_t i = 0; i < command.ks.size(); ++i) {
      const std::string top = "top" + std::to_string(command.ks[i]);
      entry[top] = output.accuracy.accuracy(i);
      if (!command.common.json && !command.common.quiet) {
        std::printf("output %s: %s %.2f %% of %zu samples\n",
                    output.name.c_str(), top.c_str(),
                    100.0 * output.accuracy.accuracy(i), report.samples);
      }
    }
  }
  if (command.common.json) std::printf("%s\n", FormatJson(document).c_str());
  return Status();
}

void AddTopK(CLI::App& evaluate, Run& run) {
  auto command = std::make_shared<TopKCommand>();
  CLI::App* app = evaluate.add_subcommand(
      "top-k", "share of labelled samples whose class is among the first k");
  app->add_option("MODEL", command->model, "float or quantized model")
      ->required();
  app->add_option("--k", command->ks, "how many classes may be right")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--outputs", command->outputs,
                  "outputs that hold scores of classes; default: the first")
      ->delimiter(',');
  app->add_option("--labels", command->labels,
                  "the array of the .npz that holds the classes; of a folder "
                  "of images, its sub-folders are the classes")
      ->capture_default_str();
  AddDataOptions(*app, command->data);
  AddCommonOptions(*app, command->common);
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace

void AddEvaluate(CLI::App& program, Run& run) {
  CLI::App* app =
      program.add_subcommand("evaluate", "score a model on its task");
  app->require_subcommand(1);
  AddTopK(*app, run);
  AddEvaluateCoco(*app, run);
}

}  // namespace zeropoint::cli

// zeropoint passes: applies rewrites by name.
#include <cstdio>
#include <memory>
#include <string>

#include "tools/zeropoint/command.h"
#include "zeropoint/flow/run_pipeline.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/pass_catalogue.h"

namespace zeropoint::cli {
namespace {

struct PassesCommand {
  std::string model;
  std::string output;
  std::string pipeline;
  bool list = false;
  bool json = false;
  bool quiet = false;
};

Status List() {
  ZEROPOINT_ASSIGN_OR_RETURN(const PassRegistry registry, BuiltinRegistry());
  std::printf("%s", PassCatalogue(registry).c_str());
  return Status();
}

Status Execute(const PassesCommand& command) {
  if (command.list) return List();
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  ZEROPOINT_ASSIGN_OR_RETURN(const PipelineReport report,
                             RunPipelineText(model, command.pipeline));
  ZEROPOINT_RETURN_IF_ERROR(model.Save(command.output));
  if (command.json) {
    std::printf("%s\n", FormatJson(PipelineToJson(report)).c_str());
  } else if (!command.quiet) {
    for (const PassRun& pass : report.passes) {
      std::printf("%s: %zu rewrites\n", pass.name.c_str(), pass.rewrites);
    }
  }
  return Status();
}

}  // namespace

void AddPasses(CLI::App& program, Run& run) {
  auto command = std::make_shared<PassesCommand>();
  CLI::App* app = program.add_subcommand("passes", "apply rewrites by name");
  auto* list = app->add_flag("--list", command->list, "list the passes");
  app->add_option("MODEL", command->model, "model to rewrite");
  app->add_option("--pipeline", command->pipeline,
                  "passes in order: fold-constant,fold-batch-norm");
  app->add_option("-o,--output", command->output, "rewritten model");
  app->add_flag("--json", command->json,
                "print the result as JSON on standard output");
  app->add_flag("--quiet", command->quiet, "print errors only");
  app->callback([command, list, &run] {
    if (list->count() == 0 &&
        (command->model.empty() || command->pipeline.empty() ||
         command->output.empty())) {
      throw CLI::RequiredError("MODEL, --pipeline and -o, or --list,");
    }
    run = Running(command);
  });
}

}  // namespace zeropoint::cli

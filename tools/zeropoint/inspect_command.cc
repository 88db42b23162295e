// zeropoint inspect: says what a model consists of.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "tools/zeropoint/command.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

struct InspectCommand {
  std::string model;
  bool json = false;
};

Status Execute(const InspectCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  ZEROPOINT_ASSIGN_OR_RETURN(const ModelDescription description,
                             DescribeModel(model));
  if (command.json) {
    std::printf("%s\n", FormatJson(DescriptionToJson(description)).c_str());
  } else {
    std::printf("%s", DescriptionToText(description).c_str());
  }
  return Status();
}

}  // namespace

void AddInspect(CLI::App& program, Run& run) {
  auto command = std::make_shared<InspectCommand>();
  CLI::App* app = program.add_subcommand(
      "inspect", "say what a model consists of: operators, types, nodes");
  app->add_option("MODEL", command->model, "model to look at")->required();
  app->add_flag("--json", command->json, "as JSON");
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

// zeropoint inspect: says what a model consists of.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "tools/zeropoint/command.h"
#include "zeropoint/flow/describe_constants.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/describe_weights.h"
#include "zeropoint/flow/diff_models.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/report/inspection_report.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

struct InspectCommand {
  std::string model;
  std::string against;
  bool json = false;
};

Status Print(const InspectCommand& command, const Json& json,
             const std::string& text) {
  std::printf("%s",
              command.json ? (FormatJson(json) + "\n").c_str() : text.c_str());
  return Status();
}

Status Diff(const InspectCommand& command, Model& model) {
  ZEROPOINT_ASSIGN_OR_RETURN(Model other, Model::Load(command.against));
  ZEROPOINT_ASSIGN_OR_RETURN(const ModelDifference difference,
                             DiffModels(other, model));
  return Print(command, DifferenceToJson(difference),
               DifferenceToText(difference));
}

Status Execute(const InspectCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  if (!command.against.empty()) return Diff(command, model);
  ZEROPOINT_ASSIGN_OR_RETURN(const ModelDescription description,
                             DescribeModel(model));
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(model));
  ZEROPOINT_ASSIGN_OR_RETURN(const auto constants, DescribeConstants(graph));
  ZEROPOINT_ASSIGN_OR_RETURN(const auto weights, DescribeWeights(graph));
  Json json = DescriptionToJson(description);
  json["weights"] = WeightsToJson(constants, weights);
  return Print(
      command, json,
      DescriptionToText(description) + WeightsToText(constants, weights));
}

}  // namespace

void AddInspect(CLI::App& program, Run& run) {
  auto command = std::make_shared<InspectCommand>();
  CLI::App* app = program.add_subcommand(
      "inspect", "say what a model consists of: operators, types, nodes");
  app->add_option("MODEL", command->model, "model to look at")->required();
  app->add_option("--against", command->against,
                  "an older model: say in what MODEL differs from it, by name");
  app->add_flag("--json", command->json,
                "print the result as JSON on standard output");
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

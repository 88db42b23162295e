// zeropoint qat: takes over the scales of a model that was trained with them.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "tools/zeropoint/quantize_output.h"
#include "tools/zeropoint/report_file.h"
#include "zeropoint/flow/quantize_qat.h"
#include "zeropoint/profiles/find_profile.h"

namespace zeropoint::cli {
namespace {

struct QatCommand {
  QuantizeOutput output;
  std::string profile{ProfileNames().front()};
  std::string optimize = "basic";
  CommonOptions common;
};

Status Execute(const QatCommand& command) {
  QatQuantizationOptions options;
  ZEROPOINT_ASSIGN_OR_RETURN(options.target, FindProfile(command.profile));
  options.optimize = command.optimize == "basic";
  options.details = WantPage(command.output.reports);
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.output.model));
  ZEROPOINT_ASSIGN_OR_RETURN(QuantizationReport report,
                             QuantizeQat(model, options));
  return SaveQuantized(model, std::move(report), command.output,
                       command.common);
}

}  // namespace

void AddQat(CLI::App& program, Run& run) {
  auto command = std::make_shared<QatCommand>();
  CLI::App* app = program.add_subcommand(
      "qat", "take over the scales of a model trained with fake quantization");
  AddOutputOptions(*app, command->output);
  app->get_option("MODEL")->description(
      "model trained with fake quantization, or with Q/DQ pairs");
  std::vector<std::string> profiles;
  for (const auto name : ProfileNames()) profiles.emplace_back(name);
  app->add_option("--profile", command->profile, "runtime to quantize for")
      ->check(CLI::IsMember(profiles))
      ->capture_default_str();
  app->add_option("--optimize", command->optimize, "clean the model up as well")
      ->check(CLI::IsMember({"basic", "off"}))
      ->capture_default_str();
  AddCommonOptions(*app, command->common);
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

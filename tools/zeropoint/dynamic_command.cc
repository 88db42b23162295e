// zeropoint dynamic: quantizes without samples; ranges are found at run time.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "tools/zeropoint/quantize_output.h"
#include "tools/zeropoint/report_file.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/flow/quantize_dynamic.h"
#include "zeropoint/profiles/find_profile.h"

namespace zeropoint::cli {
namespace {

struct DynamicCommand {
  QuantizeOutput output;
  std::string profile{ProfileNames().front()};
  std::string weights;
  std::string optimize = "basic";
  SelectionOptions selection;
  CommonOptions common;
};

Status Execute(const DynamicCommand& command) {
  DynamicQuantizationOptions options;
  ZEROPOINT_ASSIGN_OR_RETURN(options.target, FindProfile(command.profile));
  if (!command.weights.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.weight_scheme,
                               ParseScheme(command.weights));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(options.selection,
                             MakeSelection(command.selection));
  options.optimize = command.optimize == "basic";
  options.details = WantPage(command.output.reports);
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.output.model));
  ZEROPOINT_ASSIGN_OR_RETURN(QuantizationReport report,
                             QuantizeDynamic(model, options));
  return SaveQuantized(model, std::move(report), command.output,
                       command.common);
}

}  // namespace

void AddDynamic(CLI::App& program, Run& run) {
  auto command = std::make_shared<DynamicCommand>();
  CLI::App* app = program.add_subcommand(
      "dynamic", "quantize without samples: ranges are found at run time");
  AddOutputOptions(*app, command->output);
  std::vector<std::string> profiles;
  for (const auto name : ProfileNames()) profiles.emplace_back(name);
  app->add_option("--profile", command->profile, "runtime to quantize for")
      ->check(CLI::IsMember(profiles))
      ->capture_default_str();
  app->add_option(
      "--weights", command->weights,
      "scheme of weights, as i8:sym:channel:narrow; default: the profile's");
  AddSelectionOptions(*app, command->selection);
  app->add_option("--optimize", command->optimize, "clean the model up first")
      ->check(CLI::IsMember({"basic", "off"}))
      ->capture_default_str();
  AddCommonOptions(*app, command->common);
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

// zeropoint static: quantizes with ranges from calibration samples.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "tools/zeropoint/quantize_output.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/flow/quantize_static.h"
#include "zeropoint/profiles/find_profile.h"

namespace zeropoint::cli {
namespace {

struct StaticCommand {
  QuantizeOutput output;
  std::string form = "qdq";
  std::string profile{ProfileNames().front()};
  std::string activations;
  std::string weights;
  std::string calibration = "minmax";
  std::string optimize = "basic";
  std::string bias_correction = "on";
  SelectionOptions selection;
  CommonOptions common;
  DataOptions data;
};

Result<StaticQuantizationOptions> MakeOptions(const StaticCommand& command) {
  StaticQuantizationOptions options;
  ZEROPOINT_ASSIGN_OR_RETURN(options.target, FindProfile(command.profile));
  if (!command.activations.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.activation_scheme,
                               ParseScheme(command.activations));
  }
  if (!command.weights.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.weight_scheme,
                               ParseScheme(command.weights));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(options.selection,
                             MakeSelection(command.selection));
  options.optimize = command.optimize == "basic";
  options.correct_bias = command.bias_correction == "on";
  options.threads = command.common.threads;
  return options;
}

Status Execute(const StaticCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(StaticQuantizationOptions options,
                             MakeOptions(command));
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.output.model));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                             OpenData(command.data, model));
  const auto bar = MakeProgressBar(command.common);
  options.progress = MakeProgress(bar);
  ZEROPOINT_ASSIGN_OR_RETURN(QuantizationReport report,
                             QuantizeStatic(model, *source, options));
  bar->Finish();
  return SaveQuantized(model, std::move(report), command.output,
                       command.common);
}

}  // namespace

void AddStatic(CLI::App& program, Run& run) {
  auto command = std::make_shared<StaticCommand>();
  CLI::App* app = program.add_subcommand(
      "static", "quantize with ranges from calibration samples");
  AddOutputOptions(*app, command->output);
  app->add_option("--form", command->form, "form of the result")
      ->check(CLI::IsMember({"qdq"}))
      ->capture_default_str();
  std::vector<std::string> profiles;
  for (const auto name : ProfileNames()) profiles.emplace_back(name);
  app->add_option("--profile", command->profile, "runtime to quantize for")
      ->check(CLI::IsMember(profiles))
      ->capture_default_str();
  app->add_option("--activations", command->activations,
                  "scheme of activations, as u8:asym; default: the profile's");
  app->add_option(
      "--weights", command->weights,
      "scheme of weights, as i8:sym:channel:narrow; default: the profile's");
  app->add_option("--calibration", command->calibration,
                  "how ranges are chosen")
      ->check(CLI::IsMember({"minmax"}))
      ->capture_default_str();
  AddSelectionOptions(*app, command->selection);
  app->add_option("--optimize", command->optimize, "clean the model up first")
      ->check(CLI::IsMember({"basic", "off"}))
      ->capture_default_str();
  app->add_option("--bias-correction", command->bias_correction,
                  "take back in the bias what rounding the weights shifts")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  AddDataOptions(*app, command->data);
  AddCommonOptions(*app, command->common);
  app->callback([command, &run] {
    run = [command] {
      const Status status = Execute(*command);
      return status.ok() ? kSucceeded : Fail(status);
    };
  });
}

}  // namespace zeropoint::cli

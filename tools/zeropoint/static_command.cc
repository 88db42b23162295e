// zeropoint static: quantizes with ranges from calibration samples.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "zeropoint/core/atomic_file.h"
#include "zeropoint/core/form.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/data/read_tensor_overrides.h"
#include "zeropoint/flow/quantize_static.h"
#include "zeropoint/profiles/find_profile.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

struct StaticCommand {
  std::string model;
  std::string output;
  std::string report;
  std::string form = "qdq";
  std::string domain = "onnx";
  std::string profile{ProfileNames().front()};
  std::string activations;
  std::string weights;
  std::string calibration = "minmax";
  std::string optimize = "basic";
  std::string bias_correction = "on";
  std::string pairs = "shared";
  std::string bias = "int32";
  std::string io = "float";
  std::string overrides;
  std::string rounding = "second-order";
  std::string tune = "auto";
  NodeSelection selection;
  CommonOptions common;
  DataOptions data;
};

Result<StaticQuantizationOptions> MakeOptions(const StaticCommand& command) {
  StaticQuantizationOptions options;
  ZEROPOINT_ASSIGN_OR_RETURN(options.target, FindProfile(command.profile));
  ZEROPOINT_ASSIGN_OR_RETURN(options.form, ParseForm(command.form));
  options.microsoft_domain = command.domain == kMicrosoftDomain;
  if (!command.activations.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.activation_scheme,
                               ParseScheme(command.activations));
  }
  if (!command.weights.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.weight_scheme,
                               ParseScheme(command.weights));
  }
  options.selection = command.selection;
  if (!command.overrides.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.overrides,
                               ReadTensorOverrides(command.overrides));
  }
  options.optimize = command.optimize == "basic";
  options.correct_bias = command.bias_correction == "on";
  options.pairs = command.pairs == "dedicated" ? PairSharing::kDedicated
                                               : PairSharing::kShared;
  options.quantize_bias = command.bias == "int32";
  options.integer_io = command.io == "integer";
  options.second_order_rounding = command.rounding == "second-order";
  options.tune = command.tune == "auto";
  options.threads = command.common.threads;
  return options;
}

Status Execute(const StaticCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(StaticQuantizationOptions options,
                             MakeOptions(command));
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                             OpenData(command.data, model));
  const auto bar = MakeProgressBar(command.common);
  options.progress = MakeProgress(bar);
  ZEROPOINT_ASSIGN_OR_RETURN(QuantizationReport report,
                             QuantizeStatic(model, *source, options));
  bar->Finish();
  PhaseTimer timer(report.seconds);
  ZEROPOINT_RETURN_IF_ERROR(model.Save(command.output));
  timer.End("saving");
  const std::size_t float_bytes = std::filesystem::file_size(command.model);
  const std::size_t quantized_bytes =
      std::filesystem::file_size(command.output);
  const Json json = QuantizationToJson(report, command.output, float_bytes,
                                       quantized_bytes, PeakMemory());
  if (!command.report.empty()) {
    ZEROPOINT_RETURN_IF_ERROR(
        WriteFileAtomically(command.report, FormatJson(json, 1) + "\n"));
  }
  if (command.common.json) {
    std::printf("%s\n", FormatJson(json).c_str());
  } else if (!command.common.quiet) {
    double seconds = 0.0;
    for (const PhaseTime& phase : report.seconds) seconds += phase.seconds;
    std::printf("%s%s: %s -> %s in %.2f s, peak memory %s\n",
                QuantizationToText(report).c_str(), command.output.c_str(),
                FormatBytes(float_bytes).c_str(),
                FormatBytes(quantized_bytes).c_str(), seconds,
                FormatBytes(PeakMemory()).c_str());
  }
  return Status();
}

}  // namespace

void AddStatic(CLI::App& program, Run& run) {
  auto command = std::make_shared<StaticCommand>();
  CLI::App* app = program.add_subcommand(
      "static", "quantize with ranges from calibration samples");
  app->add_option("MODEL", command->model, "float model")->required();
  app->add_option("-o,--output", command->output, "quantized model")
      ->required();
  app->add_option("--report", command->report,
                  "write what was done to FILE.json");
  app->add_option("--form", command->form, "form of the result")
      ->check(CLI::IsMember({"qdq", "qoperator", "integer"}))
      ->capture_default_str();
  app->add_option("--domain", command->domain,
                  "operators of the form qoperator: ONNX's, or ONNX Runtime's "
                  "too")
      ->check(CLI::IsMember({"onnx", "com.microsoft"}))
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
  app->add_option("--op-types", command->selection.op_types_to_quantize,
                  "quantize only these operator types")
      ->delimiter(',');
  app->add_option("--nodes", command->selection.nodes_to_quantize,
                  "quantize only these nodes")
      ->delimiter(',');
  app->add_option("--exclude", command->selection.nodes_to_exclude,
                  "leave these nodes in float")
      ->delimiter(',');
  app->add_option("--overrides", command->overrides,
                  "types, ranges and scales of single tensors, FILE.json");
  app->add_option("--optimize", command->optimize, "clean the model up first")
      ->check(CLI::IsMember({"basic", "off"}))
      ->capture_default_str();
  app->add_option("--bias-correction", command->bias_correction,
                  "take back in the bias what rounding the weights shifts")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  app->add_option("--pairs", command->pairs,
                  "one Q/DQ pair a tensor, or one for each reader")
      ->check(CLI::IsMember({"shared", "dedicated"}))
      ->capture_default_str();
  app->add_option("--bias", command->bias, "how biases are stored")
      ->check(CLI::IsMember({"int32", "float"}))
      ->capture_default_str();
  app->add_option("--io", command->io, "inputs and outputs of the model")
      ->check(CLI::IsMember({"float", "integer"}))
      ->capture_default_str();
  app->add_option("--rounding", command->rounding,
                  "of weights: by the second moments of their inputs, or each "
                  "to its nearest code")
      ->check(CLI::IsMember({"second-order", "nearest"}))
      ->capture_default_str();
  app->add_option("--tune", command->tune,
                  "keep a remedy only where it helps on held-out samples, and "
                  "put the nodes that cost most back to float")
      ->check(CLI::IsMember({"auto", "off"}))
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

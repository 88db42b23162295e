// zeropoint static: quantizes with ranges from calibration samples.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "tools/zeropoint/quality_metric.h"
#include "tools/zeropoint/quantize_output.h"
#include "tools/zeropoint/report_file.h"
#include "zeropoint/calibration/choose_ranges.h"
#include "zeropoint/calibration/state_file.h"
#include "zeropoint/calibration/table_reader.h"
#include "zeropoint/core/form.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/data/read_tensor_overrides.h"
#include "zeropoint/flow/calibrate_model.h"
#include "zeropoint/flow/compare_models.h"
#include "zeropoint/flow/first_samples.h"
#include "zeropoint/flow/quantize_static.h"
#include "zeropoint/profiles/find_profile.h"

namespace zeropoint::cli {
namespace {

struct StaticCommand {
  QuantizeOutput output;
  std::string form = "qdq";
  std::string domain = "onnx";
  std::string profile{ProfileNames().front()};
  std::string activations;
  std::string weights;
  std::string calibration = "mse";
  bool calibration_given = false;
  std::string table;
  std::string optimize = "basic";
  std::string bias_correction = "on";
  std::string pairs = "shared";
  std::string bias = "int32";
  std::string io = "float";
  std::string overrides;
  std::string rounding = "second-order";
  std::string equalize = "auto";
  std::string tune = "auto";
  std::string if_slower = "float";
  std::string target;
  SelectionOptions selection;
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
  ZEROPOINT_ASSIGN_OR_RETURN(options.calibration,
                             ParseCalibration(command.calibration));
  ZEROPOINT_ASSIGN_OR_RETURN(options.selection,
                             MakeSelection(command.selection));
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
  options.equalize_channels = command.equalize == "auto";
  options.tune = command.tune == "auto";
  options.leave_slower_float = command.if_slower == "float";
  options.tuning.try_min_max_ranges = !command.calibration_given;
  if (!command.target.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.tuning.target,
                               MakeQualityTarget(command.target));
    if (!options.tune || !command.table.empty()) {
      return InvalidArgument("--target needs samples (--data) and --tune auto");
    }
  }
  options.details = WantPage(command.output.reports);
  options.threads = command.common.threads;
  return options;
}

/// The ranges of --table, for `model` as loaded.
Result<CalibrationResult> LoadRanges(const StaticCommand& command, Model& model,
                                     StaticQuantizationOptions& options) {
  CalibrationResult result;
  if (!command.table.ends_with(".zpcal")) {
    if (command.calibration_given) {
      return InvalidArgument("'" + command.table +
                             "' holds ranges already; --calibration chooses "
                             "them from samples or from a .zpcal");
    }
    ZEROPOINT_ASSIGN_OR_RETURN(result.table,
                               LoadCalibrationTable(command.table));
    return result;
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const CalibrationState state,
                             LoadState(command.table));
  ZEROPOINT_RETURN_IF_ERROR(
      CheckStateIsOf(state, model, {options.target, options.optimize}));
  if (!command.calibration_given && !state.collected.histogram) {
    options.calibration = {.method = CalibrationMethod::kMinMax};
  }
  return ChooseRanges(
      state, options.calibration,
      options.activation_scheme.value_or(options.target.activations));
}

Status QuantizeFromTable(const StaticCommand& command, Model& model,
                         StaticQuantizationOptions options) {
  ZEROPOINT_ASSIGN_OR_RETURN(CalibrationResult ranges,
                             LoadRanges(command, model, options));
  ZEROPOINT_ASSIGN_OR_RETURN(QuantizationReport report,
                             QuantizeStatic(model, std::move(ranges), options));
  return SaveQuantized(model, std::move(report), command.output,
                       command.common);
}

/// How many samples the page of a report compares the two models on.
constexpr std::size_t kComparedSamples = 8;

Result<ComparisonReport> CompareWithFloat(const StaticCommand& command,
                                          Model& quantized,
                                          FeedSource& source) {
  ZEROPOINT_ASSIGN_OR_RETURN(Model real, Model::Load(command.output.model));
  ZEROPOINT_RETURN_IF_ERROR(source.Rewind());
  FirstSamples samples(source, kComparedSamples);
  return CompareModels(real, quantized, samples,
                       {.threads = command.common.threads});
}

Status QuantizeFromSamples(const StaticCommand& command, Model& model,
                           StaticQuantizationOptions options) {
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                             OpenData(command.data, model));
  const auto bar = MakeProgressBar(command.common);
  options.progress = MakeProgress(bar);
  ZEROPOINT_ASSIGN_OR_RETURN(QuantizationReport report,
                             QuantizeStatic(model, *source, options));
  bar->Finish();
  if (!options.details || options.integer_io) {
    return SaveQuantized(model, std::move(report), command.output,
                         command.common);
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const ComparisonReport comparison,
                             CompareWithFloat(command, model, *source));
  return SaveQuantized(model, std::move(report), command.output, command.common,
                       &comparison);
}

Status Execute(const StaticCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(const StaticQuantizationOptions options,
                             MakeOptions(command));
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.output.model));
  return command.table.empty() ? QuantizeFromSamples(command, model, options)
                               : QuantizeFromTable(command, model, options);
}

}  // namespace

void AddStatic(CLI::App& program, Run& run) {
  auto command = std::make_shared<StaticCommand>();
  CLI::App* app = program.add_subcommand(
      "static", "quantize with ranges from calibration samples");
  AddOutputOptions(*app, command->output);
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
  AddCalibrationOption(*app, command->calibration);
  app->add_option("--table", command->table,
                  "ranges in place of samples: a STATE.zpcal of `calibrate`, "
                  "or a calibration table (.flatbuffers, .json, .cache, .trt)");
  AddSelectionOptions(*app, command->selection);
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
  app->add_option("--io", command->io,
                  "what the inputs and outputs of the model are: reals, or "
                  "codes, whose scales the report has")
      ->check(CLI::IsMember({"float", "integer"}))
      ->capture_default_str();
  app->add_option("--rounding", command->rounding,
                  "how weights are rounded: by the second moments of their "
                  "inputs, or each to its nearest code")
      ->check(CLI::IsMember({"second-order", "nearest"}))
      ->capture_default_str();
  app->add_option("--equalize", command->equalize,
                  "divide wide channels and multiply their weights, where that "
                  "halves the noise on held-out samples")
      ->check(CLI::IsMember({"auto", "off"}))
      ->capture_default_str();
  app->add_option("--tune", command->tune,
                  "keep a remedy only where it helps on held-out samples, and "
                  "put the nodes that cost most back to float")
      ->check(CLI::IsMember({"auto", "off"}))
      ->capture_default_str();
  app->add_option("--target", command->target,
                  "what the result must reach on held-out samples, with the "
                  "fewest nodes in float: sqnr:DECIBEL, agreement:SHARE, or "
                  "metric:LEAST:COMMAND, which is given a model and prints a "
                  "number; default: the knee of the curve");
  app->add_option("--if-slower", command->if_slower,
                  "what becomes of operators that the profile's measured times "
                  "say are slower in int8")
      ->check(CLI::IsMember({"float", "quantize"}))
      ->capture_default_str();
  AddDataOptions(*app, command->data);
  app->get_option("--data")->required(false);
  AddCommonOptions(*app, command->common);
  app->callback([command, app, &run] {
    if (command->table.empty() == command->data.source.empty()) {
      throw CLI::RequiredError("Either samples (--data) or ranges (--table)");
    }
    command->calibration_given = app->get_option("--calibration")->count() > 0;
    run = Running(command);
  });
}

}  // namespace zeropoint::cli

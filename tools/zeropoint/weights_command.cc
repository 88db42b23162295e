// zeropoint weights: stores weights alone in a few bits.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/zeropoint/command.h"
#include "tools/zeropoint/quantize_output.h"
#include "tools/zeropoint/report_file.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/flow/quantize_weight_only.h"
#include "zeropoint/passes/weight_only_spec.h"

namespace zeropoint::cli {
namespace {

struct WeightsCommand {
  QuantizeOutput output;
  int bits = 4;
  std::int64_t block = 32;
  std::string scheme = "asym";
  std::string rounding;
  std::string format{NameOf(WeightFormat::kMatMulNBits)};
  int accuracy_level = 0;
  std::string optimize = "basic";
  SelectionOptions selection;
  CommonOptions common;
  DataOptions data;
};

Result<WeightOnlyOptions> MakeOptions(const WeightsCommand& command) {
  WeightOnlyOptions options;
  options.spec.bits = command.bits;
  options.spec.block = command.block;
  options.spec.symmetric = command.scheme == "sym";
  options.spec.accuracy_level = command.accuracy_level;
  ZEROPOINT_ASSIGN_OR_RETURN(options.spec.format,
                             ParseWeightFormat(command.format));
  options.spec.rounding = command.data.source.empty()
                              ? BlockRounding::kMse
                              : BlockRounding::kSecondOrder;
  if (!command.rounding.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(options.spec.rounding,
                               ParseBlockRounding(command.rounding));
  }
  ZEROPOINT_ASSIGN_OR_RETURN(options.selection,
                             MakeSelection(command.selection));
  options.optimize = command.optimize == "basic";
  options.details = WantPage(command.output.reports);
  options.threads = command.common.threads;
  if (command.data.limit) options.second_moments.samples = *command.data.limit;
  return options;
}

Status Execute(const WeightsCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(WeightOnlyOptions options, MakeOptions(command));
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.output.model));
  std::unique_ptr<FeedSource> source;
  if (!command.data.source.empty()) {
    ZEROPOINT_ASSIGN_OR_RETURN(source, OpenData(command.data, model));
  }
  const auto bar = MakeProgressBar(command.common);
  options.progress = MakeProgress(bar);
  ZEROPOINT_ASSIGN_OR_RETURN(QuantizationReport report,
                             QuantizeWeightOnly(model, options, source.get()));
  bar->Finish();
  return SaveQuantized(model, std::move(report), command.output,
                       command.common);
}

std::vector<std::string> Words(std::span<const std::string_view> names) {
  return {names.begin(), names.end()};
}

}  // namespace

void AddWeights(CLI::App& program, Run& run) {
  auto command = std::make_shared<WeightsCommand>();
  CLI::App* app = program.add_subcommand(
      "weights", "quantize weights alone, to a few bits in blocks");
  AddOutputOptions(*app, command->output);
  app->add_option("--bits", command->bits, "of a weight")
      ->check(CLI::IsMember({2, 4, 8}))
      ->capture_default_str();
  app->add_option("--block", command->block,
                  "weights that share a scale: a power of two from 16; with "
                  "--format qdq any number, or 0 for one scale a channel")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app->add_option("--scheme", command->scheme, "asym: with zero points, or sym")
      ->check(CLI::IsMember({"sym", "asym"}))
      ->capture_default_str();
  app->add_option("--rounding", command->rounding,
                  "how codes are chosen; default: second-order with --data, "
                  "mse without")
      ->check(CLI::IsMember(Words(kBlockRoundingNames)));
  app->add_option("--format", command->format,
                  "what reads the codes: MatMulNBits and GatherBlockQuantized "
                  "of com.microsoft, or DequantizeLinear")
      ->check(CLI::IsMember(Words(kWeightFormatNames)))
      ->capture_default_str();
  app->add_option("--accuracy-level", command->accuracy_level,
                  "of MatMulNBits: 0 leaves it to the runtime, 1 computes in "
                  "float, 4 lets it round activations to int8")
      ->check(CLI::Range(0, 4))
      ->capture_default_str();
  AddSelectionOptions(*app, command->selection);
  app->add_option("--optimize", command->optimize, "clean the model up first")
      ->check(CLI::IsMember({"basic", "off"}))
      ->capture_default_str();
  AddCommonOptions(*app, command->common);
  AddDataOptions(*app, command->data);
  app->get_option("--data")->required(false);
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

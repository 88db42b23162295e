// zeropoint convert: a quantized model in another form.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "tools/zeropoint/command.h"
#include "zeropoint/core/form.h"
#include "zeropoint/flow/convert.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

struct ConvertCommand {
  std::string model;
  std::string output;
  std::string form;
  std::string domain = "onnx";
  std::int64_t opset = 0;
  SelectionOptions selection;
  bool json = false;
  bool quiet = false;
};

Status Execute(const ConvertCommand& command) {
  ConversionOptions options;
  ZEROPOINT_ASSIGN_OR_RETURN(options.form, ParseForm(command.form));
  options.microsoft_domain = command.domain == kMicrosoftDomain;
  options.opset = command.opset;
  ZEROPOINT_ASSIGN_OR_RETURN(options.selection,
                             MakeSelection(command.selection));
  ZEROPOINT_ASSIGN_OR_RETURN(Model model, Model::Load(command.model));
  ZEROPOINT_ASSIGN_OR_RETURN(QuantizationReport report,
                             Convert(model, options));
  PhaseTimer timer(report.seconds);
  ZEROPOINT_RETURN_IF_ERROR(model.Save(command.output));
  timer.End("saving");
  if (command.json) {
    std::printf("%s\n", FormatJson(ConversionToJson(report, command.output,
                                                    PeakMemory()))
                            .c_str());
  } else if (!command.quiet) {
    std::printf(
        "%s%s: %s\n", ConversionToText(report).c_str(), command.output.c_str(),
        FormatBytes(std::filesystem::file_size(command.output)).c_str());
  }
  return Status();
}

}  // namespace

void AddConvert(CLI::App& program, Run& run) {
  auto command = std::make_shared<ConvertCommand>();
  CLI::App* app = program.add_subcommand(
      "convert", "write a quantized model in another form");
  app->add_option("MODEL", command->model, "quantized model")->required();
  app->add_option("--to", command->form, "form of the result")
      ->required()
      ->check(CLI::IsMember({"qdq", "qoperator", "integer", "float"}));
  app->add_option("-o,--output", command->output, "converted model")
      ->required();
  app->add_option("--domain", command->domain,
                  "operators of the form qoperator: ONNX's, or ONNX Runtime's "
                  "too")
      ->check(CLI::IsMember({"onnx", "com.microsoft"}))
      ->capture_default_str();
  app->add_option(
         "--opset", command->opset,
         "raise the operator set to this version first; default: as it is")
      ->check(CLI::Range(1, 1000));
  AddSelectionOptions(*app, command->selection, "convert", "as they are");
  app->get_option("--op-types")
      ->description(
          "convert only these operator types: Conv is QLinearConv too");
  app->add_flag("--json", command->json,
                "print the result as JSON on standard output");
  app->add_flag("--quiet", command->quiet, "print errors only");
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

// zeropoint compare: a quantized model beside the float one.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "tools/zeropoint/command.h"
#include "tools/zeropoint/report_file.h"
#include "zeropoint/flow/compare.h"
#include "zeropoint/flow/compare_models.h"
#include "zeropoint/flow/describe_model.h"
#include "zeropoint/flow/describe_weights.h"
#include "zeropoint/flow/quantization_details.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/graph/graph_view.h"
#include "zeropoint/report/html_report.h"
#include "zeropoint/report/json_report.h"
#include "zeropoint/report/text_report.h"

namespace zeropoint::cli {
namespace {

struct CompareCommand {
  std::string float_model;
  std::string quantized_model;
  ReportFiles reports;
  CommonOptions common;
  DataOptions data;
};

/// A page of the comparison, with the graph and the weights of the quantized
/// model.
Result<Json> MakePage(const CompareCommand& command, Model& quantized,
                      const Json& comparison) {
  ZEROPOINT_ASSIGN_OR_RETURN(const GraphView graph, GraphView::Over(quantized));
  QuantizationDetails details{.nodes = DescribeNodes(graph)};
  ZEROPOINT_ASSIGN_OR_RETURN(details.weights, DescribeWeights(graph));
  Json page = DetailsToJson(details, QuantizationReport());
  page["title"] = command.quantized_model;
  page["subtitle"] = "compared with " + command.float_model;
  page["comparison"] = comparison;
  return page;
}

Status Execute(const CompareCommand& command) {
  ZEROPOINT_ASSIGN_OR_RETURN(Model real, Model::Load(command.float_model));
  ZEROPOINT_ASSIGN_OR_RETURN(Model quantized,
                             Model::Load(command.quantized_model));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<FeedSource> source,
                             OpenData(command.data, real));
  const auto bar = MakeProgressBar(command.common);
  ZEROPOINT_ASSIGN_OR_RETURN(
      const ComparisonReport report,
      CompareModels(real, quantized, *source,
                    {.threads = command.common.threads}, MakeProgress(bar)));
  bar->Finish();
  const std::size_t float_bytes =
      std::filesystem::file_size(command.float_model);
  const std::size_t quantized_bytes =
      std::filesystem::file_size(command.quantized_model);
  const Json json = ComparisonToJson(report, float_bytes, quantized_bytes);
  ZEROPOINT_RETURN_IF_ERROR(WriteReports(command.reports, json, [&] {
    return MakePage(command, quantized, json);
  }));
  if (command.common.json) {
    std::printf("%s\n", FormatJson(json).c_str());
  } else if (!command.common.quiet) {
    std::printf(
        "%ssize: %s -> %s (%.2fx smaller)\n", ComparisonToText(report).c_str(),
        FormatBytes(float_bytes).c_str(), FormatBytes(quantized_bytes).c_str(),
        static_cast<double>(float_bytes) /
            static_cast<double>(quantized_bytes));
  }
  return Status();
}

}  // namespace

void AddCompare(CLI::App& program, Run& run) {
  auto command = std::make_shared<CompareCommand>();
  CLI::App* app = program.add_subcommand(
      "compare", "score a quantized model against the float one");
  app->add_option("FLOAT", command->float_model, "float model")->required();
  app->add_option("QUANTIZED", command->quantized_model, "quantized model")
      ->required();
  AddReportOption(*app, command->reports);
  AddDataOptions(*app, command->data);
  AddCommonOptions(*app, command->common);
  RunWhenChosen(*app, std::move(command), run);
}

}  // namespace zeropoint::cli

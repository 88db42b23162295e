// A flow of one's own: quantizes a model with several range rules, compares
// each result with the float model on other samples, and saves the best.
// docs/getting-started.md explains it. Usage: 20_your_own_flow FOLDER
// [OUT.onnx], FOLDER one of examples/data.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/data/feed_source.h"
#include "zeropoint/flow/compare_models.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/flow/quantize_static.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/profiles/generic.h"

namespace zp = zeropoint;

namespace {

// #region open
zp::Result<std::unique_ptr<zp::FeedSource>> Open(const std::string& folder,
                                                 const std::string& file,
                                                 const zp::Model& model) {
  return zp::OpenFeedSource(folder + "/" + file,
                            {.inputs = zp::DescribeInputs(model),
                             .preprocess_file = folder + "/preprocess.json",
                             .limit = 64});
}
// #endregion

// #region options
zp::Result<zp::StaticQuantizationOptions> OptionsFor(const std::string& rule) {
  zp::StaticQuantizationOptions options;
  options.target = zp::Generic::Spec();
  ZEROPOINT_ASSIGN_OR_RETURN(options.calibration, zp::ParseCalibration(rule));
  // The last layers of a network are small and decide: leave Gemm in float.
  options.selection.quantize_if = [](const zp::GraphView& graph,
                                     zp::NodeId node) {
    return graph.node(node).op_type() != "Gemm";
  };
  // The comparison below takes the place of the built-in one.
  options.tune = false;
  return options;
}
// #endregion

// #region flow
struct Best {
  zp::Model model;
  double sqnr_db = 0.0;
};

zp::Result<Best> QuantizeBest(const std::string& folder) {
  ZEROPOINT_ASSIGN_OR_RETURN(zp::Model real,
                             zp::Model::Load(folder + "/model.onnx"));
  std::optional<Best> best;
  for (const char* rule : {"minmax", "percentile:99.99", "mse"}) {
    ZEROPOINT_ASSIGN_OR_RETURN(zp::Model model,
                               zp::Model::Load(folder + "/model.onnx"));
    ZEROPOINT_ASSIGN_OR_RETURN(const auto samples,
                               Open(folder, "calib.npz", real));
    ZEROPOINT_ASSIGN_OR_RETURN(const zp::StaticQuantizationOptions options,
                               OptionsFor(rule));
    ZEROPOINT_ASSIGN_OR_RETURN(const zp::QuantizationReport report,
                               zp::QuantizeStatic(model, *samples, options));
    std::printf("%s: %zu nodes quantized\n", rule,
                report.quantized.nodes.size());

    ZEROPOINT_ASSIGN_OR_RETURN(const auto others,
                               Open(folder, "eval.npz", real));
    ZEROPOINT_ASSIGN_OR_RETURN(const zp::ComparisonReport comparison,
                               zp::CompareModels(real, model, *others, {}));
    const double sqnr_db = comparison.outputs[0].measures.sqnr_db();
    if (!best || sqnr_db > best->sqnr_db) {
      best = Best{std::move(model), sqnr_db};
    }
  }
  return std::move(*best);
}
// #endregion

}  // namespace

// #region main
int main(int argc, char** argv) {
  if (argc < 2) return 2;
  zp::Result<Best> best = QuantizeBest(argv[1]);
  zp::Status status = best.status();
  if (status.ok() && argc > 2) status = best->model.Save(argv[2]);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    return 1;
  }
  std::printf("above 20 dB: %s\n", best->sqnr_db > 20.0 ? "yes" : "no");
  return 0;
}
// #endregion

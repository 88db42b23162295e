// The whole way of a model, step by step: clean up, calibrate, quantize,
// compare. zp::QuantizeStatic does all of it and more in one call.
// docs/guide/whole-flow.md explains it. Usage: 16_whole_flow FOLDER, one of
// examples/data.
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/data/feed_source.h"
#include "zeropoint/exec/builtin_executor.h"
#include "zeropoint/flow/calibrate.h"
#include "zeropoint/flow/compare_models.h"
#include "zeropoint/flow/describe_inputs.h"
#include "zeropoint/flow/prepare_model.h"
#include "zeropoint/graph/infer_types.h"
#include "zeropoint/graph/verify.h"
#include "zeropoint/passes/calibration_targets.h"
#include "zeropoint/passes/eliminate_dead.h"
#include "zeropoint/passes/insert_qdq.h"
#include "zeropoint/passes/pipeline.h"
#include "zeropoint/passes/quantize_bias.h"
#include "zeropoint/profiles/generic.h"

namespace zp = zeropoint;

namespace {

// #region calibrate
zp::Result<zp::CalibrationResult> Calibrated(zp::Model& model,
                                             const zp::TargetSpec& target,
                                             zp::FeedSource& samples) {
  std::vector<zp::CalibrationTarget> tensors;
  {
    ZEROPOINT_ASSIGN_OR_RETURN(zp::GraphView graph, zp::GraphView::Over(model));
    ZEROPOINT_RETURN_IF_ERROR(zp::InferTypes(graph));
    tensors = zp::CalibrationTargets(graph, target, {});
  }
  ZEROPOINT_ASSIGN_OR_RETURN(const zp::CalibrationSpec rule,
                             zp::ParseCalibration("percentile:99.999"));
  ZEROPOINT_ASSIGN_OR_RETURN(zp::BuiltinExecutor executor,
                             zp::BuiltinExecutor::Create(model));
  return zp::Calibrate(executor, samples, tensors, rule, target.activations,
                       zp::DispatchedKernels());
}
// #endregion

// #region quantize
zp::Status Quantize(zp::Model& model, const zp::TargetSpec& target,
                    const zp::CalibrationTable& ranges) {
  ZEROPOINT_ASSIGN_OR_RETURN(zp::GraphView graph, zp::GraphView::Over(model));
  ZEROPOINT_RETURN_IF_ERROR(zp::InferTypes(graph));
  zp::PassContext context;
  context.target = &target;
  context.calibration = &ranges;
  zp::Pipeline passes{zp::InsertQdq{}, zp::QuantizeBias{}, zp::EliminateDead{}};
  ZEROPOINT_RETURN_IF_ERROR(passes.Run(graph, context).status());
  std::printf("%zu nodes quantized, %zu stay float\n",
              context.quantized.nodes.size(), context.declined.size());
  return zp::VerifyModel(graph);
}
// #endregion

zp::Status Run(const std::string& folder) {
  ZEROPOINT_ASSIGN_OR_RETURN(zp::Model real,
                             zp::Model::Load(folder + "/model.onnx"));
  ZEROPOINT_ASSIGN_OR_RETURN(zp::Model model,
                             zp::Model::Load(folder + "/model.onnx"));
  const zp::FeedSourceOptions steps = {
      .inputs = zp::DescribeInputs(real),
      .preprocess_file = folder + "/preprocess.json",
      .limit = 32};
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<zp::FeedSource> samples,
                             zp::OpenFeedSource(folder + "/calib.npz", steps));
  ZEROPOINT_ASSIGN_OR_RETURN(const std::unique_ptr<zp::FeedSource> others,
                             zp::OpenFeedSource(folder + "/eval.npz", steps));

  // #region flow
  const zp::TargetSpec target = zp::Generic::Spec();
  const int nodes = model.proto().graph().node_size();
  ZEROPOINT_RETURN_IF_ERROR(zp::PrepareModel(model, target, nullptr,
                                             /*optimize=*/true,
                                             zp::DispatchedKernels())
                                .status());
  std::printf("%d nodes, %d after the clean-up\n", nodes,
              model.proto().graph().node_size());
  ZEROPOINT_ASSIGN_OR_RETURN(const zp::CalibrationResult ranges,
                             Calibrated(model, target, *samples));
  std::printf("%zu tensors have a range, from %zu samples\n",
              ranges.table.size(), ranges.samples);
  ZEROPOINT_RETURN_IF_ERROR(Quantize(model, target, ranges.table));
  ZEROPOINT_ASSIGN_OR_RETURN(const zp::ComparisonReport report,
                             zp::CompareModels(real, model, *others, {}));
  // #endregion
  const double lost =
      report.float_accuracy->accuracy() - report.quantized_accuracy->accuracy();
  std::printf("noise at least 20 dB below the signal: %s\n",
              report.outputs[0].measures.sqnr_db() > 20.0 ? "yes" : "no");
  std::printf("accuracy lost on %zu other samples below 5 %%: %s\n",
              report.samples, lost < 0.05 ? "yes" : "no");
  return zp::Status();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const zp::Status status = Run(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}

// QuantizeWeightOnly: from a float model to one whose weights take a few bits.
#ifndef ZEROPOINT_FLOW_QUANTIZE_WEIGHT_ONLY_H_
#define ZEROPOINT_FLOW_QUANTIZE_WEIGHT_ONLY_H_

#include "zeropoint/core/status.h"
#include "zeropoint/data/feed_source_base.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/flow/quantization_report.h"
#include "zeropoint/flow/second_moment_options.h"
#include "zeropoint/graph/model.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/weight_only_spec.h"

namespace zeropoint {

struct WeightOnlyOptions {
  WeightOnlySpec spec;
  NodeSelection selection;
  /// Run the clean-up passes first.
  bool optimize = true;
  /// What second-order rounding looks at: more than where activations are
  /// rounded too, since a few bits leave the weights more to make up for.
  SecondMomentOptions second_moments{.samples = 128};
  /// Keep for the report what a drawing of it shows.
  bool details = false;
  /// 0: one a processor.
  int threads = 0;
  ProgressHook progress;
};

/// Quantizes the weights of MatMul, Gemm and Gather in `model`, in place:
/// upgrade where the format needs it, clean-up, second moments, codes. Only
/// second-order rounding reads `source`, and needs it. Deterministic, whatever
/// the number of threads.
///
/// Errors: kInvalidArgument for options that the format cannot say, a selection
/// that names what is not there, and second-order rounding without samples;
/// kUnsupported for a model that cannot be upgraded, or an operator that the
/// executor lacks; kInvalidData for samples that do not fit; kInvalidModel.
/// After an error the model is in an undefined state.
Result<QuantizationReport> QuantizeWeightOnly(Model& model,
                                              const WeightOnlyOptions& options,
                                              FeedSource* source = nullptr);

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_QUANTIZE_WEIGHT_ONLY_H_

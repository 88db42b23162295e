// StaticQuantizationOptions: what a static quantization may be asked for.
#ifndef ZEROPOINT_FLOW_STATIC_OPTIONS_H_
#define ZEROPOINT_FLOW_STATIC_OPTIONS_H_

#include <optional>

#include "zeropoint/calibration/calibration_spec.h"
#include "zeropoint/core/form.h"
#include "zeropoint/core/scheme_spec.h"
#include "zeropoint/core/target_spec.h"
#include "zeropoint/core/tensor_overrides.h"
#include "zeropoint/flow/progress.h"
#include "zeropoint/flow/second_moment_options.h"
#include "zeropoint/flow/tune_options.h"
#include "zeropoint/passes/node_selection.h"
#include "zeropoint/passes/pair_sharing.h"
#include "zeropoint/profiles/onnx_runtime_cpu.h"

namespace zeropoint {

/// Named after the reference tool's arguments where it has one.
struct StaticQuantizationOptions {
  /// Where the pairs go; see profiles/.
  TargetSpec target = OnnxRuntimeCpu::Spec();
  /// kQdq, kQOperator or kInteger.
  Form form = Form::kQdq;
  /// Of the QOperator form: use ONNX Runtime's operators of com.microsoft too.
  bool microsoft_domain = false;
  /// In place of the target's own schemes.
  std::optional<SchemeSpec> activation_scheme;
  std::optional<SchemeSpec> weight_scheme;
  /// How ranges are chosen. Least squared error is never far from the best rule
  /// (docs/guide/accuracy.md).
  CalibrationSpec calibration = {.method = CalibrationMethod::kMse};
  NodeSelection selection;
  /// What is fixed for single tensors of the cleaned-up model, by name.
  TensorOverrides overrides;
  /// Run the clean-up passes first.
  bool optimize = true;
  /// Take back in the bias what rounding the weights shifts on average.
  bool correct_bias = true;
  /// One pair a tensor, or one for each reader.
  PairSharing pairs = PairSharing::kShared;
  /// Store biases as int32 in units of the accumulator.
  bool quantize_bias = true;
  /// Inputs and outputs of the model are codes; the report has their scales.
  bool integer_io = false;
  /// Round weights by the second moments of their inputs, not to the nearest
  /// code. Needs samples.
  bool second_order_rounding = true;
  SecondMomentOptions second_moments;
  /// Share the range of an activation out among its channels, where that helps
  /// on held-out samples. Needs second-order rounding's moments and `tune`.
  bool equalize_channels = true;
  /// Accept each remedy only where it helps on held-out samples, and put the
  /// nodes that cost most back to float; see LearnFacts for what it needs.
  bool tune = true;
  TuneOptions tuning;
  /// Leave operators float where the target's measured times say that int8 is
  /// slower there: a small network may stay float as a whole. Of 8-bit pairs
  /// in the QDQ form, and the QOperator form that is made of them.
  bool leave_slower_float = true;
  /// Keep for the report what a drawing of it shows.
  bool details = false;
  /// 0: one a processor.
  int threads = 0;
  ProgressHook progress;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_FLOW_STATIC_OPTIONS_H_
